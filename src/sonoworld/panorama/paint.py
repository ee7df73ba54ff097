"""A panorama by a painter: whoever continues a flat picture where it is unknown, from words.

The painter gets the photo placed on an equirectangular canvas of the size it likes, opened at ±180° (`circle`); what it
returns is closed, enlarged once, given the photo's colours at the photo's border and put under the photo (`keep`).
Then it paints the two poles in views of their own (`poles`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.backend import MakePanorama, Run
from sonoworld.errors import InputError
from sonoworld.panorama.circle import closed, opened
from sonoworld.panorama.complete import complete
from sonoworld.panorama.dislike import WHOLE
from sonoworld.panorama.keep import lip, pasted, toned
from sonoworld.panorama.place import gather, project
from sonoworld.panorama.poles import PoleView, cut, laid
from sonoworld.panorama.whole import whole
from sonoworld.panorama.words import Words, read
from sonoworld.types import Camera, Panorama, Photo

GREY = 128
"""What stands on the canvas where nothing is known, unless the embedded fill does."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to paint. `around`: the picture is the whole sphere, opened by `shared` columns; otherwise a view (0)."""

    prompt: str
    around: bool
    shared: int
    seed: int
    tell: Callable[[float], None]


@runtime_checkable
class Painter(Protocol):
    """Paints a picture where it is `unknown`. What it returns elsewhere is not used."""

    def __call__(  # noqa: D102
        self, picture: UInt8[np.ndarray, "h w 3"], unknown: Bool[np.ndarray, "h w"], wish: Wish
    ) -> UInt8[np.ndarray, "h w 3"]: ...


@dataclass(frozen=True, slots=True)
class Sentences:
    """How words become prompts: each has one `{}`."""

    around: str
    above: str = "Photo looking straight up at {}"
    below: str = "Photo looking straight down at {} under the camera, nobody there"


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and wishes. `height` of the panorama and `canvas` of the canvas, rows.

    `shared`: columns that the canvas has twice. `poles`: views to paint after the canvas. `from_embedded`: the canvas
    begins with the embedded fill, not with grey. `scene`: words for what is all around; "" reads them off the photo.
    """

    height: int
    canvas: int
    shared: int
    poles: tuple[PoleView, ...]
    sentences: Sentences
    scene: str = ""
    seed: int | None = None
    from_embedded: bool = False


def painting(painter: Painter, plan: Plan) -> MakePanorama:
    """The stage function: `painter` makes panoramas by `plan`.

    Raises (when called):
        InputError: a perspective photo came without a camera, or a panorama with one, or with another photo's.
    """

    def make(photo: Photo, camera: Camera, run: Run) -> Panorama:
        return painted(photo, camera, painter, plan, run)

    return whole(plan.height, make)


def painted(photo: Photo, camera: Camera, painter: Painter, plan: Plan, run: Run) -> Panorama:
    """A panorama [plan.height, 2·plan.height]: the photo placed at its camera, the rest painted."""
    words = read(photo, camera)
    seed = int(run.rng.integers(2**31)) if plan.seed is None else plan.seed
    canvas = _canvas(photo, camera, painter, _Job(plan, words, seed), run)
    at = project(camera, plan.height)
    rgb, coverage = gather(photo.rgb.astype(np.float32), at), at.coverage
    fill = toned(rgb, coverage, grown(canvas, plan.height))
    known = coverage >= WHOLE
    for number, view in enumerate(plan.poles):
        picture, unknown = cut(pasted(rgb, coverage, fill), known, view)
        if unknown.any():
            sentence = plan.sentences.above if view.up else plan.sentences.below
            tell = partial(_tell, run, 0.7 + 0.12 * number, 0.12, "above" if view.up else "below")
            wish = Wish(sentence.format(words.above if view.up else words.below), False, 0, seed + 1 + number, tell)
            fill = laid(fill, _ask(painter, picture, unknown, wish), view)
    return Panorama(rgb=pasted(rgb, coverage, fill + lip(rgb, coverage, fill)), known=known)


@dataclass(frozen=True, slots=True)
class _Job:
    plan: Plan
    words: Words
    seed: int


def _tell(run: Run, begin: float, part: float, note: str, fraction: float) -> None:
    run.tell(begin + part * fraction, note)


def _canvas(photo: Photo, camera: Camera, painter: Painter, job: _Job, run: Run) -> UInt8[np.ndarray, "k l 3"]:
    """The whole sphere by the painter, at the canvas's size."""
    plan = job.plan
    at = project(camera, plan.canvas)
    known = at.coverage >= WHOLE
    if plan.from_embedded:
        start = complete(photo, camera, plan.canvas, Run(run.rng), detect=False).rgb
    else:
        placed = np.clip(np.rint(gather(photo.rgb.astype(np.float32), at)), 0, 255).astype(np.uint8)
        start = np.where(known[..., None], placed, np.uint8(GREY))
    if known.all():
        return start
    prompt = plan.sentences.around.format(plan.scene or job.words.scene)
    wish = Wish(prompt, True, plan.shared, job.seed, partial(_tell, run, 0.05, 0.65, "all around"))
    made = _ask(painter, opened(start, plan.shared), opened(~known, plan.shared), wish)
    return np.clip(np.rint(closed(made.astype(np.float32), plan.shared)), 0, 255).astype(np.uint8)


def _ask(
    painter: Painter, picture: UInt8[np.ndarray, "h w 3"], unknown: Bool[np.ndarray, "h w"], wish: Wish
) -> UInt8[np.ndarray, "h w 3"]:
    made = painter(picture, unknown, wish)
    if made.shape != picture.shape:
        raise InputError(f"painter: expected a picture of {picture.shape}, got {made.shape}")
    return made


def grown(rgb: UInt8[np.ndarray, "k l 3"], height: int) -> Float32[np.ndarray, "h w 3"]:
    """A panorama at another size: bicubic and closed at ±180° when it grows, area-averaged when it shrinks."""
    image = rgb.astype(np.float32)
    if height < len(rgb):
        return np.asarray(cv2.resize(image, (2 * height, height), interpolation=cv2.INTER_AREA), np.float32)
    if height == len(rgb):
        return image
    pad = 4  # columns, more than the kernel reaches
    scale = len(rgb) / height
    x = ((np.arange(2 * height) + 0.5) * scale - 0.5 + pad).astype(np.float32)
    y = ((np.arange(height) + 0.5) * scale - 0.5).astype(np.float32)
    x, y = np.meshgrid(x, y)
    out = cv2.remap(opened(image, 2 * pad), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(np.asarray(out, np.float32), 0, 255)
