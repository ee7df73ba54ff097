// The ground that the world brings: how high it lies, and where feet may go. Values at the middles of square cells.
// Letters: x ahead, y left (m, world); i j cells, counted along x and y; m the middle cell, under the eye.
import { WorldError } from "../reader";
import type { GroundFile } from "../world";

/** Steps along a way are this part of a cell. */
const STEP_SHARE = 0.5;
const FLOAT_BYTES = 4;

export class Terrain {
  private readonly middle: number;

  /** `floorM`: z of the ground, m; `walkable`: 1 where a walker gets to. Both [i][j]. */
  constructor(
    private readonly cells: number,
    private readonly cellM: number,
    private readonly floorM: Float32Array,
    private readonly walkable: Uint8Array,
  ) {
    this.middle = (cells - 1) / 2;
  }

  /** z of the ground, m: linear between cells, level beyond the last. */
  height(x: number, y: number): number {
    const at = (value: number): number => Math.min(this.cells - 1, Math.max(0, value / this.cellM + this.middle));
    const u = at(x);
    const v = at(y);
    const i = Math.min(Math.floor(u), this.cells - 2);
    const j = Math.min(Math.floor(v), this.cells - 2);
    const near = this.along(i, j, v - j);
    return near + (this.along(i + 1, j, v - j) - near) * (u - i);
  }

  /** Whether one may stand there; nobody may beyond the last cell. */
  free(x: number, y: number): boolean {
    const i = Math.round(x / this.cellM + this.middle);
    const j = Math.round(y / this.cellM + this.middle);
    if (i < 0 || j < 0 || i >= this.cells || j >= this.cells) return false;
    return this.walkable[i * this.cells + j] === 1;
  }

  /** How much of a straight way is free from its start, 0..1; all of it for who starts where nobody may be. */
  openShare(x: number, y: number, dx: number, dy: number): number {
    if (!this.free(x, y)) return 1;
    const steps = Math.max(1, Math.ceil(Math.hypot(dx, dy) / (STEP_SHARE * this.cellM)));
    for (let k = 1; k <= steps; k++) {
      if (!this.free(x + (dx * k) / steps, y + (dy * k) / steps)) return (k - 1) / steps;
    }
    return 1;
  }

  private along(i: number, j: number, share: number): number {
    const here = this.floorM[i * this.cells + j]!;
    return here + (this.floorM[i * this.cells + j + 1]! - here) * share;
  }
}

/** Reads the file: z of all cells as float32 (little-endian), then a byte each. */
export async function loadTerrain(ground: GroundFile | null): Promise<Terrain | null> {
  if (!ground) return null;
  const answer = await fetch(ground.file);
  if (!answer.ok) throw new WorldError(`${ground.file}: expected the ground, got HTTP ${answer.status}`);
  return readTerrain(ground, await answer.arrayBuffer());
}

export function readTerrain({ file, cells, cellM }: GroundFile, bytes: ArrayBuffer): Terrain {
  const count = cells * cells;
  const expected = count * (FLOAT_BYTES + 1);
  if (bytes.byteLength !== expected) {
    throw new WorldError(`${file}: expected ${expected} bytes for ${cells} × ${cells} cells, got ${bytes.byteLength}`);
  }
  const view = new DataView(bytes);
  const floorM = Float32Array.from({ length: count }, (_, k) => view.getFloat32(FLOAT_BYTES * k, true));
  if (!floorM.every(Number.isFinite)) throw new WorldError(`${file}: expected finite heights`);
  return new Terrain(cells, cellM, floorM, new Uint8Array(bytes, FLOAT_BYTES * count));
}
