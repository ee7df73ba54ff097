// In the world: a handle at the chosen source, to drag it; its path, and the one that is being drawn.
import type { Pose, Vec3 } from "../geometry";
import { onScreen, rayThrough, type Ray } from "../scene/screen";
import { make } from "../ui/page";
import type { Edited } from "./protocol";

const STILL_PX = 4;
const NODE_PX = 5;
const TONE = "#ffb454";

export interface Marks {
  /** Every frame. `source`: null where none is chosen, or nothing is to be seen of it. */
  draw(pose: Pose, source: Edited | null, drawn: readonly Vec3[]): void;
}

/** `dropped` is told where a handle was dragged to, and resolves when that is done. */
export function openMarks(pose: () => Pose, dropped: (ray: Ray) => Promise<unknown>): Marks {
  const canvas = make("canvas");
  canvas.id = "ways";
  canvas.setAttribute("aria-hidden", "true");
  const handle = make("div"); // dragging is one way of several: fields and “Move…” do the same by keyboard
  handle.id = "handle";
  handle.setAttribute("aria-hidden", "true");
  document.body.append(canvas, handle);
  const held = listenToDrags(handle, (x, y) => dropped(rayThrough(x, y, pose())));
  return {
    draw: (now, source, drawn) => {
      const place = source?.centre ?? null;
      const at = held() ?? (place && onScreen(place, now));
      handle.hidden = !at;
      if (at) handle.style.translate = `${at.x.toFixed(1)}px ${at.y.toFixed(1)}px`;
      const pen = fresh(canvas, Boolean(source?.path) || drawn.length > 0);
      if (!pen) return;
      if (source?.path) line(pen, now, placesOf(source.path.positions), false);
      if (drawn.length) line(pen, now, drawn, true);
    },
  };
}

/** Where a handle is held, in the window; null while nobody holds it. */
function listenToDrags(handle: HTMLElement, dropped: (x: number, y: number) => Promise<unknown>): () => { x: number; y: number } | null {
  let from: { x: number; y: number } | null = null;
  let now: { x: number; y: number } | null = null;
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    from = { x: event.clientX, y: event.clientY };
    event.preventDefault();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!from) return;
    const moved = Math.hypot(event.clientX - from.x, event.clientY - from.y) > STILL_PX;
    if (now || moved) now = { x: event.clientX, y: event.clientY };
  });
  handle.addEventListener("pointerup", () => {
    from = null;
    const at = now;
    if (at) void dropped(at.x, at.y).finally(() => (now = now === at ? null : now));
  });
  handle.addEventListener("pointercancel", () => {
    from = now = null;
  });
  return () => now;
}

function fresh(canvas: HTMLCanvasElement, wanted: boolean): CanvasRenderingContext2D | null {
  canvas.hidden = !wanted;
  if (!wanted) return null;
  const { innerWidth: width, innerHeight: height } = window;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext("2d");
  pen?.clearRect(0, 0, width, height);
  return pen;
}

function placesOf(positions: Float64Array): Vec3[] {
  return Array.from({ length: positions.length / 3 }, (_, i) => [positions[3 * i]!, positions[3 * i + 1]!, positions[3 * i + 2]!]);
}

function line(pen: CanvasRenderingContext2D, pose: Pose, places: readonly Vec3[], nodes: boolean): void {
  for (const [colour, wide] of [["rgb(0 0 0 / 60%)", 5], [TONE, 2.5]] as const) {
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = wide;
    pen.setLineDash(nodes ? [8, 6] : []);
    pen.beginPath();
    let before = false;
    for (const place of places) {
      const at = onScreen(place, pose);
      if (at && before) pen.lineTo(at.x, at.y);
      else if (at) pen.moveTo(at.x, at.y);
      before = at !== null; // what passes behind the eye is left out
    }
    pen.stroke();
    for (const place of places) {
      const at = onScreen(place, pose);
      if (!at) continue;
      pen.beginPath();
      pen.arc(at.x, at.y, NODE_PX - 2.5 + wide / 2, 0, 2 * Math.PI);
      pen.fill();
    }
  }
}
