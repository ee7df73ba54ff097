// The bar below: sound, start, panels, headset, help; its keys; and the word at the edge of the world.
import type { Ears } from "../sound/ears";
import { belongsToPage } from "../scene/controls";
import type { Headset } from "../scene/headset";
import { openDrawers } from "./drawers";
import { part } from "./page";

const KEYS: Readonly<Record<string, string>> = {
  KeyM: "sound",
  KeyL: "show-labels",
  KeyC: "show-captions",
  KeyV: "show-waves",
  KeyN: "show-map",
  KeyP: "show-panel",
  KeyO: "show-settings",
  Home: "home",
};

export interface Bar {
  ready(ears: Ears | null): void;
  headset(headset: Headset): void;
  /** 0 at the centre, 1 at the comfortable radius, 2 at the end. */
  edge(remoteness: number): void;
}

export function openBar(home: () => void): Bar {
  part("home", HTMLButtonElement).addEventListener("click", home);
  openDrawers();
  const help = part("help", HTMLDialogElement);
  part("show-help", HTMLButtonElement).addEventListener("click", () => help.showModal());
  listenToShortcuts();
  const edge = part("edge", HTMLElement);
  let beyond = false;
  return {
    ready: openSound,
    headset: openHeadsetButtons,
    edge: (remoteness) => {
      if (remoteness > 1 === beyond) return;
      beyond = remoteness > 1;
      edge.textContent = beyond ? "The photo knows little of the world out here." : "";
    },
  };
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

/** A button for every kind of device that is here; while one is worn, it leaves. */
function openHeadsetButtons(headset: Headset): void {
  const buttons = { vr: part("enter-vr", HTMLButtonElement), ar: part("enter-ar", HTMLButtonElement) } as const;
  headset.onAvailable((kind, here) => {
    buttons[kind].hidden = !here;
  });
  headset.onChange((active) => {
    for (const button of Object.values(buttons)) button.setAttribute("aria-pressed", String(active));
  });
  for (const kind of ["vr", "ar"] as const) {
    buttons[kind].addEventListener("click", () => {
      if (headset.active) headset.leave();
      else headset.enter(kind).catch((error: unknown) => say(`The headset did not start: ${String(error)}`));
    });
  }
}

function say(text: string): void {
  part("edge", HTMLElement).textContent = text;
}

function listenToShortcuts(): void {
  window.addEventListener("keydown", (event) => {
    const id = event.key === "?" ? "show-help" : KEYS[event.code];
    if (!id || event.repeat || belongsToPage(event) || !part("gate", HTMLElement).hidden) return;
    part(id, HTMLButtonElement).click();
    event.preventDefault();
  });
}
