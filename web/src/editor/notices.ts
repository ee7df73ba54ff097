// What is said of edits: the last one that was saved, and what somebody has to decide about.
import { make } from "../ui/page";
import type { Desk } from "./desk";
import { pressable } from "./fields";

const AGAIN = { stale: "Do mine again", away: "Try again", unsaved: "Try again", unshown: "Show it", refused: "" } as const;
const FORGET = { stale: "Show what is there", away: "Discard mine", unsaved: "Discard mine", unshown: "", refused: "OK" } as const;

export interface Notices {
  readonly element: HTMLElement;
  /** What decides. */
  readonly decide: HTMLElement;
  /** `said`: news; "" where there is none. */
  show(desk: Desk, said: string): void;
}

export function openNotices(again: () => void, forget: () => void): Notices {
  const element = make("div", "notices");
  const said = make("p", "said");
  said.setAttribute("role", "status");
  const box = make("div", "problem");
  const words = make("p");
  words.setAttribute("role", "alert");
  const [retry, drop] = [pressable("", again), pressable("", forget)];
  const buttons = make("div", "buttons");
  buttons.append(retry, drop);
  box.append(words, buttons);
  element.append(said, box);
  let last = "";
  return {
    element,
    decide: retry,
    show: ({ problem, busy, kept }, news) => {
      last = news || last;
      said.textContent = busy ? "Saving…" : last;
      said.hidden = !said.textContent || problem !== null;
      box.hidden = problem === null;
      const more = kept.length ? ` Not saved yet, but kept in this browser: ${kept.join("; ")}.` : "";
      const text = problem ? problem.words + more : "";
      if (words.textContent !== text) words.textContent = text;
      if (!problem) return;
      retry.textContent = AGAIN[problem.kind];
      drop.textContent = FORGET[problem.kind];
      retry.hidden = !AGAIN[problem.kind];
      drop.hidden = !FORGET[problem.kind];
      retry.disabled = drop.disabled = busy;
    },
  };
}
