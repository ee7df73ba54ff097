// window.__sonoworld: what tests and embedding pages may ask.
import type { Pose } from "./geometry";
import type { HeadsetKind } from "./scene/headset";
import type { Stage } from "./scene/stage";
import type { Visit } from "./scene/visit";
import type { Ears, EarsKind, Levels } from "./sound/ears";
import type { Hearing } from "./sound/choice";
import type { Walk } from "./sound/messages";
import { record } from "./sound/record";
import type { World } from "./world";

export interface Hooks {
  readonly ready: true;
  readonly ears: EarsKind | "none";
  readonly audioState: string;
  readonly drawn: number;
  /** From the start of the page to the first picture of all splats, sorted; milliseconds. */
  readonly firstPictureMs: number;
  readonly sources: readonly string[];
  pose(): Pose;
  setPose(pose: Pose): void;
  settled(): Promise<void>;
  /** Seconds of sound made so far: advances only while the ears run. */
  readonly audioSeconds: number;
  levels(milliseconds: number): Levels | null;
  /** Walks as held keys would, without waiting: −1..1 ahead and left, for some seconds. */
  walk(ahead: number, left: number, seconds: number): Pose;
  /** RMS of every source now, re full scale at 1 m; null while nobody watches. */
  readonly playing: Float32Array | null;
  /** Where the head is: as `pose`, but in a headset where that is. */
  head(): Pose;
  enterHeadset(kind: HeadsetKind): Promise<void>;
  leaveHeadset(): void;
  readonly hands: number;
  /**
   * Seconds of both ears from the first sample of every source, at their own level: at the present pose, or on a walk of
   * rising times (seconds) and x, y, z, yaw, pitch, roll at each.
   */
  record(seconds: number, rateHz: number, walk?: RecordedWalk): Promise<[Float32Array, Float32Array]>;
}

export interface RecordedWalk {
  readonly timesS: readonly number[];
  readonly poses: readonly (readonly number[])[];
}

declare global {
  interface Window {
    __sonoworld?: Hooks;
  }
}

/** What the hooks speak for. */
export interface Running {
  /** As it sounds now. */
  world(): World;
  readonly stage: Stage;
  readonly ears: Ears | null;
  readonly visit: Visit;
  readonly drawn: number;
  readonly firstPictureMs: number;
  hearing(): Hearing;
}

export function exposeHooks({ world, stage, ears, visit, drawn, firstPictureMs, hearing }: Running): void {
  window.__sonoworld = {
    ready: true,
    ears: ears?.kind ?? "none",
    get audioState() {
      return ears?.context.state ?? "none";
    },
    drawn,
    firstPictureMs,
    get sources() {
      return world().sources.map((source) => source.name);
    },
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
    get playing() {
      return ears?.playing ?? null;
    },
    head: () => (stage.headset.active ? stage.headset.head() : visit.pose),
    enterHeadset: (kind) => stage.headset.enter(kind),
    leaveHeadset: () => stage.headset.leave(),
    get hands() {
      return stage.headset.hands;
    },
    record: (seconds, rateHz, walk) => {
      const gains = world().sources.map((source) => source.gain);
      const beginning = { pose: visit.pose, gains, hearing: hearing(), walk: walk ? packed(walk) : null };
      return record(world(), beginning, seconds, rateHz);
    },
  };
}

function packed({ timesS, poses }: RecordedWalk): Walk {
  return { timesS: Float64Array.from(timesS), poses: Float64Array.from(poses.flat()) };
}
