// Which of a world's filters are used: for headphones or loudspeakers, whose ears, how fine.
import type { Filters } from "../world";

export type OutputKind = "headphones" | "speakers";

export interface Hearing {
  readonly output: OutputKind;
  /** Name of the ears; null, or a name that this world lacks: those that it offers first. */
  readonly ears: string | null;
  /** Ambisonic order; null: as fine as the device can be asked for. */
  readonly order: number | null;
}

/** A phone gets a coarser field and no copies of wide surfaces: a third of the work, a seventh of the memory. */
const PHONE = "(pointer: coarse)";
const PHONE_ORDER = 3;

export function isPhone(): boolean {
  return window.matchMedia(PHONE).matches;
}

/** Names of ears, as the world offers them. */
export function earNames(sets: readonly Filters[]): string[] {
  return [...new Set(sets.filter((set) => set.output === "headphones").map((set) => set.name))];
}

/** Orders of some ears, finest first. */
export function ordersOf(sets: readonly Filters[], ears: string): number[] {
  const orders = sets.filter((set) => set.output === "headphones" && set.name === ears).map((set) => set.order);
  return orders.sort((a, b) => b - a);
}

/**
 * The finest set that is wanted and not too much; the coarsest where all are. A world without filters for loudspeakers
 * (its panel offers none) plays for headphones.
 */
export function suitable(sets: readonly Filters[], { output, ears, order }: Hearing): Filters {
  const kind = sets.some((set) => set.output === output) ? output : "headphones";
  const fitting = sets.filter((set) => set.output === kind);
  const names = new Set(fitting.map((set) => set.name));
  const name = kind === "headphones" && ears !== null && names.has(ears) ? ears : fitting[0]?.name;
  const finest = fitting.filter((set) => set.name === name).sort((a, b) => b.order - a.order);
  const most = order ?? (isPhone() ? PHONE_ORDER : Infinity);
  const set = finest.find((one) => one.order <= most) ?? finest.at(-1);
  if (!set) throw new Error(`this world has no filters for ${output}`);
  return set;
}
