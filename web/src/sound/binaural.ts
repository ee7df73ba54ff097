// The full way: one worklet plays all sources through the compiled kernel, from loops to two ears; then a limiter.
import type { Pose } from "../geometry";
import { addressOf } from "../inline";
import type { Source } from "../source";
import type { World } from "../world";
import { isPhone, suitable, type Hearing } from "./choice";
import { copiesOf } from "./copies";
import { loadClip, openOutput, type Clips, type Ears } from "./ears";
import { loadDecoder, loadLaw } from "./filters";
import { ENGINE, LIMITER, type EngineMessage, type EngineOptions, type EngineReport, type Voice, type Walk } from "./messages";
import { goesOn, inTurn, sameBodies, sameCopies, soundsFor, type Heard } from "./recast";
import { loadRoom } from "./room";
import { loadKernel } from "./wasm";

/** Silence after a sound that does not loop, seconds. */
export const PAUSE_S = 4;

export async function openEngine(
  context: AudioContext,
  world: World,
  loaded: Promise<Clips>,
  hearing: Hearing,
  failed: (reason: string) => void,
): Promise<Ears> {
  const gains = world.sources.map((source) => source.gain);
  const node = await engineNode(context, world, loaded, { pose: world.start, gains, hearing, walk: null });
  node.onprocessorerror = () => failed("the audio kernel does not run in this browser");
  const limiter = new AudioWorkletNode(context, LIMITER, {
    outputChannelCount: [2],
    channelCount: 2,
    channelCountMode: "explicit",
  });
  const output = openOutput(context, world, limiter);
  node.connect(output.input);
  const send = (message: EngineMessage): void => node.port.postMessage(message);
  let playing: Float32Array | null = null;
  let worn = hearing;
  const clips = await loaded;
  let heard: readonly Heard[] = world.sources.map((source, index) => ({ source, sound: clips[index] ?? null }));
  const oneByOne = inTurn();
  node.port.onmessage = (event: MessageEvent<EngineReport>) => {
    playing = event.data.playing;
  };
  return {
    kind: "binaural",
    simplified: null,
    context,
    setVolume: output.setVolume,
    levels: output.levels,
    get playing() {
      return playing;
    },
    setPose: (pose) => send({ kind: "pose", pose }),
    setPlaces: () => undefined,
    setGains: (gains) => send({ kind: "gains", gains: Float32Array.from(gains) }),
    recast: (next, gains) =>
      oneByOne(async () => {
        const { sources } = next;
        const before = heard;
        const earlier = before.map((one) => one.source);
        const levels = (): Float32Array => Float32Array.from(gains());
        if (sameBodies(earlier, sources)) {
          send({ kind: "gains", gains: levels() });
          return output.setScreenGain(next);
        }
        const after = await soundsFor(before, sources, (source) => loadClip(context, source));
        const from = goesOn(earlier, sources);
        const voices = await Promise.all(
          after.map(({ source, sound }, index) => {
            const one = earlier[from[index] ?? -1];
            return voice(source, sound, one !== undefined && sameCopies(one, source));
          }),
        );
        await output.hushed(() => send({ kind: "voices", voices, goesOn: from, gains: levels() }), next);
        heard = after;
      }),
    watch: (on) => {
      send({ kind: "watch", on });
      if (!on) playing = null;
    },
    wear: async (wanted) => {
      worn = wanted;
      const decoder = await loadDecoder(suitable(world.filters, wanted), context.sampleRate);
      if (worn !== wanted) return; // changed again meanwhile
      await output.hushed(() => send({ kind: "decoder", decoder }));
    },
  };
}

/** This browser does not start the worklet from where it lies: some allow none in a page opened as a file. */
export class WorkletRefused extends Error {}

async function openWorklet(context: BaseAudioContext): Promise<void> {
  await context.audioWorklet.addModule(addressOf("worklet.js")).catch((error: unknown) => {
    throw new WorkletRefused(String(error));
  });
}

/** What an engine begins with; `walk` where its head's way is known beforehand. */
export interface Beginning {
  readonly pose: Pose;
  readonly gains: readonly number[];
  readonly hearing: Hearing;
  readonly walk: Walk | null;
}

/** The engine as a node of any context: all sources, from their first sample. */
export async function engineNode(
  context: BaseAudioContext,
  world: World,
  loaded: Promise<Clips>,
  { pose, gains, hearing, walk }: Beginning,
): Promise<AudioWorkletNode> {
  const [kernel, decoder, law, room, clips] = await Promise.all([
    loadKernel(),
    loadDecoder(suitable(world.filters, hearing), context.sampleRate),
    loadLaw(world, context.sampleRate),
    loadRoom(world.room, context.sampleRate),
    loaded,
    openWorklet(context),
  ]);
  const voices = await Promise.all(world.sources.map((source, index) => voice(source, clips[index] ?? null)));
  const processorOptions: EngineOptions = {
    ...{ kernel, decoder, law, voices, pose, walk },
    gains: Float32Array.from(gains),
    room,
  };
  const node = new AudioWorkletNode(context, ENGINE, {
    numberOfInputs: 0,
    outputChannelCount: [2],
    processorOptions,
  });
  return node;
}

/** `known`: the engine has its samples already. */
async function voice(source: Source, sound: AudioBuffer | null, known = false): Promise<Voice | null> {
  const { points, weights, directivity, path, clip } = source;
  if (!clip || !sound) return null;
  const parts = isPhone() ? 0 : source.labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const copies = known ? [] : await copiesOf(sound, clip, parts);
  return {
    samples: known ? [] : [sound.getChannelData(0), ...copies],
    pauseFrames: clip.loops ? 0 : Math.round(PAUSE_S * sound.sampleRate),
    points,
    weights,
    labels: clip.copies && parts ? source.labels : null,
    directivity,
    path,
  };
}
