// What sounds where, in words: for those who do not hear it, and for screen readers. Said again only when it changes.
import { distance, type Pose } from "../geometry";
import type { Places } from "../places";
import type { Source } from "../source";
import { make } from "./page";
import { directionWords } from "./words";

/** Nothing softer is heard in a quiet room. */
const AUDIBLE_DB = 20;
/** Softer than the loudest by this much: masked. */
const MASKED_DB = 35;
const MOST = 4;
/** A sound that pauses stays for so long. */
const STAYS_S = 2;
/** A line stands at least for so long before another takes its place. */
const READING_S = 1.2;
const LOUD_DB = 65;
const FAINT_DB = 38;
const NEAR_M = 1.5;
const FAR_M = 12;

export interface Captions {
  /** `levels`: dB SPL of every source here. */
  update(pose: Pose, levels: readonly number[], nowS: number): void;
  show(on: boolean): void;
}

export function openCaptions(box: HTMLElement, sources: readonly Source[], places: Places): Captions {
  const lastHeardS = sources.map(() => -Infinity);
  const lastDb = sources.map(() => -Infinity);
  let shown = "";
  let shownAtS = -Infinity;
  return {
    show: (on) => {
      box.hidden = !on;
      box.replaceChildren();
      shown = "";
      shownAtS = -Infinity;
    },
    update: (pose, levels, nowS) => {
      const loudest = Math.max(...levels, AUDIBLE_DB);
      levels.forEach((level, i) => {
        if (level === -Infinity) lastHeardS[i] = -Infinity; // muted: gone at once
        if (level < Math.max(AUDIBLE_DB, loudest - MASKED_DB)) return;
        lastHeardS[i] = nowS;
        lastDb[i] = level;
      });
      const heard = sources.flatMap((source, i) => (nowS - lastHeardS[i]! <= STAYS_S ? [{ source, i }] : []));
      heard.sort((a, b) => lastDb[b.i]! - lastDb[a.i]!);
      const lines = heard.slice(0, MOST).map(({ source, i }) => [source, words(source, places, i, pose, lastDb[i]!)] as const);
      const text = lines.map(([, line]) => line).join("\n");
      if (text === shown || nowS - shownAtS < READING_S) return;
      shown = text;
      shownAtS = nowS;
      box.replaceChildren(...lines.map(([source, line]) => make("p", source.spread, line)));
    },
  };
}

/** “fountain, loud: left, near”. */
function words(source: Source, places: Places, index: number, pose: Pose, levelDb: number): string {
  const how = levelDb >= LOUD_DB ? ", loud" : levelDb < FAINT_DB ? ", faint" : "";
  const place = places.of(index);
  if (!place) return `${source.name}${how}: all around`;
  const far = distance(place, pose.position);
  const away = far < NEAR_M ? ", near" : far > FAR_M ? ", far" : "";
  return `${source.name}${how}: ${directionWords(place, pose)}${away}`;
}
