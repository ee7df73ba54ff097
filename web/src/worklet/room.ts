// What walls give back: one more input of the kernel for every source and wall, delayed by what its way is longer and
// filtered as the wall does. The sum of what lingers goes out apart. Twin of render/room_live.py.
import type { Law, Walls } from "../sound/messages";
import type { Kernel } from "./kernel";
import type { Placed } from "./placed";

/** Samples that are kept of every source: ways that are longer by up to 170 m at 48 kHz. */
const KEPT = 32768;
/** Reflections that come later are not followed. */
const LONGEST_M = 60;
const LEAST_DELAY = 8;
/** Behind a wall what lingers fades over half a metre. */
const OUTSIDE_M = 0.5;
const EPSILON = 1e-9;

export class Room {
  private readonly count: number;
  private readonly taps: number;
  private readonly voices: readonly RoomVoice[];
  private readonly delayed: Float32Array;
  private readonly image = new Float64Array(3);
  private share = 1;
  private begun = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly law: Law,
    private readonly walls: Walls,
    placed: readonly (Placed | null)[],
    first: number,
  ) {
    this.count = walls.offsetsM.length;
    this.taps = this.count ? walls.filters.length / this.count : 0;
    const somewhere = placed.filter((one) => one !== null && one.somewhere) as Placed[];
    this.voices = somewhere.map((one, index) => new RoomVoice(one, first + index * this.count, this.count));
    this.delayed = new Float32Array(somewhere.length * this.count * (kernel.block + this.taps));
  }

  /** Before the kernel's block: its rows from the sources' rows, and what is sent to linger, if anywhere. */
  fill(head: Float64Array, lingers: Float32Array | null): void {
    const { kernel, voices } = this;
    lingers?.fill(0);
    const depth = this.depth(head[0]!, head[1]!, head[2]!);
    const share = within(depth);
    if (!this.begun) this.share = share;
    for (const voice of voices) {
      this.keep(voice);
      const place = voice.placed.centre;
      const own = this.depth(place[0]!, place[1]!, place[2]!);
      if (lingers) this.send(voice, within(own), lingers);
      for (let wall = 0; wall < this.count; wall++) this.reflect(voice, wall, head, depth > 0 && own > 0);
    }
    if (lingers) {
      const step = (share - this.share) / kernel.block;
      for (let i = 0; i < lingers.length; i++) lingers[i]! *= this.share + step * (i + 1);
    }
    this.share = share;
    voices.forEach((voice) => (voice.at = (voice.at + kernel.block) % KEPT));
    this.begun = true;
  }

  private keep({ kept, at, placed }: RoomVoice): void {
    const { inputs, block } = this.kernel;
    const from = placed.row * block;
    for (let i = 0; i < block; i++) kept[(at + i) % KEPT] = inputs[from + i]!;
  }

  private send(voice: RoomVoice, share: number, lingers: Float32Array): void {
    const { block } = this.kernel;
    const start = this.begun ? voice.share : share;
    const step = (share - start) / block;
    for (let i = 0; i < block; i++) lingers[i]! += voice.kept[(voice.at + i) % KEPT]! * (start + step * (i + 1));
    voice.share = share;
  }

  private reflect(voice: RoomVoice, wall: number, head: Float64Array, inside: boolean): void {
    const { kernel, law, image, walls } = this;
    const { offsetsM: q } = walls;
    const p = voice.placed.centre;
    const behind = this.along(wall, p[0]!, p[1]!, p[2]!) - q[wall]!;
    for (let k = 0; k < 3; k++) image[k] = p[k]! - 2 * behind * walls.normals[3 * wall + k]!;
    const d = far(image, head, law.nearM);
    const extra = law.delay ? 0 : d - far(p, head, law.nearM);
    const heard = inside && extra < LONGEST_M && this.exists(wall, head);
    const gain = heard ? 1 : 0;
    const delay = Math.max(LEAST_DELAY, Math.min(KEPT / 2, (extra * sampleRate) / law.speedMS));
    if (!this.begun) {
      voice.delay[wall] = delay;
      voice.gain[wall] = gain;
    }
    const row = voice.row + wall;
    if (voice.moved(wall, image)) {
      kernel.place(row, image[0]!, image[1]!, image[2]!, 1);
      this.face(voice, wall, row);
    }
    this.write(voice, wall, delay, gain, row);
    voice.delay[wall] = delay;
    voice.gain[wall] = gain;
  }

  private face({ placed }: RoomVoice, wall: number, row: number): void {
    const { directivity } = placed;
    if (!directivity) return;
    const { normals } = this.walls;
    const [x, y, z] = directivity.facing;
    const turn = 2 * this.along(wall, x, y, z);
    const mirrored = [x, y, z].map((value, k) => value - turn * normals[3 * wall + k]!);
    this.kernel.direct(row, mirrored, directivity.pattern, directivity.sharpness);
  }

  /** Delay and gain on straight lines through the block, a jump of the delay as a fade; then the wall's filter. */
  private write(voice: RoomVoice, wall: number, delay: number, gain: number, row: number): void {
    const { kernel, taps, delayed } = this;
    const { block, inputs } = kernel;
    const { kept, at } = voice;
    const before = voice.delay[wall]!;
    const from = voice.gain[wall]!;
    const start = (row - this.voices[0]!.row) * (block + taps);
    const to = row * block;
    delayed.copyWithin(start, start + block, start + block + taps);
    const silent = from === 0 && gain === 0;
    const jumps = Math.abs(delay - before) > block / 2;
    for (let i = 0; i < block; i++) {
      const r = (i + 1) / block;
      let y = 0;
      if (!silent) {
        const now = at + i;
        y = jumps
          ? (1 - r) * read(kept, now - before) + r * read(kept, now - delay)
          : read(kept, now - before - (delay - before) * r);
      }
      delayed[start + taps + i] = y * (from + (gain - from) * r);
    }
    const { filters } = this.walls;
    const first = wall * taps;
    for (let i = 0; i < block; i++) {
      let sum = 0;
      const last = start + taps + i;
      for (let k = 0; k < taps; k++) sum += filters[first + k]! * delayed[last - k]!;
      inputs[to + i] = sum;
    }
  }

  /** Whether the way to the image meets its wall where the wall is part of the space. */
  private exists(wall: number, head: Float64Array): boolean {
    const { image, walls } = this;
    const [x, y, z] = [head[0]!, head[1]!, head[2]!];
    const along = this.along(wall, image[0]! - x, image[1]! - y, image[2]! - z);
    if (along <= 0) return false;
    const t = (walls.offsetsM[wall]! - this.along(wall, x, y, z)) / along;
    const [hx, hy, hz] = [x + t * (image[0]! - x), y + t * (image[1]! - y), z + t * (image[2]! - z)];
    for (let k = 0; k < this.count; k++) {
      if (k !== wall && this.along(k, hx, hy, hz) - walls.offsetsM[k]! > EPSILON) return false;
    }
    return true;
  }

  /** Metres to the nearest wall, negative behind one. */
  private depth(x: number, y: number, z: number): number {
    let least = Infinity;
    for (let k = 0; k < this.count; k++) least = Math.min(least, this.walls.offsetsM[k]! - this.along(k, x, y, z));
    return least;
  }

  private along(wall: number, x: number, y: number, z: number): number {
    const { normals } = this.walls;
    return normals[3 * wall]! * x + normals[3 * wall + 1]! * y + normals[3 * wall + 2]! * z;
  }
}

