// What a visitor meets first: loading, the click that browsers ask for before sound, and what went wrong.
import type { Ears } from "../sound/ears";
import type { World } from "../world";
import { part } from "./page";

const COARSE = "(pointer: coarse)";

export interface Gate {
  show(world: World): void;
  progress(done: number): void;
  pictureReady(): void;
  ready(ears: Ears | null): void;
  noSound(reason: string): void;
  fail(reason: string): void;
}

export function openGate(): Gate {
  const gate = part("gate", HTMLElement);
  const enter = part("enter", HTMLButtonElement);
  const silent = part("enter-silent", HTMLButtonElement);
  const bar = part("loading", HTMLProgressElement);
  const problem = part("problem", HTMLElement);
  const poster = part("poster", HTMLImageElement);
  const say = (text: string): void => {
    problem.hidden = false;
    problem.textContent = text;
  };
  const behind = [...document.body.children].filter((element) => element !== gate);
  const shut = (closed: boolean): void => {
    for (const element of behind) if (element instanceof HTMLElement) element.inert = closed;
  };
  shut(true);
  const leave = (): void => {
    gate.hidden = true;
    shut(false);
    part("world", HTMLCanvasElement).focus();
  };
  if (window.matchMedia(COARSE).matches) {
    part("gate-keys", HTMLElement).textContent = "Walk with the stick at the lower left, drag to look around.";
  }
  return {
    show: (world) => {
      part("gate-title", HTMLElement).textContent = world.title;
      for (const notice of document.querySelectorAll<HTMLElement>(".notice")) {
        notice.textContent = world.notice;
        notice.hidden = !world.notice;
      }
      if (!world.poster) return;
      poster.src = world.poster;
      poster.hidden = false;
    },
    progress: (done) => {
      bar.value = done;
    },
    pictureReady: () => {
      poster.hidden = true;
      silent.disabled = false;
      silent.addEventListener("click", leave);
    },
    ready: (ears) => {
      bar.hidden = true;
      enter.disabled = false;
      enter.textContent = ears ? "Enter and listen" : "Enter without sound";
      silent.hidden = !ears;
      if (ears?.simplified) say(ears.simplified);
      enter.addEventListener("click", () => {
        leave();
        void ears?.context.resume();
      });
      enter.focus();
    },
    noSound: (reason) => say(`No sound: ${reason}`),
    fail: (reason) => {
      bar.hidden = enter.hidden = silent.hidden = true;
      say(reason);
    },
  };
}
