// Sound made visible: rings that leave every source while it plays, and the surface of what is wide. Where less motion
// is asked for, one ring stands still and grows with the level.
import type { Pose, Vec3 } from "../geometry";
import type { Places } from "../places";
import { onScreen } from "../scene/screen";
import type { Source } from "../source";

const RING_M = 1.2;
const RINGS = 3;
const RING_PERIOD_S = 1.8;
/** Between these levels, where the visitor is, a wave goes from unseen to clear. */
const FAINTEST_DB = 25;
const CLEAREST_DB = 75;
const SPECK_PX = 2.2;
const TONES = { point: "--point", area: "--area", ambient: "--ambient" } as const;

export interface Waves {
  readonly shown: boolean;
  /** `levels`: dB SPL of every source here. */
  draw(pose: Pose, levels: readonly number[], timeS: number): void;
  show(on: boolean): void;
}

export function openWaves(canvas: HTMLCanvasElement, sources: readonly Source[], places: Places): Waves {
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const style = getComputedStyle(document.documentElement);
  return {
    get shown() {
      return !canvas.hidden;
    },
    show: (on) => {
      canvas.hidden = !on;
    },
    draw: (pose, levels, timeS) => {
      const pen = canvas.hidden ? null : fresh(canvas);
      if (!pen) return;
      sources.forEach((source, i) => {
        const clear = Math.min(1, Math.max(0, ((levels[i] ?? 0) - FAINTEST_DB) / (CLEAREST_DB - FAINTEST_DB)));
        const place = places.of(i);
        if (!clear || !place) return;
        pen.strokeStyle = pen.fillStyle = style.getPropertyValue(TONES[source.spread]);
        if (source.spread === "area") specks(pen, source, places.wayOf(i), pose, clear);
        rings(pen, place, pose, clear, still ? null : timeS / RING_PERIOD_S);
      });
      pen.globalAlpha = 1;
    },
  };
}

function fresh(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const { innerWidth: width, innerHeight: height } = window;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen?.clearRect(0, 0, width, height);
  return pen;
}

/** `phase`: turns since the world began; null: at rest. */
function rings(pen: CanvasRenderingContext2D, place: Vec3, pose: Pose, clear: number, phase: number | null): void {
  const at = onScreen(place, pose);
  if (!at) return;
  pen.lineWidth = 2;
  for (let ring = 0; ring < (phase === null ? 1 : RINGS); ring++) {
    const grown = phase === null ? clear : (phase + ring / RINGS) % 1;
    pen.globalAlpha = phase === null ? 0.7 : 0.85 * clear * (1 - grown);
    pen.beginPath();
    pen.arc(at.x, at.y, grown * RING_M * at.pixelsPerM, 0, 2 * Math.PI);
    pen.stroke();
  }
}

function specks(pen: CanvasRenderingContext2D, { points }: Source, way: Vec3, pose: Pose, clear: number): void {
  pen.globalAlpha = 0.55 * clear;
  for (let i = 0; i < points.length; i += 3) {
    const at = onScreen([points[i]! + way[0], points[i + 1]! + way[1], points[i + 2]! + way[2]], pose);
    if (at) pen.fillRect(at.x - SPECK_PX / 2, at.y - SPECK_PX / 2, SPECK_PX, SPECK_PX);
  }
}
