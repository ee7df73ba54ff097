// The sound of one source: heard alone, made anew of its words, chosen among candidates, or a recording of one's own.
import { make } from "../ui/page";
import type { Audition } from "./audition";
import { labelled, pressable, textField } from "./fields";
import type { Edited, Operation, Recording } from "./protocol";
import { fetchSound, sendRecording } from "./server";

const CANDIDATES = 4;

export interface SoundPart {
  readonly element: HTMLElement;
  show(source: Edited): void;
}

export interface SoundActions {
  readonly audition: Audition;
  edit(operation: Operation): Promise<string | null>;
  failed(words: string): void;
}

export function openSoundPart({ audition, edit, failed }: SoundActions): SoundPart {
  const element = make("fieldset", "sounds");
  const maker = make("p", "fact");
  const list = make("ol", "candidates");
  const recording = openRecording(failed, (file) => (shown ? edit({ op: "sound", id: shown, ...file }) : Promise.resolve(null)));
  let shown = "";
  let firstSeed = 1;
  const play = pressable("Play", () => void audition.toggle(play, () => fetchSound(shown, null)));
  play.setAttribute("aria-pressed", "false");
  play.title = "This sound alone";
  const another = pressable("Another", () => void edit({ op: "sound", id: shown }));
  another.title = "Makes another sound of the same words";
  const offer = pressable("Candidates", () => {
    list.replaceChildren(...Array.from({ length: CANDIDATES }, (_, k) => candidate(firstSeed + k, k + 1)));
    firstSeed += CANDIDATES;
    offer.textContent = "More candidates";
    list.querySelector("button")?.focus();
  });
  const candidate = (seed: number, number: number): HTMLElement => {
    const line = make("li");
    const hear = pressable("Play", () => void audition.toggle(hear, () => fetchSound(shown, seed)));
    hear.setAttribute("aria-label", `Play candidate ${number}`);
    hear.setAttribute("aria-pressed", "false");
    const use = pressable("Use", () => {
      audition.stop();
      void edit({ op: "sound", id: shown, seed });
    });
    use.setAttribute("aria-label", `Use candidate ${number}`);
    line.append(make("span", "", `Candidate ${number}`), hear, use);
    return line;
  };
  const buttons = make("div", "buttons");
  buttons.append(play, another, offer);
  element.append(make("legend", "", "Sound"), maker, buttons, list, recording.element);
  return {
    element,
    show: (source) => {
      play.disabled = source.sound === null;
      maker.textContent = source.sound === null ? "It has no sound yet." : `Made by ${source.sound}`;
      if (source.id === shown) return;
      shown = source.id;
      firstSeed = 1;
      offer.textContent = "Candidates";
      list.replaceChildren();
      recording.clear();
      audition.stop();
    },
  };
}

type OwnFile = Pick<Recording, "file" | "licence" | "author">;

/** Chooses and sends a file, asks whose it is, and hands it on. */
function openRecording(
  failed: (words: string) => void,
  use: (file: OwnFile) => Promise<string | null>,
): { readonly element: HTMLElement; clear(): void } {
  const element = make("details");
  const file = make("input");
  file.type = "file";
  file.accept = "audio/*,.wav,.flac,.ogg,.mp3,.aif,.aiff";
  const [author, licence] = [textField(200), textField(200)];
  const fact = make("p", "fact");
  fact.setAttribute("role", "status");
  let sent: Recording | null = null;
  const clear = (): void => {
    sent = null;
    file.value = author.value = licence.value = fact.textContent = "";
    rest.hidden = true;
  };
  const take = pressable("Use it", () => {
    if (!sent) return;
    void use({ file: sent.file, author: author.value, licence: licence.value }).then((saved) => {
      if (saved !== null) clear();
    });
  });
  const rest = make("div", "rest");
  rest.append(labelled("Author", author), labelled("Licence", licence), take);
  file.addEventListener("change", () => {
    const [chosen] = file.files ?? [];
    if (!chosen) return;
    fact.textContent = `Sending ${chosen.name}…`;
    sendRecording(chosen).then(
      (kept) => {
        sent = kept;
        fact.textContent = `${kept.seconds.toFixed(1)} s; the best loop of it is used.`;
        author.value = kept.author;
        licence.value = kept.licence;
        rest.hidden = false;
      },
      (error: unknown) => {
        clear();
        failed(error instanceof Error ? error.message : String(error));
      },
    );
  });
  rest.hidden = true;
  element.append(make("summary", "", "A recording of mine"), labelled("File", file), fact, rest);
  return { element, clear };
}
