// What a visitor chose, kept for the next visit where the browser allows it.
import type { OutputKind } from "./sound/choice";

export interface Settings {
  output: OutputKind;
  ears: string | null;
  order: number | null;
  picture: "auto" | "fine" | "light";
  labels: boolean;
  captions: boolean;
  waves: boolean;
  map: boolean;
}

const KEY = "sonoworld.settings";
const DEFAULTS: Settings = {
  output: "headphones",
  ears: null,
  order: null,
  picture: "auto",
  labels: true,
  captions: false,
  waves: false,
  map: true,
};

export function loadSettings(): Settings {
  const stored = readStored();
  const flag = (key: "labels" | "captions" | "waves" | "map"): boolean =>
    typeof stored[key] === "boolean" ? stored[key] : DEFAULTS[key];
  const { output, ears, order, picture } = stored;
  return {
    output: output === "speakers" ? output : "headphones",
    ears: typeof ears === "string" ? ears : null,
    order: typeof order === "number" ? order : null,
    picture: picture === "fine" || picture === "light" ? picture : "auto",
    labels: flag("labels"),
    captions: flag("captions"),
    waves: flag("waves"),
    map: flag("map"),
  };
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // a browser may forbid it (private window, embedded page): then it is chosen again next time
  }
}

function readStored(): Record<string, unknown> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof stored === "object" && stored !== null ? (stored as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
