// In the browser: measure(case) -> seconds of sound made per second, by an OfflineAudioContext.
import { engineOptions } from "./world.mjs";

const read = async (name) => (await fetch(name)).arrayBuffer();

async function rendered(asked, seconds) {
  const context = new OfflineAudioContext(2, 48000 * seconds, 48000);
  await context.audioWorklet.addModule("hook.js");
  await context.audioWorklet.addModule("worklet.js");
  const [kernel, filters] = await Promise.all([read("kernel.wasm"), read(`ears-${asked.order}.bin`)]);
  const processorOptions = engineOptions({ ...asked, kernel, filters });
  const node = new AudioWorkletNode(context, "bench", { numberOfInputs: 0, outputChannelCount: [2], processorOptions });
  node.connect(context.destination);
  const start = performance.now();
  await context.startRendering();
  return performance.now() - start;
}

/** The best of five: the machine has other things to do as well. */
globalThis.measure = async (asked) => {
  let best = Infinity;
  for (let turn = 0; turn < 5; turn++) best = Math.min(best, await rendered(asked, asked.seconds));
  return (1000 * asked.seconds) / best;
};
