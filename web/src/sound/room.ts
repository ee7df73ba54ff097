// A room on the page: its walls for the worklet, and what lingers as a convolver for two ears behind it.
import type { RoomFiles } from "../world";
import { loadFloats } from "./filters";
import type { Walls } from "./messages";
import { rowsAtRate } from "./resample";

export interface LoadedRoom {
  readonly walls: Walls;
  /** [ear][tap] at the context's rate. */
  readonly late: readonly [Float32Array, Float32Array] | null;
}

export async function loadRoom(room: RoomFiles | null, rateHz: number): Promise<LoadedRoom | null> {
  if (!room) return null;
  const { normals, offsetsM, filters, late } = room;
  const walls = offsetsM.length;
  const [given, ears] = await Promise.all([
    loadFloats(filters.file, walls * filters.taps, "the filters of the walls"),
    late && loadFloats(late.file, 2 * late.taps, "the late field"),
  ]);
  const both = ears && rowsAtRate(ears, 2, 0, room.rateHz, rateHz);
  return {
    walls: { normals, offsetsM, filters: rowsAtRate(given, walls, 0, room.rateHz, rateHz) },
    late: both && [both.slice(0, both.length / 2), both.slice(both.length / 2)],
  };
}

/** The node where all of an engine's sound comes out: what it makes itself, and what lingers of its second output. */
export function lingering(context: BaseAudioContext, node: AudioNode, late: LoadedRoom["late"]): AudioNode {
  if (!late) return node;
  const buffer = new AudioBuffer({ length: late[0].length, numberOfChannels: 2, sampleRate: context.sampleRate });
  late.forEach((ear, channel) => buffer.copyToChannel(new Float32Array(ear), channel));
  const convolver = new ConvolverNode(context, { buffer, disableNormalization: true });
  const sum = new GainNode(context, { channelCount: 2, channelCountMode: "explicit" });
  node.connect(sum, 0);
  node.connect(convolver, 1).connect(sum);
  return sum;
}
