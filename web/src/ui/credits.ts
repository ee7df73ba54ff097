// Whose sounds, models and software these are: a line below the list of sounds, and a sheet that tells all of it.
import { addressOf } from "../inline";
import type { Source } from "../source";
import type { Credit, World } from "../world";
import { make, part } from "./page";

const LICENCES = "LICENSES.txt";

/** Fills the foot of the list of sounds anew. */
export function showCredits(world: World): void {
  const foot = part("credits", HTMLElement);
  const open = make("button", "quiet", "Credits and licences");
  open.type = "button";
  open.setAttribute("aria-haspopup", "dialog");
  open.addEventListener("click", () => openSheet(world));
  foot.replaceChildren(open);
}

function openSheet(world: World): void {
  const sheet = make("dialog", "credits-sheet");
  sheet.setAttribute("aria-labelledby", "credits-title");
  const title = make("h2", "", "Credits and licences");
  title.id = "credits-title";
  const scrolls = make("div", "scrolls");
  scrolls.tabIndex = 0;
  scrolls.setAttribute("role", "group");
  scrolls.setAttribute("aria-label", "Credits");
  const { photo, made, shown } = world.credits;
  if (photo) {
    const whose = make("section");
    whose.append(make("h3", "", "Photo"), make("p", "", photo));
    scrolls.append(whose);
  }
  scrolls.append(...table("Sounds", ["sound", "by", "licence"], soundRows(world.sources)));
  scrolls.append(...table("Made with", ["step", "by", "licence"], made.map(rowOf)));
  scrolls.append(...table("Heard and shown with", ["what", "by", "licence"], shown.map(rowOf)));
  scrolls.append(openTexts());
  const form = make("form");
  form.method = "dialog";
  const close = make("button", "", "Close");
  form.append(close);
  sheet.append(title, scrolls, form);
  sheet.addEventListener("close", () => sheet.remove());
  document.body.append(sheet);
  sheet.showModal();
  close.focus();
}

function rowOf({ what, by, licence }: Credit): readonly string[] {
  return [what, by, licence];
}

function soundRows(sources: readonly Source[]): (readonly string[])[] {
  const rows = sources.flatMap(({ label, clip }) => {
    if (!clip) return [];
    const by = [clip.author, clip.madeBy].filter(Boolean).join(", ");
    return [[label, by, clip.licence || "not stated"]];
  });
  const once = new Map(rows.map((row) => [row.join("\0"), row]));
  return [...once.values()];
}

function table(title: string, names: readonly string[], rows: readonly (readonly string[])[]): HTMLElement[] {
  if (!rows.length) return [];
  const all = make("table");
  const head = make("tr");
  for (const name of names) {
    const cell = make("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr");
    line.append(...row.map((text) => make("td", "", text)));
    body.append(line);
  }
  all.append(make("caption", "", title), top, body);
  return [all];
}

/** The licences' own words, read when somebody wants them. */
function openTexts(): HTMLElement {
  const texts = make("details");
  const words = make("pre", "", "");
  texts.append(make("summary", "", "Licences of the software in this page"), words);
  texts.addEventListener("toggle", () => {
    if (!texts.open || words.textContent) return;
    words.textContent = "Loading…";
    fetch(addressOf(LICENCES))
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`HTTP ${answer.status}`))))
      .catch((error: unknown) => `${LICENCES} did not load: ${String(error)}`)
      .then((text) => (words.textContent = text));
  });
  return texts;
}
