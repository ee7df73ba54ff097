"""Things in a picture: the embedded detector (80 kinds of COCO), on one image at a time.

Letters: H heat map [80 128 128] of class scores; S size map [4 128 128], px to the left, top, right, bottom edge.
The network sees 512×512 px; a cell of its maps is 4 px. Source of the decoding: Zhou, Wang, Krähenbühl, Objects as
Points (2019), section 4: peaks of H among their eight neighbours, no further suppression.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
import onnxruntime
from jaxtyping import Float32, UInt8

from sonoworld.errors import BackendMissingError
from sonoworld.perceive.coco import NAMES

SIDE_PX = 512
CELL_PX = 4
THREADS = 2
MIN_SCORE = 0.3
MOST = 100
FEATURES = ("decoder_16", "decoder_8", "decoder_4", "encoder_32", "encoder_16", "encoder_8", "encoder_4")
"""What the network sees on its way, by depth and px of a cell."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing in an image: COCO label, score 0..1, box (x0, y0, x1, y1) in continuous px of the image."""

    label: str
    score: float
    box_px: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an image lies in the network's square: scaled by `scale`, shifted by (left, top) px."""

    scale: float
    left: float
    top: float

    def to_square(self, x: float, y: float) -> tuple[float, float]:
        """Image px -> px of the square."""
        return x * self.scale + self.left, y * self.scale + self.top

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Px of the square -> image px."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    file = resources.files("sonoworld") / "products" / "detector" / "centernet.onnx"
    if not file.is_file():
        raise BackendMissingError(
            "the embedded detector was not built: expected sonoworld/products/detector/centernet.onnx; "
            "install again with `pip install --force-reinstall --no-deps sonoworld`, or work without it "
            "(--set understand.detect=false)"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads()
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])


def _threads() -> int:
    """At most two, and no more than the environment allows: a worker among others has one core. The result is alike."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(THREADS, max(1, int(allowed))) if allowed.isdecimal() else THREADS


def letterbox(rgb: UInt8[np.ndarray, "h w 3"]) -> tuple[UInt8[np.ndarray, "512 512 3"], Letterbox]:
    """The image fitted into the middle of a gray 512×512 square, and how it lies there."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    size = (max(1, round(width * SIDE_PX / side)), max(1, round(height * SIDE_PX / side)))
    fitted = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if side > SIDE_PX else cv2.INTER_LINEAR)
    left, top = (SIDE_PX - size[0]) // 2, (SIDE_PX - size[1]) // 2
    square = np.full((SIDE_PX, SIDE_PX, 3), 127, np.uint8)
    square[top : top + size[1], left : left + size[0]] = fitted
    return square, Letterbox(SIDE_PX / side, float(left), float(top))


def maps(
    square: UInt8[np.ndarray, "512 512 3"],
) -> tuple[Float32[np.ndarray, "80 128 128"], Float32[np.ndarray, "4 128 128"]]:
    """H and S of a square image."""
    heat, size = _run(square, ("heat", "size"))
    return heat, size


def features(square: UInt8[np.ndarray, "512 512 3"]) -> tuple[Float32[np.ndarray, "_ _ _"], ...]:
    """The maps named in `FEATURES`: c channels of s×s cells, c and s different for each."""
    return _run(square, FEATURES)


def _run(square: UInt8[np.ndarray, "512 512 3"], names: tuple[str, ...]) -> tuple[Float32[np.ndarray, "_ _ _"], ...]:
    image = np.ascontiguousarray(square.astype(np.float32).transpose(2, 0, 1)[None])
    return tuple(np.asarray(out)[0] for out in _session().run(names, {"image": image}))


def peaks(
    heat: Float32[np.ndarray, "c 128 128"], size: Float32[np.ndarray, "4 128 128"], min_score: float
) -> tuple[Detection, ...]:
    """Boxes in px of the square at the peaks of H, best first (at most 100)."""
    window = np.ones((3, 3), np.uint8)
    found: list[Detection] = []
    for k in np.flatnonzero(heat.max(axis=(1, 2)) >= min_score):
        top = cv2.dilate(heat[k], window)
        for y, x in np.argwhere((heat[k] == top) & (heat[k] >= min_score)):
            left, up, right, down = (float(v) for v in size[:, y, x])
            box = (CELL_PX * x - left, CELL_PX * y - up, CELL_PX * x + right, CELL_PX * y + down)
            found.append(Detection(NAMES[k], float(heat[k, y, x]), tuple(float(v) for v in box)))  # type: ignore[arg-type]  # four of them
    return tuple(sorted(found, key=lambda d: (-d.score, d.label, d.box_px))[:MOST])


def detect(rgb: UInt8[np.ndarray, "h w 3"], *, min_score: float = MIN_SCORE) -> tuple[Detection, ...]:
    """Things in one perspective image, best first; boxes are cut at the image's border.

    Raises:
        BackendMissingError: the install lacks the detector.
    """
    height, width = rgb.shape[:2]
    square, fit = letterbox(rgb)
    cut: list[Detection] = []
    for one in peaks(*maps(square), min_score):
        x0, y0 = fit.to_image(*one.box_px[:2])
        x1, y1 = fit.to_image(*one.box_px[2:])
        box = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
        if box[2] - box[0] >= 1 and box[3] - box[1] >= 1:
            cut.append(Detection(one.label, one.score, box))
    return tuple(cut)
