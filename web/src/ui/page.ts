// Elements of index.html by id, with their type checked.

export function part<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html: expected #${id}`);
  return found;
}

/** A new element. Text is always text, never HTML: labels and prompts come from strangers. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export function button(text: string, name: string, action: () => void): HTMLButtonElement {
  const element = make("button", "", text);
  element.type = "button";
  element.setAttribute("aria-label", name);
  element.title = name;
  element.addEventListener("click", action);
  return element;
}
