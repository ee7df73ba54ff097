// The compiled audio kernel (native/, as WebAssembly): its calls with numbers and arrays, its memory kept out of sight.
// Places are metres in the world, gains linear at 1 m. What is set is heard from the next block on, by a ramp.
import { fillWorldFromHead } from "../geometry";
import type { Decoder, Law, Room } from "../sound/messages";

type Six = readonly [number, number, number, number, number, number];

interface Calls {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  sonoworld_bytes(count: number): number;
  sonoworld_release(at: number): void;
  // walls, normals, offsets, filters, late, lateTaps, sends, branches, longestM
  sonoworld_room(...of: readonly [...Six, number, number, number]): number;
  // order, block, sources, filters, taps, law, table, phases, air, waysM, ways, airTaps, near, roots, room
  sonoworld_make(...of: readonly [...Six, ...Six, number, number, number]): number;
  sonoworld_place(engine: number, source: number, position: number, gain: number): number;
  // engine, source, points, weights, labels, count, gain
  sonoworld_surface(...of: readonly [...Six, number]): number;
  sonoworld_direct(engine: number, source: number, facing: number, pattern: number, sharpness: number): number;
  sonoworld_remove(engine: number, source: number): number;
  sonoworld_listener(engine: number, rotation: number, origin: number): number;
  sonoworld_publish(engine: number): void;
  sonoworld_process(engine: number, inputs: number, ears: number): number;
}

/** Its system calls serve only the words of an abort, which nobody would read here. */
const NO_SYSTEM = 52;
const SYSTEM = { fd_close: (): number => NO_SYSTEM, fd_seek: (): number => NO_SYSTEM, fd_write: (): number => NO_SYSTEM };
const DELAY_TAPS = 16;
/** Doubles of the region through which control passes: a rotation and a place. */
const NUMBERS = 12;

/** A room, and how loud every row is in what lingers there; 0: takes no part. */
export interface Around {
  readonly room: Room;
  readonly sends: Float32Array;
}

/** Where the kernel's memory holds a surface. */
export interface Surface {
  readonly pointsAt: number;
  readonly weightsAt: number;
  readonly labelsAt: number;
  readonly count: number;
}

export class Kernel {
  private readonly calls: Calls;
  private readonly engine: number;
  private readonly numbersAt: number;
  private readonly inputsAt: number;
  private readonly earsAt: number;
  private readonly rows: number;
  private numbers = new Float64Array();
  private doubles = new Float64Array();
  private changed = true;
  /** Mono inputs, row by row; to be filled before every block. */
  inputs = new Float32Array();
  left = new Float32Array();
  right = new Float32Array();

