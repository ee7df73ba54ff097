// Decorrelated copies of a clip, as a surface needs them that looks wide: each through an all-pass filter of the
// world's data. Letters: x clip of n samples, h filter of t taps with its time zero at c = t/2;
// y[i] = Σ_k h[k] x[i + c − k], around the seam where x loops.
import type { Clip } from "../source";
import { loadFloats } from "./filters";
import { rowsAtRate, zeroAtRate } from "./resample";

/** One copy for every filter, at the clip's rate. Native convolution: ten seconds of sound take a moment. */
export async function copiesOf(sound: AudioBuffer, clip: Clip, count: number): Promise<Float32Array[]> {
  if (!clip.copies || count === 0) return [];
  const { file, taps, rateHz } = clip.copies;
  const stored = await loadFloats(file, count * taps, "the filters of the copies");
  const filters = rowsAtRate(stored, count, taps / 2, rateHz, sound.sampleRate);
  const length = filters.length / count;
  const buffer = padded(sound, length, clip.loops);
  const context = new OfflineAudioContext(count, buffer.length, sound.sampleRate);
  const source = new AudioBufferSourceNode(context, { buffer });
  const merge = new ChannelMergerNode(context, { numberOfInputs: count });
  for (let copy = 0; copy < count; copy++) {
    const response = new AudioBuffer({ length, sampleRate: sound.sampleRate });
    response.copyToChannel(filters.slice(copy * length, (copy + 1) * length), 0);
    source.connect(new ConvolverNode(context, { disableNormalization: true, buffer: response })).connect(merge, 0, copy);
  }
  merge.connect(context.destination);
  source.start();
  const wet = await context.startRendering();
  const from = length + zeroAtRate(taps / 2, rateHz, sound.sampleRate);
  return Array.from({ length: count }, (_, copy) => wet.getChannelData(copy).slice(from, from + sound.length));
}

/** The clip with so many samples before and after it: its own where it loops, else silence. */
function padded(sound: AudioBuffer, margin: number, loops: boolean): AudioBuffer {
  const x = sound.getChannelData(0);
  const n = x.length;
  const out = new Float32Array(n + 2 * margin);
  out.set(x, margin);
  for (let i = 1; loops && i <= margin; i++) {
    out[margin - i] = x[(n - (i % n)) % n]!;
    out[margin + n + i - 1] = x[(i - 1) % n]!;
  }
  const buffer = new AudioBuffer({ length: out.length, sampleRate: sound.sampleRate });
  buffer.copyToChannel(out, 0);
  return buffer;
}
