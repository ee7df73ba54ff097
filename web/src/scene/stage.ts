// The picture: PlayCanvas draws the splats. It draws only when something changed, so a standing visitor costs nothing.
import {
  AppBase,
  AppOptions,
  Asset,
  CameraComponentSystem,
  Color,
  createGraphicsDevice,
  Entity,
  FILLMODE_FILL_WINDOW,
  GSplatComponentSystem,
  GSplatHandler,
  Mat4,
  Quat,
  RESOLUTION_AUTO,
} from "playcanvas";
import { halfHeightTangent, rubFromFlu, type Pose } from "../geometry";

const MAX_PIXEL_RATIO = 1.5;
const DEGREES = 180 / Math.PI;

export interface Stage {
  /** Number of splats that the engine draws. */
  readonly drawn: number;
  setPose(pose: Pose): void;
  /** Resolves when the picture shows the newest pose, sorted. */
  settled(): Promise<void>;
}

/** Opens the engine on the canvas, loads the splats (`progress` 0..1) and calls `tick` with seconds every frame. */
export async function openStage(
  canvas: HTMLCanvasElement,
  file: string,
  tick: (seconds: number) => void,
  progress: (done: number) => void,
): Promise<Stage> {
  const app = await openEngine(canvas);
  const camera = new Entity("eye");
  camera.addComponent("camera", { clearColor: new Color(0.04, 0.045, 0.055), nearClip: 0.03, farClip: 2000 });
  app.root.addChild(camera);
  const asset = await loadSplats(app, file, progress);
  const splats = new Entity("world");
  splats.setLocalRotation(rotationFromFlu());
  splats.addComponent("gsplat", { asset });
  app.root.addChild(splats);

  const redraw = (): void => {
    app.renderNextFrame = true;
  };
  const waiting: (() => void)[] = [];
  app.autoRender = false;
  app.systems.gsplat?.on("frame:request", redraw);
  app.systems.gsplat?.on("frame:ready", (_camera: unknown, _layer: unknown, ready: boolean, loading: number) => {
    if (!ready || loading) redraw();
    else for (const done of waiting.splice(0)) requestAnimationFrame(done);
  });
  fitWindow(app, camera, redraw);
  app.on("update", tick);
  app.start();
  redraw();
  const resource = asset.resource as { gsplatData?: { numSplats: number } };
  return {
    drawn: resource.gsplatData?.numSplats ?? 0,
    setPose: ({ position, yaw, pitch }) => {
      camera.setLocalPosition(...rubFromFlu(position));
      camera.setLocalEulerAngles(pitch * DEGREES, yaw * DEGREES, 0);
      redraw();
    },
    settled: () =>
      new Promise((done) => {
        waiting.push(done);
        redraw();
      }),
  };
}

async function openEngine(canvas: HTMLCanvasElement): Promise<AppBase> {
  const device = await createGraphicsDevice(canvas, {
    deviceTypes: ["webgl2"],
    antialias: false,
    powerPreference: "high-performance",
  });
  device.maxPixelRatio = Math.min(window.devicePixelRatio, MAX_PIXEL_RATIO);
  const options = new AppOptions();
  options.graphicsDevice = device;
  options.componentSystems = [CameraComponentSystem, GSplatComponentSystem];
  options.resourceHandlers = [GSplatHandler];
  const app = new AppBase(canvas);
  app.init(options);
  app.setCanvasFillMode(FILLMODE_FILL_WINDOW);
  app.setCanvasResolution(RESOLUTION_AUTO);
  return app;
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
