// A room on the page: walls and late field for the kernel, at the context's rate.
import type { RoomFiles } from "../world";
import { loadFloats } from "./filters";
import type { Room } from "./messages";
import { rowsAtRate } from "./resample";

const CHANNELS = 4;

export async function loadRoom(room: RoomFiles | null, rateHz: number): Promise<Room | null> {
  if (!room) return null;
  const { normals, offsetsM, filters, late, branches, longestM } = room;
  const lingers = late && (await loadFloats(late.file, CHANNELS * late.taps, "the late field"));
  const [nearest] = [...filters].sort((a, b) => Math.abs(a.rateHz - rateHz) - Math.abs(b.rateHz - rateHz));
  return {
    ...{ normals, offsetsM, longestM },
    filters: Float32Array.from(nearest?.numbers ?? []),
    late: lingers && rowsAtRate(lingers, CHANNELS, 0, room.rateHz, rateHz),
    branches: Float32Array.from(branches),
  };
}
