// Which sources are heard: mute and solo. Solo wins over the rest; a muted source stays muted.
import type { Source } from "../source";

export interface Mixer {
  readonly sources: readonly Source[];
  readonly silent: readonly boolean[];
  readonly muted: readonly boolean[];
  readonly solo: readonly boolean[];
  toggleMute(index: number): void;
  toggleSolo(index: number): void;
  /** Linear factor for every source, in order. */
  gains(): number[];
}

/** `before`: the mixer of what sounded earlier; what was muted there, or alone, stays so. */
export function openMixer(sources: readonly Source[], changed: () => void, before?: Mixer): Mixer {
  const earlier = sources.map(({ id }) => before?.sources.findIndex((one) => one.id === id) ?? -1);
  const muted = earlier.map((i) => before?.muted[i] ?? false);
  const solo = earlier.map((i) => before?.solo[i] ?? false);
  const silentAt = (i: number): boolean => (muted[i] ?? false) || (solo.includes(true) && !(solo[i] ?? false));
  const flip = (flags: boolean[], index: number): void => {
    flags[index] = !flags[index];
    changed();
  };
  return {
    sources,
    muted,
    solo,
    get silent() {
      return sources.map((_, i) => silentAt(i));
    },
    toggleMute: (index) => flip(muted, index),
    toggleSolo: (index) => flip(solo, index),
    gains: () => sources.map((source, i) => (silentAt(i) ? 0 : source.gain)),
  };
}
