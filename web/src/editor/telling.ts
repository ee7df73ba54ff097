// An edit in words, for those who have to decide about it.
import type { Step } from "./desk";
import type { Edited } from "./protocol";

/** “name of “stream”: brook”. */
export function told(step: Step, sources: readonly Edited[]): string {
  if (step.op === "undo" || step.op === "redo") return step.op;
  if (step.op === "add") return `“${step.label}” added`;
  const name = `“${sources.find((source) => source.id === step.id)?.name ?? step.id}”`;
  switch (step.op) {
    case "rename":
      return step.label === undefined ? `words of ${name}` : `${name} renamed to “${step.label}”`;
    case "level":
      return `${name} set to ${step.level_db} dB`;
    case "widen":
      return `${name} widened to ${step.radius_m} m`;
    case "mute":
      return `${name} ${step.muted ? "muted" : "heard again"}`;
    case "path":
      return `path of ${name}`;
    case "retype":
      return `kind of ${name}`;
    case "sound":
      return `another sound for ${name}`;
    case "move":
      return `${name} moved`;
    case "remove":
      return `${name} removed`;
    default:
      return "an edit";
  }
}
