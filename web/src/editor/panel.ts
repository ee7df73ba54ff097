// The drawer of the editor: undo and redo, adding, what is said, the sources, and the one that was chosen.
import { belongsToPage } from "../scene/controls";
import { make, part } from "../ui/page";
import { openDrawer } from "../ui/drawers";
import type { Desk } from "./desk";
import { pressable } from "./fields";
import type { Notices } from "./notices";
import type { SourceForm } from "./source_form";
import type { SourceList } from "./source_list";

/** A form that begins lower than this part of the drawer is brought up. */
const WELL_SEEN = 0.7;

export interface EditPanel {
  readonly open: boolean;
  /** Scrolls to the chosen source where little of it is to be seen. */
  reveal(): void;
  show(desk: Desk, chosen: string | null, said: string): void;
}

export interface PanelParts {
  readonly notices: Notices;
  readonly list: SourceList;
  readonly form: SourceForm;
  undo(): void;
  redo(): void;
  addInWorld(): void;
  addOnPanorama(): void;
  toggled(open: boolean): void;
}

export function openEditPanel(parts: PanelParts): EditPanel {
  const { notices, list, form } = parts;
  const opener = openOpener();
  const panel = make("aside");
  panel.id = "edit";
  panel.hidden = true;
  panel.setAttribute("aria-labelledby", "edit-title");
  const header = make("header");
  const title = make("h2", "", "Correct what sounds");
  title.id = "edit-title";
  const close = make("button", "close quiet", "×");
  close.type = "button";
  close.setAttribute("aria-label", "Close the editor");
  header.append(title, close);
  const undo = pressable("Undo", parts.undo);
  const redo = pressable("Redo", parts.redo);
  const tools = make("div", "tools");
  tools.append(undo, redo, pressable("Add in the world", parts.addInWorld), pressable("Add on the panorama", parts.addOnPanorama));
  const scrolls = make("div", "scrolls");
  scrolls.tabIndex = 0;
  scrolls.setAttribute("role", "group");
  scrolls.setAttribute("aria-label", "Sources");
  scrolls.append(tools, list.element, form.element);
  panel.append(header, notices.element, scrolls);
  part("settings", HTMLElement).after(panel);
  openDrawer(opener, panel, parts.toggled);
  listenToKeys(opener, undo, redo);
  explainKeys();
  return {
    get open() {
      return !panel.hidden;
    },
    reveal: () => {
      const box = scrolls.getBoundingClientRect();
      const top = form.element.getBoundingClientRect().top;
      if (!form.element.hidden && top > box.top + WELL_SEEN * box.height) form.element.scrollIntoView({ block: "start" });
    },
    show: (desk, chosen, said) => {
      const { state, problem } = desk;
      notices.show(desk, said);
      const undecided = problem !== null && problem.kind !== "refused";
      const focused = scrolls.contains(document.activeElement);
      if (undecided !== scrolls.inert) {
        scrolls.inert = undecided;
        if (undecided ? focused : notices.element.contains(document.activeElement)) (undecided ? notices.decide : scrolls).focus();
      }
      step(undo, "Undo", state.canUndo);
      step(redo, "Redo", state.canRedo);
      list.show(state.sources, chosen);
      const source = state.sources.find((one) => one.id === chosen);
      form.element.hidden = !source;
      if (source) form.show(source);
    },
  };
}

function openOpener(): HTMLButtonElement {
  const opener = make("button", "", "Edit");
  opener.id = "show-edit";
  opener.type = "button";
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", "edit");
  part("show-settings", HTMLElement).after(opener);
  document.body.classList.add("editing");
  return opener;
}

function step(button: HTMLButtonElement, word: string, what: string | null): void {
  button.disabled = what === null;
  button.title = what === null ? "" : `${word}: ${what}`;
  button.setAttribute("aria-label", what === null ? word : `${word}: ${what}`);
}

/** I opens; Ctrl (or ⌘) and Z, with shift (or Y) for redo. Where text is typed, the keys are the field's. */
function listenToKeys(opener: HTMLButtonElement, undo: HTMLButtonElement, redo: HTMLButtonElement): void {
  window.addEventListener("keydown", (event) => {
    if (!part("gate", HTMLElement).hidden) return;
    if (event.code === "KeyI" && !event.repeat && !belongsToPage(event)) return opener.click();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "z") (event.shiftKey ? redo : undo).click();
    else if (key === "y") redo.click();
    else return;
    event.preventDefault();
  });
}

function explainKeys(): void {
  const explained = [["I", "correct what sounds"], ["Ctrl Z", "take the last edit back; with Shift, do it again"]] as const;
  const lines = explained.map(([key, what]) => {
    const line = make("div");
    const term = make("dt");
    term.append(...key.split(" ").map((one) => make("kbd", "", one)));
    line.append(term, make("dd", "", what));
    return line;
  });
  document.querySelector("#help dl")?.append(...lines);
}

function typing(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && ["text", "number"].includes(target.type);
}
