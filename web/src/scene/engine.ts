// PlayCanvas, with only the parts that this page uses.
import {
  AppBase,
  AppOptions,
  CameraComponentSystem,
  createGraphicsDevice,
  FILLMODE_FILL_WINDOW,
  GSplatComponentSystem,
  GSplatHandler,
  RESOLUTION_AUTO,
  TextureHandler,
  XrManager,
} from "playcanvas";

/** An engine on a canvas that draws only when it is told to. */
export async function openEngine(canvas: HTMLCanvasElement): Promise<AppBase> {
  const device = await createGraphicsDevice(canvas, {
    deviceTypes: ["webgl2"],
    antialias: false,
    powerPreference: "high-performance",
  });
  const options = new AppOptions();
  options.graphicsDevice = device;
  options.componentSystems = [CameraComponentSystem, GSplatComponentSystem];
  options.resourceHandlers = [GSplatHandler, TextureHandler];
  options.xr = XrManager;
  const app = new AppBase(canvas);
  app.init(options);
  app.setCanvasFillMode(FILLMODE_FILL_WINDOW);
  app.setCanvasResolution(RESOLUTION_AUTO);
  app.autoRender = false;
  return app;
}
