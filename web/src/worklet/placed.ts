// A source as the kernel has it: a point, a surface, or all around the head; at rest, or on its way.
import { Trajectory } from "../motion";
import type { Law, Voice } from "../sound/messages";
import type { Kernel, Surface } from "./kernel";

export class Placed {
  private readonly trajectory: Trajectory | null;
  private readonly surface: Surface | null;
  /** Weighted mean of its points at rest. */
  private readonly centroid: Float64Array;
  private readonly last = new Float64Array(3);
  private placed = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly law: Law,
    private readonly voice: Voice,
    /** First of its rows in the kernel's input. */
    readonly row: number,
  ) {
    const { path, points, weights, labels } = voice;
    this.trajectory = path && new Trajectory(path);
    this.surface = weights.length > 1 ? kernel.keep(points, weights, labels) : null;
    this.centroid = centroidOf(points, weights);
  }

  get here(): boolean {
    return this.placed;
  }

  /** Brings it in, for a head at `head` (x, y, z first) at a time. */
  place(head: Float64Array, timeS: number): void {
    const { voice, kernel, row } = this;
    this.placed = true;
    if (voice.directivity) this.face(voice.directivity.facing);
    if (voice.weights.length === 0) this.surround(head);
    else if (this.trajectory) this.follow(head, timeS, true);
    else if (this.surface) kernel.surface(row, this.surface);
    else this.point(voice.points);
  }

  /** Before every block that ends at this time: what moves has moved. */
  advance(head: Float64Array, headMoved: boolean, timeS: number): void {
    if (this.trajectory) this.follow(head, timeS, false);
    else if (headMoved && this.voice.weights.length === 0) this.surround(head);
  }

  remove(): void {
    this.placed = false;
    this.kernel.remove(this.row);
  }

  /** Ambience: W alone at gain 1. A point in the middle of the head has no direction, and σ(ε) there is taken out. */
  private surround(head: Float64Array): void {
    const { nearM, alphaPerM } = this.law;
    this.kernel.place(this.row, head[0]!, head[1]!, head[2]!, nearM * Math.exp(alphaPerM * (nearM - 1)));
  }

  private point(place: Float64Array): void {
    this.kernel.place(this.row, place[0]!, place[1]!, place[2]!, this.voice.weights[0]!);
  }

  /** Goes to where it is at a time; where sound takes time, to where it was when it sent what arrives then. */
  private follow(head: Float64Array, timeS: number, always: boolean): void {
    const { trajectory, law, voice, last, centroid, surface } = this;
    if (!trajectory) return;
    const { delay, nearM, speedMS } = law;
    const sentS = delay ? trajectory.sentAt(timeS, head[0]!, head[1]!, head[2]!, nearM, speedMS) : timeS;
    trajectory.at(sentS);
    const { place } = trajectory;
    if (!always && place[0] === last[0] && place[1] === last[1] && place[2] === last[2]) return;
    last.set(place);
    if (surface) {
      const x = place[0]! - centroid[0]!;
      const y = place[1]! - centroid[1]!;
      this.kernel.shift(surface, voice.points, x, y, place[2]! - centroid[2]!);
      this.kernel.surface(this.row, surface);
    } else {
      this.point(place);
    }
    if (!voice.path?.facesAhead || !voice.directivity) return;
    trajectory.turn(sentS);
    const { heading } = trajectory;
    if (heading[0] !== 0 || heading[1] !== 0 || heading[2] !== 0) this.face(heading);
  }

  private face(facing: ArrayLike<number>): void {
    const { directivity } = this.voice;
    if (directivity) this.kernel.direct(this.row, facing, directivity.pattern, directivity.sharpness);
  }
}

function centroidOf(points: Float64Array, weights: Float64Array): Float64Array {
  const sum = new Float64Array(3);
  const total = weights.reduce((all, weight) => all + weight, 0);
  points.forEach((value, i) => {
    sum[i % 3]! += (value * weights[Math.floor(i / 3)]!) / total;
  });
  return sum;
}
