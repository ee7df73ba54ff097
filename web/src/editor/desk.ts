// Edits on their way to the server, one after the other. What could not be saved is kept until somebody decides:
// again, or not at all. Nothing is shown as done that the server has not saved.
import { loadKept, saveKept } from "./kept";
import type { EditState, Operation, Saved } from "./protocol";
import { told } from "./telling";
import { AwayError, fetchLast, fetchState, RefusedError, sendOperation, sendStep, StaleError } from "./server";

export type Step = Operation | { readonly op: "undo" } | { readonly op: "redo" };

/** Something that somebody has to decide about, or at least to know. */
export interface Problem {
  /** refused: what was asked for cannot be; the others keep it (`unshown`: it is saved, but the page shows it not). */
  readonly kind: "stale" | "away" | "unsaved" | "unshown" | "refused";
  readonly words: string;
}

export interface DeskWatcher {
  /** State, problem or being busy changed. `said`: news for people. */
  changed(said: string): void;
  /** The world sounds otherwise; resolves when it is shown. */
  show(): Promise<void>;
}

export class Desk {
  problem: Problem | null = null;
  private waiting = 0;
  private held: Step[];
  private row: Promise<unknown> = Promise.resolve();

  constructor(
    private now: EditState,
    private readonly watcher: DeskWatcher,
  ) {
    this.held = loadKept(now.name);
    const words = "When this world was open last, something could not be saved.";
    if (this.held.length) this.problem = { kind: "unsaved", words };
  }

  get state(): EditState {
    return this.now;
  }

  get busy(): boolean {
    return this.waiting > 0;
  }

  /** The edits that are kept because they were not saved, in words. */
  get kept(): string[] {
    return this.held.map((step) => told(step, this.now.sources));
  }

  /** Does it and saves it; the id of what it was done to, or null where it was not saved. */
  do(step: Step): Promise<string | null> {
    return this.inRow(() => this.run(step));
  }

  /** Everything that was kept, once more, on what is there by now. */
  again(): Promise<void> {
    return this.inRow(async () => {
      const steps = this.held;
      const known = this.problem?.kind === "unshown";
      if (!steps.length) return known || (await this.look()) ? this.showIt("") : undefined;
      if (!(await this.look())) return;
      this.held = [];
      this.problem = null;
      for (const step of steps) await this.run(step);
    });
  }

  /** Without what was kept: shows what is there. */
  forget(): Promise<void> {
    return this.inRow(async () => {
      this.held = [];
      if (await this.look()) await this.showIt("This is what is saved.");
    });
  }

  /** Shows what others have done meanwhile, unless something is to be decided first. */
  async refresh(): Promise<void> {
    if (this.busy || this.problem) return;
    const found = await fetchState().catch(() => null); // no answer: said with the next edit
    if (!found || this.busy || this.problem || found.version === this.now.version) return;
    await this.inRow(async () => {
      this.now = found;
      await this.showIt(`Changed elsewhere: this is version ${found.version}.`);
    });
  }

  /** Says that something cannot be, unless there is worse to say. */
  refuse(words: string): void {
    if (this.problem && this.problem.kind !== "refused") return;
    this.problem = { kind: "refused", words };
    this.watcher.changed("");
  }

  private inRow<T>(work: () => Promise<T>): Promise<T> {
    this.waiting++;
    this.watcher.changed("");
    const next = this.row.then(work).finally(() => {
      this.waiting--;
      saveKept(this.now.name, this.held);
      this.watcher.changed("");
    });
    this.row = next.catch(() => undefined);
    return next;
  }

  private async run(step: Step): Promise<string | null> {
    if (this.held.length) {
      this.held.push(step); // what came before it is not saved: it waits behind that
      return null;
    }
    let saved: Saved;
    try {
      saved = await send(this.now.version, step);
    } catch (error) {
      await this.fail(error, step);
      return null;
    }
    this.now = saved.state;
    await this.showIt(`Saved as version ${saved.state.version}: ${saved.what}`);
    return saved.id;
  }

  /** Takes over the newest version, where the server tells it. */
  private async look(): Promise<boolean> {
    try {
      this.now = await fetchState();
      return true;
    } catch (error) {
      this.problem = { kind: "away", words: wordsOf(error) };
      return false;
    }
  }

  private async showIt(said: string): Promise<void> {
    this.watcher.changed(said);
    try {
      await this.watcher.show();
      if (!this.held.length) this.problem = null;
    } catch (error) {
      const words = `Saved, but this page cannot show it yet: ${wordsOf(error)}`;
      this.problem = { kind: "unshown", words };
    }
  }

  private async fail(error: unknown, step: Step): Promise<void> {
    if (error instanceof RefusedError && error.ours) {
      this.problem = { kind: "refused", words: `Not done: ${error.message}` };
      return;
    }
    this.held.push(step);
    if (error instanceof StaleError) this.problem = { kind: "stale", words: await elsewhere() };
    else if (error instanceof AwayError) this.problem = { kind: "away", words: error.message };
    else this.problem = { kind: "unsaved", words: `Not saved: ${wordsOf(error)}.` };
  }
}

function send(base: number, step: Step): Promise<Saved> {
  if (step.op === "undo" || step.op === "redo") return sendStep(base, step.op);
  return sendOperation(base, step);
}

async function elsewhere(): Promise<string> {
  const last = await fetchLast().catch(() => "");
  const what = last ? ` (last: ${last})` : "";
  return `This world was changed elsewhere meanwhile${what}.`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
