// Puts the page together: world -> picture, ears, panels; and one loop that moves the visitor.
import type { Pose } from "./geometry";
import { exposeHooks } from "./hooks";
import { Places } from "./places";
import { openControls } from "./scene/controls";
import { openStage, type Stage } from "./scene/stage";
import { loadTerrain, type Terrain } from "./scene/terrain";
import { Visit } from "./scene/visit";
import { remoteness } from "./scene/walker";
import { openEars, type Ears } from "./sound/ears";
import { openBar } from "./ui/bar";
import { openGate } from "./ui/gate";
import { openLabels } from "./ui/labels";
import { showLevels } from "./ui/meter";
import { openMixer } from "./ui/mixer";
import { part } from "./ui/page";
import { openPanel } from "./ui/panel";
import { loadWorld, type World } from "./world";

const READ_OUT_S = 0.2;
const METER_MS = 120;

const gate = openGate();

try {
  const world = await loadWorld("world.json");
  await openWorld(world, await loadTerrain(world.ground));
} catch (error) {
  gate.fail(reasonOf(error));
}

async function openWorld(world: World, terrain: Terrain | null): Promise<void> {
  document.title = `${world.title} · sonoworld`;
  part("title", HTMLElement).textContent = world.title;
  gate.show(world);
  // present once they are loaded
  const loaded: { stage: Stage | null; ears: Ears | null } = { stage: null, ears: null };
  const ground = { centre: world.start.position, comfortableRadiusM: world.comfortableRadiusM, terrain };
  const mixer = openMixer(world.sources, () => {
    loaded.ears?.setGains(mixer.gains());
    panel.refresh();
    labels.update(visit.pose, mixer.silent);
  });
  const places = new Places(world.sources);
  const show = (pose: Pose): void => {
    loaded.stage?.setPose(pose);
    loaded.ears?.setPose(pose);
    labels.update(pose, mixer.silent);
    bar.edge(remoteness(pose.position, ground));
  };
  const visit = new Visit(world.start, ground, show);
  const labels = openLabels(part("labels", HTMLElement), world.sources, places);
  const panel = openPanel(part("sources", HTMLElement), world, places, {
    mixer,
    look: (place) => visit.look(place),
    go: (place) => visit.go(place),
  });
  const bar = openBar({
    labels: (on) => labels.show(on),
    home: () => visit.home(),
    volume: (linear) => loaded.ears?.setVolume(linear),
  });
  const readOut = (): void => {
    panel.update(visit.pose);
    if (loaded.ears) showLevels(part("meter", HTMLElement), loaded.ears.levels(METER_MS));
  };
  const move = (): void => {
    if (!places.move) return;
    places.update(loaded.ears?.context.currentTime ?? 0);
    loaded.ears?.setPlaces(places);
    labels.update(visit.pose, mixer.silent);
  };
  const { stage, hearing } = await openSenses(world, frameLoop(visit, move, readOut));
  loaded.stage = stage;
  loaded.ears = await hearing;
  loaded.ears?.setGains(mixer.gains());
  show(visit.pose);
  window.addEventListener("resize", () => show(visit.pose));
  bar.ready(loaded.ears);
  gate.ready(loaded.ears);
  exposeHooks(world, stage, loaded.ears, visit);
}

/** What happens every frame: the visitor and the sources move; a few times a second the numbers are shown. */
function frameLoop(visit: Visit, move: () => void, readOut: () => void): (seconds: number) => void {
  const controls = openControls(part("world", HTMLCanvasElement), part("stick", HTMLElement));
  let sinceReadOut = READ_OUT_S;
  return (seconds) => {
    visit.advance(controls.take(), seconds);
    move();
    sinceReadOut += seconds;
    if (sinceReadOut < READ_OUT_S) return;
    sinceReadOut = 0;
    readOut();
  };
}

/** The picture, ready and sorted, and the ears still on their way: a world without sound is still a world. */
async function openSenses(
  world: World,
  tick: (seconds: number) => void,
): Promise<{ stage: Stage; hearing: Promise<Ears | null> }> {
  const done = { picture: 0, sound: 0 };
  const progress = (what: "picture" | "sound") => (share: number) => {
    done[what] = share;
    gate.progress(0.7 * done.picture + 0.3 * done.sound);
  };
  const hearing = openEars(world, progress("sound"), gate.noSound).catch((error: unknown) => {
    gate.noSound(reasonOf(error));
    return null;
  });
  const canvas = part("world", HTMLCanvasElement);
  const stage = await openStage(canvas, world.splats.file, tick, progress("picture"));
  stage.setPose(world.start);
  await stage.settled();
  gate.pictureReady();
  return { stage, hearing };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
