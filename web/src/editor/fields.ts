// Form fields with their labels, and what is said of them.
import { make } from "../ui/page";
import type { Spread } from "../source";
import { SPREAD_WORDS } from "../ui/words";

export function labelled<T extends HTMLElement>(words: string, field: T, className = "row"): HTMLLabelElement {
  const label = make("label", className);
  label.append(make("span", "", words), field);
  return label;
}

export function textField(most: number): HTMLInputElement {
  const field = make("input");
  field.type = "text";
  field.maxLength = most;
  field.autocomplete = "off";
  return field;
}

export function promptField(): HTMLTextAreaElement {
  const field = make("textarea");
  field.rows = 2;
  field.maxLength = 1000;
  return field;
}

export function numberField(low: number, high: number, step: number): HTMLInputElement {
  const field = make("input");
  field.type = "number";
  field.min = String(low);
  field.max = String(high);
  field.step = String(step);
  field.inputMode = "decimal";
  return field;
}

export function spreadField(): HTMLSelectElement {
  const field = make("select");
  for (const spread of ["point", "area", "ambient"] as const) {
    field.append(Object.assign(make("option", "", SPREAD_WORDS[spread]), { value: spread }));
  }
  return field;
}

export function spreadOf(field: HTMLSelectElement): Spread {
  const { value } = field;
  return value === "area" || value === "ambient" ? value : "point";
}

export function pressable(words: string, press: () => void, className = ""): HTMLButtonElement {
  const element = make("button", className, words);
  element.type = "button";
  element.addEventListener("click", press);
  return element;
}

/** Sets a field that nobody is typing in. */
export function fill(field: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement, value: string): void {
  if (field.value !== value) field.value = value;
}

/** A number that was typed; null where it is none. */
export function numberIn(field: HTMLInputElement): number | null {
  const value = field.valueAsNumber;
  return Number.isFinite(value) ? value : null;
}

/** At most two decimals, as few as needed. */
export function shortly(value: number): string {
  return String(Math.round(value * 100) / 100);
}
