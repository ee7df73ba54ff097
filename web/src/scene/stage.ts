// The picture: PlayCanvas draws the splats. It draws only when something changed, so a standing visitor costs nothing.
import { Asset, Color, Entity, Mat4, Quat, type AppBase } from "playcanvas";
import { halfHeightTangent, rubFromFlu, type Pose } from "../geometry";
import { openEngine } from "./engine";
import { openHeadset, type Headset } from "./headset";
import type { Tier } from "./tier";

const DEGREES = 180 / Math.PI;
const NEAR_M = 0.03;
const FAR_M = 2000;

export interface Stage {
  readonly headset: Headset;
  /** Loads the splats (`progress` 0..1); returns how many the engine draws. */
  load(tier: Tier, progress: (done: number) => void): Promise<number>;
  /** Where the visitor is: the eye, or in a headset the middle of the room around it. */
  setPose(pose: Pose): void;
  /** Resolves when the picture shows the newest pose, sorted. */
  settled(): Promise<void>;
}

/** Opens the engine on the canvas, and calls `tick` with seconds every frame. */
export async function openStage(canvas: HTMLCanvasElement, tick: (seconds: number) => void): Promise<Stage> {
  const app = await openEngine(canvas);
  const visitor = new Entity("visitor");
  const camera = new Entity("eye");
  camera.addComponent("camera", { clearColor: new Color(0.04, 0.045, 0.055), nearClip: NEAR_M, farClip: FAR_M });
  visitor.addChild(camera);
  app.root.addChild(visitor);

  const redraw = (): void => {
    app.renderNextFrame = true;
  };
  const waiting: (() => void)[] = [];
  app.systems.gsplat?.on("frame:request", redraw);
  app.systems.gsplat?.on("frame:ready", (_camera: unknown, _layer: unknown, ready: boolean, loading: number) => {
    if (!ready || loading) redraw();
    else for (const done of waiting.splice(0)) requestAnimationFrame(done);
  });
  const headset = openHeadset(app, camera, redraw);
  fitWindow(app, camera, redraw);
  app.on("update", tick);
  app.start();
  return {
    headset,
    load: async ({ picture, mostPixelRatio }, progress) => {
      app.graphicsDevice.maxPixelRatio = Math.min(window.devicePixelRatio, mostPixelRatio);
      app.resizeCanvas();
      const asset = await loadSplats(app, picture.file, progress);
      const splats = new Entity("world");
      splats.setLocalRotation(rotationFromFlu());
      splats.addComponent("gsplat", { asset });
      app.root.addChild(splats);
      redraw();
      return (asset.resource as { gsplatData?: { numSplats: number } }).gsplatData?.numSplats ?? 0;
    },
    setPose: ({ position, yaw, pitch }) => {
      visitor.setLocalPosition(...rubFromFlu(position));
      visitor.setLocalEulerAngles(0, yaw * DEGREES, 0);
      if (!headset.active) {
        camera.setLocalPosition(0, 0, 0);
        camera.setLocalEulerAngles(pitch * DEGREES, 0, 0);
      }
      redraw();
    },
    settled: () =>
      new Promise((done) => {
        waiting.push(done);
        redraw();
      }),
  };
}

function fitWindow(app: AppBase, camera: Entity, redraw: () => void): void {
  const fit = (): void => {
    app.resizeCanvas();
    const aspect = window.innerWidth / Math.max(1, window.innerHeight);
    if (camera.camera) camera.camera.fov = 2 * Math.atan(halfHeightTangent(aspect)) * DEGREES;
    redraw();
  };
  window.addEventListener("resize", fit);
  fit();
}

function loadSplats(app: AppBase, url: string, progress: (done: number) => void): Promise<Asset> {
  const asset = new Asset("splats", "gsplat", { url });
  return new Promise((loaded, failed) => {
    asset.on("progress", (received: number, length: number) => progress(length ? received / length : 0));
    asset.on("load", () => loaded(asset));
    asset.on("error", (reason: string) => failed(new Error(`the picture did not load: ${reason}`)));
    app.assets.add(asset);
    app.assets.load(asset);
  });
}

/** Columns: the engine's coordinates of the world's x, y and z axis. */
function rotationFromFlu(): Quat {
  const columns = [rubFromFlu([1, 0, 0]), rubFromFlu([0, 1, 0]), rubFromFlu([0, 0, 1])] as const;
  const matrix = new Mat4().set([...columns[0], 0, ...columns[1], 0, ...columns[2], 0, 0, 0, 0, 1]);
  return new Quat().setFromMat4(matrix);
}
