// The sound of the world. Two ways behind one interface: the compiled kernel in an AudioWorklet, and PannerNodes where
// a browser has no AudioWorklet (plain http on a phone) or no vectors in WebAssembly.
import type { Pose } from "../geometry";
import type { Places } from "../places";
import type { Source } from "../source";
import type { World } from "../world";
import { openEngine, WorkletRefused } from "./binaural";
import type { Hearing } from "./choice";
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
  /** The same world with other sources, with these gains: those that stay as they are go on playing. */
  recast(world: World, gains: () => readonly number[]): Promise<void>;
  setVolume(linear: number): void;
  levels(milliseconds: number): Levels;
  /** RMS of every source now, linear re full scale at 1 m; null while nobody watches, or where that is not known. */
  readonly playing: Float32Array | null;
  watch(on: boolean): void;
  /** Other ears, or loudspeakers; the simple way knows no others. */
  wear(hearing: Hearing): Promise<void>;
}

/** What both ways build on: a context, the place where sound goes in, and a volume and a meter behind it. */
export interface Output {
  readonly context: AudioContext;
  readonly input: AudioNode;
  /** The world's common gain from here on, slowly. */
  setScreenGain(world: World): void;
  setVolume(linear: number): void;
  levels(milliseconds: number): Levels;
  /** Does something that clicks while nothing is heard; `next`: whose common gain is reached afterwards. */
  hushed(action: () => void, next?: World): Promise<void>;
}

const RATE_HZ = 48000;
const METER_SIZE = 32768;

/** Fade from silence when sound begins, seconds. */
const FADE_IN_S = 0.03;
/** A third of the time in which another common gain is reached, seconds. */
const SETTLE_S = 0.1;
/** Silence around a change of ears: the fade before it, and what the limiter and the new kernel need. */
const HUSH_S = 0.08;

/**
 * Opens the ears; the context stays suspended until a gesture resumes it. `progress` runs from 0 to 1; `failed` is told
 * when the sound breaks down later.
 */
export async function openEars(
  world: World,
  hearing: Hearing,
  progress: (done: number) => void,
  failed: (reason: string) => void,
): Promise<Ears> {
  const context = newContext();
  void context.suspend(); // silent until the visitor enters, also where a browser would allow more
  const loaded = loadClips(context, world, progress);
  const lacking = whatIsLacking(context);
  if (lacking !== null) return openPanners(context, world, loaded, lacking);
  return openEngine(context, world, loaded, hearing, failed).catch((error: unknown) => {
    if (!(error instanceof WorkletRefused)) throw error;
    return openPanners(context, world, loaded, "no leave to start the world's AudioWorklet");
  });
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
    world.sources.map(async (source) => {
      const buffer = await loadClip(context, source);
      progress(++done / world.sources.length);
      return buffer;
    }),
  );
}

export async function loadClip(context: BaseAudioContext, { clip, name }: Source): Promise<AudioBuffer | null> {
  if (!clip) return null;
  const answer = await fetch(clip.file);
  if (!answer.ok) throw new Error(`the sound of “${name}” did not load (HTTP ${answer.status})`);
  return context.decodeAudioData(await answer.arrayBuffer());
}

/** Common gain of the screen, then `protect` (a limiter), then the volume, the meter and the loudspeaker. */
export function openOutput(context: AudioContext, world: World, protect: AudioNode): Output {
  const input = new GainNode(context, { gain: 0, channelCount: 2, channelCountMode: "explicit" });
  let screenGain = screenGainOf(world);
  input.gain.linearRampToValueAtTime(screenGain, FADE_IN_S);
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
    setScreenGain: (next) => {
      screenGain = screenGainOf(next);
      input.gain.setTargetAtTime(screenGain, context.currentTime, SETTLE_S);
    },
    setVolume: (linear) => volume.gain.setTargetAtTime(linear, context.currentTime, 0.02),
    hushed: async (action, next) => {
      const running = context.state === "running";
      if (running) {
        input.gain.setTargetAtTime(0, context.currentTime, HUSH_S / 6);
        await new Promise((done) => setTimeout(done, 1000 * HUSH_S));
      }
      action();
      if (next) screenGain = screenGainOf(next);
      if (running || next) input.gain.setTargetAtTime(screenGain, context.currentTime + (running ? HUSH_S : 0), FADE_IN_S);
    },
    levels: (milliseconds) => {
      const [left, right] = [measure(meters[0], milliseconds), measure(meters[1], milliseconds)];
      return { left: left.rms, right: right.rms, peak: Math.max(left.peak, right.peak) };
    },
  };
}

function screenGainOf({ screenGainDb }: World): number {
  return 10 ** (screenGainDb / 20);
}
