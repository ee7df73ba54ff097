// The sound of the world. Two ways behind one interface: the compiled kernel in an AudioWorklet, and PannerNodes where
// a browser has no AudioWorklet (plain http on a phone) or no vectors in WebAssembly.
import type { Pose } from "../geometry";
import type { Places } from "../places";
import type { World } from "../world";
import { openEngine } from "./binaural";
import { openPanners } from "./panners";
import { hasVectors } from "./wasm";

export type EarsKind = "binaural" | "panner";

export interface Levels {
  /** RMS of the last milliseconds, linear re full scale. */
  readonly left: number;
  readonly right: number;
  /** Largest sample of both ears. */
  readonly peak: number;
}

/** A running way of hearing: everything the page can ask of it. */
export interface Ears {
  readonly kind: EarsKind;
  /** Why this is not the full way, for people; null where it is. */
  readonly simplified: string | null;
  readonly context: AudioContext;
  setPose(pose: Pose): void;
  /** Where the sources have gone; told every frame while some move. The full way knows by itself. */
  setPlaces(places: Places): void;
  /** One linear factor per source: its level, or 0 while muted. */
  setGains(gains: readonly number[]): void;
  setVolume(linear: number): void;
  levels(milliseconds: number): Levels;
}

/** What both ways build on: a context, the place where sound goes in, and a volume and a meter behind it. */
export interface Output {
  readonly context: AudioContext;
  readonly input: AudioNode;
  setVolume(linear: number): void;
  levels(milliseconds: number): Levels;
}

const RATE_HZ = 48000;
const METER_SIZE = 32768;

/** Fade from silence when sound begins, seconds. */
const FADE_IN_S = 0.03;

/**
 * Opens the ears; the context stays suspended until a gesture resumes it. `progress` runs from 0 to 1; `failed` is told
 * when the sound breaks down later.
 */
export async function openEars(
  world: World,
  progress: (done: number) => void,
  failed: (reason: string) => void,
): Promise<Ears> {
  const context = newContext();
  void context.suspend(); // silent until the visitor enters, also where a browser would allow more
  const loaded = loadClips(context, world, progress);
  const lacking = whatIsLacking(context);
  return lacking === null ? openEngine(context, world, loaded, failed) : openPanners(context, world, loaded, lacking);
}

function whatIsLacking(context: AudioContext): string | null {
  if (!("audioWorklet" in context) || typeof AudioWorkletNode === "undefined") {
    return "no AudioWorklet here (over plain http, most have none)";
  }
  return hasVectors() ? null : "no vectors (SIMD) in WebAssembly";
}

/** 48 kHz where the browser allows it; else its own rate, to which clips and filters are resampled. */
function newContext(): AudioContext {
  try {
    return new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}

export type Clips = readonly (AudioBuffer | null)[];

export async function loadClips(context: BaseAudioContext, world: World, progress: (done: number) => void): Promise<Clips> {
  let done = 0;
  return Promise.all(
    world.sources.map(async ({ clip, name }) => {
      if (!clip) return null;
      const answer = await fetch(clip.file);
      if (!answer.ok) throw new Error(`the sound of “${name}” did not load (HTTP ${answer.status})`);
      const buffer = await context.decodeAudioData(await answer.arrayBuffer());
      progress(++done / world.sources.length);
      return buffer;
    }),
  );
}

/** Common gain of the screen, then `protect` (a limiter), then the volume, the meter and the loudspeaker. */
export function openOutput(context: AudioContext, world: World, protect: AudioNode): Output {
  const input = new GainNode(context, { gain: 0, channelCount: 2, channelCountMode: "explicit" });
  input.gain.linearRampToValueAtTime(10 ** (world.screenGainDb / 20), FADE_IN_S);
  const volume = new GainNode(context);
  const split = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
  const meters = [0, 1].map(() => new AnalyserNode(context, { fftSize: METER_SIZE })) as [AnalyserNode, AnalyserNode];
  input.connect(protect).connect(volume);
  volume.connect(context.destination);
  volume.connect(split);
  meters.forEach((meter, ear) => split.connect(meter, ear));
  const block = new Float32Array(METER_SIZE);
  const measure = (meter: AnalyserNode, milliseconds: number): { rms: number; peak: number } => {
    meter.getFloatTimeDomainData(block);
    const frames = Math.min(METER_SIZE, Math.max(1, Math.round((milliseconds / 1000) * context.sampleRate)));
    let sum = 0;
    let peak = 0;
    for (let i = METER_SIZE - frames; i < METER_SIZE; i++) {
      const sample = block[i] ?? 0;
      sum += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    return { rms: Math.sqrt(sum / frames), peak };
  };
  return {
    context,
    input,
    setVolume: (linear) => volume.gain.setTargetAtTime(linear, context.currentTime, 0.02),
    levels: (milliseconds) => {
      const [left, right] = [measure(meters[0], milliseconds), measure(meters[1], milliseconds)];
      return { left: left.rms, right: right.rms, peak: Math.max(left.peak, right.peak) };
    },
  };
}
