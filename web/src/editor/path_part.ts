// The way of one source: clicked on the ground point by point, with a speed; it keeps its height over the ground.
import type { Vec3 } from "../geometry";
import type { Terrain } from "../scene/terrain";
import { make } from "../ui/page";
import { labelled, numberField, numberIn, pressable } from "./fields";
import { groundZ, meetGround } from "./ground";
import type { Pointing } from "./pointing";
import type { Edited, Operation } from "./protocol";

const USUAL_M_S = 1.2;
const LEAST_M = 0.05;
const MOST_POINTS = 500;

export interface PathPart {
  readonly element: HTMLElement;
  /** What is being drawn. */
  readonly drawn: readonly Vec3[];
  show(source: Edited): void;
}

export interface PathActions {
  readonly pointing: Pointing;
  readonly terrain: Terrain | null;
  edit(operation: Operation): void;
  failed(words: string): void;
}

export function openPathPart({ pointing, terrain, edit, failed }: PathActions): PathPart {
  const element = make("fieldset", "way");
  const fact = make("p", "fact");
  const speed = numberField(0.1, 100, 0.1);
  speed.value = String(USUAL_M_S);
  const [round, ahead] = [checkbox(), checkbox()];
  round.checked = true;
  let source: Edited | null = null;
  let drawn: Vec3[] = [];
  const words = (): string =>
    `Click on the ground where “${source?.label ?? ""}” goes${drawn.length ? `: ${drawn.length} places` : ", place by place"}. Enter: where you look.`;
  const draw = (): void => {
    const subject = source;
    if (!subject?.centre) return;
    const [x, y, z] = subject.centre;
    const height = z - groundZ(terrain, x, y);
    drawn = [];
    pointing.ask({
      words: words(),
      picked: (ray) => {
        const on = meetGround(ray, terrain);
        if (!on) return pointing.say("That is not the ground: point lower.");
        if (drawn.length < MOST_POINTS) drawn.push([on[0], on[1], on[2] + height]);
        pointing.say(words());
      },
      several: {
        back: () => {
          drawn.pop();
          pointing.say(words());
        },
        done: () => {
          const operation = led(subject.id, drawn, numberIn(speed) ?? USUAL_M_S, round.checked, ahead.checked);
          drawn = [];
          if (operation) edit(operation);
          else failed("A path needs two places, or more, that are apart.");
        },
      },
      cancelled: () => {
        drawn = [];
      },
    });
  };
  const begin = pressable("Draw a path", draw);
  const rest = pressable("Let it stay", () => {
    if (source) edit({ op: "path", id: source.id, times_s: [], positions: [], loops: false, faces_ahead: false });
  });
  const buttons = make("div", "buttons");
  buttons.append(begin, rest);
  element.append(
    make("legend", "", "Way"),
    fact,
    labelled("Speed, m/s", speed),
    labelled("goes round and round", round, "tick"),
    labelled("faces where it goes", ahead, "tick"),
    buttons,
  );
  return {
    element,
    get drawn() {
      return drawn;
    },
    show: (shown) => {
      if (shown.id !== source?.id) {
        round.checked = shown.path?.loops ?? true; // else its sound goes on where it has stopped
        ahead.checked = shown.path?.facesAhead ?? false;
      }
      source = shown;
      const keys = shown.path?.timesS ?? null;
      element.disabled = shown.centre === null;
      rest.disabled = keys === null;
      const seconds = (keys?.at(-1) ?? 0) - (keys?.[0] ?? 0);
      if (shown.centre === null) fact.textContent = "What is all around has no way to go.";
      else fact.textContent = keys ? `${keys.length} places in ${seconds.toFixed(1)} s${shown.path?.loops ? ", round and round" : ""}` : "It stays where it is.";
    },
  };
}

/** The operation that leads along places at a speed; null for fewer than two. */
export function led(id: string, places: readonly Vec3[], speedMS: number, loops: boolean, faces: boolean): Operation | null {
  const first = places[0];
  const apart = places.filter((place, i) => i === 0 || away(place, places[i - 1]!) > LEAST_M);
  if (!first || apart.length < 2) return null;
  if (loops && away(first, apart.at(-1)!) > LEAST_M) apart.push(first);
  let time = 0;
  const times = apart.map((place, i) => {
    time += i ? away(place, apart[i - 1]!) / speedMS : 0;
    return time;
  });
  return { op: "path", id, times_s: times, positions: apart, loops, faces_ahead: faces };
}

function away(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function checkbox(): HTMLInputElement {
  const box = make("input");
  box.type = "checkbox";
  return box;
}
