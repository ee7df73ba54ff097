// Keyboard, mouse, touch and gamepad as one intent. Everything can be done with the keyboard alone.
import { readGamepads } from "./gamepad";
import type { Intent } from "./walker";

const KEYS: Readonly<Record<string, Partial<Record<"ahead" | "left" | "turnLeft" | "turnUp", number>>>> = {
  KeyW: { ahead: 1 },
  KeyS: { ahead: -1 },
  KeyA: { left: 1 },
  KeyD: { left: -1 },
  ArrowUp: { ahead: 1 },
  ArrowDown: { ahead: -1 },
  ArrowLeft: { turnLeft: 1 },
  ArrowRight: { turnLeft: -1 },
  KeyQ: { turnLeft: 1 },
  KeyE: { turnLeft: -1 },
  PageUp: { turnUp: 1 },
  PageDown: { turnUp: -1 },
};
const DRAG_RAD_PX = 0.0045;
const LOCKED_RAD_PX = 0.0022;
const STICK_PX = 44;

export interface Controls {
  /** What is wanted since the last call. */
  take(): Intent;
}

export function openControls(canvas: HTMLCanvasElement, stick: HTMLElement): Controls {
  const held = new Set<string>();
  /** Pressed since the last call, even if already released: a short tap is a short step. */
  const tapped = new Set<string>();
  const look = { yaw: 0, pitch: 0 };
  const walk = { ahead: 0, left: 0 };
  listenToKeys(held, tapped);
  listenToDrags(canvas, look);
  listenToStick(stick, walk);
  return {
    take: () => {
      const sum = readGamepads();
      sum.ahead += walk.ahead;
      sum.left += walk.left;
      for (const code of new Set([...held, ...tapped])) {
        const wants = KEYS[code] ?? {};
        sum.ahead += wants.ahead ?? 0;
        sum.left += wants.left ?? 0;
        sum.turnLeft += wants.turnLeft ?? 0;
        sum.turnUp += wants.turnUp ?? 0;
      }
      tapped.clear();
      const intent = { ...sum, look: { ...look } };
      look.yaw = 0;
      look.pitch = 0;
      return intent;
    },
  };
}

/** Keys that belong to a control in the page (typing, sliders, buttons' arrows) are left to it. */
export function belongsToPage(event: KeyboardEvent): boolean {
  const target = event.target;
  const types = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  return types || target instanceof HTMLTextAreaElement || event.ctrlKey || event.metaKey || event.altKey;
}

function listenToKeys(held: Set<string>, tapped: Set<string>): void {
  window.addEventListener("keydown", (event) => {
    if (belongsToPage(event) || !(event.code in KEYS)) return;
    const scrolls = event.target instanceof Element && event.target.closest(".scrolls");
    if (scrolls && event.code.startsWith("Page")) return;
    held.add(event.code);
    tapped.add(event.code);
    event.preventDefault();
  });
  window.addEventListener("keyup", (event) => held.delete(event.code));
  window.addEventListener("blur", () => held.clear());
}

/** Dragging pulls the world along; after a double click the mouse is the head (Escape gives it back). */
function listenToDrags(canvas: HTMLCanvasElement, look: { yaw: number; pitch: number }): void {
  const fingers = new Map<number, { x: number; y: number }>();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    if (document.pointerLockElement === canvas) {
      look.yaw -= event.movementX * LOCKED_RAD_PX;
      look.pitch -= event.movementY * LOCKED_RAD_PX;
      return;
    }
    const last = fingers.get(event.pointerId);
    if (!last) return;
    look.yaw += (event.clientX - last.x) * DRAG_RAD_PX;
    look.pitch += (event.clientY - last.y) * DRAG_RAD_PX;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener("dblclick", () => {
    // a browser may refuse the pointer (sandboxed frame): dragging still works
    void Promise.resolve(canvas.requestPointerLock()).catch(() => undefined);
  });
}

function listenToStick(stick: HTMLElement, walk: { ahead: number; left: number }): void {
  const knob = stick.firstElementChild;
  let finger: number | null = null;
  const move = (event: PointerEvent): void => {
    const box = stick.getBoundingClientRect();
    const x = (event.clientX - box.left - box.width / 2) / STICK_PX;
    const y = (event.clientY - box.top - box.height / 2) / STICK_PX;
    const length = Math.max(1, Math.hypot(x, y));
    walk.left = -x / length;
    walk.ahead = -y / length;
    show(x / length, y / length);
  };
  const show = (x: number, y: number): void => {
    if (knob instanceof HTMLElement) knob.style.translate = `${x * STICK_PX}px ${y * STICK_PX}px`;
  };
  stick.addEventListener("pointerdown", (event) => {
    finger = event.pointerId;
    stick.setPointerCapture(event.pointerId);
    move(event);
  });
  stick.addEventListener("pointermove", (event) => {
    if (event.pointerId === finger) move(event);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    stick.addEventListener(end, () => {
      finger = null;
      walk.left = walk.ahead = 0;
      show(0, 0);
    });
  }
}
