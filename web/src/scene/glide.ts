// A smooth move from one pose to another; at once for visitors who asked for less motion.
import { wrapped, type Pose } from "../geometry";

const GLIDE_S = 0.8;

/** Called with the seconds that passed; says where the visitor is now. */
export type Glide = (seconds: number) => { readonly pose: Pose; readonly done: boolean };

export function glide(from: Pose, to: Pose): Glide {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const turn = wrapped(to.yaw - from.yaw);
  let passed = still ? GLIDE_S : 0;
  return (seconds) => {
    passed += seconds;
    const t = Math.min(1, passed / GLIDE_S);
    const s = t * t * (3 - 2 * t);
    const mix = (a: number, b: number): number => a + (b - a) * s;
    if (t >= 1) return { pose: to, done: true };
    return {
      done: false,
      pose: {
        position: [
          mix(from.position[0], to.position[0]),
          mix(from.position[1], to.position[1]),
          mix(from.position[2], to.position[2]),
        ],
        yaw: wrapped(from.yaw + turn * s),
        pitch: mix(from.pitch, to.pitch),
      },
    };
  };
}
