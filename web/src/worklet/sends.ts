// How loud every row of the kernel is in what lingers in a room.
import type { Directivity } from "../source";
import type { Voice } from "../sound/messages";

const STEPS = 2000;

/** First rows of what has a place; ambience and the copies of surfaces take no part. */
export function sendsOf(voices: readonly (Voice | null)[]): Float32Array {
  const sends: number[] = [];
  for (const voice of voices) {
    if (!voice) continue;
    voice.samples.forEach((_, copy) => sends.push(copy === 0 && voice.weights.length ? radiated(voice.directivity) : 0));
  }
  return Float32Array.from(sends.length ? sends : [0]);
}

/** Amplitude of what goes out to all sides together, re the axis. Twin of `render.room_sound.radiated`. */
function radiated(directivity: Directivity | null): number {
  if (!directivity) return 1;
  const { pattern, sharpness } = directivity;
  let power = 0;
  for (let i = 0; i < STEPS; i++) {
    const cosine = ((i + 0.5) * 2) / STEPS - 1;
    power += Math.abs(1 - pattern + pattern * cosine) ** (2 * sharpness);
  }
  return Math.sqrt(power / STEPS);
}
