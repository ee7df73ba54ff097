"""The panorama's own edge, behind, made to fall on an ordinary column."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32


def quiet_seam(fill: Float32[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 3"]:
    """Turn what was invented a little, so that the picture's edge at ±180° falls on an ordinary column.

    The picture is closed there anyway; viewers and codecs that do not know it then have nothing to spoil.
    """
    width = known.shape[1]
    reach = width // 24
    if known[:, : 2 * reach].any() or known[:, -2 * reach :].any():
        return fill
    bright = fill.mean(-1)
    step = np.abs(bright - np.roll(bright, 1, 1)).mean(0)  # between each column and the one before it
    near = np.roll(step, reach)[: 2 * reach + 1]
    shift = int(np.argmin(np.abs(np.log((near + 1e-3) / (np.median(step) + 1e-3))))) - reach
    away = np.abs((np.arange(width) + 0.5 + width / 2) % width - width / 2)  # columns from the edge
    turned = np.where(away < reach / 2, shift, shift * np.clip(2.5 - away / reach, 0, 2) / 2)
    x = (np.arange(width) + turned).astype(np.float32)
    padded = np.concatenate([fill[:, -2 * reach :], fill, fill[:, : 2 * reach]], 1)
    x, y = np.meshgrid(x + 2 * reach, np.arange(len(fill), dtype=np.float32))
    return np.asarray(cv2.remap(padded, x, y, cv2.INTER_LINEAR), np.float32)
