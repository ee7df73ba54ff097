// Where the visitor stands and how a step changes it; pure. Feet follow the ground and stop at what stands on it; eyes
// stay as high over it as they were.
import { wrapped, type Pose, type Vec3 } from "../geometry";
import type { Terrain } from "./terrain";

export const WALK_M_S = 1.2;
const TURN_RAD_S = 1.5;
const MAX_PITCH = 1.45;
/** A step longer than this (a hidden tab, a slow frame) counts as this. */
const LONGEST_STEP_S = 0.1;

/** What the visitor wants, −1..1 each: walk ahead and left, turn left and up. `look` adds radians at once. */
export interface Intent {
  readonly ahead: number;
  readonly left: number;
  readonly turnLeft: number;
  readonly turnUp: number;
  readonly look: { readonly yaw: number; readonly pitch: number };
}

export interface Ground {
  readonly centre: Vec3;
  readonly comfortableRadiusM: number;
  /** None: level and free all around. */
  readonly terrain: Terrain | null;
}

/** How far out the visitor is: 0 at the centre, 1 at the comfortable radius, 2 at the end. */
export function remoteness(position: Vec3, ground: Ground): number {
  return Math.hypot(position[0] - ground.centre[0], position[1] - ground.centre[1]) / ground.comfortableRadiusM;
}

export function step(pose: Pose, intent: Intent, seconds: number, ground: Ground): Pose {
  const dt = Math.min(seconds, LONGEST_STEP_S);
  const yaw = wrapped(pose.yaw + intent.look.yaw + intent.turnLeft * TURN_RAD_S * dt);
  const pitch = level(pose.pitch + intent.look.pitch + intent.turnUp * TURN_RAD_S * dt);
  const length = Math.max(1, Math.hypot(intent.ahead, intent.left));
  const stride = (WALK_M_S * dt) / length;
  const dx = (Math.cos(yaw) * intent.ahead - Math.sin(yaw) * intent.left) * stride;
  const dy = (Math.sin(yaw) * intent.ahead + Math.cos(yaw) * intent.left) * stride;
  return { position: walk(pose.position, dx, dy, ground), yaw, pitch };
}

function level(pitch: number): number {
  return Math.max(-MAX_PITCH, Math.min(MAX_PITCH, pitch));
}

function walk(from: Vec3, dx: number, dy: number, ground: Ground): Vec3 {
  const [heldX, heldY] = held(from, dx, dy, ground);
  const [openX, openY] = slid(from, heldX, heldY, ground.terrain);
  return onGround(from, from[0] + openX, from[1] + openY, ground.terrain);
}

/** The same eye over another place. */
export function onGround(from: Vec3, x: number, y: number, terrain: Terrain | null): Vec3 {
  return [x, y, terrain ? from[2] + terrain.height(x, y) - terrain.height(from[0], from[1]) : from[2]];
}

/** A step that meets something goes on along it: the part of the step along either axis that is free. */
function slid(from: Vec3, dx: number, dy: number, terrain: Terrain | null): readonly [number, number] {
  if (!terrain || terrain.openShare(from[0], from[1], dx, dy) === 1) return [dx, dy];
  const ahead = dx * terrain.openShare(from[0], from[1], dx, 0);
  return [ahead, dy * terrain.openShare(from[0] + ahead, from[1], 0, dy)];
}

/** Beyond the comfortable radius the way out gets slower, down to nothing at twice the radius; the way back does not. */
function held(from: Vec3, dx: number, dy: number, ground: Ground): readonly [number, number] {
  const far = remoteness(from, ground);
  if (far <= 1) return [dx, dy];
  const r = far * ground.comfortableRadiusM;
  const ux = (from[0] - ground.centre[0]) / r;
  const uy = (from[1] - ground.centre[1]) / r;
  const outward = dx * ux + dy * uy;
  if (outward <= 0) return [dx, dy];
  const lost = outward * (1 - Math.max(0, 2 - far));
  return [dx - ux * lost, dy - uy * lost];
}
