// The world as two ears hear it from one place, made without waiting: for tests, and for pages that embed this one.
import type { Pose } from "../geometry";
import type { World } from "../world";
import { engineNode } from "./binaural";
import { loadClips } from "./ears";

/** Left and right from the first sample of every sound, before the screen's gain and the limiter. */
export async function record(
  world: World,
  start: { readonly pose: Pose; readonly gains: readonly number[] },
  seconds: number,
  rateHz: number,
): Promise<[Float32Array, Float32Array]> {
  const context = new OfflineAudioContext(2, Math.max(1, Math.round(seconds * rateHz)), rateHz);
  const node = await engineNode(context, world, loadClips(context, world, () => undefined), start);
  node.connect(context.destination);
  const sound = await context.startRendering();
  return [sound.getChannelData(0), sound.getChannelData(1)];
}
