// How one listens and what is shown: headphones or loudspeakers, whose ears, how fine; labels, captions, waves, map.
import type { Settings } from "../settings";
import { earNames, ordersOf } from "../sound/choice";
import { checkSides } from "../sound/headphone_check";
import type { Ears } from "../sound/ears";
import type { World } from "../world";
import { make, part } from "./page";

export interface SettingsActions {
  /** Other ears, an output or an order was chosen. */
  hearing(): void;
  /** Labels, captions, waves or the map were shown or hidden. */
  layers(): void;
  volume(linear: number): void;
}

export interface SettingsPanel {
  ready(ears: Ears | null): void;
  facts(lines: readonly string[]): void;
}

const LAYERS = { "show-labels": "labels", "show-captions": "captions", "show-waves": "waves", "show-map": "map" } as const;
const NO_SUCH_CHOICE = "This browser's own sound knows no other ears.";

/** Changes `settings` and says so. */
export function openSettingsPanel(world: World, settings: Settings, actions: SettingsActions): SettingsPanel {
  openLayers(settings, actions.layers);
  openVolumes(actions.volume);
  const hearing = openHearing(world, settings, actions.hearing);
  const picture = part("picture", HTMLSelectElement);
  picture.value = settings.picture;
  picture.addEventListener("change", () => {
    const { value } = picture;
    settings.picture = value === "fine" || value === "light" ? value : "auto";
    actions.layers();
    part("picture-note", HTMLElement).hidden = false;
  });
  return {
    ready: (ears) => {
      for (const test of document.querySelectorAll<HTMLButtonElement>(".check-sides")) openCheck(test, ears);
      if (ears?.kind !== "binaural") hearing.forbid(NO_SUCH_CHOICE);
    },
    facts: (lines) => part("facts", HTMLElement).replaceChildren(...lines.map((line) => make("li", "", line))),
  };
}

function openLayers(settings: Settings, changed: () => void): void {
  for (const [id, key] of Object.entries(LAYERS)) {
    const toggle = part(id, HTMLButtonElement);
    toggle.setAttribute("aria-pressed", String(settings[key]));
    toggle.addEventListener("click", () => {
      settings[key] = !settings[key];
      toggle.setAttribute("aria-pressed", String(settings[key]));
      changed();
    });
  }
}

/** One volume with a slider in the bar and one in the panel. */
function openVolumes(changed: (linear: number) => void): void {
  const sliders = [part("volume", HTMLInputElement), part("volume-here", HTMLInputElement)];
  for (const slider of sliders) {
    slider.addEventListener("input", () => {
      const db = Number(slider.value);
      for (const one of sliders) {
        one.value = slider.value;
        one.setAttribute("aria-valuetext", `${db} dB`);
      }
      changed(db <= Number(slider.min) ? 0 : 10 ** (db / 20));
    });
  }
}

function openHearing(world: World, settings: Settings, changed: () => void): { forbid(why: string): void } {
  const ears = part("ears", HTMLSelectElement);
  const order = part("order", HTMLSelectElement);
  const names = earNames(world.filters);
  const offered = new Set<string>(world.filters.map((set) => set.output));
  const outputs = [...document.querySelectorAll<HTMLInputElement>(".output")];
  const show = (): void => {
    const worn = settings.ears !== null && names.includes(settings.ears) ? settings.ears : (names[0] ?? "");
    fill(ears, names.map((name) => [name, name] as const), worn);
    const orders = ordersOf(world.filters, worn).map((n) => [String(n), `order ${n}`] as const);
    fill(order, [["", "automatic"], ...orders], settings.order === null ? "" : String(settings.order));
    const output = offered.has(settings.output) ? settings.output : "headphones";
    for (const one of outputs) {
      one.checked = one.value === output;
      one.disabled = !offered.has(one.value);
    }
    ears.disabled = order.disabled = output === "speakers";
  };
  const choose = (): void => {
    show();
    changed();
  };
  ears.addEventListener("change", () => {
    settings.ears = ears.value;
    choose();
  });
  order.addEventListener("change", () => {
    settings.order = order.value ? Number(order.value) : null;
    choose();
  });
  for (const one of outputs) {
    one.addEventListener("change", () => {
      settings.output = one.value === "speakers" ? "speakers" : "headphones";
      choose();
    });
  }
  show();
  return {
    forbid: (why) => {
      for (const one of [ears, order, ...outputs]) one.disabled = true;
      const note = part("hearing-note", HTMLElement);
      note.textContent = why;
      note.hidden = false;
    },
  };
}

function fill(select: HTMLSelectElement, choices: readonly (readonly [string, string])[], chosen: string): void {
  select.replaceChildren(...choices.map(([value, text]) => Object.assign(make("option", "", text), { value })));
  select.value = chosen;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function openCheck(test: HTMLButtonElement, ears: Ears | null): void {
  if (!ears) return;
  const text = test.textContent;
  test.disabled = false;
  test.addEventListener("click", () => {
    test.disabled = true;
    void checkSides(ears.context, (side) => {
      test.textContent = side === null ? text : side === "left" ? "← left" : "right →";
      test.disabled = side !== null;
    });
  });
}
