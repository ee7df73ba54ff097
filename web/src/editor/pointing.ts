// Choosing a place in the world: a click or a tap, or with the keyboard what stands in the middle of the window.
import type { Pose } from "../geometry";
import { rayThrough, type Ray } from "../scene/screen";
import { make, part } from "../ui/page";
import { pressable } from "./fields";

/** Farther than this between down and up is looking around, not pointing. */
const STILL_PX = 6;

export interface Request {
  /** What to do, for people. */
  readonly words: string;
  picked(ray: Ray): void;
  /** Where several places are picked: takes the last one back, and ends. */
  readonly several?: { back(): void; done(): void };
  cancelled?(): void;
}

export interface Pointing {
  readonly active: boolean;
  ask(request: Request): void;
  /** Shows other words for what is asked. */
  say(words: string): void;
  /** Ends without asking whoever asked. */
  end(): void;
}

export function openPointing(head: () => Pose): Pointing {
  const canvas = part("world", HTMLCanvasElement);
  const bar = make("div");
  bar.id = "pointing";
  bar.hidden = true;
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Choosing a place in the world");
  const words = make("p");
  words.setAttribute("role", "status");
  const cross = make("div");
  cross.id = "crosshair";
  cross.hidden = true;
  let asked: Request | null = null;
  let from: HTMLElement | null = null;
  const end = (): void => {
    asked = null;
    bar.hidden = cross.hidden = true;
    document.body.classList.remove("pointing");
    if (from?.isConnected && from.checkVisibility()) from.focus();
    from = null;
  };
  const cancel = (): void => {
    const request = asked;
    end();
    request?.cancelled?.();
  };
  const pick = (x: number, y: number): void => {
    const request = asked;
    if (!request) return;
    if (!request.several) end();
    request.picked(rayThrough(x, y, head()));
  };
  const middle = (): void => pick(window.innerWidth / 2, window.innerHeight / 2);
  const done = (): void => {
    const request = asked;
    end();
    request?.several?.done();
  };
  const here = pressable("Where I look", middle);
  const back = pressable("Back", () => asked?.several?.back());
  const finish = pressable("Done", done);
  bar.append(words, here, back, finish, pressable("Cancel", cancel));
  document.body.append(cross, bar);
  listenToClicks(canvas, () => asked !== null, pick);
  window.addEventListener("keydown", (event) => {
    if (!asked) return;
    const inWorld = event.target === canvas;
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && inWorld) middle();
    else if (event.key === "Backspace" && inWorld) asked.several?.back();
    else return;
    event.preventDefault();
  });
  return {
    get active() {
      return asked !== null;
    },
    ask: (request) => {
      from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
      asked = request;
      words.textContent = request.words;
      back.hidden = finish.hidden = !request.several;
      bar.hidden = cross.hidden = false;
      document.body.classList.add("pointing");
      canvas.focus();
    },
    say: (text) => {
      words.textContent = text;
    },
    end,
  };
}

function listenToClicks(canvas: HTMLCanvasElement, wanted: () => boolean, pick: (x: number, y: number) => void): void {
  let down: { id: number; x: number; y: number } | null = null;
  canvas.addEventListener("pointerdown", (event) => {
    down = event.isPrimary ? { id: event.pointerId, x: event.clientX, y: event.clientY } : null;
  });
  canvas.addEventListener("pointerup", (event) => {
    const at = down;
    down = null;
    if (!wanted() || at?.id !== event.pointerId) return;
    if (Math.hypot(event.clientX - at.x, event.clientY - at.y) <= STILL_PX) pick(event.clientX, event.clientY);
  });
}
