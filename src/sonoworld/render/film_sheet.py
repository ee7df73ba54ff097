"""A contact sheet: a dozen pictures of a film on one, each with its time."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

MOST = 12
COLUMNS = 4
TILE_PX = 320
_GAP_PX, _CAPTION_PX = 4, 20
_PAPER, _INK = 250, (25, 25, 25)


def sheet_moments(frames: int) -> tuple[int, ...]:
    """Which pictures of so many come onto the sheet: at most `MOST`, evenly, the middle of each part."""
    count = min(MOST, frames)
    return tuple(int((i + 0.5) * frames / count) for i in range(count))


def contact_sheet(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]], times_s: Sequence[float]
) -> UInt8[np.ndarray, "H W 3"]:
    """Pictures of one size in rows of `COLUMNS`, in order, with the time below each; sRGB."""
    tiles = [_tile(picture, time_s) for picture, time_s in zip(pictures, times_s, strict=True)]
    tiles += [np.full_like(tiles[0], _PAPER)] * (-len(tiles) % COLUMNS)
    return np.concatenate([np.concatenate(tiles[i : i + COLUMNS], 1) for i in range(0, len(tiles), COLUMNS)])


def _tile(picture: UInt8[np.ndarray, "h w 3"], time_s: float) -> UInt8[np.ndarray, "H W 3"]:
    height = max(1, round(picture.shape[0] * TILE_PX / picture.shape[1]))
    small = cv2.resize(picture, (TILE_PX, height), interpolation=cv2.INTER_AREA)
    edges = ((_GAP_PX, _CAPTION_PX), (_GAP_PX, _GAP_PX), (0, 0))
    tile = np.ascontiguousarray(np.pad(small, edges, constant_values=_PAPER))
    at = (_GAP_PX + 2, _GAP_PX + height + 14)
    cv2.putText(tile, f"{time_s:.1f} s", at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
    return tile
