// The list of what sounds here: where it is now, how loud, why it is believed to be there; mute, solo, look, go.
import { distance, inHead, type Pose, type Vec3 } from "../geometry";
import { loudnessAt } from "../sound/loudness";
import type { Places } from "../places";
import type { Source } from "../source";
import type { World } from "../world";
import { showCredits } from "./credits";
import type { Mixer } from "./mixer";
import { button, make } from "./page";
import { decibels, directionWords, metres, SPREAD_WORDS } from "./words";

export interface PanelActions {
  readonly mixer: Mixer;
  look(place: Vec3): void;
  go(place: Vec3): void;
}

export interface Panel {
  update(pose: Pose): void;
  refresh(): void;
}

interface Row {
  readonly source: Source;
  readonly needle: HTMLElement;
  readonly where: HTMLElement;
  readonly loud: HTMLElement;
  readonly item: HTMLElement;
  readonly mute: HTMLButtonElement;
  readonly solo: HTMLButtonElement;
}

export function openPanel(list: HTMLElement, world: World, places: Places, actions: PanelActions): Panel {
  const { mixer } = actions;
  const rows = world.sources.map((source, index) => openRow(source, index, places, actions));
  list.replaceChildren(...rows.map((row) => row.item));
  showCredits(world);
  if (!rows.length) list.append(make("li", "empty", "Nothing was found that sounds."));
  const refresh = (): void =>
    rows.forEach((row, i) => {
      row.item.classList.toggle("off", mixer.silent[i] ?? false);
      row.mute.setAttribute("aria-pressed", String(mixer.muted[i] ?? false));
      row.solo.setAttribute("aria-pressed", String(mixer.solo[i] ?? false));
    });
  refresh();
  return { refresh, update: (pose) => rows.forEach((row, index) => updateRow(row, index, pose, world, places)) };
}

function openRow(source: Source, index: number, places: Places, { mixer, look, go }: PanelActions): Row {
  const { name: label } = source;
  const item = make("li", source.spread);
  const needle = make("i", "needle");
  const where = make("span", "where");
  const loud = make("span", "loud");
  const head = make("div", "head");
  const name = make("b", "", label);
  name.title = label;
  const mute = button("Mute", `Mute ${label}`, () => mixer.toggleMute(index));
  const solo = button("Solo", `Solo ${label}`, () => mixer.toggleSolo(index));
  const buttons = make("div", "buttons");
  buttons.append(mute, solo);
  if (source.centre) {
    const there = (action: (place: Vec3) => void) => (): void => {
      const place = places.of(index);
      if (place) action(place);
    };
    buttons.append(
      button("Look", `Look at ${label}`, there(look)),
      button("Go", `Go to ${label}`, there(go)),
    );
  }
  const place = make("div", "place");
  place.append(where, loud);
  head.append(needle, name);
  item.append(head, place, buttons, openDetails(source));
  return { source, needle, where, loud, item, mute, solo };
}

function openDetails(source: Source): HTMLElement {
  const details = make("details");
  const facts = make("dl");
  const fact = (name: string, value: string): void => {
    if (!value) return;
    const line = make("div");
    line.append(make("dt", "", name), make("dd", "", value));
    facts.append(line);
  };
  fact("Sounds like", source.prompt);
  fact("Comes from", SPREAD_WORDS[source.spread]);
  fact("Level", `${decibels(source.levelDb)} SPL ${source.centre ? "at 1 m" : "around you"}`);
  fact("Confidence", `${Math.round(source.confidence * 100)} %`);
  fact("Found by", source.backend);
  fact("Why", source.reason);
  if (source.imagined) fact("Note", "stands where the photo does not reach");
  if (source.clip) fact("Sound", [source.clip.madeBy, source.clip.author, source.clip.licence].filter(Boolean).join(", "));
  details.append(make("summary", "", "More"), facts);
  return details;
}

function updateRow(row: Row, index: number, pose: Pose, world: World, places: Places): void {
  const { source, needle, where, loud } = row;
  const [x, y, z] = places.wayOf(index);
  const [ox, oy, oz] = pose.position;
  const pressure = loudnessAt(source, [ox - x, oy - y, oz - z], places.facingOf(index), world);
  const level = source.levelDb + 20 * Math.log10(Math.max(pressure, 1e-10));
  loud.textContent = `${decibels(level)} here`;
  const place = places.of(index);
  if (!place) {
    where.textContent = "all around";
    return;
  }
  const [ahead, left] = inHead(place, { ...pose, pitch: 0 });
  needle.style.rotate = `${-Math.atan2(left, ahead)}rad`;
  where.textContent = `${metres(distance(place, pose.position))} ${directionWords(place, pose)}`;
}
