"""Where what stands touches the ground: column by column, from the nadir up.

Letters: h camera height (m); e elevation (rad); rho horizontal distance (m). Ground seen at e < 0 is at
rho = h / tan(−e).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.lift.layers import STEEPEST_FLOOR_RAD, Layers


@dataclass(frozen=True, slots=True)
class Feet:
    """For pixels that stand: `rho` (m) of the ground under the column's stretch, `bottom` and `top` elevation (rad).

    A stretch is an unbroken run of standing pixels of one kind in one column. `seen`: the stretch
    itself touches ground; otherwise something nearer hides its foot and `rho` is that thing's: a lower bound.
    """

    rho: Float32[np.ndarray, "h w"]
    bottom: Float32[np.ndarray, "h w"]
    top: Float32[np.ndarray, "h w"]
    seen: Bool[np.ndarray, "h w"]


def find_feet(found: Layers, elevation: Float32[np.ndarray, "h"], h: float, far_m: float) -> Feet:
    """Contacts of all columns; ground beyond `far_m` counts as `far_m`. Values at other pixels mean nothing."""
    height, width = found.kind.shape
    nearest = np.float32(h / np.tan(STEEPEST_FLOOR_RAD))
    rho, bottom = np.full((height, width), nearest), np.zeros((height, width), np.float32)
    seen = np.zeros((height, width), bool)
    ground_rho = np.full(width, nearest)
    on_floor = np.zeros(width, bool)
    start, before = np.full(width, -np.pi / 2, np.float32), np.zeros(width, np.uint8)
    touches = np.zeros(width, bool)
    floor, sky, stand = found.floor, found.sky, found.stands
    for y in range(height - 1, -1, -1):
        e, kind, stands = elevation[y], found.kind[y], stand[y]
        if e < 0:
            ground_rho[floor[y]] = min(h / np.tan(-e), far_m)
        ground_rho[sky[y]] = far_m
        begins = stands & (kind != before)
        touches = np.where(begins, on_floor, touches)
        start = np.where(begins, e, start)
        rho[y], bottom[y], seen[y] = ground_rho, start, touches & stands
        on_floor, before = floor[y], kind
    return Feet(rho.astype(np.float32), bottom, _tops(found, elevation), seen)


def _tops(found: Layers, elevation: Float32[np.ndarray, "h"]) -> Float32[np.ndarray, "h w"]:
    height, width = found.kind.shape
    top = np.zeros((height, width), np.float32)
    end, before = np.full(width, np.pi / 2, np.float32), np.zeros(width, np.uint8)
    for y in range(height):
        end = np.where(found.kind[y] != before, elevation[y], end)
        top[y], before = end, found.kind[y]
    return top