  /** Throws where the bytes are no kernel, or a size is beyond what it takes. */
  constructor(
    bytes: ArrayBuffer,
    decoder: Decoder,
    law: Law,
    rows: number,
    readonly block: number,
    rateHz: number,
    around: Around | null,
  ) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { wasi_snapshot_preview1: SYSTEM });
    this.calls = instance.exports as unknown as Calls;
    this.calls._initialize();
    this.rows = Math.max(1, rows);
    this.engine = this.make(decoder, law, rateHz, around);
    if (!this.engine) throw new Error(`the audio kernel refused order ${decoder.order}, ${rows} sources, ${block} frames`);
    this.numbersAt = this.reserve(8 * NUMBERS);
    this.inputsAt = this.reserve(4 * this.rows * block);
    this.earsAt = this.reserve(4 * 2 * block);
    this.look();
    this.inputs.fill(0);
  }

  /** A point. */
  place(source: number, x: number, y: number, z: number, gain: number): void {
    const { numbers } = this;
    numbers[0] = x;
    numbers[1] = y;
    numbers[2] = z;
    this.calls.sonoworld_place(this.engine, source, this.numbersAt, gain);
    this.changed = true;
  }

  /** Takes in weighted points, x, y, z each; with labels, copies of its sound come in the rows after its own. */
  keep(points: Float64Array, weights: Float64Array, labels: Int32Array | null): Surface {
    const [pointsAt, weightsAt] = [this.put(points), this.put(weights)];
    const labelsAt = labels ? this.put(labels) : 0;
    this.look();
    return { pointsAt, weightsAt, labelsAt, count: weights.length };
  }

  /** The points of a surface that was kept, and how far it has gone. */
  shift({ pointsAt }: Surface, points: Float64Array, dx: number, dy: number, dz: number): void {
    const { doubles } = this;
    const at = pointsAt / 8;
    for (let i = 0; i < points.length; i += 3) {
      doubles[at + i] = points[i]! + dx;
      doubles[at + i + 1] = points[i + 1]! + dy;
      doubles[at + i + 2] = points[i + 2]! + dz;
    }
  }

  surface(source: number, { pointsAt, weightsAt, labelsAt, count }: Surface): void {
    this.calls.sonoworld_surface(this.engine, source, pointsAt, weightsAt, labelsAt, count, 1);
    this.look();
    this.changed = true;
  }

  /** Where a source radiates to: `pattern` 0 alike to all sides, 0.5 a cardioid, 1 a figure of eight. */
  direct(source: number, facing: ArrayLike<number>, pattern: number, sharpness: number): void {
    const { numbers } = this;
    numbers[0] = facing[0]!;
    numbers[1] = facing[1]!;
    numbers[2] = facing[2]!;
    this.calls.sonoworld_direct(this.engine, source, this.numbersAt, pattern, sharpness);
    this.changed = true;
  }

  remove(source: number): void {
    this.calls.sonoworld_remove(this.engine, source);
    this.changed = true;
  }

  /** `head`: x, y, z, yaw, pitch, roll. */
  listener(head: ArrayLike<number>): void {
    const { numbers } = this;
    fillWorldFromHead(numbers, head[3]!, head[4]!, head[5]!);
    numbers[9] = head[0]!;
    numbers[10] = head[1]!;
    numbers[11] = head[2]!;
    this.calls.sonoworld_listener(this.engine, this.numbersAt, this.numbersAt + 72);
    this.changed = true;
  }

  /** `inputs` -> `left`, `right`. */
  process(): void {
    if (this.changed) this.calls.sonoworld_publish(this.engine);
    this.changed = false;
    this.calls.sonoworld_process(this.engine, this.inputsAt, this.earsAt);
  }

  private make(decoder: Decoder, law: Law, rateHz: number, around: Around | null): number {
    const { delay, air, near } = law;
    const numbers = [law.alphaPerM, 1, law.nearM, rateHz, law.speedMS, delay ? 1 : 0];
    const copies = [
      this.put(decoder.filters),
      this.put(Float64Array.from(numbers)),
      delay ? this.put(delay.table) : 0,
      air ? this.put(air.filters) : 0,
      air ? this.put(air.waysM) : 0,
      near ? this.put(near.numbers) : 0,
      near ? this.put(near.roots) : 0,
    ] as const;
    const [filters, laws, table, airFilters, waysM, nearNumbers, roots] = copies;
    const phases = delay ? delay.table.length / DELAY_TAPS - 1 : 0;
    const ways = air ? air.waysM.length : 0;
    const airTaps = air ? air.filters.length / ways : 0;
    const sizes = [decoder.order, this.block, this.rows, filters, decoder.taps, laws] as const;
    const travel = [table, phases, airFilters, waysM, ways, airTaps] as const;
    const parts = around ? this.enclose(around) : [];
    const engine = this.calls.sonoworld_make(...sizes, ...travel, nearNumbers, roots, parts.at(-1) ?? 0);
    for (const at of [...copies, ...parts]) if (at) this.calls.sonoworld_release(at);
    return engine;
  }

  /** What a room is made of, and last the room. */
  private enclose({ room, sends }: Around): number[] {
    const { normals, offsetsM, filters, late, branches, longestM } = room;
    const walls = offsetsM.length;
    const arrays = [normals, offsetsM, filters, late, sends, branches];
    const at = arrays.map((one) => (one?.length ? this.put(one) : 0)) as [...Six];
    const made = this.calls.sonoworld_room(walls, at[0], at[1], at[2], at[3], (late?.length ?? 0) / 4, at[4], at[5], longestM);
    if (!made) throw new Error(`the audio kernel refused a room of ${walls} walls`);
    return [...at, made];
  }

  private reserve(bytes: number): number {
    const at = this.calls.sonoworld_bytes(bytes);
    if (!at) throw new Error(`the audio kernel has no ${bytes} bytes left`);
    return at;
  }

  private put(values: Float32Array | Float64Array | Int32Array): number {
    const at = this.reserve(values.byteLength);
    const from = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.calls.memory.buffer, at).set(from);
    return at;
  }

  /** Memory that has grown is elsewhere: looks at it anew. */
  private look(): void {
    const { buffer } = this.calls.memory;
    if (this.numbers.buffer === buffer) return;
    this.doubles = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    this.numbers = new Float64Array(buffer, this.numbersAt, NUMBERS);
    this.inputs = new Float32Array(buffer, this.inputsAt, this.rows * this.block);
    this.left = new Float32Array(buffer, this.earsAt, this.block);
    this.right = new Float32Array(buffer, this.earsAt + 4 * this.block, this.block);
  }
}
