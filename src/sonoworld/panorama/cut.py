"""Joining two pictures of the same place along the path where they differ least (Efros & Freeman, SIGGRAPH 2001).

Fine detail changes over along the cut, colour changes over across the whole overlap (two bands of Burt & Adelson,
ACM ToG 1983), so that neither an edge nor a blur shows. Where the two show different things, all changes over along
the cut.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

SOFT_PX = 1.2
"""Width of the change-over of fine detail, px."""

MARGIN_PX = 4
"""The cut stays so far from either side, px."""

UNLIKE = 60.0
"""Colour difference (0..255) from half of which the two pictures show different things, which must not be mixed."""


def least_cut(error: Float32[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """True right of the top-to-bottom path of least summed error (dynamic programming, paper section 2.1)."""
    cost = error.astype(np.float64)
    for row in range(1, len(cost)):
        above = np.pad(cost[row - 1], 1, constant_values=np.inf)
        cost[row] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    width = cost.shape[1]
    path = np.empty(len(cost), np.int64)
    path[-1] = int(cost[-1].argmin())
    for row in range(len(cost) - 2, -1, -1):
        first = max(path[row + 1] - 1, 0)
        path[row] = first + int(cost[row, first : path[row + 1] + 2].argmin())
    return np.arange(width)[None] > path[:, None]


def _blur(image: Float32[np.ndarray, "h w c"], sigma: float) -> Float32[np.ndarray, "h w c"]:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32).reshape(image.shape)


def join(left: Float32[np.ndarray, "h w c"], right: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w c"]:
    """One picture from two of the same shape: `left` at its left side, `right` at its right side."""
    width = left.shape[1]
    error = ((left - right) ** 2).sum(-1)
    if width > 4 * MARGIN_PX:  # at either side the picture is one of the two and nothing else
        error[:, :MARGIN_PX] = error[:, -MARGIN_PX:] = error.max() + 1
    cut = least_cut(error)[..., None].astype(np.float32)
    fine = _blur(cut, SOFT_PX)
    ramp = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :, None]
    low_left, low_right = _blur(left, width / 4), _blur(right, width / 4)
    detail = (left - low_left) * (1 - fine) + (right - low_right) * fine
    unlike = np.clip(np.abs(low_left - low_right).max(-1, keepdims=True) / UNLIKE - 0.5, 0, 1)
    share = ramp * (1 - unlike) + fine * unlike
    return detail + low_left * (1 - share) + low_right * share


def join_rows(top: Float32[np.ndarray, "h w c"], bottom: Float32[np.ndarray, "h w c"]) -> Float32[np.ndarray, "h w c"]:
    """As `join`, with `top` at the upper side and `bottom` at the lower side."""
    return join(top.transpose(1, 0, 2), bottom.transpose(1, 0, 2)).transpose(1, 0, 2)
