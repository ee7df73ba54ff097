// Other sources in a world that is heard already: what stays is neither loaded nor begun again.
import type { Clip, Source } from "../source";

/** What sounds, and its decoded clip. */
export interface Heard {
  readonly source: Source;
  readonly sound: AudioBuffer | null;
}

/** For every source the earlier one, of its id, whose clip it still has; −1: none. */
export function goesOn(before: readonly Source[], after: readonly Source[]): number[] {
  return after.map(({ id, clip }) => before.findIndex((one) => one.id === id && clip !== null && one.clip?.file === clip.file));
}

/** Whether nothing but words and gains differs. */
export function sameBodies(before: readonly Source[], after: readonly Source[]): boolean {
  return before.length === after.length && before.every((one, i) => body(one) === body(after[i]!));
}

/** Whether two clips have the same copies, in the same number. */
export function sameCopies(before: Source, after: Source): boolean {
  return copiesFile(before.clip) === copiesFile(after.clip);
}

/** Clips for these sources: those that are here already, the rest loaded. */
export function soundsFor(
  before: readonly Heard[],
  after: readonly Source[],
  load: (source: Source) => Promise<AudioBuffer | null>,
): Promise<Heard[]> {
  const here = new Map(before.flatMap(({ source, sound }) => (source.clip ? [[source.clip.file, sound] as const] : [])));
  return Promise.all(
    after.map(async (source) => ({ source, sound: here.get(source.clip?.file ?? "") ?? (await load(source)) })),
  );
}

/** One after the other, so that the last that was asked for is what stays. */
export function inTurn(): (work: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

function copiesFile(clip: Clip | null): string {
  return clip?.copies?.file ?? "";
}

function body({ id, spread, clip, points, weights, labels, directivity, path }: Source): string {
  const motion = path && [[...path.timesS], [...path.positions], path.loops, path.facesAhead];
  return JSON.stringify([id, spread, clip, [...points], [...weights], [...labels], directivity, motion]);
}
