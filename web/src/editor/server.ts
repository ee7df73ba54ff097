// Asking the server: each call answers with a checked value, or throws what went wrong as one of three errors.
import type { Vec3 } from "../geometry";
import type { Ray } from "../scene/screen";
import {
  readHit,
  readLast,
  readRecording,
  readSaved,
  readState,
  readSuggestions,
  type EditState,
  type Hit,
  type Operation,
  type Recording,
  type Saved,
  type Suggestion,
} from "./protocol";

/** The server was not reached: nobody knows whether it did what was asked. */
export class AwayError extends Error {}

/** The edit was for a version that is no longer the newest. */
export class StaleError extends Error {}

/** The server said no; `ours`: because of what was asked, which it will never do. */
export class RefusedError extends Error {
  constructor(
    words: string,
    readonly ours: boolean,
  ) {
    super(words);
  }
}

const STALE = 409;
/** Refused for good: what was asked for is wrong, too large, or needs what is not installed. */
const OURS = [400, 413, 415, 501];
/** The server is another one by now, with another address. */
const ELSEWHERE = [403, 421];
const NEW_ADDRESS = "The server has a new address since it was started anew. Open the one that it printed.";

export async function fetchState(): Promise<EditState> {
  return readState(await document("state"));
}

export async function fetchLast(): Promise<string> {
  return readLast(await document("log"));
}

export async function sendOperation(base: number, operation: Operation): Promise<Saved> {
  return readSaved(await posted("operation", { base, operation }));
}

export async function sendStep(base: number, step: "undo" | "redo"): Promise<Saved> {
  return readSaved(await posted(step, { base }));
}

/** What somebody sees who looks along a ray. */
export async function fetchHit({ origin, ahead }: Ray): Promise<Hit> {
  const [ox, oy, oz] = origin;
  return readHit(await document(`hit?ox=${ox}&oy=${oy}&oz=${oz}&${query(ahead)}`));
}

export async function fetchSuggestions(direction: Vec3): Promise<Suggestion[]> {
  return readSuggestions(await document(`suggest?${query(direction)}`));
}

export async function fetchPanorama(): Promise<ImageBitmap> {
  return createImageBitmap(await (await asked("panorama.jpg")).blob());
}

/** White where it belongs to what is seen in that direction. */
export async function fetchRegion(direction: Vec3, tolerance: number): Promise<ImageBitmap> {
  return createImageBitmap(await (await asked(`region.png?${query(direction)}&tolerance=${tolerance}`)).blob());
}

/** A source's sound as a file; with a seed, the one that it would get. */
export async function fetchSound(id: string, seed: number | null): Promise<ArrayBuffer> {
  const chosen = seed === null ? "" : `&seed=${seed}`;
  return (await asked(`sound.flac?id=${encodeURIComponent(id)}${chosen}`)).arrayBuffer();
}

export async function sendRecording(file: File): Promise<Recording> {
  const answer = await asked(`recordings?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  return readRecording(await answer.json());
}

function query([x, y, z]: Vec3): string {
  return `x=${x}&y=${y}&z=${z}`;
}

async function document(path: string): Promise<unknown> {
  return (await asked(path)).json();
}

async function posted(path: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  return (await asked(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

async function asked(path: string, request: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`edit/${path}`, { cache: "no-store", ...request });
  } catch {
    throw new AwayError("The server does not answer. Is it still running?");
  }
  if (answer.ok) return answer;
  if (ELSEWHERE.includes(answer.status)) throw new AwayError(NEW_ADDRESS);
  const words = reason(await answer.text().catch(() => ""), answer.status);
  if (answer.status === STALE) throw new StaleError(words);
  throw new RefusedError(words, OURS.includes(answer.status));
}

function reason(body: string, status: number): string {
  try {
    const said = (JSON.parse(body) as { error?: unknown }).error;
    if (typeof said === "string") return said.replace(/^edit: /, "");
  } catch {
    // not our own words: say the status
  }
  return `the server answered with ${status}`;
}
