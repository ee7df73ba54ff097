"""A walk through a scene as sound: the field at the head, what two ears hear, or what loudspeakers play.

The recording is made in one go, not block by block, and not limited: `loudness.file_gain` brings it to a file's level.
"""

from collections.abc import Sequence
from typing import Literal, cast, overload

import numpy as np
from jaxtyping import Float32

from sonoworld.encode import EncodeOptions, encode_scene
from sonoworld.errors import ShapeError
from sonoworld.render.convolve import convolved
from sonoworld.render.hrtf import hrir
from sonoworld.render.speakers import LAYOUTS, Layout, LayoutName
from sonoworld.render.speakers_decode import decoded
from sonoworld.render.walk import Walk
from sonoworld.types import Scene, SoundField, Source

RATE_HZ = 48000
MAX_SECONDS = 3600.0


@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["binaural"] = "binaural",
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
) -> Float32[np.ndarray, "2 t"]: ...
@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["ambix"],
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
) -> SoundField: ...
@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: LayoutName | Layout,
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
) -> Float32[np.ndarray, "n t"]: ...
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["binaural", "ambix"] | LayoutName | Layout = "binaural",  # noqa: A002  the argument's public name
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
) -> Float32[np.ndarray, "n t"] | SoundField:
    """What is heard on a walk, at 48 kHz.

    Args:
        scene: a scene, or its sources alone.
        walk: the listener's head over time.
        format: "binaural" for two ears (KEMAR, MagLS), "ambix" for the sound field in head axes (ACN, SN3D), or the
            loudspeakers to play it on (a `Layout`, or the name of one: `speakers.LAYOUTS`; AllRAD). They turn with
            the head: what it faces comes from the front.
        order: Ambisonic order; None takes the options' (3 if none are given). Binaural needs 1..7.
        seconds: length; None takes the walk's.
        options: laws of encoding; `order` rules over theirs.

    Returns:
        [2, samples] left and right, a `SoundField`, or [loudspeakers, samples] in the layout's order. RMS 1 is
        100 dB SPL; nothing is limited or normalised.

    Raises:
        ShapeError: a length of 0 or more than an hour, or an order that does not fit.
        InputError: a source has no clip.
    """
    length_s = walk.seconds if seconds is None else seconds
    if not 0 < length_s <= MAX_SECONDS:
        raise ShapeError("seconds", expected=f"above 0, at most {MAX_SECONDS:g}", got=f"{length_s:g}")
    layout = LAYOUTS.get(cast("LayoutName", format)) if isinstance(format, str) else format
    if layout is None and format not in ("binaural", "ambix"):
        raise ShapeError("format", expected=f"binaural, ambix, {', '.join(LAYOUTS)} or a Layout", got=repr(format))
    chosen = _with_order(options or EncodeOptions(), order)
    samples = max(1, round(length_s * RATE_HZ))
    filters = hrir("kemar", chosen.order, RATE_HZ) if format == "binaural" else None
    sources = scene.sources if isinstance(scene, Scene) else scene
    field = encode_scene(sources, walk.track(RATE_HZ, 256, samples), chosen, samples, RATE_HZ)
    if layout is not None:
        return decoded(field, layout)
    return field if filters is None else convolved(field.signal, filters)


def _with_order(options: EncodeOptions, order: int | None) -> EncodeOptions:
    if order is None or order == options.order:
        return options
    return EncodeOptions.model_validate({**options.model_dump(), "order": order})
