// What page and audio engine tell each other: the whole world when the engine is made, afterwards head and levels.
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
  /** Its own sound, then one decorrelated copy for every label; none: those of the voice that it goes on from. */
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

/** A convex space: flat walls, normal · x <= offset inside, and what lingers. */
export interface Room {
  readonly normals: Float64Array;
  readonly offsetsM: Float64Array;
  /** Biquads [wall][2][b0 b1 b2 a1 a2] of what walls give back. */
  readonly filters: Float32Array;
  /** W, Y, Z, X in world axes, tap by tap each. */
  readonly late: Float32Array | null;
  /** See native/room.hpp. */
  readonly branches: Float32Array;
  readonly longestM: number;
}

export interface EngineOptions {
  /** kernel.wasm. As bytes, compiled in the worklet: not every browser lets a compiled module pass. */
  readonly kernel: ArrayBuffer;
  readonly decoder: Decoder;
  readonly law: Law;
  readonly voices: readonly (Voice | null)[];
  readonly gains: Float32Array;
  readonly pose: Pose;
  /** Where the head is when, instead of messages: for sound made offline. */
  readonly walk: Walk | null;
  /** What is reflected and lingers. Absent: the free field. */
  readonly room?: Room | null;
}

/** A head on its way: straight and even between rising times; yaw, pitch and roll as numbers, not the short way. */
export interface Walk {
  readonly timesS: Float64Array;
  /** x, y, z, yaw, pitch, roll at every time. */
  readonly poses: Float64Array;
}

export type EngineMessage =
  | { readonly kind: "pose"; readonly pose: Pose }
  /** One linear factor for every source (level, mute, solo). */
  | { readonly kind: "gains"; readonly gains: Float32Array }
  /** Other ears from here on. */
  | { readonly kind: "decoder"; readonly decoder: Decoder }
  | NewVoices
  /** Whether to say how loud every source plays now. */
  | { readonly kind: "watch"; readonly on: boolean };

/** Other sources from here on. `goesOn`: the earlier voice that goes on in each, −1: none, it begins. */
export interface NewVoices {
  readonly kind: "voices";
  readonly voices: readonly (Voice | null)[];
  readonly goesOn: readonly number[];
  readonly gains: Float32Array;
}

/** What the engine says while it is watched: RMS of every source's last tenth of a second, with its level. */
export interface EngineReport {
  readonly playing: Float32Array;
}
