// What the page and the server tell each other about editing (docs/editing.md), as checked values.
import type { Vec3 } from "../geometry";
import type { Motion } from "../motion";
import { Reader } from "../reader";
import { named, type Spread } from "../source";

/** A source as an editor sees it; muted ones, too. */
export interface Edited {
  readonly id: string;
  readonly label: string;
  /** The label, numbered where several share it: “birds 2”. */
  readonly name: string;
  readonly prompt: string;
  readonly spread: Spread;
  readonly levelDb: number;
  readonly centre: Vec3 | null;
  /** What `widen` would have to say to leave it as it is; null for ambience. */
  readonly radiusM: number | null;
  readonly muted: boolean;
  readonly path: Motion | null;
  /** Who made its sound, and under which licence; null: it has none. */
  readonly sound: string | null;
}

export interface EditState {
  readonly name: string;
  readonly version: number;
  /** What undo would take back, in words; null: nothing. */
  readonly canUndo: string | null;
  readonly canRedo: string | null;
  readonly sources: readonly Edited[];
}

/** A version that was saved: what was done, in words, and to which source ("" for undo and redo). */
export interface Saved {
  readonly what: string;
  readonly id: string;
  readonly state: EditState;
}

export interface Suggestion {
  readonly label: string;
  readonly prompt: string;
  readonly spread: Spread;
  readonly levelDb: number;
  readonly why: string;
}

export interface Hit {
  readonly position: Vec3;
  readonly sky: boolean;
}

/** A recording as the server keeps it. */
export interface Recording {
  readonly file: string;
  readonly seconds: number;
  readonly licence: string;
  readonly author: string;
}

/** Keys as the server has them: it takes them as they are. */
export type Operation =
  | {
      readonly op: "add";
      readonly direction: Vec3;
      readonly tolerance: number;
      readonly label: string;
      readonly prompt: string;
      readonly spread: Spread;
      readonly level_db: number;
    }
  | { readonly op: "move"; readonly id: string; readonly position: Vec3 }
  | { readonly op: "move"; readonly id: string; readonly direction: Vec3 }
  | { readonly op: "widen"; readonly id: string; readonly radius_m: number }
  | { readonly op: "rename"; readonly id: string; readonly label?: string; readonly prompt?: string }
  | { readonly op: "retype"; readonly id: string; readonly spread: Spread; readonly direction?: Vec3 }
  | { readonly op: "level"; readonly id: string; readonly level_db: number }
  | { readonly op: "mute"; readonly id: string; readonly muted: boolean }
  | { readonly op: "remove"; readonly id: string }
  | { readonly op: "sound"; readonly id: string; readonly seed?: number }
  | { readonly op: "sound"; readonly id: string; readonly file: string; readonly licence: string; readonly author: string }
  | {
      readonly op: "path";
      readonly id: string;
      readonly times_s: readonly number[];
      readonly positions: readonly Vec3[];
      readonly loops: boolean;
      readonly faces_ahead: boolean;
    };

const MOST_SOURCES = 1024;
const MOST_SUGGESTIONS = 64;
const MOST_KEYS = 4096;
const MOST_VERSIONS = 1_000_000;

export function readState(document: unknown): EditState {
  const top = reader(document, "state");
  return {
    name: top.at("name").text(),
    version: top.at("version").whole(0, MOST_VERSIONS),
    canUndo: top.at("can_undo").optional((r) => r.text()),
    canRedo: top.at("can_redo").optional((r) => r.text()),
    sources: named(top.at("sources").list(MOST_SOURCES).map(readEdited)),
  };
}

export function readSaved(document: unknown): Saved {
  const top = reader(document, "saved");
  return { what: top.at("what").text(), id: top.at("id").text(), state: readState(document) };
}

/** What was done last, in words. */
export function readLast(document: unknown): string {
  const last = reader(document, "log").at("versions").list(MOST_VERSIONS).at(-1);
  return last ? last.at("what").text() : "as it was made";
}

export function readSuggestions(document: unknown): Suggestion[] {
  return reader(document, "answer").at("suggestions").list(MOST_SUGGESTIONS).map((one) => ({
    label: one.at("label").text(),
    prompt: one.at("prompt").text(),
    spread: readSpread(one.at("spread")),
    levelDb: one.at("level_db").number(),
    why: one.at("why").text(),
  }));
}

export function readHit(document: unknown): Hit {
  const top = reader(document, "answer");
  return { position: top.at("position").vec3(), sky: top.at("sky").flag() };
}

export function readRecording(document: unknown): Recording {
  const top = reader(document, "answer");
  const words = (key: string): string => top.at(key).optional((r) => r.text()) ?? "";
  return {
    file: top.at("file").text(),
    seconds: top.at("seconds").number(0),
    licence: words("licence"),
    author: words("author"),
  };
}

function readEdited(one: Reader): Omit<Edited, "name"> {
  return {
    id: one.at("id").text(),
    label: one.at("label").text(),
    prompt: one.at("prompt").text(),
    spread: readSpread(one.at("spread")),
    levelDb: one.at("level_db").number(),
    centre: one.at("centre").optional((r) => r.vec3()),
    radiusM: one.at("radius_m").optional((r) => r.number(0)),
    muted: one.at("muted").flag(),
    path: one.at("path").optional(readPath),
    sound: one.at("sound").optional(readMaker),
  };
}

function readPath(path: Reader): Motion {
  return {
    timesS: path.at("times_s").numbers(MOST_KEYS),
    positions: Float64Array.from(path.at("positions").list(MOST_KEYS).flatMap((place) => [...place.vec3()])),
    loops: path.at("loops").flag(),
    facesAhead: path.at("faces_ahead").flag(),
  };
}

function readMaker(sound: Reader): string {
  return ["made_by", "author", "licence"].map((key) => sound.at(key).text()).filter(Boolean).join(", ");
}

function readSpread(spread: Reader): Spread {
  const word = spread.text();
  return word === "point" || word === "area" || word === "ambient" ? word : spread.fail("point, area or ambient");
}

function reader(document: unknown, what: string): Reader {
  return new Reader(document, what, "the server's answer");
}
