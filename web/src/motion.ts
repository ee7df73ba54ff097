// Sources on their way: places at rising times, straight and even between them; used by the page and by its worklet.
// Letters: t time, s; p(t) place, m, world; o listener; ε near radius; c speed of sound; τ when what is heard at t was
// sent: τ + √(|p(τ) − o|² + ε²)/c = t.

export interface Motion {
  readonly timesS: Float64Array;
  /** x, y, z at every time. */
  readonly positions: Float64Array;
  /** Goes round between first and last time; else it stays there before and after. */
  readonly loops: boolean;
  /** What radiates in a direction faces where it goes. */
  readonly facesAhead: boolean;
}

/** Halvings of the time in which τ lies: a second becomes a nanosecond. */
const HALVINGS = 30;

/** Makes nothing new when asked: the audio thread asks in every block. */
export class Trajectory {
  readonly place = new Float64Array(3);
  /** Unit direction of travel; that of the last way while it rests, of the first before it moves; 0 if it never does. */
  readonly heading = new Float64Array(3);

  constructor(private readonly motion: Motion) {}

  /** Puts `place` to time t. */
  at(timeS: number): void {
    const { timesS, positions } = this.motion;
    const t = this.onPath(timeS);
    const left = this.legAt(t);
    const right = Math.min(left + 1, timesS.length - 1);
    const span = timesS[right]! - timesS[left]!;
    const share = span > 0 ? Math.min(1, Math.max(0, (t - timesS[left]!) / span)) : 0;
    for (let axis = 0; axis < 3; axis++) {
      const from = positions[3 * left + axis]!;
      this.place[axis] = from + (positions[3 * right + axis]! - from) * share;
    }
  }

  /** Puts `heading` to time t. */
  turn(timeS: number): void {
    const legs = this.motion.timesS.length - 1;
    const { loops, timesS } = this.motion;
    const t = this.onPath(timeS);
    const now = t < timesS[0]! ? -1 : Math.min(this.legAt(t), legs - 1);
    for (let back = 0; back <= now; back++) if (this.along(now - back)) return;
    // before its first way: a loop comes from its last one
    for (let leg = 0; leg < legs; leg++) if (this.along(loops ? legs - 1 - leg : leg)) return;
    this.heading.fill(0);
  }

  /** τ for a listener at (x, y, z). */
  sentAt(timeS: number, x: number, y: number, z: number, nearM: number, speedMS: number): number {
    const { positions } = this.motion;
    let farthest = 0;
    for (let i = 0; i < positions.length; i += 3) {
      farthest = Math.max(farthest, away(positions, i, x, y, z, nearM));
    }
    let early = timeS - farthest / speedMS;
    let late = timeS;
    for (let turn = 0; turn < HALVINGS; turn++) {
      const middle = (early + late) / 2;
      this.at(middle);
      if (middle + away(this.place, 0, x, y, z, nearM) / speedMS > timeS) late = middle;
      else early = middle;
    }
    return late;
  }

  private onPath(timeS: number): number {
    const { timesS, loops } = this.motion;
    if (!loops) return timeS;
    const first = timesS[0]!;
    const period = timesS[timesS.length - 1]! - first;
    return first + ((((timeS - first) % period) + period) % period);
  }

  /** The key before t: 0 before the first. */
  private legAt(t: number): number {
    const { timesS } = this.motion;
    let low = 0;
    let high = timesS.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (timesS[middle]! <= t) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Faces along a leg, if it leads anywhere. */
  private along(leg: number): boolean {
    const { positions } = this.motion;
    const x = positions[3 * leg + 3]! - positions[3 * leg]!;
    const y = positions[3 * leg + 4]! - positions[3 * leg + 1]!;
    const z = positions[3 * leg + 5]! - positions[3 * leg + 2]!;
    const length = Math.sqrt(x * x + y * y + z * z);
    if (length === 0) return false;
    this.heading[0] = x / length;
    this.heading[1] = y / length;
    this.heading[2] = z / length;
    return true;
  }
}

function away(points: Float64Array, at: number, x: number, y: number, z: number, nearM: number): number {
  const dx = points[at]! - x;
  const dy = points[at + 1]! - y;
  const dz = points[at + 2]! - z;
  return Math.sqrt(dx * dx + dy * dy + dz * dz + nearM * nearM);
}
