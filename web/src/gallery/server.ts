// What the gallery asks of its server. Everything that comes back is checked; texts in it are only ever text.

export interface World {
  readonly name: string;
  readonly edits: number;
  readonly problem: string;
}

export interface Job {
  readonly id: string;
  readonly title: string;
  readonly world: string;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly error: string;
  readonly step: string;
  readonly note: string;
  readonly fraction: number;
}

/** The worlds of the folder, newest first. */
export async function worlds(): Promise<World[]> {
  const found = list(await asked(await fetch("api/worlds", { cache: "no-store" })), "worlds");
  return found.map((one) => ({ name: text(one, "name"), edits: number(one, "edits"), problem: text(one, "problem") }));
}

/** Sends a photo; told how much of it has gone out, 0..1. Returns once it is queued. */
export function send(photo: File, told: (fraction: number) => void): Promise<void> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest(); // fetch does not say how much has been sent
    request.open("POST", `api/photos?name=${encodeURIComponent(photo.name)}`);
    request.upload.onprogress = (event) => told(event.lengthComputable ? event.loaded / event.total : 0);
    request.onload = () => (request.status === 202 ? done() : fail(new Error(reason(request.responseText, request.status))));
    request.onerror = () => fail(new Error("the server does not answer; is it still running?"));
    request.send(photo);
  });
}

/** Cancels a job, or dismisses one that is over. */
export async function drop(job: Job): Promise<void> {
  await asked(await fetch(`api/jobs/${encodeURIComponent(job.id)}`, { method: "DELETE" }));
}

/** Tries a job that failed again, from the last step that was finished. */
export async function retry(job: Job): Promise<void> {
  await asked(await fetch(`api/jobs/${encodeURIComponent(job.id)}/retry`, { method: "POST" }));
}

/** Calls back with all jobs, now and whenever something about them changes; and when the server goes and comes back. */
export function follow(changed: (jobs: Job[]) => void, there: (connected: boolean) => void): void {
  const events = new EventSource("api/events");
  events.onopen = () => there(true);
  events.onerror = () => there(false);
  events.onmessage = (event) => changed(list(JSON.parse(String(event.data)), "jobs").map(job));
}

function job(one: Record<string, unknown>): Job {
  const state = text(one, "state");
  if (state !== "waiting" && state !== "running" && state !== "done" && state !== "failed") throw unexpected("state");
  const [id, title, world] = [text(one, "id"), text(one, "title"), text(one, "world")];
  const [error, step, note] = [text(one, "error"), text(one, "step"), text(one, "note")];
  return { id, title, world, state, error, step, note, fraction: number(one, "fraction") };
}

async function asked(answer: Response): Promise<unknown> {
  const body = await answer.text();
  if (!answer.ok) throw new Error(reason(body, answer.status));
  return body ? JSON.parse(body) : null;
}

function reason(body: string, status: number): string {
  try {
    const said = (JSON.parse(body) as { error?: unknown }).error;
    if (typeof said === "string") return said;
  } catch {
    // not ours: say the status
  }
  return `the server answered with ${status}`;
}

function list(from: unknown, key: string): Record<string, unknown>[] {
  const found = (from as Record<string, unknown> | null)?.[key];
  if (!Array.isArray(found)) throw unexpected(key);
  return found as Record<string, unknown>[];
}

function text(from: Record<string, unknown>, key: string): string {
  const value = from[key];
  if (typeof value !== "string") throw unexpected(key);
  return value;
}

function number(from: Record<string, unknown>, key: string): number {
  const value = from[key];
  if (typeof value !== "number") throw unexpected(key);
  return value;
}

function unexpected(key: string): Error {
  return new Error(`the server's answer is not understood (${key})`);
}
