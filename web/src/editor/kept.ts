// Edits that were not saved, kept in the browser: a page that is closed, or a server with a new address, loses none.
import type { Step } from "./desk";

const MOST = 100;

/** The server checks every operation; here it is enough that they are some. */
export function loadKept(world: string): Step[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(world)) ?? "[]");
    return Array.isArray(stored) ? (stored.filter(isStep) as Step[]).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function saveKept(world: string, steps: readonly Step[]): void {
  try {
    if (steps.length) localStorage.setItem(keyOf(world), JSON.stringify(steps));
    else localStorage.removeItem(keyOf(world));
  } catch {
    // a browser may forbid it: then they are kept as long as the page is open
  }
}

function keyOf(world: string): string {
  return `sonoworld.unsaved.${world}`;
}

function isStep(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { op?: unknown }).op === "string";
}
