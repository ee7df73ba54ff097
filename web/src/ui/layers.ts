// What lies over the world: names, captions, sound waves and the map; each shown or not, as the visitor set it.
import type { Pose } from "../geometry";
import type { Places } from "../places";
import type { Ground } from "../scene/walker";
import type { Settings } from "../settings";
import type { World } from "../world";
import { openCaptions } from "./captions";
import { openLabels } from "./labels";
import { openMap } from "./map";
import { part } from "./page";
import { openWaves } from "./waves";

export interface Layers {
  /** Whether captions or waves are shown, which must know what sounds. */
  readonly needLevels: boolean;
  /** Shows what the settings say now; returns `needLevels`. */
  show(): boolean;
  update(pose: Pose, silent: readonly boolean[]): void;
  /** A few times a second. `levels`: dB SPL of every source here. */
  hear(pose: Pose, levels: readonly number[], nowS: number): void;
  /** Every frame. */
  draw(pose: Pose, levels: () => readonly number[], nowS: number): void;
}

export function openLayers(world: World, places: Places, ground: Ground, settings: Settings): Layers {
  const { sources } = world;
  const labels = openLabels(part("labels", HTMLElement), sources, places);
  const captions = openCaptions(part("captions", HTMLElement), sources, places);
  const waves = openWaves(part("waves", HTMLCanvasElement), sources, places);
  const map = openMap({ ...ground, canvas: part("map", HTMLCanvasElement), sources, places });
  const show = (): boolean => {
    labels.show(settings.labels);
    captions.show(settings.captions);
    waves.show(settings.waves);
    map.show(settings.map);
    return settings.captions || settings.waves;
  };
  show();
  return {
    show,
    get needLevels() {
      return settings.captions || settings.waves;
    },
    update: (pose, silent) => {
      labels.update(pose, silent);
      map.update(pose, silent);
    },
    hear: (pose, levels, nowS) => {
      if (settings.captions) captions.update(pose, levels, nowS);
    },
    draw: (pose, levels, nowS) => {
      if (waves.shown) waves.draw(pose, levels(), nowS);
    },
  };
}
