// The full way: field kernel -> 16 Ambisonic channels -> two ears by filters from the world's data -> limiter.
import { worldFromHead } from "../geometry";
import type { Filters, World } from "../world";
import { openOutput, type Clips, type Ears } from "./ears";
import { MAX_ORDER } from "./field";
import { FIELD, LIMITER, type FieldMessage, type FieldOptions } from "./messages";

/** Silence after a sound that does not loop, seconds. */
export const PAUSE_S = 4;

export async function openField(context: AudioContext, world: World, loaded: Promise<Clips>): Promise<Ears> {
  const order = Math.min(world.filters.order, MAX_ORDER);
  const [filters, clips] = await Promise.all([
    loadFilters(context, world.filters),
    loaded,
    context.audioWorklet.addModule("worklet.js"),
  ]);
  const channels = (order + 1) ** 2;
  const options: FieldOptions = {
    order,
    sources: world.sources.length,
    epsilonM: world.epsilonM,
    alphaPerM: world.alphaPerM,
  };
  const field = new AudioWorkletNode(context, FIELD, {
    numberOfInputs: 0,
    outputChannelCount: [channels],
    processorOptions: options,
  });
  const limiter = new AudioWorkletNode(context, LIMITER, {
    outputChannelCount: [2],
    channelCount: 2,
    channelCountMode: "explicit",
  });
  const output = openOutput(context, world, limiter);
  const split = new ChannelSplitterNode(context, { numberOfOutputs: channels });
  field.connect(split);
  for (let c = 0; c < channels; c++) {
    const ears = new ConvolverNode(context, { disableNormalization: true, buffer: earPair(context, filters, c) });
    split.connect(ears, c).connect(output.input);
  }
  const send = (message: FieldMessage, moved: Transferable[] = []): void => field.port.postMessage(message, moved);
  sendSources(world, clips, context.sampleRate, send);
  return {
    kind: "binaural",
    context,
    setVolume: output.setVolume,
    levels: output.levels,
    setPose: ({ position, yaw, pitch }) => send({ kind: "listener", position, rotation: worldFromHead(yaw, pitch) }),
    setGains: (gains) => send({ kind: "gains", gains: Float32Array.from(gains) }),
  };
}

function sendSources(
  world: World,
  clips: Clips,
  rateHz: number,
  send: (message: FieldMessage, moved: Transferable[]) => void,
): void {
  world.sources.forEach((source, index) => {
    const clip = clips[index];
    if (!clip) return;
    const samples = clip.getChannelData(0).slice();
    const pauseFrames = source.clip?.loops ? 0 : Math.round(PAUSE_S * rateHz);
    const { points, weights } = source;
    send({ kind: "source", index, samples, pauseFrames, points, weights }, [samples.buffer]);
  });
}

/** Filters as one buffer of 2·channels: channel 2c is the left ear of harmonic c, 2c + 1 the right. */
async function loadFilters(context: AudioContext, filters: Filters): Promise<Float32Array[]> {
  const answer = await fetch(filters.file);
  if (!answer.ok) throw new Error(`the ears' filters did not load (HTTP ${answer.status})`);
  const channels = (filters.order + 1) ** 2;
  const bytes = await answer.arrayBuffer();
  if (bytes.byteLength !== 2 * channels * filters.taps * 4) throw new Error("the ears' filters have the wrong size");
  const data = new Float32Array(bytes); // [ear, channel, tap]; little-endian, as every browser's machine is
  const rows = Array.from({ length: 2 * channels }, (_, row) => {
    const start = ((row % 2) * channels + (row >> 1)) * filters.taps;
    return data.slice(start, start + filters.taps);
  });
  if (context.sampleRate === filters.rateHz) return rows;
  return Promise.all(rows.map((row) => resampled(row, filters.rateHz, context.sampleRate)));
}

/** An impulse response at another rate; scaled so that convolution keeps its gain. */
async function resampled(response: Float32Array, fromHz: number, toHz: number): Promise<Float32Array> {
  const buffer = new AudioBuffer({ length: response.length, sampleRate: fromHz });
  buffer.copyToChannel(new Float32Array(response), 0);
  const frames = Math.ceil((response.length * toHz) / fromHz);
  const offline = new OfflineAudioContext(1, frames, toHz);
  const source = new AudioBufferSourceNode(offline, { buffer });
  source.connect(offline.destination);
  source.start();
  const rendered = await offline.startRendering();
  return rendered.getChannelData(0).map((value) => (value * fromHz) / toHz);
}

function earPair(context: BaseAudioContext, rows: Float32Array[], channel: number): AudioBuffer {
  const [left, right] = [rows[2 * channel], rows[2 * channel + 1]];
  if (!left || !right) throw new Error(`no filter for channel ${channel}`);
  const buffer = new AudioBuffer({ length: left.length, numberOfChannels: 2, sampleRate: context.sampleRate });
  buffer.copyToChannel(new Float32Array(left), 0);
  buffer.copyToChannel(new Float32Array(right), 1);
  return buffer;
}
