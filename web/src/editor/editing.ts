// The editor of a world, where the server allows it: the page is opened with `?edit` in its address.
import type { Vec3 } from "../geometry";
import type { Ray } from "../scene/screen";
import type { Terrain } from "../scene/terrain";
import { part } from "../ui/page";
import { loadWorld } from "../world";
import type { WorldPage } from "../world_page";
import { openAddDialog } from "./add_dialog";
import { Audition } from "./audition";
import { Desk, type Step } from "./desk";
import { openMarks } from "./marks";
import { openNotices } from "./notices";
import { openEditPanel } from "./panel";
import { openPathPart } from "./path_part";
import { openPointing } from "./pointing";
import type { Edited, EditState, Hit, Operation } from "./protocol";
import { fetchHit, fetchState, fetchSuggestions } from "./server";
import { openSoundPart } from "./sound_part";
import { openSourceForm, type FormActions } from "./source_form";
import { openSourceList } from "./source_list";

export function wantsEditing(): boolean {
  return new URLSearchParams(window.location.search).has("edit");
}

export async function openEditing(page: WorldPage, terrain: Terrain | null): Promise<void> {
  try {
    new Editing(page, terrain, await fetchState());
  } catch (error) {
    part("edge", HTMLElement).textContent = `This world cannot be edited here: ${reason(error)}`;
  }
}

class Editing {
  private chosen: string | null = null;
  private readonly desk: Desk;
  private readonly pointing;
  private readonly marks;
  private readonly path;
  private readonly panel;
  private readonly audition;

  constructor(
    private readonly page: WorldPage,
    terrain: Terrain | null,
    state: EditState,
  ) {
    const edit = (step: Step): Promise<string | null> => this.desk.do(step);
    const complain = (words: string): void => this.desk.refuse(words);
    this.desk = new Desk(state, { changed: (said) => this.show(said), show: () => showWorld(page) });
    this.audition = new Audition((on) => page.hush(on), complain);
    this.pointing = openPointing(() => page.head());
    this.path = openPathPart({ pointing: this.pointing, terrain, edit: (operation) => void edit(operation), failed: complain });
    const sound = openSoundPart({ audition: this.audition, edit, failed: complain });
    const look = (place: Vec3): void => page.visit.look(place);
    const place: FormActions["place"] = (words, placed) => this.point(words, (hit) => placed(hit));
    const form = openSourceForm({ edit, place, look, tryLevel: (level) => page.tryLevel(level) }, [sound, this.path]);
    const dialog = openAddDialog((operation) => void this.add(operation));
    this.marks = openMarks(() => page.head(), (ray) => this.drop(ray));
    this.panel = openEditPanel({
      notices: openNotices(() => void this.desk.again(), () => void this.desk.forget()),
      list: openSourceList((id) => this.choose(id)),
      form,
      undo: () => void edit({ op: "undo" }),
      redo: () => void edit({ op: "redo" }),
      addInWorld: () => {
        lookAhead();
        this.point("Point at where it sounds.", ({ position }) => dialog.open(position));
      },
      addOnPanorama: () => dialog.open(null),
      toggled: (open) => {
        if (!open) this.audition.stop();
      },
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.desk.refresh();
    });
    this.show("");
    this.follow();
  }

  private choose(id: string | null): void {
    this.chosen = this.chosen === id ? null : id;
    this.show("");
    this.panel.reveal();
  }

  private async add(operation: Operation): Promise<void> {
    const id = await this.desk.do(operation);
    if (id === null) return;
    this.chosen = id;
    this.show("");
  }

  /** Asks for a place; what the photo shows there answers. */
  private point(words: string, placed: (hit: Hit) => void): void {
    this.pointing.ask({ words, picked: (ray) => void this.hit(ray).then((hit) => hit && placed(hit)) });
  }

  private async hit(ray: Ray): Promise<Hit | null> {
    try {
      return await fetchHit(ray);
    } catch (error) {
      this.desk.refuse(reason(error));
      return null;
    }
  }

  /** A source was dragged there. */
  private async drop(ray: Ray): Promise<void> {
    const id = this.chosen;
    const hit = id === null ? null : await this.hit(ray);
    if (id === null || !hit) return;
    const where = hit.sky ? { direction: hit.position } : { position: hit.position };
    await this.desk.do({ op: "move", id, ...where });
  }

  private show(said: string): void {
    const { sources } = this.desk.state;
    if (!sources.some((source) => source.id === this.chosen)) this.chosen = null;
    this.panel.show(this.desk, this.chosen, said);
  }

  /** Marks stay where they belong while the visitor moves. */
  private follow(): void {
    const shown = this.panel.open ? this.subject() : null;
    this.marks.draw(this.page.head(), shown, this.path.drawn);
    requestAnimationFrame(() => this.follow());
  }

  private subject(): Edited | null {
    return this.desk.state.sources.find((source) => source.id === this.chosen) ?? null;
  }
}

/** The first look at a world takes the server seconds: it may begin while somebody points. */
function lookAhead(): void {
  fetchSuggestions([1, 0, 0]).catch(() => undefined); // said where it is asked for
}

async function showWorld(page: WorldPage): Promise<void> {
  await page.change(await loadWorld("world.json"));
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
