// The full way: one worklet plays all sources through the compiled kernel, from loops to two ears; then a limiter.
import type { Pose } from "../geometry";
import type { Source } from "../source";
import type { Filters, World } from "../world";
import { copiesOf } from "./copies";
import { openOutput, type Clips, type Ears } from "./ears";
import { loadDecoder, loadLaw } from "./filters";
import { ENGINE, LIMITER, type EngineMessage, type EngineOptions, type Voice } from "./messages";
import { loadKernel } from "./wasm";

/** Silence after a sound that does not loop, seconds. */
export const PAUSE_S = 4;
/** A phone gets a coarser field and no copies of wide surfaces: a third of the work, a seventh of the memory. */
const PHONE = "(pointer: coarse)";
const PHONE_ORDER = 3;

export async function openEngine(
  context: AudioContext,
  world: World,
  loaded: Promise<Clips>,
  failed: (reason: string) => void,
): Promise<Ears> {
  const gains = world.sources.map((source) => source.gain);
  const node = await engineNode(context, world, loaded, { pose: world.start, gains });
  node.onprocessorerror = () => failed("the audio kernel does not run in this browser");
  const limiter = new AudioWorkletNode(context, LIMITER, {
    outputChannelCount: [2],
    channelCount: 2,
    channelCountMode: "explicit",
  });
  const output = openOutput(context, world, limiter);
  node.connect(output.input);
  const send = (message: EngineMessage): void => node.port.postMessage(message);
  return {
    kind: "binaural",
    simplified: null,
    context,
    setVolume: output.setVolume,
    levels: output.levels,
    setPose: ({ position, yaw, pitch }) => send({ kind: "pose", pose: { position, yaw, pitch } }),
    setPlaces: () => undefined,
    setGains: (gains) => send({ kind: "gains", gains: Float32Array.from(gains) }),
  };
}

/** The engine as a node of any context: all sources, from their first sample. */
export async function engineNode(
  context: BaseAudioContext,
  world: World,
  loaded: Promise<Clips>,
  start: { readonly pose: Pose; readonly gains: readonly number[] },
): Promise<AudioWorkletNode> {
  const [kernel, decoder, law, clips] = await Promise.all([
    loadKernel(),
    loadDecoder(suitable(world.filters), context.sampleRate),
    loadLaw(world, context.sampleRate),
    loaded,
    context.audioWorklet.addModule("worklet.js"),
  ]);
  const voices = await Promise.all(world.sources.map((source, index) => voice(source, clips[index] ?? null)));
  const gains = Float32Array.from(start.gains);
  const processorOptions: EngineOptions = { kernel, decoder, law, voices, gains, pose: start.pose };
  return new AudioWorkletNode(context, ENGINE, { numberOfInputs: 0, outputChannelCount: [2], processorOptions });
}

async function voice(source: Source, sound: AudioBuffer | null): Promise<Voice | null> {
  const { points, weights, directivity, path, clip } = source;
  if (!clip || !sound) return null;
  const parts = isPhone() ? 0 : source.labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const copies = await copiesOf(sound, clip, parts);
  return {
    samples: [sound.getChannelData(0), ...copies],
    pauseFrames: clip.loops ? 0 : Math.round(PAUSE_S * sound.sampleRate),
    points,
    weights,
    labels: copies.length ? source.labels : null,
    directivity,
    path,
  };
}

function isPhone(): boolean {
  return window.matchMedia(PHONE).matches;
}

/** The finest ears on offer that this device can be asked for. */
function suitable(sets: readonly Filters[]): Filters {
  const finest = [...sets].sort((a, b) => b.order - a.order);
  const wanted = isPhone() ? finest.find((set) => set.order <= PHONE_ORDER) : finest[0];
  const set = wanted ?? finest.at(-1);
  if (!set) throw new Error("this world has no filters for ears");
  return set;
}
