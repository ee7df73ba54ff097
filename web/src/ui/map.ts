// A small map: what the photo saw ahead is up. Where one may walk, where the picture holds, the visitor, the sources.
// Where people walk it is drawn to scale; beyond, every doubling of the distance is as wide as the last, out to the rim.
import type { Pose, Vec3 } from "../geometry";
import type { Places } from "../places";
import type { Terrain } from "../scene/terrain";
import type { Source } from "../source";
import { directionWords, metres } from "./words";

/** To scale up to this many comfortable radii: as far as anybody walks, and a little. */
const REACH_RADII = 2.2;
/** That takes up this share of the map; the rim is this far away. */
const TO_SCALE = 0.62;
const RIM_M = 60;
const GROUND_PX = 64;
const DOT_PX = 4.5;
const FAR_DOT_PX = 3;
const EDGE_PX = 7;
const TONES = { point: "--point", area: "--area", ambient: "--ambient" } as const;

export interface MapParts {
  readonly canvas: HTMLCanvasElement;
  readonly sources: readonly Source[];
  readonly places: Places;
  readonly centre: Vec3;
  readonly comfortableRadiusM: number;
  readonly terrain: Terrain | null;
}

export interface MiniMap {
  update(pose: Pose, silent: readonly boolean[]): void;
  show(on: boolean): void;
}

export function openMap(parts: MapParts): MiniMap {
  const { canvas, centre, sources, places } = parts;
  const reachM = REACH_RADII * parts.comfortableRadiusM;
  const ground = parts.terrain && drawGround(parts.terrain, centre, reachM);
  const style = getComputedStyle(document.documentElement);
  const tone = (name: string): string => style.getPropertyValue(name);
  return {
    show: (on) => {
      canvas.hidden = !on;
    },
    update: (pose, silent) => {
      const pen = canvas.hidden ? null : fresh(canvas);
      if (!pen) return;
      const rimPx = canvas.clientWidth / 2 - EDGE_PX;
      const innerPx = TO_SCALE * rimPx;
      const at = (place: Vec3): [number, number] => onMap(place, centre, reachM, rimPx);
      if (ground) pen.drawImage(ground, -innerPx, -innerPx, 2 * innerPx, 2 * innerPx);
      ring(pen, (innerPx * parts.comfortableRadiusM) / reachM);
      sources.forEach((source, i) => {
        const place = places.of(i);
        if (!place) return;
        const [x, y] = at(place);
        pen.globalAlpha = silent[i] ? 0.3 : 1;
        dot(pen, x, y, Math.hypot(x, y) > innerPx ? FAR_DOT_PX : DOT_PX, tone(TONES[source.spread]));
      });
      pen.globalAlpha = 1;
      const [x, y] = at(pose.position);
      arrow(pen, x, y, pose.yaw);
      canvas.setAttribute("aria-label", describe(pose, centre));
    },
  };
}

/** Cleared, with its origin in the middle, sharp on this screen. */
function fresh(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const side = Math.round(canvas.clientWidth * window.devicePixelRatio);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  pen?.setTransform(1, 0, 0, 1, 0, 0);
  pen?.clearRect(0, 0, side, side);
  pen?.setTransform(window.devicePixelRatio, 0, 0, window.devicePixelRatio, side / 2, side / 2);
  return pen;
}

/** Pixels right and down of the middle. */
function onMap([x, y]: Vec3, [cx, cy]: Vec3, reachM: number, rimPx: number): [number, number] {
  const farM = Math.hypot(x - cx, y - cy);
  const doublings = Math.log2(Math.max(1, farM / reachM)) / Math.log2(Math.max(2, RIM_M / reachM));
  const share = farM < reachM ? (TO_SCALE * farM) / reachM : TO_SCALE + (1 - TO_SCALE) * Math.min(1, doublings);
  const pixelsPerM = farM > 0 ? (share * rimPx) / farM : 0;
  return [-(y - cy) * pixelsPerM, -(x - cx) * pixelsPerM];
}

function ring(pen: CanvasRenderingContext2D, radius: number): void {
  pen.strokeStyle = "rgb(255 255 255 / 35%)";
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.stroke();
  pen.setLineDash([]);
}

function dot(pen: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** Points where the visitor looks. */
function arrow(pen: CanvasRenderingContext2D, x: number, y: number, yaw: number): void {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-yaw);
  pen.fillStyle = "#fff";
  pen.strokeStyle = "#000";
  pen.beginPath();
  pen.moveTo(0, -9);
  pen.lineTo(6, 7);
  pen.lineTo(0, 4);
  pen.lineTo(-6, 7);
  pen.closePath();
  pen.stroke();
  pen.fill();
  pen.restore();
}

/** Free cells light, the rest not; as a picture of its own, made once. */
function drawGround(terrain: Terrain, [cx, cy]: Vec3, reachM: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = GROUND_PX;
  const pen = canvas.getContext("2d");
  if (pen) pen.fillStyle = "rgb(255 255 255 / 16%)";
  const cellM = (2 * reachM) / GROUND_PX;
  for (let row = 0; row < GROUND_PX; row++) {
    for (let column = 0; column < GROUND_PX; column++) {
      const x = cx + reachM - (row + 0.5) * cellM;
      const y = cy + reachM - (column + 0.5) * cellM;
      if (Math.hypot(x - cx, y - cy) <= reachM && terrain.free(x, y)) pen?.fillRect(column, row, 1, 1);
    }
  }
  return canvas;
}

function describe({ position, yaw }: Pose, centre: Vec3): string {
  const from = Math.hypot(position[0] - centre[0], position[1] - centre[1]);
  const facing = directionWords([Math.cos(yaw), Math.sin(yaw), 0], { position: [0, 0, 0], yaw: 0, pitch: 0 });
  return `Map: you are ${metres(from)} from where the photo was taken, facing ${facing} in it`;
}
