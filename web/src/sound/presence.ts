// How loud every source is where the visitor is now: by what it plays, where that is known, else by its usual level.
import type { Places } from "../places";
import type { Vec3 } from "../geometry";
import type { World } from "../world";
import { loudnessAt } from "./loudness";

const FLOOR = 1e-10;

/** dB SPL of every source at a place; what is silent is far below 0. */
export function levelsAt(
  world: World,
  places: Places,
  place: Vec3,
  heard: { readonly playing: Float32Array | null; readonly silent: readonly boolean[] },
): number[] {
  return world.sources.map((source, index) => {
    const [x, y, z] = places.wayOf(index);
    const pressure = loudnessAt(source, [place[0] - x, place[1] - y, place[2] - z], places.facingOf(index), world);
    const onTheWayDb = 20 * Math.log10(Math.max(pressure, FLOOR));
    if (heard.silent[index] || !source.clip) return -Infinity;
    const rms = heard.playing?.[index];
    if (rms === undefined) return source.levelDb + onTheWayDb;
    return world.fullScaleDb + 20 * Math.log10(Math.max(rms, FLOOR)) + onTheWayDb;
  });
}
