// Where a ray meets the ground, and how high over it something is.
import type { Vec3 } from "../geometry";
import type { Ray } from "../scene/screen";
import type { Terrain } from "../scene/terrain";

/** Height of the eye where a world does not say where its ground is. */
const EYE_M = 1.6;
const STEP_M = 0.1;
const FARTHEST_M = 60;

export function groundZ(terrain: Terrain | null, x: number, y: number): number {
  return terrain ? terrain.height(x, y) : -EYE_M;
}

/** Null where it goes past the ground, or meets it only far away. */
export function meetGround({ origin, ahead }: Ray, terrain: Terrain | null): Vec3 | null {
  const at = (t: number): Vec3 => [origin[0] + t * ahead[0], origin[1] + t * ahead[1], origin[2] + t * ahead[2]];
  const over = (t: number): number => {
    const [x, y, z] = at(t);
    return z - groundZ(terrain, x, y);
  };
  for (let t = STEP_M; t <= FARTHEST_M; t += STEP_M) {
    const now = over(t);
    if (now > 0) continue;
    const before = over(t - STEP_M);
    const share = before > now ? before / (before - now) : 1;
    return at(t - STEP_M + share * STEP_M);
  }
  return null;
}
