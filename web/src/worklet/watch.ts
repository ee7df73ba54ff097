// How loud every source plays, ten times a second, for those who look at sound.

const PERIOD_S = 0.1;

export class Watch {
  private readonly sums: Float64Array;
  private blocks = 0;
  on = false;

  constructor(
    private readonly count: number,
    private readonly block: number,
    private readonly told: (playing: Float32Array) => void,
  ) {
    this.sums = new Float64Array(count);
  }

  /** A source's next block: `samples` from index `from`. */
  take(source: number, samples: Float32Array, from: number): void {
    let sum = 0;
    for (let i = from; i < from + this.block; i++) sum += samples[i]! * samples[i]!;
    this.sums[source]! += sum;
  }

  /** After every block. */
  step(): void {
    const frames = ++this.blocks * this.block;
    if (frames < PERIOD_S * sampleRate) return;
    const playing = new Float32Array(this.count);
    for (let i = 0; i < this.count; i++) playing[i] = Math.sqrt(this.sums[i]! / frames);
    this.sums.fill(0);
    this.blocks = 0;
    this.told(playing);
  }
}
