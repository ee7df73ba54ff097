// The world as two ears hear it, made without waiting: for tests, and for pages that embed this one.
import type { World } from "../world";
import { engineNode, type Beginning } from "./binaural";
import { loadClips } from "./ears";

/** Left and right from the first sample of every sound, before the screen's gain and the limiter. */
export async function record(
  world: World,
  start: Beginning,
  seconds: number,
  rateHz: number,
): Promise<[Float32Array, Float32Array]> {
  const context = new OfflineAudioContext(2, Math.max(1, Math.round(seconds * rateHz)), rateHz);
  const made = await engineNode(context, world, loadClips(context, world, () => undefined), start);
  made.connect(context.destination);
  const sound = await context.startRendering();
  return [sound.getChannelData(0), sound.getChannelData(1)];
}
