// Look-ahead peak limiter: what leaves never exceeds the ceiling, and quiet sound passes unchanged (only later).
// Letters: x input, p peak over the ears, n block delay, m gain each sample needs, h smallest m of the last n samples,
// r = h with slow release, g mean of the last n r. Each r in that mean covers the sample now leaving, so g·p <= ceiling.

const CEILING = 10 ** (-1 / 20);
const RELEASE_S = 0.15;
const DELAY = 256;

export class LimiterProcessor extends AudioWorkletProcessor {
  private readonly delayed = [new Float32Array(DELAY), new Float32Array(DELAY)] as const;
  private readonly needed = new Float64Array(DELAY).fill(1);
  private readonly released = new Float64Array(DELAY).fill(1);
  private readonly release = 1 - Math.exp(-1 / (RELEASE_S * sampleRate));
  private at = 0;
  private low = 1;
  private lowLeft = DELAY;
  private last = 1;
  private sum = DELAY;

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const left = outputs[0]?.[0];
    const right = outputs[0]?.[1];
    if (!left || !right) return true;
    const inLeft = inputs[0]?.[0];
    const inRight = inputs[0]?.[1] ?? inLeft;
    for (let i = 0; i < left.length; i++) {
      const l = inLeft?.[i] ?? 0;
      const r = inRight?.[i] ?? 0;
      const gain = this.advance(Math.max(Math.abs(l), Math.abs(r)));
      // the slot after the newest holds the oldest sample
      const oldest = this.at;
      const delayedLeft = this.delayed[0][oldest] ?? 0;
      const delayedRight = this.delayed[1][oldest] ?? 0;
      const newest = (this.at + DELAY - 1) % DELAY;
      this.delayed[0][newest] = l;
      this.delayed[1][newest] = r;
      left[i] = delayedLeft * gain;
      right[i] = delayedRight * gain;
    }
    return true;
  }

  /** Takes in the peak of the newest sample and returns the gain of the oldest. */
  private advance(peak: number): number {
    const m = peak > CEILING ? CEILING / peak : 1;
    const slot = this.at;
    this.needed[slot] = m;
    this.at = (slot + 1) % DELAY;
    if (m <= this.low) {
      this.low = m;
      this.lowLeft = DELAY;
    } else if (--this.lowLeft <= 0) {
      this.findLow();
    }
    this.last = Math.min(this.low, this.last + (1 - this.last) * this.release);
    this.sum += this.last - (this.released[slot] ?? 1);
    this.released[slot] = this.last;
    return Math.min(1, this.sum / DELAY);
  }

  /** The smallest need of the window, and for how many samples it stays in it. */
  private findLow(): void {
    this.low = 1;
    this.lowLeft = DELAY;
    for (let age = DELAY - 1; age >= 0; age--) {
      const m = this.needed[(this.at - 1 - age + 2 * DELAY) % DELAY] ?? 1;
      if (m <= this.low) {
        this.low = m;
        this.lowLeft = DELAY - age;
      }
    }
  }
}
