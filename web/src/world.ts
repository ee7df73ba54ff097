// world.json as checked values. The file may come from anybody: every number, text and file name is checked here,
// and what does not fit is an error that names the field.
import type { Vec3 } from "./geometry";

export type Spread = "point" | "area" | "ambient";

export interface Clip {
  readonly file: string;
  readonly loops: boolean;
  readonly licence: string;
  readonly author: string;
  readonly madeBy: string;
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
  readonly points: Float32Array;
  readonly weights: Float32Array;
  readonly clip: Clip | null;
}

export interface Filters {
  readonly file: string;
  readonly name: string;
  readonly order: number;
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
  readonly filters: Filters;
  readonly sources: readonly Source[];
}

const FORMAT = 1;
const MAX_SOURCES = 256;
const MAX_POINTS = 4096;
const MAX_TEXT = 4000;
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export class WorldError extends Error {}

class Reader {
  constructor(
    private readonly value: unknown,
    private readonly path: string,
  ) {}

  fail(expected: string): never {
    throw new WorldError(`world.json: ${this.path}: expected ${expected}`);
  }

  at(key: string): Reader {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.fail("an object");
    return new Reader((this.value as Record<string, unknown>)[key], `${this.path}.${key}`);
  }

  list(limit: number): Reader[] {
    if (!Array.isArray(this.value) || this.value.length > limit) this.fail(`a list of at most ${limit}`);
    return this.value.map((item: unknown, i) => new Reader(item, `${this.path}[${i}]`));
  }

  number(low = -1e9, high = 1e9): number {
    const { value } = this;
    if (typeof value !== "number" || !(value >= low && value <= high)) this.fail(`a number in ${low}..${high}`);
    return value;
  }

  numbers(limit: number): Float32Array {
    return Float32Array.from(this.list(limit), (item) => item.number());
  }

  text(): string {
    if (typeof this.value !== "string" || this.value.length > MAX_TEXT) this.fail(`at most ${MAX_TEXT} characters`);
    return this.value;
  }

  flag(): boolean {
    if (typeof this.value !== "boolean") this.fail("true or false");
    return this.value;
  }

  file(): string {
    const name = this.text();
    if (!FILE_NAME.test(name)) this.fail("a plain file name inside this world");
    return name;
  }

  vec3(): Vec3 {
    const [x, y, z, ...more] = this.list(3).map((item) => item.number());
    if (x === undefined || y === undefined || z === undefined || more.length) this.fail("three numbers");
    return [x, y, z];
  }

  optional<T>(read: (reader: Reader) => T): T | null {
    return this.value === null || this.value === undefined ? null : read(this);
  }
}

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
    filters: readFilters(sound.at("filters")),
    sources: named(top.at("sources").list(MAX_SOURCES).map(readSource)),
  };
}

function readFilters(reader: Reader): Filters {
  return {
    file: reader.at("file").file(),
    name: reader.at("name").text(),
    order: reader.at("order").number(1, 4), // Chromium allows 32 channels on a connection: order 4 has 25
    taps: reader.at("taps").number(1, 8192),
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
    points: Float32Array.from(points),
    weights,
    clip: reader.at("clip").optional(readClip),
  };
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
  };
}
