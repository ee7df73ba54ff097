// Names that float in the world at the place of their sound.
import { distance, type Pose, type Vec3 } from "../geometry";
import type { Places } from "../places";
import { onScreen, type OnScreen } from "../scene/screen";
import type { Source } from "../source";
import { make } from "./page";
import { metres } from "./words";

const ROW_PX = 34;
/** Nearer than this to the right side, a name stands left of its dot. */
const NAME_PX = 190;

interface Label {
  readonly element: HTMLElement;
  readonly far: HTMLElement;
}

export interface Labels {
  update(pose: Pose, silent: readonly boolean[]): void;
  show(on: boolean): void;
}

export function openLabels(layer: HTMLElement, sources: readonly Source[], places: Places): Labels {
  layer.replaceChildren();
  const labels = sources.map((source): Label | null => {
    if (!source.centre) return null;
    const element = make("div", `label ${source.spread}`);
    const far = make("small");
    element.append(make("i"), make("b", "", source.name), far);
    layer.append(element);
    return { element, far };
  });
  return {
    show: (on) => {
      layer.hidden = !on;
    },
    update: (pose, silent) => {
      const placed = labels.flatMap((label, i) => {
        const place = places.of(i);
        return label && place ? [{ label, place, off: silent[i] ?? false, at: inWindow(place, pose) }] : [];
      });
      const taken: { x: number; y: number }[] = [];
      placed.sort((a, b) => (a.at?.depth ?? 0) - (b.at?.depth ?? 0));
      for (const { label, place, off, at } of placed) {
        label.element.hidden = !at;
        if (!at) continue;
        const y = freeRow(at.x, at.y, taken);
        taken.push({ x: at.x, y });
        label.element.classList.toggle("off", off);
        const flip = at.x > window.innerWidth - NAME_PX;
        label.element.classList.toggle("flip", flip);
        label.element.style.translate = `calc(${at.x.toFixed(1)}px ${flip ? "- 100%" : ""}) ${y.toFixed(1)}px`;
        label.far.textContent = metres(distance(place, pose.position));
      }
    },
  };
}

/** Names of things in one line of sight stand above each other, nearest lowest. */
function freeRow(x: number, y: number, taken: readonly { x: number; y: number }[]): number {
  let row = y;
  for (const other of [...taken].sort((a, b) => b.y - a.y)) {
    if (Math.abs(other.x - x) < 120 && Math.abs(other.y - row) < ROW_PX) row = other.y - ROW_PX;
  }
  return row;
}

/** Where a name may stand: in the window, or a little beside it. */
function inWindow(place: Vec3, pose: Pose): OnScreen | null {
  const at = onScreen(place, pose);
  const { innerWidth: width, innerHeight: height } = window;
  return at && at.x > -80 && at.x < width + 80 && at.y > -20 && at.y < height + 20 ? at : null;
}
