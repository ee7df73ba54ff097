"""Block by block with a library that has no engine for streams: encode, rotate, decode, add the tail to the next block.

The shortest honest loop over a library's own functions, the same for every such peer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from realtime_scene import BLOCK, POSES, SIGNAL_BLOCKS, scene, signal
from realtime_serve import About, Heard, Step

ORDERS = (1, 3, 5, 7)
SCENES = ("moving", "static", "single", "turned")


@dataclass(frozen=True, slots=True)
class Parts:
    """A library's functions at one order, c = (N + 1)² channels.

    `gains(azimuth [q], zenith [q])` -> [q c]; `turn(i)` -> [c c]: room axes into head axes at pose i;
    `decode(field [c t], filters)` -> [2 t + taps − 1]; `filters` [2 c taps].
    """

    gains: Callable[[np.ndarray, np.ndarray], np.ndarray]
    turn: Callable[[int], np.ndarray]
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray]
    filters: np.ndarray


class Streamed:
    """The `System` made of `parts(order)`."""

    def __init__(self, version: str, differs: str, parts: Callable[[int], Parts]) -> None:
        self._about = About(version, ORDERS, SCENES, differs)
        self._parts = parts

    def about(self) -> About:
        return self._about

    def prepare(self, scene: str, order: int) -> Step:
        return _step(scene, self._parts(order))

    def impulse(self, order: int) -> Heard:
        parts = self._parts(order)
        ears = _Ears(parts)
        gains = parts.gains(np.zeros(1), np.full(1, np.pi / 2))
        blocks = np.zeros((4, 1, BLOCK))
        blocks[0, 0, 0] = 1
        response = np.concatenate([ears(gains.T @ block) for block in blocks], 1)
        return Heard(response, np.einsum("c,ect->et", gains[0], parts.filters), True)


class _Ears:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tail = np.zeros((2, parts.filters.shape[-1] - 1))

    def __call__(self, field: np.ndarray) -> np.ndarray:
        both = self._parts.decode(field, self._parts.filters)
        both[:, : self._tail.shape[1]] += self._tail
        self._tail = both[:, BLOCK:].copy()
        return both[:, :BLOCK]


def _step(name: str, parts: Parts) -> Step:
    sources = 1 if name == "single" else 8
    here, x, ears = scene(), signal()[:, :sources], _Ears(parts)
    room = here.room[:, :sources] * [1, -1] + [0, np.pi / 2]
    seen = here.seen[:, :sources] * [1, -1] + [0, np.pi / 2]
    still, unturned = parts.gains(*room[0].T).T, parts.turn(0)
    _require_same_way(parts, room, seen)

    def moving(i: int) -> np.ndarray:
        p = i % POSES
        return ears(parts.turn(p) @ (parts.gains(*room[p].T).T @ x[i % SIGNAL_BLOCKS]))

    def static(i: int) -> np.ndarray:
        return ears(unturned @ (still @ x[i % SIGNAL_BLOCKS]))

    def turned(i: int) -> np.ndarray:
        return ears(parts.gains(*seen[i % POSES].T).T @ x[i % SIGNAL_BLOCKS])

    return {"moving": moving, "single": moving, "static": static, "turned": turned}[name]


def _require_same_way(parts: Parts, room: np.ndarray, seen: np.ndarray) -> None:
    """The library turns the field as our head does: R Y(room) = Y(seen)."""
    for p in (7, 300):
        error = np.abs(parts.turn(p) @ parts.gains(*room[p].T).T - parts.gains(*seen[p].T).T).max()
        if not error < 1e-9:
            raise RuntimeError(f"the field is turned another way than the head (pose {p}: {error:.2g})")
