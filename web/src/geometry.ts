// Axes and angles of the page. World and head: x ahead, y left, z up (FLU). The engine: x right, y up, z back (RUB).
// Letters: R world_from_head rotation, row by row; yaw + left, pitch + up, roll + right ear down, radians.

export type Vec3 = readonly [number, number, number];
export type Mat3 = readonly [number, number, number, number, number, number, number, number, number];

export interface Pose {
  readonly position: Vec3;
  readonly yaw: number;
  readonly pitch: number;
  /** Level unless a headset says otherwise. */
  readonly roll?: number;
}

/** The engine's coordinates of a world point: the one place where the page changes axes (frames.RUB_FROM_FLU). */
export function rubFromFlu([x, y, z]: Vec3): Vec3 {
  return [-y, z, -x];
}

/** The world's coordinates of an engine's point. */
export function fluFromRub(x: number, y: number, z: number): Vec3 {
  return [-z, -x, y];
}

/** `Rz(yaw)·Ry(−pitch)·Rx(roll)`: columns are the head's ahead, left and up in the world. */
export function worldFromHead(yaw: number, pitch: number, roll = 0): Mat3 {
  const R: [number, number, number, number, number, number, number, number, number] = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  fillWorldFromHead(R, yaw, pitch, roll);
  return R;
}

/** The same into the first nine of `R`, row by row: for the audio thread, which makes nothing new. */
export function fillWorldFromHead(R: { [index: number]: number }, yaw: number, pitch: number, roll: number): void {
  const cy = Math.cos(yaw);
  const sy = Math.sin(yaw);
  const cp = Math.cos(pitch);
  const sp = Math.sin(pitch);
  const cr = Math.cos(roll);
  const sr = Math.sin(roll);
  R[0] = cy * cp;
  R[1] = -sy * cr - cy * sp * sr;
  R[2] = sy * sr - cy * sp * cr;
  R[3] = sy * cp;
  R[4] = cy * cr - sy * sp * sr;
  R[5] = -cy * sr - sy * sp * cr;
  R[6] = sp;
  R[7] = cp * sr;
  R[8] = cp * cr;
}

/** Yaw, pitch and roll of a head whose ahead and left are these unit vectors. */
export function headAngles(ahead: Vec3, left: Vec3): { yaw: number; pitch: number; roll: number } {
  const yaw = Math.atan2(ahead[1], ahead[0]);
  const pitch = Math.asin(Math.max(-1, Math.min(1, ahead[2])));
  const level = worldFromHead(yaw, pitch);
  const along = (column: 1 | 2): number =>
    left[0] * level[column] + left[1] * level[(3 + column) as 4 | 5] + left[2] * level[(6 + column) as 7 | 8];
  return { yaw, pitch, roll: Math.atan2(along(2), along(1)) };
}

/** A world point as the head sees it: Rᵀ(p − o). */
export function inHead(point: Vec3, pose: Pose): Vec3 {
  const R = worldFromHead(pose.yaw, pose.pitch, pose.roll);
  const x = point[0] - pose.position[0];
  const y = point[1] - pose.position[1];
  const z = point[2] - pose.position[2];
  return [R[0] * x + R[3] * y + R[6] * z, R[1] * x + R[4] * y + R[7] * z, R[2] * x + R[5] * y + R[8] * z];
}

export function distance(a: Vec3, b: Vec3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** The angle moved into (−π, π]. */
export function wrapped(angle: number): number {
  return Math.atan2(Math.sin(angle), Math.cos(angle));
}

/** Yaw and pitch that look from one point to another. */
export function lookAt(from: Vec3, to: Vec3): { yaw: number; pitch: number } {
  const x = to[0] - from[0];
  const y = to[1] - from[1];
  return { yaw: Math.atan2(y, x), pitch: Math.atan2(to[2] - from[2], Math.hypot(x, y)) };
}

/** Tangent of half the vertical field of view for a window: the diagonal (99°) stays the same on every screen. */
export function halfHeightTangent(aspect: number): number {
  const diagonal = Math.tan(Math.PI / 6) * Math.hypot(1, 16 / 9);
  return diagonal / Math.hypot(1, aspect);
}
