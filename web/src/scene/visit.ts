// One visitor: where they are, and how walking, gliding and jumping change it.
import { lookAt, type Pose, type Vec3 } from "../geometry";
import { glide, type Glide } from "./glide";
import { onGround, step, type Ground, type Intent } from "./walker";

/** “Go” ends this far from the source, metres. */
const ARM_M = 0.9;
const STEP_S = 1 / 60;

export class Visit {
  private now: Pose;
  private moving: Glide | null = null;

  /** `moved` is told every new pose. */
  constructor(
    private readonly start: Pose,
    private readonly ground: Ground,
    private readonly moved: (pose: Pose) => void,
  ) {
    this.now = start;
  }

  get pose(): Pose {
    return this.now;
  }

  jump(pose: Pose): void {
    this.moving = null;
    this.place(pose);
  }

  home(): void {
    this.moving = glide(this.now, this.start);
  }

  look(place: Vec3): void {
    this.moving = glide(this.now, { ...this.now, ...lookAt(this.now.position, place) });
  }

  go(place: Vec3): void {
    this.moving = glide(this.now, beside(place, this.now, this.ground));
  }

  /** One frame: what the visitor wants comes before a glide under way. */
  advance(intent: Intent, seconds: number): void {
    const { ahead, left, turnLeft, turnUp, look } = intent;
    if (ahead || left || turnLeft || turnUp || look.yaw || look.pitch) {
      this.jump(step(this.now, intent, seconds, this.ground));
    } else if (this.moving) {
      const { pose, done } = this.moving(seconds);
      if (done) this.moving = null;
      this.place(pose);
    }
  }

  /** Walks as held keys would, without waiting. */
  walk(ahead: number, left: number, seconds: number): void {
    const intent = { ahead, left, turnLeft: 0, turnUp: 0, look: { yaw: 0, pitch: 0 } };
    for (let t = 0; t < seconds; t += STEP_S) this.advance(intent, STEP_S);
  }

  private place(pose: Pose): void {
    this.now = pose;
    this.moved(pose);
  }
}

/** An arm's length before a place, on the way to it, but not beyond where the picture holds or something stands. */
function beside(target: Vec3, pose: Pose, ground: Ground): Pose {
  const dx = target[0] - pose.position[0];
  const dy = target[1] - pose.position[1];
  const far = Math.hypot(dx, dy);
  const share = far > ARM_M ? (far - ARM_M) / far : 0;
  const x = pose.position[0] + dx * share - ground.centre[0];
  const y = pose.position[1] + dy * share - ground.centre[1];
  const reach = Math.min(1, ground.comfortableRadiusM / Math.max(1e-9, Math.hypot(x, y)));
  const wayX = ground.centre[0] + x * reach - pose.position[0];
  const wayY = ground.centre[1] + y * reach - pose.position[1];
  const open = ground.terrain?.openShare(pose.position[0], pose.position[1], wayX, wayY) ?? 1;
  const [fromX, fromY] = pose.position;
  const position = onGround(pose.position, fromX + wayX * open, fromY + wayY * open, ground.terrain);
  return { position, ...lookAt(position, target) };
}
