// Impulse responses and tables from the world's data, at the rate at which they are used.
import type { Air, Filters, World } from "../world";
import type { Decoder, Law } from "./messages";
import { rowsAtRate } from "./resample";

const DELAY_TAPS = 16;

/** Filters [ear][channel][tap] of one set, resampled where the context has another rate. */
export async function loadDecoder(set: Filters, rateHz: number): Promise<Decoder> {
  const rows = 2 * (set.order + 1) ** 2;
  const data = await loadFloats(set.file, rows * set.taps, "the ears' filters");
  const filters = rowsAtRate(data, rows, 0, set.rateHz, rateHz);
  return { order: set.order, taps: filters.length / rows, filters };
}

/** The world's laws of distance, with the tables of what it turns on. */
export async function loadLaw(world: World, rateHz: number): Promise<Law> {
  const { delay, air } = world;
  const table = delay && (await loadFloats(delay.file, (delay.phases + 1) * DELAY_TAPS, "the table of delays"));
  return {
    nearM: world.epsilonM,
    alphaPerM: world.alphaPerM,
    speedMS: world.speedMS,
    delay: table && { table },
    air: air && { waysM: air.waysM, filters: await loadAir(air, rateHz) },
    near: world.near,
  };
}

async function loadAir(air: Air, rateHz: number): Promise<Float32Array> {
  const ways = air.waysM.length;
  return rowsAtRate(await loadFloats(air.file, ways * air.taps, "the filters of the air"), ways, 0, air.rateHz, rateHz);
}

/** A file of little-endian floats, as every browser's machine has them. */
export async function loadFloats(file: string, count: number, what: string): Promise<Float32Array> {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${what} did not load (HTTP ${answer.status})`);
  const bytes = await answer.arrayBuffer();
  if (bytes.byteLength !== 4 * count) throw new Error(`${what} have the wrong size`);
  return new Float32Array(bytes);
}
