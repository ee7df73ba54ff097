// The worlds as cards: a picture, a name, the way in.
import { element } from "./element";
import type { World } from "./server";

export function showWorlds(list: HTMLElement, worlds: readonly World[]): void {
  list.replaceChildren(...worlds.map(card));
}

function card(world: World): HTMLElement {
  if (world.problem) return element("li", { class: "broken" }, element("b", {}, world.name), element("p", {}, world.problem));
  const at = `worlds/${encodeURIComponent(world.name)}/`;
  const picture = element("img", { src: `${at}poster.jpg`, alt: "", loading: "lazy", width: "320", height: "200" });
  const edits = world.edits ? element("small", {}, world.edits === 1 ? "1 edit" : `${world.edits} edits`) : "";
  return element("li", {}, element("a", { href: `${at}?edit` }, picture, element("b", {}, world.name), edits));
}
