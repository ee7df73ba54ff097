// Two bars: what each ear gets, −60..0 dB re full scale.
import type { Levels } from "../sound/ears";

const FLOOR_DB = -60;

export function showLevels(meter: HTMLElement, { left, right }: Levels): void {
  const bars = [...meter.children];
  [left, right].forEach((linear, ear) => {
    const bar = bars[ear];
    if (bar instanceof HTMLElement) bar.style.clipPath = `inset(0 ${(100 * (1 - fill(linear))).toFixed(1)}% 0 0 round 3px)`;
  });
  const loudest = 20 * Math.log10(Math.max(left, right, 1e-6));
  meter.setAttribute("aria-valuenow", Math.max(FLOOR_DB, loudest).toFixed(0));
}

function fill(linear: number): number {
  const db = 20 * Math.log10(Math.max(linear, 1e-6));
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
