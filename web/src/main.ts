// Puts the page together: world -> picture, ears, panels; and one loop that moves the visitor.
import { lookAt, type Pose, type Vec3 } from "./geometry";
import { exposeHooks } from "./hooks";
import { openControls } from "./scene/controls";
import { openStage, type Stage } from "./scene/stage";
import { glide, type Glide } from "./scene/glide";
import { remoteness, step, type Ground } from "./scene/walker";
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
/** “Go” ends this far from the source, metres. */
const ARM_M = 0.9;

const gate = openGate();

try {
  const world = await loadWorld("world.json");
  await openWorld(world);
} catch (error) {
  gate.fail(error instanceof Error ? error.message : String(error));
}

async function openWorld(world: World): Promise<void> {
  document.title = `${world.title} · sonoworld`;
  part("title", HTMLElement).textContent = world.title;
  gate.show(world);
  const ground: Ground = { centre: world.start.position, comfortableRadiusM: world.comfortableRadiusM };
  const canvas = part("world", HTMLCanvasElement);
  const controls = openControls(canvas, part("stick", HTMLElement));

  let pose: Pose = world.start;
  let moving: Glide | null = null;
  let stage: Stage | null = null;
  let ears: Ears | null = null;
  let sinceReadOut = READ_OUT_S;

  const mixer = openMixer(world.sources, () => {
    ears?.setGains(mixer.gains());
    panel.refresh();
    labels.update(pose, mixer.silent);
  });
  const labels = openLabels(part("labels", HTMLElement), world.sources);
  const moveTo = (target: Pose): void => {
    moving = glide(pose, target);
  };
  const panel = openPanel(part("sources", HTMLElement), world, mixer, {
    look: (place) => moveTo({ ...pose, ...lookAt(pose.position, place) }),
    go: (place) => moveTo(beside(place, pose, ground)),
  });
  const bar = openBar({
    labels: (on) => labels.show(on),
    home: () => moveTo(world.start),
    volume: (linear) => ears?.setVolume(linear),
  });

  const place = (next: Pose): void => {
    if (next.position === pose.position && next.yaw === pose.yaw && next.pitch === pose.pitch && stage) return;
    pose = next;
    stage?.setPose(pose);
    ears?.setPose(pose);
    labels.update(pose, mixer.silent);
    bar.edge(remoteness(pose.position, ground));
  };
  const tick = (seconds: number): void => {
    const intent = controls.take();
    const wants = intent.ahead || intent.left || intent.turnLeft || intent.turnUp || intent.look.yaw || intent.look.pitch;
    if (wants) {
      moving = null;
      place(step(pose, intent, seconds, ground));
    } else if (moving) {
      const next = moving(seconds);
      place(next.pose);
      if (next.done) moving = null;
    }
    sinceReadOut += seconds;
    if (sinceReadOut < READ_OUT_S) return;
    sinceReadOut = 0;
    panel.update(pose);
    if (ears) showLevels(part("meter", HTMLElement), ears.levels(METER_MS));
  };

  const loading = { picture: 0, sound: 0 };
  const progress = (what: "picture" | "sound") => (done: number) => {
    loading[what] = done;
    gate.progress(0.7 * loading.picture + 0.3 * loading.sound);
  };
  const hearing = openEars(world, progress("sound")).catch((error: unknown) => {
    gate.noSound(error instanceof Error ? error.message : String(error));
    return null;
  });
  const opened = await openStage(canvas, world.splats.file, tick, progress("picture"));
  opened.setPose(pose);
  await opened.settled();
  stage = opened;
  gate.pictureReady();
  ears = await hearing;
  ears?.setPose(pose);
  ears?.setGains(mixer.gains());
  labels.update(pose, mixer.silent);
  window.addEventListener("resize", () => labels.update(pose, mixer.silent));
  bar.ready(ears);
  gate.ready(ears);
  exposeHooks({
    world,
    stage: opened,
    ears,
    pose: () => pose,
    setPose: (next) => {
      moving = null;
      place(next);
    },
    walk: (ahead, left, seconds) => {
      moving = null;
      const intent = { ahead, left, turnLeft: 0, turnUp: 0, look: { yaw: 0, pitch: 0 } };
      for (let t = 0; t < seconds; t += 1 / 60) place(step(pose, intent, 1 / 60, ground));
    },
  });
}

/** An arm's length before a place, on the way to it, but not beyond where the picture holds. */
function beside(target: Vec3, pose: Pose, ground: Ground): Pose {
  const dx = target[0] - pose.position[0];
  const dy = target[1] - pose.position[1];
  const far = Math.hypot(dx, dy);
  const share = far > ARM_M ? (far - ARM_M) / far : 0;
  const x = pose.position[0] + dx * share - ground.centre[0];
  const y = pose.position[1] + dy * share - ground.centre[1];
  const reach = Math.min(1, ground.comfortableRadiusM / Math.max(1e-9, Math.hypot(x, y)));
  const position: Vec3 = [ground.centre[0] + x * reach, ground.centre[1] + y * reach, pose.position[2]];
  return { position, ...lookAt(position, target) };
}
