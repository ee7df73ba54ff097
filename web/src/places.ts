// Where the sources are now: for labels and numbers. The worklet computes its own, by the same trajectories.
import type { Vec3 } from "./geometry";
import { Trajectory } from "./motion";
import type { Source } from "./source";

interface Moving {
  readonly trajectory: Trajectory;
  readonly facesAhead: boolean;
}

export class Places {
  private readonly moving: readonly (Moving | null)[];

  constructor(private readonly sources: readonly Source[]) {
    this.moving = sources.map(({ path }) => path && { trajectory: new Trajectory(path), facesAhead: path.facesAhead });
    this.update(0);
  }

  /** Whether any source ever goes anywhere. */
  get move(): boolean {
    return this.moving.some((one) => one !== null);
  }

  update(timeS: number): void {
    for (const one of this.moving) {
      one?.trajectory.at(timeS);
      one?.trajectory.turn(timeS);
    }
  }

  /** The centre of a source; null for what is all around. */
  of(index: number): Vec3 | null {
    const one = this.moving[index];
    return one ? vec3(one.trajectory.place) : (this.sources[index]?.centre ?? null);
  }

  /** How far it has gone from where it is at rest. */
  wayOf(index: number): Vec3 {
    const centre = this.sources[index]?.centre;
    const now = this.of(index);
    return centre && now ? [now[0] - centre[0], now[1] - centre[1], now[2] - centre[2]] : [0, 0, 0];
  }

  /** Where it faces, if it radiates in a direction. */
  facingOf(index: number): Vec3 | null {
    const one = this.moving[index];
    const facing = this.sources[index]?.directivity?.facing ?? null;
    return facing && one?.facesAhead && one.trajectory.heading.some((part) => part !== 0)
      ? vec3(one.trajectory.heading)
      : facing;
  }
}

function vec3(from: Float64Array): Vec3 {
  return [from[0]!, from[1]!, from[2]!];
}
