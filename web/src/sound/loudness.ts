// How loud a source is somewhere, for the numbers in the panel; the ears compute their own (the kernel, native/).
// Letters: d softened distance, ε near radius, σ(d) distance law, α absorption, w weight of a surface point,
// b = (1 − a) + a·cos θ how much a source sends towards the listener, n its sharpness.
import type { Vec3 } from "../geometry";
import type { Source } from "../source";
import type { World } from "../world";

/**
 * Σ w σ(d) b|b|^(n − 1), σ(d) = exp(−α(d − 1))/d, d = √(r² + ε²): pressure of a source at rest at a place, re 1 m on its
 * axis `facing`. One that moved by v sounds at p as one at rest does at p − v.
 */
export function loudnessAt(source: Source, place: Vec3, facing: Vec3 | null, law: World): number {
  const { points, weights, directivity } = source;
  if (weights.length === 0) return 1; // everywhere alike
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const x = place[0] - points[3 * i]!;
    const y = place[1] - points[3 * i + 1]!;
    const z = place[2] - points[3 * i + 2]!;
    const d = Math.sqrt(x * x + y * y + z * z + law.epsilonM * law.epsilonM);
    let share = weights[i]! * (Math.exp(-law.alphaPerM * (d - 1)) / d);
    if (directivity && facing) {
      const { pattern, sharpness } = directivity;
      const b = 1 - pattern + (pattern * (facing[0] * x + facing[1] * y + facing[2] * z)) / d;
      share *= b * Math.abs(b) ** (sharpness - 1);
    }
    sum += share;
  }
  return Math.abs(sum);
}