class RoomVoice {
  readonly kept = new Float32Array(KEPT);
  readonly delay: Float64Array;
  readonly gain: Float64Array;
  share = 1;
  at = 0;
  private readonly images: Float64Array;

  constructor(
    readonly placed: Placed,
    readonly row: number,
    walls: number,
  ) {
    this.delay = new Float64Array(walls);
    this.gain = new Float64Array(walls);
    this.images = new Float64Array(3 * walls).fill(NaN);
  }

  /** Whether an image is elsewhere than it was; remembers it. */
  moved(wall: number, image: Float64Array): boolean {
    const { images } = this;
    let changed = false;
    for (let k = 0; k < 3; k++) {
      if (images[3 * wall + k] !== image[k]) changed = true;
      images[3 * wall + k] = image[k]!;
    }
    return changed;
  }
}

function within(depth: number): number {
  return Math.max(0, Math.min(1, 1 + depth / OUTSIDE_M));
}

function far(a: Float64Array, b: Float64Array, nearM: number): number {
  return Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!, nearM);
}

/** A sample between samples: the cubic through four (Lagrange). */
function read(kept: Float32Array, place: number): number {
  const whole = Math.floor(place);
  const f = place - whole;
  const at = whole + 2 * KEPT;
  const [a, b, c, d] = [kept[(at - 1) % KEPT]!, kept[at % KEPT]!, kept[(at + 1) % KEPT]!, kept[(at + 2) % KEPT]!];
  return (
    (-a * f * (f - 1) * (f - 2)) / 6 +
    (b * (f + 1) * (f - 1) * (f - 2)) / 2 -
    (c * (f + 1) * f * (f - 2)) / 2 +
    (d * (f + 1) * f * (f - 1)) / 6
  );
}
