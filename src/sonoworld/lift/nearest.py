"""The nearest pixel of a set, on a panorama whose columns wrap."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64


def nearest_of(
    these: Bool[np.ndarray, "h w"], reach_px: int
) -> tuple[Float32[np.ndarray, "h w"], Int64[np.ndarray, "h w"]]:
    """For every pixel how far the nearest of `these` is (px on the image) and its flat index.

    Across ±180° only up to `reach_px` px are looked at. `these` must hold at least one pixel.
    """
    width = these.shape[1]
    wide = np.pad(these, ((0, 0), (reach_px, reach_px)), mode="wrap")
    away, label = cv2.distanceTransformWithLabels(
        (~wide).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.asarray(label, np.int64)
    flat = np.zeros(int(numbers.max()) + 1, np.int64)
    at = np.flatnonzero(wide)
    flat[numbers.ravel()[at]] = at
    rows, columns = np.divmod(flat[numbers[:, reach_px:-reach_px]], wide.shape[1])
    return np.asarray(away, np.float32)[:, reach_px:-reach_px], rows * width + (columns - reach_px) % width
