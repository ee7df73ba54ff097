"""A walk through a scene as sound: the field at the head, what two ears hear, or what loudspeakers play.

The recording is made in one go, not block by block, and not limited: `loudness.file_gain` brings it to a file's level.
"""

from collections.abc import Sequence
from typing import Literal, cast, overload

import numpy as np
from jaxtyping import Float32

from sonoworld.acoustics.room import Emitter, Room
from sonoworld.encode import EncodeOptions, encode_scene
from sonoworld.errors import ShapeError
from sonoworld.render.convolve import convolved
from sonoworld.render.hrtf import hrir
from sonoworld.render.room_sound import room_field
from sonoworld.render.speakers import LAYOUTS, Layout, LayoutName
from sonoworld.render.speakers_decode import decoded
from sonoworld.render.walk import Walk, looking_ahead
from sonoworld.types import Scene, SoundField, Source

RATE_HZ = 48000
MAX_SECONDS = 3600.0

FittedRoom = tuple[Room, Emitter | None]
"""A room, and the loudspeaker that measured its late field, if one did: as `disk.room_file.read_room` gives it."""

Facing = Literal["head", "ahead"]
"""Where loudspeakers look: where the walk's head looks, or along the world's x, always."""


@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["binaural"] = "binaural",
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
    *,
    room: FittedRoom | None = None,
) -> Float32[np.ndarray, "2 t"]: ...
@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["ambix"],
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
    *,
    room: FittedRoom | None = None,
) -> SoundField: ...
@overload
def render_walk(
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: LayoutName | Layout,
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
    *,
    facing: Facing = "head",
    room: FittedRoom | None = None,
) -> Float32[np.ndarray, "n t"]: ...
def render_walk(  # noqa: PLR0913  one per choice that a listener has
    scene: Scene | Sequence[Source],
    walk: Walk,
    format: Literal["binaural", "ambix"] | LayoutName | Layout = "binaural",  # noqa: A002  the argument's public name
    order: int | None = None,
    seconds: float | None = None,
    options: EncodeOptions | None = None,
    *,
    facing: Facing = "head",
    room: FittedRoom | None = None,
) -> Float32[np.ndarray, "n t"] | SoundField:
    """What is heard on a walk, at 48 kHz.

    Args:
        scene: a scene, or its sources alone.
        walk: the listener's head over time.
        format: "binaural" for two ears (KEMAR, MagLS), "ambix" for the sound field in head axes (ACN, SN3D), or the
            loudspeakers to play it on (a `Layout`, or the name of one: `speakers.LAYOUTS`; AllRAD).
        order: Ambisonic order; None takes the options' (3 if none are given). Binaural needs 1..7.
        seconds: length; None takes the walk's.
        options: laws of encoding; `order` rules over theirs.
        facing: of loudspeakers. "head": they turn with the walk's head, what it faces comes from the front. "ahead":
            they walk along but keep looking along the world's x, so that the world does not swing round those who sit
            among them and turn their own heads.
        room: adds reflections and a late field (`room_sound`); with it, the loudspeaker that measured it, if one did.
            None: the free field.

    Returns:
        [2, samples] left and right, a `SoundField`, or [loudspeakers, samples] in the layout's order. RMS 1 is
        100 dB SPL; nothing is limited or normalised.

    Raises:
        ShapeError: a length of 0 or more than an hour, an order that does not fit, or facing "ahead" without
            loudspeakers.
        InputError: a source has no clip.
    """
    length_s = walk.seconds if seconds is None else seconds
    if not 0 < length_s <= MAX_SECONDS:
        raise ShapeError("seconds", expected=f"above 0, at most {MAX_SECONDS:g}", got=f"{length_s:g}")
    layout = LAYOUTS.get(cast("LayoutName", format)) if isinstance(format, str) else format
    if layout is None and format not in ("binaural", "ambix"):
        raise ShapeError("format", expected=f"binaural, ambix, {', '.join(LAYOUTS)} or a Layout", got=repr(format))
    if facing not in ("head", "ahead") or (facing == "ahead" and layout is None):
        raise ShapeError("facing", expected="'head', or 'ahead' for loudspeakers", got=f"{facing!r} for {format!r}")
    chosen = _with_order(options or EncodeOptions(), order)
    samples = max(1, round(length_s * RATE_HZ))
    filters = hrir("kemar", chosen.order, RATE_HZ) if format == "binaural" else None
    sources = scene.sources if isinstance(scene, Scene) else scene
    way = walk if facing == "head" else looking_ahead(walk)
    track = way.track(RATE_HZ, 256, samples)
    field = encode_scene(sources, track, chosen, samples, RATE_HZ)
    if room is not None:
        added = room_field(sources, track, room, chosen, samples, RATE_HZ)
        field = SoundField(field.signal + added, field.rate_hz, field.full_scale_db)
    if layout is not None:
        return decoded(field, layout)
    return field if filters is None else convolved(field.signal, filters)


def _with_order(options: EncodeOptions, order: int | None) -> EncodeOptions:
    if order is None or order == options.order:
        return options
    return EncodeOptions.model_validate({**options.model_dump(), "order": order})
