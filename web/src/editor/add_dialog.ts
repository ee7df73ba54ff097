// A new source: where it is (pointed at in the world or on the panorama), and what it is. The server suggests what may
// sound there and which region hangs together; nothing is added before a person says so.
import type { Vec3 } from "../geometry";
import { make } from "../ui/page";
import { fill, labelled, numberField, numberIn, pressable, promptField, shortly, spreadField, spreadOf, textField } from "./fields";
import { PanoramaPicture } from "./panorama";
import type { Operation, Suggestion } from "./protocol";
import { fetchPanorama, fetchRegion, fetchSuggestions } from "./server";

const TOLERANCE = 12;
const NARROW = 2;
const WIDE = 40;
const NOWHERE = "Point at where it sounds.";

export interface AddDialog {
  /** Asks for a place, or shows what is seen in a direction. */
  open(direction: Vec3 | null): void;
}

export function openAddDialog(add: (operation: Operation) => void): AddDialog {
  const fields = openFields();
  const { dialog, form, said } = fields;
  let direction: Vec3 | null = null;
  let turn = 0;
  const region = async (): Promise<void> => {
    const asked = direction;
    if (!asked) return;
    const wanted = spreadOf(fields.spread) === "area";
    fields.belongs.hidden = !wanted;
    const mask = wanted ? await fetchRegion(asked, Number(fields.tolerance.value)) : null;
    if (asked === direction) picture.light(mask);
  };
  const attempt = (work: Promise<void>): void =>
    void work.catch((error: unknown) => {
      said.textContent = error instanceof Error ? error.message : String(error);
    });
  const choose = (suggestion: Suggestion): void => {
    fields.take(suggestion);
    said.textContent = `${suggestion.label}: ${suggestion.why}.`;
    attempt(region());
  };
  const look = async (towards: Vec3): Promise<void> => {
    const mine = ++turn;
    direction = towards;
    fields.submit.disabled = false;
    said.textContent = "Looking at what is there…";
    const lighting = region();
    const found = await fetchSuggestions(towards);
    await lighting;
    if (mine !== turn) return;
    said.textContent = "";
    const first = fields.untouched ? found[0] : undefined;
    fields.offer(found, choose, first);
    if (first) choose(first);
  };
  const picture = new PanoramaPicture((towards) => attempt(look(towards)));
  form.prepend(picture.canvas);
  fields.spread.addEventListener("change", () => attempt(region()));
  fields.tolerance.addEventListener("change", () => attempt(region()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!direction) return;
    add(fields.operation(direction));
    dialog.close();
  });
  let pictured = false;
  const load = async (): Promise<void> => {
    if (pictured) return;
    picture.show(await fetchPanorama());
    pictured = true;
  };
  return {
    open: (towards) => {
      direction = null;
      turn++;
      fields.clear();
      picture.point(towards);
      dialog.showModal();
      attempt(load());
      if (towards) attempt(look(towards));
      else picture.canvas.focus();
    },
  };
}

interface Fields {
  readonly dialog: HTMLDialogElement;
  readonly form: HTMLFormElement;
  readonly said: HTMLElement;
  readonly spread: HTMLSelectElement;
  readonly tolerance: HTMLInputElement;
  readonly belongs: HTMLElement;
  readonly submit: HTMLButtonElement;
  /** Whether nobody has typed a name. */
  readonly untouched: boolean;
  offer(found: readonly Suggestion[], choose: (one: Suggestion) => void, chosen?: Suggestion): void;
  take(one: Suggestion): void;
  clear(): void;
  operation(direction: Vec3): Operation;
}

function openFields(): Fields {
  const dialog = make("dialog");
  dialog.id = "add";
  dialog.className = "scrolls";
  dialog.setAttribute("aria-labelledby", "add-title");
  const title = make("h2", "", "Add a sound");
  title.id = "add-title";
  const form = make("form");
  const said = make("p", "said");
  said.setAttribute("role", "status");
  const offers = make("fieldset", "offers");
  const [name, prompt, spread, level] = [textField(200), promptField(), spreadField(), numberField(-20, 160, 1)];
  const tolerance = make("input");
  Object.assign(tolerance, { type: "range", min: String(NARROW), max: String(WIDE), step: "1" });
  const belongs = labelled("How much belongs to it", tolerance);
  name.required = true;
  let taken = "";
  const submit = make("button", "chosen", "Add");
  submit.type = "submit";
  const buttons = make("div", "ends");
  buttons.append(submit, pressable("Cancel", () => dialog.close()));
  const grid = make("div", "pairs");
  grid.append(labelled("Name", name), labelled("Kind", spread), labelled("Sounds like", prompt), labelled("Level, dB at 1 m", level));
  form.append(said, offers, grid, belongs, buttons);
  dialog.append(title, form);
  document.body.append(dialog);
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // the world's keys rest meanwhile
  return {
    dialog,
    form,
    said,
    spread,
    tolerance,
    belongs,
    submit,
    get untouched() {
      return taken === name.value;
    },
    offer: (found, choose, chosen) => showOffers(offers, found, choose, chosen),
    take: (one) => {
      taken = one.label;
      fill(name, one.label);
      fill(prompt, one.prompt);
      fill(spread, one.spread);
      fill(level, shortly(one.levelDb));
    },
    clear: () => {
      form.reset();
      taken = "";
      fill(tolerance, String(TOLERANCE));
      offers.replaceChildren();
      offers.hidden = belongs.hidden = submit.disabled = true;
      said.textContent = NOWHERE;
    },
    operation: (direction) => ({
      op: "add",
      direction,
      tolerance: Number(tolerance.value),
      label: name.value.trim(),
      prompt: prompt.value.trim() || name.value.trim(),
      spread: spreadOf(spread),
      level_db: numberIn(level) ?? 60,
    }),
  };
}

function showOffers(box: HTMLElement, found: readonly Suggestion[], choose: (one: Suggestion) => void, chosen?: Suggestion): void {
  const buttons = found.map((one) => {
    const button = pressable(one.label, () => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      choose(one);
    });
    button.title = one.why;
    button.setAttribute("aria-pressed", String(one === chosen));
    return button;
  });
  box.replaceChildren(make("legend", "", "What may sound there"), ...buttons);
  box.hidden = !buttons.length;
}
