"""What hangs in the sky without standing on anything: a piece of a roof or a crown that was shown again alone."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

SOLID = 0.4
"""Share of a pixel from which it is a thing rather than sky."""

GAP = 1 / 200
"""Gaps of this part of the panorama's height do not part a thing: branches, wires, a reading that is not exact."""


def floating(solid: Float32[np.ndarray, "k w"], horizon: int) -> Bool[np.ndarray, "k w"]:
    """Pixels of things no part of which comes down to row `horizon`; rows close around the circle."""
    if not 0 < horizon < len(solid):
        return np.zeros(solid.shape, np.bool_)
    px = 2 * max(1, round(GAP * solid.shape[1] / 2)) + 1
    reach = solid.shape[1] // 4
    around = np.concatenate([solid[:, -reach:], solid, solid[:, :reach]], 1)[: horizon + 1] > SOLID
    closed = cv2.morphologyEx(around.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((px, px), np.uint8))
    count, found = cv2.connectedComponents(closed, connectivity=8)
    pieces = np.asarray(found, np.int64)
    stands = np.zeros(count, np.bool_)
    stands[pieces[-1]] = True
    stands[0] = True
    out = np.zeros(solid.shape, np.bool_)
    out[: horizon + 1] = (~stands[pieces] & around)[:, reach : reach + solid.shape[1]]
    return out
