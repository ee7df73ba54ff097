// What the page tells the audio engine: the whole world when the engine is made, afterwards only head and levels.
import type { Pose } from "../geometry";
import type { Motion } from "../motion";
import type { Directivity } from "../source";
import type { Near } from "../world";

export const ENGINE = "sonoworld-engine";
export const LIMITER = "sonoworld-limiter";

/** How sound changes on its way; see world.json. */
export interface Law {
  /** ε of d = √(|x|² + ε²), metres. */
  readonly nearM: number;
  readonly alphaPerM: number;
  readonly speedMS: number;
  /** Sound takes its time: weights of 16 samples around a place between two samples, row by row of its fraction. */
  readonly delay: { readonly table: Float32Array } | null;
  /** Filters of the air [way][tap] for ways beyond the first metre. */
  readonly air: { readonly filters: Float32Array; readonly waysM: Float64Array } | null;
  /** Bass of near sources. */
  readonly near: Near | null;
}

/** Two ears: filters [ear][channel][tap], ACN/SN3D, head axes. */
export interface Decoder {
  readonly order: number;
  readonly taps: number;
  readonly filters: Float32Array;
}

/** One source's sound, mono at the context's rate, and where it is. No points: everywhere. */
export interface Voice {
  /** Its own sound, then one decorrelated copy for every label. */
  readonly samples: readonly Float32Array[];
  /** Silence between repetitions: 0 for a loop. */
  readonly pauseFrames: number;
  readonly points: Float64Array;
  readonly weights: Float64Array;
  /** Parts of a surface that sounds through copies when it looks wide; null without copies. */
  readonly labels: Int32Array | null;
  readonly directivity: Directivity | null;
  /** Where its centroid goes, in the context's time; null where it stays. */
  readonly path: Motion | null;
}

export interface EngineOptions {
  /** kernel.wasm. As bytes, compiled in the worklet: not every browser lets a compiled module pass. */
  readonly kernel: ArrayBuffer;
  readonly decoder: Decoder;
  readonly law: Law;
  readonly voices: readonly (Voice | null)[];
  readonly gains: Float32Array;
  readonly pose: Pose;
}

export type EngineMessage =
  | { readonly kind: "pose"; readonly pose: Pose }
  /** One linear factor for every source (level, mute, solo). */
  | { readonly kind: "gains"; readonly gains: Float32Array };
