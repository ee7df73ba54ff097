// One source's sound going round: a loop, or a sound and its pause; with a level that moves on straight lines.
import type { Voice } from "../sound/messages";
import { Glide } from "./glide";

/** A level takes this long to where it is wanted, seconds: no click, and no waiting. */
const GLIDE_S = 0.015;

export class Player {
  private readonly gain: Glide;
  private readonly wanted = new Float64Array(1);
  private readonly length: number;
  private readonly period: number;
  private at = 0;

  constructor(
    private readonly samples: Voice["samples"],
    pauseFrames: number,
    gain: number,
    private readonly block: number,
  ) {
    this.gain = new Glide([gain]);
    this.length = samples[0]?.length ?? 0;
    this.period = Math.max(1, this.length + pauseFrames);
  }

  setGain(gain: number): void {
    this.wanted[0] = gain;
    this.gain.to(this.wanted, Math.round((GLIDE_S * sampleRate) / this.block));
  }

  /** Goes on where another is in the same sound, at its level. */
  goOnFrom(other: Player): void {
    this.at = other.at % this.period;
    this.wanted[0] = other.gain.now[0]!;
    this.gain.to(this.wanted, 0);
    this.gain.step();
  }

  /** Whether the level is zero, and stays so. */
  get silent(): boolean {
    return this.gain.now[0] === 0 && this.gain.still;
  }

  /** The next block of the sound and its copies into `rows`, one after the other, from index `from`. */
  play(rows: Float32Array, from: number): void {
    const start = this.gain.now[0]!;
    this.gain.step();
    const slope = (this.gain.now[0]! - start) / this.block;
    for (let copy = 0; copy < this.samples.length; copy++) {
      this.fill(rows, from + copy * this.block, this.samples[copy]!, start, slope);
    }
    this.at = (this.at + this.block) % this.period;
  }

  private fill(rows: Float32Array, from: number, samples: Float32Array, start: number, slope: number): void {
    const { block, length, period } = this;
    let at = this.at;
    for (let i = 0; i < block; ) {
      const sounding = at < length;
      const count = Math.min(block - i, (sounding ? length : period) - at);
      const to = from + i;
      if (!sounding) rows.fill(0, to, to + count);
      else if (slope === 0) for (let k = 0; k < count; k++) rows[to + k] = samples[at + k]! * start;
      else for (let k = 0; k < count; k++) rows[to + k] = samples[at + k]! * (start + slope * (i + k + 1));
      i += count;
      at += count;
      if (at === period) at = 0;
    }
  }
}
