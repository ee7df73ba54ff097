// world.json as checked values.
import type { Vec3 } from "./geometry";
import { addressOf } from "./inline";
import { Reader, WorldError } from "./reader";
import { readSources, type Source } from "./source";

/** Two channels to listen to, for one order: float32 [channel out][channel in][tap]. */
export interface Filters {
  readonly file: string;
  readonly output: "headphones" | "speakers";
  readonly name: string;
  readonly order: number;
  readonly taps: number;
  readonly rateHz: number;
}

/** Sound takes its time: float32 [phase + 1][16], weights of the samples around a place between two samples. */
export interface Delay {
  readonly file: string;
  readonly phases: number;
}

/** What air takes: float32 [way][tap], filters for ways beyond the first metre. */
export interface Air {
  readonly file: string;
  readonly waysM: Float64Array;
  readonly taps: number;
  readonly rateHz: number;
}

/** Bass of near sources: reference and nearest distance (m), most boost (dB); roots (re, im) of degrees 1, 2, .. */
export interface Near {
  readonly numbers: Float64Array;
  readonly roots: Float64Array;
}

/** What a place adds: flat walls with biquads for some sample rates, and the late field [W Y Z X][tap], world axes. */
export interface RoomFiles {
  readonly normals: Float64Array;
  readonly offsetsM: Float64Array;
  readonly filters: readonly { readonly rateHz: number; readonly numbers: Float64Array }[];
  readonly late: { readonly file: string; readonly taps: number } | null;
  readonly rateHz: number;
  /** See native/room.hpp. */
  readonly branches: Float64Array;
  /** Reflections that come later are not followed. */
  readonly longestM: number;
}

/** Where feet may go: heights and free cells, see scene/terrain.ts. */
export interface GroundFile {
  readonly file: string;
  readonly cells: number;
  readonly cellM: number;
}

/** Splats, as SOG or PLY. */
export interface Picture {
  readonly file: string;
  readonly count: number;
}

/** Something that the world owes to somebody. */
export interface Credit {
  readonly what: string;
  readonly by: string;
  readonly licence: string;
}

/** Of the photo, of the steps and models that made the world, of what its page shows and hears with. */
export interface Credits {
  readonly photo: string;
  readonly made: readonly Credit[];
  readonly shown: readonly Credit[];
}

export interface World {
  readonly title: string;
  readonly notice: string;
  /** At least one; the finest first. */
  readonly pictures: readonly Picture[];
  readonly poster: string | null;
  readonly start: { readonly position: Vec3; readonly yaw: number; readonly pitch: number };
  readonly comfortableRadiusM: number;
  /** None: level and free all around. */
  readonly ground: GroundFile | null;
  readonly fullScaleDb: number;
  readonly epsilonM: number;
  readonly alphaPerM: number;
  readonly speedMS: number;
  readonly screenGainDb: number;
  readonly delay: Delay | null;
  readonly air: Air | null;
  readonly near: Near | null;
  /** None: the free field. */
  readonly room: RoomFiles | null;
  /** For every pair of ears all their orders, and for loudspeakers; the first pair is worn. */
  readonly filters: readonly Filters[];
  readonly sources: readonly Source[];
  readonly credits: Credits;
}

const FORMAT = 1;
const MAX_ORDER = 7;
const MAX_FILTERS = 64;
const MAX_PICTURES = 4;
const MAX_WAYS = 64;
const MAX_ROOTS = 16;
const MAX_CELLS = 4096;
const MAX_CREDITS = 1000;
const MAX_WALLS = 64;
const MAX_RATES = 8;
/** Numbers of a wall: two biquads; and of the branches: five of sixteen taps. */
const BIQUADS = 10;
const BRANCHES = 80;

