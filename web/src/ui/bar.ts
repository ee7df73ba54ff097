// The bar below: sound, volume, labels, start, list, help; and the word at the edge of the world.
import type { Ears } from "../sound/ears";
import { belongsToPage } from "../scene/controls";
import { part } from "./page";

export interface BarActions {
  labels(on: boolean): void;
  home(): void;
  volume(linear: number): void;
}

export interface Bar {
  ready(ears: Ears | null): void;
  /** 0 at the centre, 1 at the comfortable radius, 2 at the end. */
  edge(remoteness: number): void;
}

export function openBar(actions: BarActions): Bar {
  const volume = part("volume", HTMLInputElement);
  volume.addEventListener("input", () => {
    const db = Number(volume.value);
    volume.setAttribute("aria-valuetext", `${db} dB`);
    actions.volume(db <= Number(volume.min) ? 0 : 10 ** (db / 20));
  });
  const labels = part("show-labels", HTMLButtonElement);
  labels.addEventListener("click", () => actions.labels(flip(labels, "aria-pressed")));
  part("home", HTMLButtonElement).addEventListener("click", () => actions.home());
  openPanelButtons();
  const help = part("help", HTMLDialogElement);
  part("show-help", HTMLButtonElement).addEventListener("click", () => help.showModal());
  listenToShortcuts();
  const edge = part("edge", HTMLElement);
  let beyond = false;
  return {
    ready: (ears) => openSound(ears),
    edge: (remoteness) => {
      if (remoteness > 1 === beyond) return;
      beyond = remoteness > 1;
      edge.textContent = beyond ? "The photo knows little of the world out here." : "";
    },
  };
}

function flip(element: HTMLElement, attribute: string): boolean {
  const on = element.getAttribute(attribute) !== "true";
  element.setAttribute(attribute, String(on));
  return on;
}

function openPanelButtons(): void {
  const panel = part("panel", HTMLElement);
  const opener = part("show-panel", HTMLButtonElement);
  const show = (on: boolean): void => {
    panel.hidden = !on;
    opener.setAttribute("aria-expanded", String(on));
    if (!on) opener.focus();
  };
  opener.addEventListener("click", () => show(panel.hidden));
  part("panel-close", HTMLButtonElement).addEventListener("click", () => show(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
  });
}

function openSound(ears: Ears | null): void {
  const sound = part("sound", HTMLButtonElement);
  if (!ears) {
    sound.textContent = "No sound";
    return;
  }
  const { context } = ears;
  const tell = (): void => {
    const on = context.state === "running";
    sound.setAttribute("aria-pressed", String(on));
    sound.textContent = on ? "Sound on" : "Sound off";
  };
  sound.disabled = false;
  sound.addEventListener("click", () => void (context.state === "running" ? context.suspend() : context.resume()));
  context.addEventListener("statechange", tell);
  tell();
}

function listenToShortcuts(): void {
  const buttons: Readonly<Record<string, string>> = { KeyM: "sound", KeyL: "show-labels", KeyP: "show-panel", Home: "home" };
  window.addEventListener("keydown", (event) => {
    const id = event.key === "?" ? "show-help" : buttons[event.code];
    if (!id || event.repeat || belongsToPage(event) || !part("gate", HTMLElement).hidden) return;
    part(id, HTMLButtonElement).click();
    event.preventDefault();
  });
}
