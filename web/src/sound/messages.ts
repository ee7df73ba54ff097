// What the page tells the audio kernel. Kept this narrow so that another kernel can take its place.
import type { Mat3, Vec3 } from "../geometry";

export const FIELD = "sonoworld-field";
export const LIMITER = "sonoworld-limiter";

export interface FieldOptions {
  readonly order: number;
  readonly sources: number;
  readonly epsilonM: number;
  readonly alphaPerM: number;
}

export type FieldMessage =
  | {
      /** A source gets its voice: mono samples at the context's rate, and where it is. */
      readonly kind: "source";
      readonly index: number;
      readonly samples: Float32Array;
      /** Silence between repetitions: 0 for a loop. */
      readonly pauseFrames: number;
      readonly points: Float32Array;
      readonly weights: Float32Array;
    }
  /** Where the listener is, and world_from_head row by row. */
  | { readonly kind: "listener"; readonly position: Vec3; readonly rotation: Mat3 }
  /** One linear factor for every source (level, mute, solo). */
  | { readonly kind: "gains"; readonly gains: Float32Array };
