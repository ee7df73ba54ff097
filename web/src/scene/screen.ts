// Between the window and the world: where a place is on the screen, and what a pixel points at.
// Letters: f pixels of one metre at one metre.
import { halfHeightTangent, inHead, worldFromHead, type Pose, type Vec3 } from "../geometry";

const NEAREST_M = 0.2;

export interface OnScreen {
  readonly x: number;
  readonly y: number;
  /** How far ahead of the eye, metres. */
  readonly depth: number;
  readonly pixelsPerM: number;
}

/** A straight way from an eye. */
export interface Ray {
  readonly origin: Vec3;
  /** Of length 1. */
  readonly ahead: Vec3;
}

/** Null behind the eye, and as good as in it. */
export function onScreen(place: Vec3, pose: Pose): OnScreen | null {
  const [ahead, left, up] = inHead(place, pose);
  if (ahead < NEAREST_M) return null;
  const { innerWidth: width, innerHeight: height } = window;
  const pixelsPerM = focal(width, height) / ahead;
  return { x: width / 2 - left * pixelsPerM, y: height / 2 - up * pixelsPerM, depth: ahead, pixelsPerM };
}

/** What a pixel of the window points at. */
export function rayThrough(x: number, y: number, pose: Pose): Ray {
  const { innerWidth: width, innerHeight: height } = window;
  const f = focal(width, height);
  const left = (width / 2 - x) / f;
  const up = (height / 2 - y) / f;
  const R = worldFromHead(pose.yaw, pose.pitch, pose.roll);
  const length = Math.hypot(1, left, up);
  const along = (row: 0 | 3 | 6): number =>
    (R[row] + R[(row + 1) as 1 | 4 | 7] * left + R[(row + 2) as 2 | 5 | 8] * up) / length;
  return { origin: pose.position, ahead: [along(0), along(3), along(6)] };
}

function focal(width: number, height: number): number {
  return height / 2 / halfHeightTangent(width / height);
}
