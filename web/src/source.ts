// The sources of world.json as checked values.
import type { Vec3 } from "./geometry";
import type { Motion } from "./motion";
import type { Reader } from "./reader";

export type Spread = "point" | "area" | "ambient";

export interface Clip {
  readonly file: string;
  readonly loops: boolean;
  readonly licence: string;
  readonly author: string;
  readonly madeBy: string;
  readonly copies: Copies | null;
}

/** Filters of decorrelated copies, one for every label of a surface: float32 [copy][tap], time zero in the middle. */
export interface Copies {
  readonly file: string;
  readonly taps: number;
  readonly rateHz: number;
}

export interface Source {
  readonly id: string;
  readonly label: string;
  /** The label, numbered where several share it: “birds 2”. */
  readonly name: string;
  readonly prompt: string;
  readonly spread: Spread;
  readonly levelDb: number;
  /** Linear factor from the stored clip to pressure re full scale at 1 m. */
  readonly gain: number;
  readonly confidence: number;
  readonly backend: string;
  readonly reason: string;
  readonly imagined: boolean;
  readonly centre: Vec3 | null;
  /** x, y, z of every surface point, metres, world. */
  readonly points: Float64Array;
  readonly weights: Float64Array;
  /** Which part of a surface a point belongs to; none where it always is one sound. */
  readonly labels: Int32Array;
  readonly directivity: Directivity | null;
  readonly path: Motion | null;
  readonly clip: Clip | null;
}

/** b·|b|^(sharpness − 1), b = (1 − pattern) + pattern·cos θ off the axis `facing`. */
export interface Directivity {
  readonly pattern: number;
  readonly sharpness: number;
  readonly facing: Vec3;
}

const MAX_SOURCES = 1024;
const MAX_POINTS = 4096;
const MAX_PARTS = 16;
const MAX_KEYS = 4096;

export function readSources(reader: Reader): Source[] {
  return named(reader.list(MAX_SOURCES).map(readSource));
}

/** Every source with its label as its name, numbered where several share it. */
export function named<T extends { readonly label: string }>(sources: readonly T[]): (T & { readonly name: string })[] {
  const seen = new Map<string, number>();
  return sources.map((source) => {
    const count = (seen.get(source.label) ?? 0) + 1;
    seen.set(source.label, count);
    return { ...source, name: count > 1 ? `${source.label} ${count}` : source.label };
  });
}

function readSource(reader: Reader): Omit<Source, "name"> {
  const spread = readSpread(reader.at("spread"));
  const points = reader.at("points").list(MAX_POINTS).flatMap((point) => [...point.vec3()]);
  const weights = reader.at("weights").numbers(MAX_POINTS);
  if (points.length !== 3 * weights.length) reader.at("weights").fail("one weight for every point");
  if ((spread === "ambient") !== (weights.length === 0)) reader.at("points").fail("points, but none for ambience");
  return {
    id: reader.at("id").text(),
    label: reader.at("label").text(),
    prompt: reader.at("prompt").text(),
    spread,
    levelDb: reader.at("level_db").number(-200, 300),
    gain: reader.at("gain").number(0),
    confidence: reader.at("confidence").number(0, 1),
    backend: reader.at("backend").text(),
    reason: reader.at("reason").text(),
    imagined: reader.at("imagined").flag(),
    centre: reader.at("centre").optional((r) => r.vec3()),
    points: Float64Array.from(points),
    weights,
    labels: readLabels(reader.at("labels"), weights.length),
    directivity: reader.at("directivity").optional(readDirectivity),
    path: reader.at("path").optional(readMotion),
    clip: reader.at("clip").optional(readClip),
  };
}

function readLabels(reader: Reader, count: number): Int32Array {
  const labels = Int32Array.from(reader.list(MAX_POINTS), (label) => label.whole(0, MAX_PARTS - 1));
  const parts = new Set(labels);
  const whole = labels.every((label) => label < parts.size);
  return (labels.length === 0 || labels.length === count) && whole ? labels : reader.fail("0, 1, .. for every point, or none");
}

function readDirectivity(reader: Reader): Directivity {
  const facing = reader.at("facing").vec3();
  if (Math.abs(Math.hypot(...facing) - 1) > 1e-3) reader.at("facing").fail("a unit vector");
  return { pattern: reader.at("pattern").number(0, 1), sharpness: reader.at("sharpness").number(1, 100), facing };
}

function readMotion(reader: Reader): Motion {
  const timesS = reader.at("times_s").numbers(MAX_KEYS);
  const positions = Float64Array.from(reader.at("positions").list(MAX_KEYS).flatMap((place) => [...place.vec3()]));
  const loops = reader.at("loops").flag();
  const rises = timesS.every((time, i) => time >= 0 && (i === 0 || time > timesS[i - 1]!));
  if (!rises || timesS.length < (loops ? 2 : 1)) reader.at("times_s").fail("times that rise, from 0 on");
  if (positions.length !== 3 * timesS.length) reader.at("positions").fail("a place for every time");
  return { timesS, positions, loops, facesAhead: reader.at("faces_ahead").flag() };
}

function readSpread(reader: Reader): Spread {
  const spread = reader.text();
  if (spread === "point" || spread === "area" || spread === "ambient") return spread;
  return reader.fail("point, area or ambient");
}

function readClip(reader: Reader): Clip {
  return {
    file: reader.at("file").file(),
    loops: reader.at("loops").flag(),
    licence: reader.at("licence").text(),
    author: reader.at("author").text(),
    madeBy: reader.at("made_by").text(),
    copies: reader.at("copies").optional((copies) => ({
      file: copies.at("file").file(),
      taps: copies.at("taps").whole(1, 8192),
      rateHz: copies.at("rate_hz").number(8000, 192000),
    })),
  };
}
