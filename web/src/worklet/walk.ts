// A head whose way is known beforehand: where it is at a time. Makes nothing new when asked.
import type { Walk } from "../sound/messages";

const NUMBERS = 6;

/** Puts `head` (x, y, z, yaw, pitch, roll) to a time: the first pose before the walk, the last one after it. */
export function walkTo({ timesS, poses }: Walk, timeS: number, head: Float64Array): void {
  const last = timesS.length - 1;
  let leg = 0;
  while (leg < last && timesS[leg + 1]! <= timeS) leg++;
  const next = Math.min(leg + 1, last);
  const span = timesS[next]! - timesS[leg]!;
  const share = span > 0 ? Math.min(1, Math.max(0, (timeS - timesS[leg]!) / span)) : 0;
  for (let i = 0; i < NUMBERS; i++) {
    const from = poses[NUMBERS * leg + i]!;
    head[i] = from + (poses[NUMBERS * next + i]! - from) * share;
  }
}
