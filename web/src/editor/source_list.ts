// The sources to choose from: one button each.
import { make } from "../ui/page";
import { decibels, SPREAD_WORDS } from "../ui/words";
import type { Edited } from "./protocol";

export interface SourceList {
  readonly element: HTMLElement;
  show(sources: readonly Edited[], chosen: string | null): void;
}

export function openSourceList(choose: (id: string) => void): SourceList {
  const element = make("ul");
  element.id = "choices";
  return {
    element,
    show: (sources, chosen) => {
      const focused = element.contains(document.activeElement) ? chosen : null;
      const rows = sources.map((source) => row(source, source.id === chosen, choose));
      element.replaceChildren(...rows);
      if (!rows.length) element.append(make("li", "empty", "Nothing sounds here yet."));
      if (focused !== null) element.querySelector<HTMLButtonElement>("[aria-pressed=true]")?.focus();
    },
  };
}

function row(source: Edited, chosen: boolean, choose: (id: string) => void): HTMLElement {
  const item = make("li", source.spread);
  const button = make("button");
  button.type = "button";
  button.setAttribute("aria-pressed", String(chosen));
  button.classList.toggle("off", source.muted);
  const facts = [SPREAD_WORDS[source.spread], decibels(source.levelDb), ...(source.muted ? ["muted"] : [])];
  button.append(make("i"), make("b", "", source.name), make("small", "", facts.join(", ")));
  button.addEventListener("click", () => choose(source.id));
  item.append(button);
  return item;
}
