// window.__sonoworld: what tests and embedding pages may ask.
import type { Pose } from "./geometry";
import type { Stage } from "./scene/stage";
import type { Visit } from "./scene/visit";
import type { Ears, EarsKind, Levels } from "./sound/ears";
import { record } from "./sound/record";
import type { World } from "./world";

export interface Hooks {
  readonly ready: true;
  readonly ears: EarsKind | "none";
  readonly audioState: string;
  readonly drawn: number;
  readonly sources: readonly string[];
  pose(): Pose;
  setPose(pose: Pose): void;
  settled(): Promise<void>;
  /** Seconds of sound made so far: advances only while the ears run. */
  readonly audioSeconds: number;
  levels(milliseconds: number): Levels | null;
  /** Walks as held keys would, without waiting: −1..1 ahead and left, for some seconds. */
  walk(ahead: number, left: number, seconds: number): Pose;
  /** Seconds of both ears at the present pose, from the first sample of every source, at their own level. */
  record(seconds: number, rateHz: number): Promise<[Float32Array, Float32Array]>;
}

declare global {
  interface Window {
    __sonoworld?: Hooks;
  }
}

export function exposeHooks(world: World, stage: Stage, ears: Ears | null, visit: Visit): void {
  window.__sonoworld = {
    ready: true,
    ears: ears?.kind ?? "none",
    get audioState() {
      return ears?.context.state ?? "none";
    },
    drawn: stage.drawn,
    sources: world.sources.map((source) => source.name),
    pose: () => visit.pose,
    setPose: (pose) => visit.jump(pose),
    settled: () => stage.settled(),
    get audioSeconds() {
      return ears?.context.currentTime ?? 0;
    },
    walk: (ahead, left, seconds) => {
      visit.walk(ahead, left, seconds);
      return visit.pose;
    },
    levels: (milliseconds) => ears?.levels(milliseconds) ?? null,
    record: (seconds, rateHz) => {
      const gains = world.sources.map((source) => source.gain);
      return record(world, { pose: visit.pose, gains }, seconds, rateHz);
    },
  };
}
