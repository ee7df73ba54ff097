// Gamepads of the standard layout: the left stick walks, the right one looks.

const LEFT_X = 0;
const LEFT_Y = 1;
const RIGHT_X = 2;
const RIGHT_Y = 3;
const DEAD = 0.15;

export interface Sticks {
  ahead: number;
  left: number;
  turnLeft: number;
  turnUp: number;
}

/** What all of them want together. */
export function readGamepads(): Sticks {
  const sum = { ahead: 0, left: 0, turnLeft: 0, turnUp: 0 };
  for (const pad of navigator.getGamepads?.() ?? []) {
    if (pad?.mapping !== "standard" || !pad.connected) continue;
    const axis = (index: number): number => beyondDead(pad.axes[index] ?? 0);
    sum.ahead -= axis(LEFT_Y);
    sum.left -= axis(LEFT_X);
    sum.turnLeft -= axis(RIGHT_X);
    sum.turnUp -= axis(RIGHT_Y);
  }
  return sum;
}

/** A stick at rest is never quite at rest; from there on its way begins at 0. */
export function beyondDead(value: number): number {
  const size = Math.abs(value);
  return size < DEAD ? 0 : (Math.sign(value) * (Math.min(1, size) - DEAD)) / (1 - DEAD);
}
