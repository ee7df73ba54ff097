// How fine a picture this device is given: phones and machines of little memory get fewer splats and fewer pixels.
import type { Settings } from "../settings";
import type { Picture } from "../world";

/** Splats that a phone draws fluently and holds beside everything else (SOG: some 40 bytes each in use). */
const PHONE_SPLATS = 300_000;
const SMALL_MEMORY_GIB = 2;
const PIXEL_RATIO = 1.5;
const PHONE_PIXEL_RATIO = 1.25;
const LIGHT_PIXEL_RATIO = 1;

export interface Tier {
  readonly picture: Picture;
  readonly mostPixelRatio: number;
}

export function chooseTier(pictures: readonly Picture[], wanted: Settings["picture"]): Tier {
  const [finest] = pictures;
  const lightest = [...pictures].sort((a, b) => a.count - b.count)[0];
  if (!finest || !lightest) throw new Error("this world has no picture");
  if (wanted === "light") return { picture: lightest, mostPixelRatio: LIGHT_PIXEL_RATIO };
  if (wanted === "fine" || !isSmall()) return { picture: finest, mostPixelRatio: PIXEL_RATIO };
  const fitting = pictures.find((picture) => picture.count <= PHONE_SPLATS);
  return { picture: fitting ?? lightest, mostPixelRatio: PHONE_PIXEL_RATIO };
}

function isSmall(): boolean {
  const memoryGiB = (navigator as { deviceMemory?: number }).deviceMemory ?? Infinity;
  return window.matchMedia("(pointer: coarse)").matches || memoryGiB <= SMALL_MEMORY_GIB;
}
