"""What one can measure of a picture without having learnt anything: colour, texture, lines, per superpixel.

Letters: L a b CIELAB; v total length of upright lines over (height + width); s index of a superpixel.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8
from skimage.segmentation import slic

WRAP_PX = 48
UPRIGHT_COSINE = 0.9945
"""A line within 6° of gravity is upright."""

LINE_PX = 2
NEARBY = 0.08
"""Standard deviation of the neighbourhood in which upright lines count, part of the picture's width."""


@dataclass(frozen=True, slots=True)
class Regions:
    """A picture cut into superpixels: `index` [h w], and per superpixel its pixel count and mean features.

    `neighbours` [2 e] index pairs (i < j once each), `border` [e] their common border in px, `above` [2 e] pairs (i
    directly above j), `above_border` [e].
    """

    index: Int[np.ndarray, "h w"]
    count: Float64[np.ndarray, "s"]
    mean: dict[str, Float64[np.ndarray, "s"]]
    neighbours: Int[np.ndarray, "2 e"]
    border: Float64[np.ndarray, "e"]
    above: Int[np.ndarray, "2 k"]
    above_border: Float64[np.ndarray, "k"]
    upright_length: float

    def average(self, image: np.ndarray) -> Float64[np.ndarray, "s"]:
        """Mean of an image over each superpixel."""
        total = np.bincount(self.index.ravel(), image.ravel().astype(np.float64), minlength=len(self.count))
        return total / self.count


def measure(rgb: UInt8[np.ndarray, "h w 3"], *, wraps: bool, segments: int) -> Regions:
    """Cut a (small) picture into superpixels and measure them; `wraps` joins its left and right edges."""
    padded = _wrap(rgb, WRAP_PX) if wraps else rgb
    features = {**_colour_and_texture(padded), **_lines(padded, wraps=wraps)}
    if wraps:
        features = {name: image[:, WRAP_PX:-WRAP_PX] for name, image in features.items()}
    index = slic(
        rgb, n_segments=segments, compactness=12, sigma=0.7, start_label=0, channel_axis=-1, max_num_iter=6
    ).astype(np.int64)
    count = np.bincount(index.ravel()).astype(np.float64)
    pairs, border = _pairs(index, wraps=wraps, downwards=False)
    above, above_border = _pairs(index, wraps=wraps, downwards=True)
    regions = Regions(index, count, {}, pairs, border, above, above_border, _upright_length(rgb, wraps=wraps))
    means = {name: regions.average(image) for name, image in features.items()}
    hue = np.degrees(np.arctan2(means.pop("hue_sin"), means.pop("hue_cos"))) % 360
    return Regions(index, count, {**means, "hue": hue}, pairs, border, above, above_border, regions.upright_length)


def _wrap(image: np.ndarray, px: int) -> np.ndarray:
    return np.concatenate([image[:, -px:], image, image[:, :px]], axis=1)


def _colour_and_texture(rgb: UInt8[np.ndarray, "h w 3"]) -> dict[str, Float32[np.ndarray, "h w"]]:
    image = rgb.astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    L, a, b = (np.ascontiguousarray(lab[..., k]) for k in range(3))
    smooth = _blur(L, 0.8)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8.0)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8.0)
    Jxx, Jyy = _blur(gx * gx, 4.0), _blur(gy * gy, 4.0)
    hue = np.radians(hsv[..., 0])
    return {
        "L": L,
        "a": a,
        "b": b,
        "chroma": np.hypot(a, b),
        "hue_sin": np.sin(hue) * hsv[..., 1],
        "hue_cos": np.cos(hue) * hsv[..., 1],
        "horizontal": (Jyy - Jxx) / (Jxx + Jyy + np.float32(0.05)),
        "deviation": np.sqrt(np.maximum(_blur(L * L, 3.0) - _blur(L, 3.0) ** 2, 0)),
        "fine": np.sqrt(_blur((L - _blur(L, 1.2)) ** 2, 3.0)),
    }


def _blur(image: Float32[np.ndarray, "h w"], sigma: float) -> Float32[np.ndarray, "h w"]:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def _segments(rgb: UInt8[np.ndarray, "h w 3"], *, wraps: bool) -> Float64[np.ndarray, "n 4"]:
    """Long line segments (von Gioi et al., LSD, PAMI 2010): x0 y0 x1 y1 in px."""
    found: Any = cv2.createLineSegmentDetector(0).detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))[0]
    if found is None:
        return np.zeros((0, 4))
    lines = found.reshape(-1, 4).astype(np.float64)
    longest = 0.06 * 480 * (max(rgb.shape[:2]) / (1280 if wraps else 640))
    return lines[np.hypot(lines[:, 0] - lines[:, 2], lines[:, 1] - lines[:, 3]) >= longest]


def _upright(lines: Float64[np.ndarray, "n 4"]) -> np.ndarray:
    length = np.hypot(lines[:, 0] - lines[:, 2], lines[:, 1] - lines[:, 3])
    return np.abs(lines[:, 3] - lines[:, 1]) / np.maximum(length, 1e-9) > UPRIGHT_COSINE


def _upright_length(rgb: UInt8[np.ndarray, "h w 3"], *, wraps: bool) -> float:
    lines = _segments(rgb, wraps=wraps)
    length = np.hypot(lines[:, 0] - lines[:, 2], lines[:, 1] - lines[:, 3])
    return float(length[_upright(lines)].sum() / sum(rgb.shape[:2]))


def _lines(rgb: UInt8[np.ndarray, "h w 3"], *, wraps: bool) -> dict[str, Float32[np.ndarray, "h w"]]:
    """Local density of long lines, and of upright ones; and v as it would be if all were like the neighbourhood."""
    lines = _segments(rgb, wraps=wraps)
    width = rgb.shape[1] * (0.5 if wraps else 1.0)
    maps: dict[str, Float32[np.ndarray, "h w"]] = {}
    nearby = np.zeros(rgb.shape[:2], np.float32)
    for name, chosen in (("lines", lines), ("uprights", lines[_upright(lines)])):
        drawn = np.zeros(rgb.shape[:2], np.float32)
        for x0, y0, x1, y1 in chosen.astype(int):
            cv2.line(drawn, (int(x0), int(y0)), (int(x1), int(y1)), 1.0, LINE_PX)
        maps[name] = _blur(drawn, 0.018 * width)
        nearby = _blur(drawn, NEARBY * width)
    height, whole = rgb.shape[:2]
    maps["uprights_nearby"] = nearby * np.float32(height * whole / (LINE_PX * (height + whole)))
    return maps


def _pairs(index: np.ndarray, *, wraps: bool, downwards: bool) -> tuple[np.ndarray, np.ndarray]:
    """Touching superpixels and the length of their border; `downwards`: ordered pairs, upper first."""
    pairs = [np.stack([index[:-1].ravel(), index[1:].ravel()])]
    if not downwards:
        pairs.append(np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()]))
        if wraps:
            pairs.append(np.stack([index[:, -1], index[:, 0]]))
    joined = np.concatenate(pairs, axis=1)
    joined = joined[:, joined[0] != joined[1]]
    if not downwards:
        joined = np.sort(joined, axis=0)
    unique, length = np.unique(joined, axis=1, return_counts=True)
    return unique.astype(np.int64), length.astype(np.float64)
