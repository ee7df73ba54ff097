// All sources mixed into one Ambisonic field, in one node: mono loops in, (order + 1)² channels out.
import { fieldGains, type Listener } from "../sound/field";
import type { FieldMessage, FieldOptions } from "../sound/messages";

/** Time constant of gain changes, seconds: a teleport does not click, a turning head is not late. */
const SMOOTHING_S = 0.012;
const SILENT = 1e-9;
/** Frames of a render quantum; another size, which the standard may once allow, is met by a new block. */
const BLOCK = 128;

interface Voice {
  readonly samples: Float32Array;
  readonly period: number;
  readonly points: Float32Array;
  readonly weights: Float32Array;
  /** Gains at the listener (without level), and as they are now. */
  readonly field: Float64Array;
  readonly now: Float64Array;
  /** Dry samples of the block being made. */
  block: Float32Array;
  at: number;
}

export class FieldProcessor extends AudioWorkletProcessor {
  private readonly options: FieldOptions;
  private readonly channels: number;
  private readonly voices: (Voice | null)[];
  private gains: Float32Array;
  private listener: Listener = { position: [0, 0, 0], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1] };

  constructor({ processorOptions }: { processorOptions: FieldOptions }) {
    super();
    this.options = processorOptions;
    this.channels = (processorOptions.order + 1) ** 2;
    this.voices = new Array<Voice | null>(processorOptions.sources).fill(null);
    this.gains = new Float32Array(processorOptions.sources);
    this.port.onmessage = (event: MessageEvent<FieldMessage>): void => this.receive(event.data);
  }

  private receive(message: FieldMessage): void {
    if (message.kind === "gains") {
      this.gains = message.gains;
    } else if (message.kind === "listener") {
      this.listener = message;
      for (const voice of this.voices) if (voice) this.place(voice);
    } else {
      const empty = (): Float64Array => new Float64Array(this.channels);
      const voice: Voice = {
        samples: message.samples,
        period: message.samples.length + message.pauseFrames,
        points: message.points,
        weights: message.weights,
        field: empty(),
        now: empty(),
        block: new Float32Array(BLOCK),
        at: 0,
      };
      this.place(voice);
      this.voices[message.index] = voice;
    }
  }

  private place(voice: Voice): void {
    fieldGains(voice.field, this.options.order, voice.points, voice.weights, this.listener, this.options);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0];
    const frames = out?.[0]?.length ?? 0;
    if (!out || frames === 0) return true;
    const keep = Math.exp(-frames / (SMOOTHING_S * sampleRate));
    this.voices.forEach((voice, index) => {
      if (voice) mix(voice, this.gains[index] ?? 0, keep, out, frames);
    });
    return true;
  }
}

/** Adds one source; every channel's gain runs in a straight line from where it was to where it will be. */
function mix(voice: Voice, level: number, keep: number, out: Float32Array[], frames: number): void {
  const { field, now } = voice;
  const dry = play(voice, frames);
  for (let c = 0; c < out.length; c++) {
    const channel = out[c];
    const from = now[c] ?? 0;
    const target = (field[c] ?? 0) * level;
    const kept = target + (from - target) * keep;
    const to = Math.abs(kept) < SILENT ? 0 : kept;
    now[c] = to;
    if (!channel || (from === 0 && to === 0)) continue;
    const slope = (to - from) / frames;
    for (let i = 0; i < frames; i++) channel[i]! += dry[i]! * (from + slope * (i + 1));
  }
}

/** The next samples of a voice, going round; silence in its pause. */
function play(voice: Voice, frames: number): Float32Array {
  if (voice.block.length !== frames) voice.block = new Float32Array(frames);
  const { samples, period, block } = voice;
  let at = voice.at;
  for (let i = 0; i < frames; i++) {
    block[i] = at < samples.length ? samples[at]! : 0;
    if (++at === period) at = 0;
  }
  voice.at = at;
  return block;
}
