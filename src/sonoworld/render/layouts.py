"""Loudspeaker layouts: who stands where, in the order of a sound file's channels.

Angles in radians, azimuth counter-clockwise from ahead (+ is left), elevation up. All loudspeakers stand at the same
distance from the listener, or are delayed and levelled as if they did: a layout knows directions only.

Positions of 5.1, 7.1, 5.1.4 and 7.1.4: ITU-R BS.2051-3, systems B, I, D and J at their nominal angles; stereo: system
A; quad: four corners of a square. The cube's corners lie at ±45°, ±135° and 35.26° up and down.

Channel order and masks are those of WAVE_FORMAT_EXTENSIBLE (Microsoft 2007), where every loudspeaker has a bit and
channels follow their bits: L R C LFE, back pair, side pair, then top front and top back pairs. The ±110° pair of 5.1
is "side" (5.1 surround, 0x60F), the ±135° pair of 7.1 is "back" and comes before its side pair.
"""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from jaxtyping import Bool, Float64

from sonoworld.errors import InputError, ShapeError

MAX_SPEAKERS = 64
MAX_LABEL = 32
_SPEAKER_KEYS = {"label", "azimuth_deg", "elevation_deg", "lfe"}


@dataclass(frozen=True, slots=True)
class Speaker:
    """One loudspeaker; radians. `lfe`: it carries low-frequency effects and no direction."""

    label: str
    azimuth: float
    elevation: float
    lfe: bool = False


@dataclass(frozen=True, slots=True)
class SpeakerLayout:
    """Loudspeakers in channel order. `channel_mask` is that of WAVE_FORMAT_EXTENSIBLE; 0: the channels have no names.

    Raises:
        ShapeError: fewer than two loudspeakers beside LFE, more than 64 in all, a label twice, an angle out of range
            (azimuth ±2π, elevation ±π/2), or a mask of another number of channels.
    """

    name: str
    speakers: tuple[Speaker, ...]
    channel_mask: int = 0

    def __post_init__(self) -> None:
        what = f"layout {self.name!r}"
        full = sum(not speaker.lfe for speaker in self.speakers)
        if full < 2 or len(self.speakers) > MAX_SPEAKERS:
            got = f"{full} of {len(self.speakers)}"
            raise ShapeError(what, expected=f"2..{MAX_SPEAKERS} loudspeakers that are not LFE", got=got)
        labels = [speaker.label for speaker in self.speakers]
        if len(set(labels)) < len(labels):
            raise ShapeError(what, expected="a label of its own for every loudspeaker", got=", ".join(labels))
        for speaker in self.speakers:
            if not (abs(speaker.azimuth) <= 2 * math.pi and abs(speaker.elevation) <= math.pi / 2):
                got = f"{math.degrees(speaker.azimuth):g}°, {math.degrees(speaker.elevation):g}°"
                raise ShapeError(f"{what}, {speaker.label}", expected="azimuth ±360°, elevation ±90°", got=got)
        if self.channel_mask and self.channel_mask.bit_count() != len(self.speakers):
            got = f"{self.channel_mask:#x}"
            raise ShapeError(f"{what}.channel_mask", expected=f"0 or {len(self.speakers)} bits", got=got)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(speaker.label for speaker in self.speakers)

    @property
    def lfe(self) -> Bool[np.ndarray, "s"]:
        """Which channels are for low-frequency effects."""
        return np.array([speaker.lfe for speaker in self.speakers])

    @property
    def directions(self) -> Float64[np.ndarray, "s 3"]:
        """Unit vectors to all loudspeakers, LFE too, FLU."""
        azimuth = np.array([speaker.azimuth for speaker in self.speakers])
        elevation = np.array([speaker.elevation for speaker in self.speakers])
        level = np.cos(elevation)
        return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], -1)


def _layout(name: str, mask: int, places_deg: dict[str, tuple[float, float]]) -> SpeakerLayout:
    speakers = tuple(
        Speaker(label, math.radians(azimuth), math.radians(elevation), label == "LFE")
        for label, (azimuth, elevation) in places_deg.items()
    )
    return SpeakerLayout(name, speakers, mask)