export async function loadWorld(url: string): Promise<World> {
  const answer = await fetch(addressOf(url), { cache: "no-cache" });
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
  const filters = readFilterSets(sound.at("filters"));
  return {
    title: top.at("title").text(),
    notice: top.at("notice").text(),
    pictures: [top.at("splats"), ...(top.at("lighter").optional((r) => r.list(MAX_PICTURES)) ?? [])].map(readPicture),
    poster: top.at("poster").optional((r) => r.file()),
    start: { position: start.at("position").vec3(), yaw: start.at("yaw").number(), pitch: start.at("pitch").number() },
    comfortableRadiusM: top.at("comfortable_radius_m").number(0.01),
    ground: top.at("ground").optional(readGround),
    fullScaleDb: sound.at("full_scale_db").number(),
    epsilonM: sound.at("epsilon_m").number(1e-3, 10),
    alphaPerM: sound.at("alpha_per_m").number(0, 100),
    speedMS: sound.at("speed_m_s").number(1, 1e5),
    screenGainDb: sound.at("screen_gain_db").number(-200, 200),
    delay: sound.at("delay").optional(readDelay),
    air: sound.at("air").optional(readAir),
    near: sound.at("near").optional((near) => readNear(near, filters)),
    room: sound.at("room").optional(readRoom),
    filters,
    sources: readSources(top.at("sources")),
    credits: top.at("credits").optional(readCredits) ?? { photo: "", made: [], shown: [] },
  };
}

function readCredits(reader: Reader): Credits {
  const list = (key: string): Credit[] =>
    reader.at(key).list(MAX_CREDITS).map((one) => ({
      what: one.at("what").text(),
      by: one.at("by").text(),
      licence: one.at("licence").text(),
    }));
  return { photo: reader.at("photo").text(), made: list("made"), shown: list("shown") };
}

function readFilterSets(reader: Reader): Filters[] {
  const sets = reader.list(MAX_FILTERS).map((set) => ({
    file: set.at("file").file(),
    output: readOutput(set.at("output")),
    name: set.at("name").text(),
    order: set.at("order").whole(1, MAX_ORDER),
    taps: set.at("taps").whole(1, 8192),
    rateHz: set.at("rate_hz").number(8000, 192000),
  }));
  return sets.length ? sets : reader.fail("filters for at least one order");
}

function readOutput(reader: Reader): Filters["output"] {
  const output = reader.optional((r) => r.text()) ?? "headphones";
  if (output === "headphones" || output === "speakers") return output;
  return reader.fail("headphones or speakers");
}

function readPicture(reader: Reader): Picture {
  return { file: reader.at("file").file(), count: reader.at("count").number(0) };
}

function readGround(reader: Reader): GroundFile {
  return {
    file: reader.at("file").file(),
    cells: reader.at("cells").whole(3, MAX_CELLS),
    cellM: reader.at("cell_m").number(1e-3, 100),
  };
}

function readDelay(reader: Reader): Delay {
  return {
    file: reader.at("file").file(),
    phases: reader.at("phases").whole(1, 65536),
  };
}

function readNear(reader: Reader, filters: readonly Filters[]): Near {
  const numbers = ["reference_m", "nearest_m", "most_boost_db"].map((key) => reader.at(key).number(1e-3, 100));
  const roots = reader.at("roots").list(MAX_ROOTS).flatMap((root) => [...root.numbers(2)]);
  const order = Math.max(...filters.map((set) => set.order));
  let needed = 0;
  for (let n = 1; n <= order; n++) needed += Math.ceil(n / 2);
  if (roots.length < 2 * needed) reader.at("roots").fail(`${needed} roots, for order ${order}`);
  return { numbers: Float64Array.from(numbers), roots: Float64Array.from(roots) };
}

function readRoom(reader: Reader): RoomFiles {
  const normals = reader.at("normals").numbers(3 * MAX_WALLS);
  const offsetsM = reader.at("offsets_m").numbers(MAX_WALLS);
  if (normals.length !== 3 * offsetsM.length) reader.at("normals").fail(`${3 * offsetsM.length} numbers`);
  const filters = reader.at("filters").list(MAX_RATES).map((set) => {
    const numbers = set.at("numbers").numbers(BIQUADS * MAX_WALLS);
    if (numbers.length !== BIQUADS * offsetsM.length) set.at("numbers").fail(`${BIQUADS * offsetsM.length} numbers`);
    return { rateHz: set.at("rate_hz").number(8000, 192000), numbers };
  });
  if (offsetsM.length && !filters.length) reader.at("filters").fail("filters for the walls");
  const branches = reader.at("branches").numbers(BRANCHES);
  if (branches.length !== BRANCHES) reader.at("branches").fail(`${BRANCHES} numbers`);
  return {
    normals,
    offsetsM,
    filters,
    branches,
    longestM: reader.at("longest_m").number(1, 999),
    late: reader.at("late").optional((file) => ({ file: file.file(), taps: reader.at("late_taps").whole(1, 1 << 20) })),
    rateHz: reader.at("rate_hz").number(8000, 192000),
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
