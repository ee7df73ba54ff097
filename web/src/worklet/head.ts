// The visitor's head between the page's messages: it moves evenly, and a jump is a jump.
import { wrapped, type Pose } from "../geometry";
import { Glide } from "./glide";

/** A way to a new pose takes this share of the time between the last two messages, so that it seldom ends early. */
const SHARE = 1.25;
const SHORTEST_S = 0.01;
/** After a rest the next message may come at any time: as for 60 pictures a second. */
const USUAL_S = 1 / 60;
const LONGEST_S = 0.1;
/** Farther than a visitor walks or turns between two pictures: gone there, not walked. */
const JUMP_M = 0.5;
const JUMP_RAD = 0.8;

export class Head {
  /** x, y, z (metres, world), yaw, pitch, roll. */
  private readonly glide: Glide;
  private readonly wanted = new Float64Array(6);
  private toldAt = -Infinity;

  constructor(
    { position, yaw, pitch, roll = 0 }: Pose,
    private readonly blockS: number,
  ) {
    this.glide = new Glide([...position, yaw, pitch, roll]);
  }

  get now(): Float64Array {
    return this.glide.now;
  }

  /** A message at this time, seconds. */
  follow({ position, yaw, pitch, roll = 0 }: Pose, timeS: number): void {
    const { now } = this.glide;
    const turn = wrapped(yaw - now[3]!);
    const far = Math.hypot(position[0] - now[0]!, position[1] - now[1]!, position[2] - now[2]!);
    const jumps = far > JUMP_M || Math.abs(turn) > JUMP_RAD || Math.abs(pitch - now[4]!) > JUMP_RAD;
    const sinceS = timeS - this.toldAt;
    const wayS = SHARE * (sinceS > LONGEST_S ? USUAL_S : Math.max(SHORTEST_S, sinceS));
    this.toldAt = timeS;
    this.wanted.set(position);
    this.wanted[3] = now[3]! + turn;
    this.wanted[4] = pitch;
    this.wanted[5] = now[5]! + wrapped(roll - now[5]!);
    this.glide.to(this.wanted, jumps ? 0 : Math.round(wayS / this.blockS));
  }

  /** One block on; whether it moved. */
  step(): boolean {
    return this.glide.step();
  }
}