_FRONT = {"L": (30.0, 0.0), "R": (-30.0, 0.0)}
# BS.2051 gives LFE no direction; the place is the usual one and is used by nobody
_SCREEN = _FRONT | {"C": (0.0, 0.0), "LFE": (45.0, -30.0)}
_FIVE = _SCREEN | {"Ls": (110.0, 0.0), "Rs": (-110.0, 0.0)}
_SEVEN = _SCREEN | {"Lrs": (135.0, 0.0), "Rrs": (-135.0, 0.0), "Lss": (90.0, 0.0), "Rss": (-90.0, 0.0)}
_TOP_FIVE = {"Ltf": (30.0, 30.0), "Rtf": (-30.0, 30.0), "Ltr": (110.0, 30.0), "Rtr": (-110.0, 30.0)}
_TOP_SEVEN = {"Ltf": (45.0, 30.0), "Rtf": (-45.0, 30.0), "Ltr": (135.0, 30.0), "Rtr": (-135.0, 30.0)}
_CORNERS = {"L": 45.0, "R": -45.0, "Lb": 135.0, "Rb": -135.0}
_DIAGONAL = math.degrees(math.asin(1 / math.sqrt(3)))

LAYOUTS: dict[str, SpeakerLayout] = {
    layout.name: layout
    for layout in (
        _layout("stereo", 0x3, _FRONT),
        _layout("quad", 0x33, {label: (azimuth, 0.0) for label, azimuth in _CORNERS.items()}),
        _layout("5.1", 0x60F, _FIVE),
        _layout("7.1", 0x63F, _SEVEN),
        _layout("5.1.4", 0x2D60F, _FIVE | _TOP_FIVE),
        _layout("7.1.4", 0x2D63F, _SEVEN | _TOP_SEVEN),
        _layout(
            "cube",
            0,
            {f"{label} up": (azimuth, _DIAGONAL) for label, azimuth in _CORNERS.items()}
            | {f"{label} down": (azimuth, -_DIAGONAL) for label, azimuth in _CORNERS.items()},
        ),
    )
}
"""The layouts that have a name."""


def layout_named(name: str) -> SpeakerLayout:
    """One of `LAYOUTS`.

    Raises:
        InputError: there is none of that name.
    """
    if name not in LAYOUTS:
        raise InputError(f"layout: expected {', '.join(LAYOUTS)} or a layout of your own, got {name!r}")
    return LAYOUTS[name]


def parse_layout(document: object) -> SpeakerLayout:
    """A layout from its JSON form, in the order of the channels.

    `{"name": "studio", "speakers": [{"label": "L", "azimuth_deg": 30, "elevation_deg": 0, "lfe": false}, ...]}`;
    `elevation_deg` and `lfe` may be left out (0, false), `name` too ("own"). Degrees, + is left and up.

    Raises:
        InputError: anything unknown, missing, or out of range; says which loudspeaker.
    """
    if not isinstance(document, dict) or not set(document) <= {"name", "speakers"}:
        raise InputError('layout: expected an object with "speakers" (and perhaps "name") and nothing else')
    table = cast("dict[str, object]", document)
    speakers = table.get("speakers")
    if not isinstance(speakers, list) or len(cast("list[object]", speakers)) > MAX_SPEAKERS:
        raise InputError(f"layout.speakers: expected a list of at most {MAX_SPEAKERS}, got {_short(speakers)}")
    name = _text(table.get("name", "own"), "layout.name")
    rows = enumerate(cast("list[object]", speakers))
    return SpeakerLayout(name, tuple(_speaker(row, f"layout.speakers[{i}]") for i, row in rows))


def _speaker(row: object, where: str) -> Speaker:
    if not isinstance(row, dict) or not set(row) <= _SPEAKER_KEYS:
        raise InputError(f"{where}: expected an object of {', '.join(sorted(_SPEAKER_KEYS))}, got {_short(row)}")
    table = cast("dict[str, object]", row)
    lfe = table.get("lfe", False)
    if not isinstance(lfe, bool):
        raise InputError(f"{where}.lfe: expected true or false, got {_short(lfe)}")
    azimuth = _degrees(table.get("azimuth_deg", 0.0 if lfe else None), 360.0, f"{where}.azimuth_deg")
    elevation = _degrees(table.get("elevation_deg", 0.0), 90.0, f"{where}.elevation_deg")
    return Speaker(_text(table.get("label"), f"{where}.label"), azimuth, elevation, lfe)


def _degrees(value: object, most: float, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
        raise InputError(f"{where}: expected a number within ±{most:g}, got {_short(value)}")
    return math.radians(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= MAX_LABEL:
        raise InputError(f"{where}: expected 1..{MAX_LABEL} printable characters, got {_short(value)}")
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
