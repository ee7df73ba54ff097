// world.json as checked values.
import type { Vec3 } from "./geometry";
import { Reader, WorldError } from "./reader";

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
  readonly clip: Clip | null;
}

/** b·|b|^(sharpness − 1), b = (1 − pattern) + pattern·cos θ off the axis `facing`. */
export interface Directivity {
  readonly pattern: number;
  readonly sharpness: number;
  readonly facing: Vec3;
}

/** Two ears for one order: float32 [ear][channel][tap]. */
export interface Filters {
  readonly file: string;
  readonly name: string;
  readonly order: number;
  readonly taps: number;
  readonly rateHz: number;
}

/** Sound takes its time: float32 [phase + 1][16], weights of the samples around a place between two samples. */
export interface Delay {
  readonly file: string;
  readonly phases: number;
  readonly speedMS: number;
}

/** What air takes: float32 [way][tap], filters for ways beyond the first metre. */
export interface Air {
  readonly file: string;
  readonly waysM: Float64Array;
  readonly taps: number;
  readonly rateHz: number;
}

export interface World {
  readonly title: string;
  readonly notice: string;
  readonly splats: { readonly file: string; readonly count: number };
  readonly poster: string | null;
  readonly start: { readonly position: Vec3; readonly yaw: number; readonly pitch: number };
  readonly comfortableRadiusM: number;
  readonly fullScaleDb: number;
  readonly epsilonM: number;
  readonly alphaPerM: number;
  readonly screenGainDb: number;
  readonly delay: Delay | null;
  readonly air: Air | null;
  /** One set for every order on offer. */
  readonly filters: readonly Filters[];
  readonly sources: readonly Source[];
}

const FORMAT = 1;
const MAX_SOURCES = 256;
const MAX_POINTS = 4096;
const MAX_ORDER = 7;
const MAX_WAYS = 64;
const MAX_PARTS = 16;

export async function loadWorld(url: string): Promise<World> {
  const answer = await fetch(url, { cache: "no-cache" });
  if (!answer.ok) throw new WorldError(`${url}: expected the world's description, got HTTP ${answer.status}`);
  return readWorld(await answer.json());
}

export function readWorld(document: unknown): World {
  const top = new Reader(document, "world");
  const format = top.at("format").number();
  if (format !== FORMAT) throw new WorldError(`world.json: expected format ${FORMAT}, got ${format}; export it again`);
  if (top.at("axes").text() !== "FLU") top.at("axes").fail("FLU (x ahead, y left, z up)");
  const sound = top.at("sound");
  const start = top.at("start");
  return {
    title: top.at("title").text(),
    notice: top.at("notice").text(),
    splats: { file: top.at("splats").at("file").file(), count: top.at("splats").at("count").number(0) },
    poster: top.at("poster").optional((r) => r.file()),
    start: { position: start.at("position").vec3(), yaw: start.at("yaw").number(), pitch: start.at("pitch").number() },
    comfortableRadiusM: top.at("comfortable_radius_m").number(0.01),
    fullScaleDb: sound.at("full_scale_db").number(),
    epsilonM: sound.at("epsilon_m").number(1e-3, 10),
    alphaPerM: sound.at("alpha_per_m").number(0, 100),
    screenGainDb: sound.at("screen_gain_db").number(-200, 200),
    delay: sound.at("delay").optional(readDelay),
    air: sound.at("air").optional(readAir),
    filters: readFilterSets(sound.at("filters")),
    sources: named(top.at("sources").list(MAX_SOURCES).map(readSource)),
  };
}

function readFilterSets(reader: Reader): Filters[] {
  const sets = reader.list(MAX_ORDER).map((set) => ({
    file: set.at("file").file(),
    name: set.at("name").text(),
    order: set.at("order").whole(1, MAX_ORDER),
    taps: set.at("taps").whole(1, 8192),
    rateHz: set.at("rate_hz").number(8000, 192000),
  }));
  return sets.length ? sets : reader.fail("filters for at least one order");
}

function readDelay(reader: Reader): Delay {
  return {
    file: reader.at("file").file(),
    phases: reader.at("phases").whole(1, 65536),
    speedMS: reader.at("speed_m_s").number(1, 1e5),
  };
}

function readAir(reader: Reader): Air {
  const waysM = reader.at("ways_m").numbers(MAX_WAYS);
  const rising = waysM.length >= 2 && waysM[0] === 0 && waysM.every((way, i) => i === 0 || way > waysM[i - 1]!);
  if (!rising) reader.at("ways_m").fail("at least two ways, rising from 0");
  return {
    file: reader.at("file").file(),
    waysM,
    taps: reader.at("taps").whole(1, 512),
    rateHz: reader.at("rate_hz").number(8000, 192000),
  };
}

function named(sources: readonly Omit<Source, "name">[]): Source[] {
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
