// Loads a world in the order in which a visitor meets it: what it is, its picture, its sound.
import { openEditing, wantsEditing } from "./editor/editing";
import { exposeHooks } from "./hooks";
import { openStage, type Stage } from "./scene/stage";
import { loadTerrain } from "./scene/terrain";
import { chooseTier } from "./scene/tier";
import { loadSettings } from "./settings";
import { openEars, type Ears } from "./sound/ears";
import { openGate } from "./ui/gate";
import { part } from "./ui/page";
import { loadWorld, type World } from "./world";
import { WorldPage } from "./world_page";

const gate = openGate();
const settings = loadSettings();
/** What happens every frame, once there is a world. */
let frame: (seconds: number) => void = () => undefined;

try {
  // first, because the device that draws holds the page up while it is made
  const described = loadWorld("world.json");
  const staging = openStage(part("world", HTMLCanvasElement), (seconds) => frame(seconds));
  staging.catch(() => undefined); // said below; a world that fails is said first
  const world = await described;
  const sensing = staging.then((stage) => openSenses(world, stage));
  const [terrain, senses] = await Promise.all([loadTerrain(world.ground), sensing]);
  const { stage, hearing, drawn, firstPictureMs } = senses;
  const page = new WorldPage(world, terrain, stage, settings);
  frame = (seconds) => page.frame(seconds);
  const ears = await hearing;
  page.hear(ears, [`First picture after ${(firstPictureMs / 1000).toFixed(1)} s`, `${drawn.toLocaleString("en")} splats`]);
  gate.ready(ears);
  if (wantsEditing()) void openEditing(page, terrain);
  exposeHooks({ world: () => page.world, stage, ears, visit: page.visit, drawn, firstPictureMs, hearing: () => ({ ...settings }) });
} catch (error) {
  gate.fail(reasonOf(error));
}

interface Senses {
  readonly stage: Stage;
  readonly hearing: Promise<Ears | null>;
  readonly drawn: number;
  readonly firstPictureMs: number;
}

/** The picture, ready and sorted, and the ears still on their way: a world without sound is still a world. */
async function openSenses(world: World, stage: Stage): Promise<Senses> {
  gate.show(world);
  const done = { picture: 0, sound: 0 };
  const progress = (what: "picture" | "sound") => (share: number) => {
    done[what] = share;
    gate.progress(0.7 * done.picture + 0.3 * done.sound);
  };
  stage.setPose(world.start);
  const drawn = await stage.load(chooseTier(world.pictures, settings.picture), progress("picture"));
  await stage.settled();
  const firstPictureMs = performance.mark("first-picture").startTime;
  gate.pictureReady();
  // only now: what a visitor sees first shall not wait for what they hear after a click
  const hearing = openEars(world, settings, progress("sound"), gate.noSound).catch((error: unknown) => {
    gate.noSound(reasonOf(error));
    return null;
  });
  return { stage, hearing, drawn, firstPictureMs };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
