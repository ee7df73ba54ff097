// Everything about the source that was chosen. A field that is left is saved; what the server refuses goes back.
import type { Vec3 } from "../geometry";
import { make } from "../ui/page";
import { fill, labelled, numberField, numberIn, pressable, promptField, shortly, spreadField, spreadOf, textField } from "./fields";
import type { Edited, Operation } from "./protocol";

const LOUDEST_DB = 120;

export interface FormActions {
  edit(operation: Operation): Promise<string | null>;
  /** Asks for a place in the world; `placed` gets it, with its direction from where the photo was taken. */
  place(words: string, placed: (place: { position: Vec3; sky: boolean }) => void): void;
  look(place: Vec3): void;
  /** Lets a level be heard that is not saved; null: what is saved. */
  tryLevel(level: { readonly id: string; readonly levelDb: number } | null): void;
}

export interface SourceForm {
  readonly element: HTMLFormElement;
  show(source: Edited): void;
}

/** `parts` stand after the form's own fields. */
export function openSourceForm(actions: FormActions, parts: readonly Row[]): SourceForm {
  const element = make("form");
  element.id = "edited";
  element.addEventListener("submit", (event) => event.preventDefault());
  let source: Edited | null = null;
  const show = (shown: Edited): void => {
    source = shown;
    for (const row of rows) row.show(shown);
  };
  /** Saves, and shows what is saved then: the new value, or the old one where it was refused. */
  const save = (operation: (source: Edited) => Operation | null): void => {
    const wanted = source && operation(source);
    if (!wanted) {
      if (source) show(source);
      return;
    }
    void actions.edit(wanted).then((saved) => {
      if (saved === null) actions.tryLevel(null);
      if (saved === null && source?.id === ("id" in wanted ? wanted.id : "")) show(source);
    });
  };
  const rows = [words(save), kind(save, actions), level(save, actions), size(save), position(save, actions), ...parts, ends(save)];
  element.append(...rows.map((row) => row.element));
  return { element, show };
}

type Save = (operation: (source: Edited) => Operation | null) => void;

interface Row {
  readonly element: HTMLElement;
  show(source: Edited): void;
}

function words(save: Save): Row {
  const element = make("div", "rest");
  const [name, prompt] = [textField(200), promptField()];
  name.addEventListener("change", () => save(({ id }) => ({ op: "rename", id, label: name.value })));
  prompt.addEventListener("change", () => save(({ id }) => ({ op: "rename", id, prompt: prompt.value })));
  element.append(labelled("Name", name), labelled("Sounds like", prompt));
  return {
    element,
    show: (source) => {
      fill(name, source.label);
      fill(prompt, source.prompt);
    },
  };
}

function kind(save: Save, { place }: FormActions): Row {
  const spread = spreadField();
  spread.addEventListener("change", () =>
    save(({ id, label, centre }) => {
      const wanted = spreadOf(spread);
      if (wanted === "ambient" || centre) return { op: "retype", id, spread: wanted };
      place(`Point at where “${label}” sounds.`, ({ position: direction }) => save(() => ({ op: "retype", id, spread: wanted, direction })));
      return null;
    }),
  );
  return { element: labelled("Kind", spread), show: (source) => fill(spread, source.spread) };
}

function level(save: Save, { tryLevel }: FormActions): Row {
  let id = "";
  const element = make("div", "row");
  const slider = make("input");
  Object.assign(slider, { type: "range", min: "0", max: String(LOUDEST_DB), step: "1" });
  slider.setAttribute("aria-label", "Level, dB at 1 m");
  const exact = numberField(-20, 160, 0.5);
  exact.setAttribute("aria-label", "Level in numbers, dB at 1 m");
  const keep = (field: HTMLInputElement) => (): void =>
    save(({ id }) => {
      const level_db = numberIn(field);
      return level_db === null ? null : { op: "level", id, level_db };
    });
  slider.addEventListener("input", () => {
    fill(exact, slider.value);
    tryLevel({ id, levelDb: Number(slider.value) });
  });
  slider.addEventListener("change", keep(slider));
  exact.addEventListener("change", keep(exact));
  element.append(make("span", "", "Level, dB"), slider, exact);
  return {
    element,
    show: (source) => {
      id = source.id;
      fill(slider, shortly(source.levelDb));
      fill(exact, shortly(source.levelDb));
    },
  };
}

function size(save: Save): Row {
  const radius = numberField(0, 1000, 0.1);
  radius.addEventListener("change", () =>
    save(({ id }) => {
      const radius_m = numberIn(radius);
      return radius_m === null ? null : { op: "widen", id, radius_m };
    }),
  );
  return {
    element: labelled("Radius, m (0: one place)", radius),
    show: (source) => {
      radius.disabled = source.radiusM === null;
      fill(radius, source.radiusM === null ? "" : shortly(source.radiusM));
    },
  };
}

function position(save: Save, { place, look }: FormActions): Row {
  const element = make("fieldset", "place-fields");
  let source: Edited | null = null;
  const axes = ["Ahead, m", "Left, m", "Up, m"].map((name) => {
    const field = numberField(-1e5, 1e5, 0.1);
    field.addEventListener("change", () =>
      save(({ id }) => {
        const [x, y, z] = axes.map(({ field }) => numberIn(field));
        return x == null || y == null || z == null ? null : { op: "move", id, position: [x, y, z] };
      }),
    );
    return { field, label: labelled(name, field, "stack") };
  });
  const move = pressable("Move…", () => {
    const subject = source;
    if (!subject) return;
    place(`Point at where “${subject.label}” shall be.`, ({ position, sky }) =>
      save(() => (sky ? { op: "move", id: subject.id, direction: position } : { op: "move", id: subject.id, position })),
    );
  });
  const see = pressable("Look", () => {
    if (source?.centre) look(source.centre);
  });
  const buttons = make("div", "buttons");
  buttons.append(move, see);
  const fields = make("div", "thirds");
  fields.append(...axes.map(({ label }) => label));
  element.append(make("legend", "", "Place, from where the photo was taken"), fields, buttons);
  return {
    element,
    show: (shown) => {
      source = shown;
      element.disabled = shown.centre === null;
      axes.forEach(({ field }, i) => fill(field, shown.centre ? shortly(shown.centre[i as 0 | 1 | 2]) : ""));
    },
  };
}

function ends(save: Save): Row {
  const element = make("div", "ends");
  const mute = pressable("Mute", () => save(({ id, muted }) => ({ op: "mute", id, muted: !muted })));
  const remove = pressable("Remove", () => save(({ id }) => ({ op: "remove", id })));
  remove.title = "Undo brings it back";
  element.append(mute, remove);
  return {
    element,
    show: ({ name, muted }) => {
      mute.setAttribute("aria-pressed", String(muted));
      mute.setAttribute("aria-label", `Mute ${name} in this world`);
      remove.setAttribute("aria-label", `Remove ${name}`);
    },
  };
}
