// The panorama as a picture to point at: by click, or with arrow keys and Enter. The region that belongs to a place is lit.
// Column u in [0, 1) is azimuth π − 2πu, row v is elevation π/2 − πv, as everywhere (CONVENTIONS.md).
import { wrapped, type Vec3 } from "../geometry";
import { make } from "../ui/page";

const WIDTH_PX = 960;
const STEP_RAD = Math.PI / 90;
const WIDE_STEP = 5;
const MARK_PX = 9;
const MOST_ELEVATION = Math.PI / 2 - 1e-3;
const LIT = [255, 180, 84, 150] as const;
const HALF = 128;

export class PanoramaPicture {
  readonly canvas = make("canvas", "panorama");
  private readonly pen = this.canvas.getContext("2d");
  private picture: ImageBitmap | null = null;
  private region: HTMLCanvasElement | null = null;
  private mark: { azimuth: number; elevation: number } = { azimuth: 0, elevation: 0 };
  private marked = false;

  constructor(private readonly picked: (direction: Vec3) => void) {
    const { canvas } = this;
    canvas.width = WIDTH_PX;
    canvas.height = WIDTH_PX / 2;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.addEventListener("click", (event) => this.click(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  /** The picture itself, once it is there. */
  show(picture: ImageBitmap): void {
    this.picture = picture;
    this.draw();
  }

  /** Marks a direction without telling of it; null: none. */
  point(direction: Vec3 | null): void {
    this.region = null;
    this.marked = direction !== null;
    if (direction) {
      const [x, y, z] = direction;
      this.mark = { azimuth: Math.atan2(y, x), elevation: Math.atan2(z, Math.hypot(x, y)) };
    }
    this.draw();
  }

  /** Lights what is white in a mask of the panorama. */
  light(mask: ImageBitmap | null): void {
    this.region = mask && lit(mask);
    this.draw();
  }

  private click(event: MouseEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const u = (event.clientX - box.left) / box.width;
    const v = (event.clientY - box.top) / box.height;
    this.mark = { azimuth: Math.PI - 2 * Math.PI * u, elevation: Math.PI / 2 - Math.PI * v };
    this.tell();
  }

  private key(event: KeyboardEvent): void {
    const step = STEP_RAD * (event.shiftKey ? WIDE_STEP : 1);
    const { azimuth, elevation } = this.mark;
    const raised = (by: number): number => Math.max(-MOST_ELEVATION, Math.min(MOST_ELEVATION, elevation + by));
    if (event.key === "ArrowLeft") this.mark = { azimuth: wrapped(azimuth + step), elevation };
    else if (event.key === "ArrowRight") this.mark = { azimuth: wrapped(azimuth - step), elevation };
    else if (event.key === "ArrowUp") this.mark = { azimuth, elevation: raised(step) };
    else if (event.key === "ArrowDown") this.mark = { azimuth, elevation: raised(-step) };
    else if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (event.key === "Enter" || event.key === " ") return this.tell();
    this.marked = true;
    this.region = null;
    this.draw();
  }

  private tell(): void {
    const { azimuth, elevation } = this.mark;
    this.point(directionOf(azimuth, elevation));
    this.picked(directionOf(azimuth, elevation));
  }

  private draw(): void {
    const { pen, canvas, picture, region, mark } = this;
    canvas.setAttribute("aria-label", `The panorama. ${words(mark)}. Arrow keys move the mark, Enter chooses the place.`);
    if (!pen) return;
    const { width, height } = canvas;
    pen.clearRect(0, 0, width, height);
    if (picture) pen.drawImage(picture, 0, 0, width, height);
    if (region) pen.drawImage(region, 0, 0, width, height);
    if (!this.marked) return;
    const x = (0.5 - mark.azimuth / (2 * Math.PI)) * width;
    const y = (0.5 - mark.elevation / Math.PI) * height;
    for (const [colour, wide] of [["#000", 6], ["#fff", 2.5]] as const) {
      pen.strokeStyle = colour;
      pen.lineWidth = wide;
      pen.beginPath();
      pen.arc(x, y, MARK_PX, 0, 2 * Math.PI);
      pen.moveTo(x - 2 * MARK_PX, y);
      pen.lineTo(x + 2 * MARK_PX, y);
      pen.moveTo(x, y - 2 * MARK_PX);
      pen.lineTo(x, y + 2 * MARK_PX);
      pen.stroke();
    }
  }
}

function directionOf(azimuth: number, elevation: number): Vec3 {
  const flat = Math.cos(elevation);
  return [flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation)];
}

function words({ azimuth, elevation }: { azimuth: number; elevation: number }): string {
  const degrees = (angle: number): number => Math.round((angle * 180) / Math.PI);
  const side = degrees(azimuth) < 0 ? "right" : "left";
  const height = degrees(elevation) < 0 ? "below" : "above";
  return `Mark ${Math.abs(degrees(azimuth))}° ${side} of ahead, ${Math.abs(degrees(elevation))}° ${height} the horizon`;
}

/** The mask's white as a tint, its black as nothing. */
function lit(mask: ImageBitmap): HTMLCanvasElement {
  const canvas = make("canvas");
  canvas.width = WIDTH_PX;
  canvas.height = WIDTH_PX / 2;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) return canvas;
  pen.drawImage(mask, 0, 0, canvas.width, canvas.height);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const inside = pixels.data[i]! >= HALF;
    pixels.data.set(inside ? LIT : [0, 0, 0, 0], i);
  }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}
