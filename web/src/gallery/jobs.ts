// The row of photos on their way: how far each is, and what can be done about it.
import { button, element } from "./element";
import type { Job } from "./server";

const STEPS: Record<string, string> = {
  photo: "reading the photo",
  calibrate: "finding the horizon",
  panorama: "imagining what the photo does not show",
  lift: "measuring how far things are",
  seed: "building the world",
  lite: "building the world",
  ground: "finding the ground",
  understand: "finding what sounds",
  segment: "finding where it is seen",
  localize: "placing sounds",
  sound: "making sounds",
  preview: "taking pictures",
  walk: "finding a walk",
};

export interface Wishes {
  readonly drop: (job: Job) => void;
  readonly retry: (job: Job) => void;
}

interface Row {
  readonly line: HTMLLIElement;
  readonly bar: HTMLProgressElement;
  readonly said: HTMLElement;
  readonly buttons: HTMLElement;
  state: Job["state"] | null;
}

/** Shows jobs in a list. Rows stay the same elements while jobs go on, so that focus does. */
export class JobList {
  private readonly rows = new Map<string, Row>();

  constructor(
    private readonly list: HTMLElement,
    private readonly wishes: Wishes,
  ) {}

  show(jobs: readonly Job[]): void {
    const here = new Set(jobs.map((job) => job.id));
    for (const [id, row] of this.rows) {
      if (here.has(id)) continue;
      row.line.remove();
      this.rows.delete(id);
    }
    for (const job of jobs) this.update(job);
    this.list.hidden = !jobs.length;
  }

  private update(job: Job): void {
    const row = this.rows.get(job.id) ?? this.add(job);
    row.bar.value = job.fraction;
    row.bar.hidden = job.state !== "running";
    row.said.textContent = words(job);
    if (row.state === job.state) return;
    row.state = job.state;
    row.line.dataset["state"] = job.state;
    const focused = row.buttons.contains(document.activeElement);
    row.buttons.replaceChildren(...this.actions(job));
    if (focused) (row.buttons.firstElementChild as HTMLElement | null)?.focus();
  }

  private add(job: Job): Row {
    const bar = element("progress", { max: "1", "aria-label": `How far ${job.title} is` });
    const [said, buttons] = [element("p", { class: "said" }), element("div", { class: "buttons" })];
    const line = element("li", {}, element("b", {}, job.title), said, bar, buttons);
    const row: Row = { line, bar, said, buttons, state: null };
    this.rows.set(job.id, row);
    this.list.append(line);
    return row;
  }

  private actions(job: Job): HTMLElement[] {
    const drop = (label: string): HTMLButtonElement =>
      button(label, `${label} ${job.title}`, () => this.wishes.drop(job));
    if (job.state === "done") return [open(job), drop("Dismiss")];
    if (job.state !== "failed") return [drop("Cancel")];
    return [button("Try again", `Try again: ${job.title}`, () => this.wishes.retry(job)), drop("Dismiss")];
  }
}

function open(job: Job): HTMLElement {
  const address = `worlds/${encodeURIComponent(job.world)}/?edit`;
  return element("a", { href: address, class: "button", "aria-label": `Open ${job.title}` }, "Open");
}

function words(job: Job): string {
  if (job.state === "waiting") return "waiting for its turn";
  if (job.state === "done") return "ready to walk in";
  if (job.state === "failed") return job.error;
  const step = STEPS[job.step] ?? (job.step || "starting");
  return `${Math.floor(100 * job.fraction)} %: ${step}`;
}
