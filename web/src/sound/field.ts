// What a listener hears of a source as Ambisonic gains. Runs in the worklet; pure, so it is tested from outside.
// Letters: y real spherical harmonics, ACN order, SN3D, no Condon-Shortley phase; u unit direction in head axes (FLU);
// d softened distance, σ(d) distance law, w weight of a surface point, R world_from_head, o listener position.
import type { Mat3, Vec3 } from "../geometry";

export const MAX_ORDER = 3;

export interface DistanceLaw {
  readonly epsilonM: number;
  readonly alphaPerM: number;
}

/** σ(d) = exp(−α(d−1))/d with d = √(r² + ε²): one at 1 m, finite at the source. */
export function attenuation(r: number, law: DistanceLaw): number {
  const d = Math.sqrt(r * r + law.epsilonM * law.epsilonM);
  return Math.exp(-law.alphaPerM * (d - 1)) / d;
}

/** Adds `scale · y(u)` up to the given order (1..3) to `out`. */
export function addHarmonics(out: Float64Array, order: number, u: Vec3, scale: number): void {
  const [x, y, z] = u;
  const add = (channel: number, value: number): void => {
    out[channel] = (out[channel] ?? 0) + scale * value;
  };
  add(0, 1);
  add(1, y);
  add(2, z);
  add(3, x);
  if (order < 2) return;
  // AmbiX (Nachbar et al. 2011), table of SN3D polynomials
  const r3 = Math.sqrt(3);
  add(4, r3 * x * y);
  add(5, r3 * y * z);
  add(6, (3 * z * z - 1) / 2);
  add(7, r3 * x * z);
  add(8, (r3 / 2) * (x * x - y * y));
  if (order < 3) return;
  const a = Math.sqrt(5 / 8);
  const b = Math.sqrt(15);
  const c = Math.sqrt(3 / 8);
  add(9, a * y * (3 * x * x - y * y));
  add(10, b * x * y * z);
  add(11, c * y * (5 * z * z - 1));
  add(12, (z * (5 * z * z - 3)) / 2);
  add(13, c * x * (5 * z * z - 1));
  add(14, (b / 2) * z * (x * x - y * y));
  add(15, a * x * (x * x - 3 * y * y));
}

export interface Listener {
  readonly position: Vec3;
  readonly rotation: Mat3;
}

/** g = Σ wᵢ σ(dᵢ) y(Rᵀuᵢ) over the surface points; a source without points is everywhere: W alone. */
export function fieldGains(
  out: Float64Array,
  order: number,
  points: Float32Array,
  weights: Float32Array,
  listener: Listener,
  law: DistanceLaw,
): void {
  out.fill(0);
  if (weights.length === 0) {
    out[0] = 1;
    return;
  }
  const [ox, oy, oz] = listener.position;
  const R = listener.rotation;
  for (let i = 0; i < weights.length; i++) {
    const dx = (points[3 * i] ?? 0) - ox;
    const dy = (points[3 * i + 1] ?? 0) - oy;
    const dz = (points[3 * i + 2] ?? 0) - oz;
    const r = Math.sqrt(dx * dx + dy * dy + dz * dz);
    const scale = (weights[i] ?? 0) * attenuation(r, law);
    if (r < 1e-9) {
      out[0] = (out[0] ?? 0) + scale; // no direction inside the head
      continue;
    }
    const k = 1 / r;
    addHarmonics(
      out,
      order,
      [
        (R[0] * dx + R[3] * dy + R[6] * dz) * k,
        (R[1] * dx + R[4] * dy + R[7] * dz) * k,
        (R[2] * dx + R[5] * dy + R[8] * dz) * k,
      ],
      scale,
    );
  }
}

/** Σ w σ(d): pressure of the whole source at the listener re 1 m (W channel; for the numbers in the panel). */
export function loudnessAt(points: Float32Array, weights: Float32Array, position: Vec3, law: DistanceLaw): number {
  if (weights.length === 0) return 1;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const r = Math.hypot(
      (points[3 * i] ?? 0) - position[0],
      (points[3 * i + 1] ?? 0) - position[1],
      (points[3 * i + 2] ?? 0) - position[2],
    );
    sum += (weights[i] ?? 0) * attenuation(r, law);
  }
  return sum;
}
