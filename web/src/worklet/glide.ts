// Numbers on a straight way to where they are wanted, one step a block: no steps are heard.

export class Glide {
  readonly now: Float64Array;
  private readonly wanted: Float64Array;
  private left = 0;

  constructor(start: readonly number[]) {
    this.now = Float64Array.from(start);
    this.wanted = Float64Array.from(start);
  }

  get still(): boolean {
    return this.left === 0;
  }

  /** Arrives after so many blocks; with the next one if 0. */
  to(values: ArrayLike<number>, blocks: number): void {
    this.wanted.set(values);
    this.left = Math.max(1, blocks);
  }

  /** One block on; whether anything moved. */
  step(): boolean {
    const { now, wanted } = this;
    if (this.left === 0) return false;
    for (let i = 0; i < now.length; i++) {
      now[i] = this.left === 1 ? wanted[i]! : now[i]! + (wanted[i]! - now[i]!) / this.left;
    }
    this.left--;
    return true;
  }
}
