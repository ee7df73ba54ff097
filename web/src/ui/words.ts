// Numbers as words for people.
import { inHead, type Pose, type Vec3 } from "../geometry";
import type { Spread } from "../source";

export const SPREAD_WORDS: Readonly<Record<Spread, string>> = {
  point: "one place",
  area: "a surface",
  ambient: "all around",
};

const SECTORS = ["ahead", "ahead left", "left", "behind left", "behind", "behind right", "right", "ahead right"];

/** “ahead left”, “above”: where a place is, seen from the head. */
export function directionWords(place: Vec3, pose: Pose): string {
  const [x, y, z] = inHead(place, { ...pose, pitch: 0 });
  const elevation = Math.atan2(z, Math.hypot(x, y));
  if (Math.abs(elevation) > 1.05) return elevation > 0 ? "above" : "below";
  const sector = Math.round(Math.atan2(y, x) / (Math.PI / 4));
  const words = SECTORS[(sector + 8) % 8] ?? "";
  if (Math.abs(elevation) < 0.35) return words;
  return `${words}, ${elevation > 0 ? "up" : "down"}`;
}

export function metres(value: number): string {
  return value < 9.95 ? `${value.toFixed(1)} m` : `${Math.round(value)} m`;
}

export function decibels(value: number): string {
  return `${Math.round(value)} dB`;
}
