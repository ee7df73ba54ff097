// A headset (WebXR), or a phone that is a window into the world: the device moves the head, sticks walk and turn, a held
// trigger or pinch walks where one looks.
import { XRSPACE_LOCAL, XRTYPE_AR, XRTYPE_VR, type AppBase, type Entity, type XrInputSource } from "playcanvas";
import { fluFromRub, headAngles, wrapped, type Pose } from "../geometry";
import { beyondDead } from "./gamepad";
import type { Intent } from "./walker";

export type HeadsetKind = "vr" | "ar";

const TYPES = { vr: XRTYPE_VR, ar: XRTYPE_AR } as const;
/** A turn of the stick is a turn by this much at once: smooth turning makes people ill. */
const SNAP_RAD = Math.PI / 6;
const SNAP_AT = 0.6;
const SNAP_BACK_AT = 0.3;
/** Thumbstick of a controller, after its touchpad. */
const STICK_X = 2;
const STICK_Y = 3;
const TRIGGER = 0;

export interface Headset {
  readonly active: boolean;
  /** Called now and whenever a device comes or goes. */
  onAvailable(told: (kind: HeadsetKind, here: boolean) => void): void;
  /** Called when a session begins and ends. */
  onChange(told: (active: boolean) => void): void;
  enter(kind: HeadsetKind): Promise<void>;
  leave(): void;
  /** How many controllers and hands the engine knows; none in a session's first frames. */
  readonly hands: number;
  /** Where the head is in the world. */
  head(): Pose;
  /** What sticks and hands want, seen from a body that faces `yaw`. */
  take(yaw: number): Intent;
}

export function openHeadset(app: AppBase, camera: Entity, redraw: () => void): Headset {
  const { xr } = app;
  let snapped = false;
  const head = (): Pose => headOf(camera);
  const active = (): boolean => xr?.active ?? false;
  return {
    get active() {
      return active();
    },
    onAvailable: (told) => {
      for (const kind of ["vr", "ar"] as const) {
        told(kind, xr?.isAvailable(TYPES[kind]) ?? false);
        xr?.on(`available:${TYPES[kind]}`, (here: boolean) => told(kind, here));
      }
    },
    onChange: (told) => {
      const change = (on: boolean) => (): void => {
        app.autoRender = on; // a headset wants every frame
        told(on);
        app.resizeCanvas();
        redraw();
      };
      xr?.on("start", change(true));
      // the session is over only after its last event
      xr?.on("end", () => setTimeout(change(false)));
    },
    enter: (kind) =>
      new Promise((done, failed) => {
        const lens = camera.camera;
        if (!xr || !lens) return failed(new Error("no headset here"));
        xr.start(lens, TYPES[kind], XRSPACE_LOCAL, {
          callback: (error: Error | null) => (error ? failed(error) : done()),
        });
      }),
    leave: () => {
      if (active()) xr?.end();
    },
    get hands() {
      return xr?.input?.inputSources.length ?? 0;
    },
    head,
    take: (yaw) => {
      const sum = { ahead: 0, left: 0, turn: 0 };
      for (const source of xr?.input?.inputSources ?? []) add(sum, source);
      const [turn, held] = snap(sum.turn, snapped);
      snapped = held;
      const off = wrapped(head().yaw - yaw);
      return {
        ahead: sum.ahead * Math.cos(off) - sum.left * Math.sin(off),
        left: sum.ahead * Math.sin(off) + sum.left * Math.cos(off),
        turnLeft: 0,
        turnUp: 0,
        look: { yaw: turn, pitch: 0 },
      };
    },
  };
}

/** The left hand's stick walks, the right hand's turns; what has no stick walks ahead while it is held. */
function add(sum: { ahead: number; left: number; turn: number }, source: XrInputSource): void {
  const axes = source.gamepad?.axes ?? [];
  const x = beyondDead(axes[STICK_X] ?? 0);
  const y = beyondDead(axes[STICK_Y] ?? 0);
  if (source.handedness === "right") {
    sum.turn -= x;
    sum.ahead -= y;
  } else {
    sum.ahead -= y;
    sum.left -= x;
  }
  // a trigger that was down before the engine knew its hand has never told of its select
  if (source.selecting || source.gamepad?.buttons[TRIGGER]?.pressed) sum.ahead += 1;
}

/** One turn for one push of the stick. */
function snap(turn: number, held: boolean): [number, boolean] {
  const size = Math.abs(turn);
  if (held) return [0, size > SNAP_BACK_AT];
  return size > SNAP_AT ? [Math.sign(turn) * SNAP_RAD, true] : [0, false];
}

function headOf(camera: Entity): Pose {
  const place = camera.getPosition();
  const { forward, right } = camera;
  return {
    position: fluFromRub(place.x, place.y, place.z),
    ...headAngles(fluFromRub(forward.x, forward.y, forward.z), fluFromRub(-right.x, -right.y, -right.z)),
  };
}
