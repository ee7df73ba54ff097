"""Where loudspeakers stand, as values: the usual layouts, and any other from a small table.

Angles of the named layouts are the nominal ones of ITU-R BS.2051-3 (stereo 0+2+0, 5.1 0+5+0, 7.1 0+7+0, 5.1.4 4+5+0,
7.1.4 4+7+0). Labels are those of WAVE files (Microsoft, KSAUDIO_CHANNEL_CONFIG), and so is the order: rising bits of
the channel mask, for 7.1.4 FL FR FC LFE BL BR SL SR TFL TFR TBL TBR.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64
from pydantic import Field, ValidationError

from sonoworld.backend import Options
from sonoworld.errors import InputError, ShapeError

MAX_SPEAKERS = 64
LEAST_APART = np.deg2rad(1.0)
_WAVE_ORDER = "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR"
WAVE_BITS = {label: 1 << i for i, label in enumerate(_WAVE_ORDER.split())}
"""Bit of every loudspeaker in the channel mask of a WAVE file."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One loudspeaker, as seen from the listening place: azimuth + left, elevation + up.

    `lfe`: the channel of low-frequency effects. A sound field has none, so it stays silent; a bass-managed system
    sends the bass of the other channels to its subwoofer by itself. Its angles mean nothing.
    """

    label: str
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    lfe: bool = False

    def __post_init__(self) -> None:
        where = f"loudspeaker {self.label!r}"
        if not 1 <= len(self.label) <= 32:
            raise ShapeError(where, expected="a label of 1..32 letters", got=str(len(self.label)))
        if not abs(self.azimuth_deg) <= 360:
            raise ShapeError(f"{where}: azimuth_deg", expected="-360..360", got=f"{self.azimuth_deg:g}")
        if not abs(self.elevation_deg) <= 90:
            raise ShapeError(f"{where}: elevation_deg", expected="-90..90", got=f"{self.elevation_deg:g}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Loudspeakers in the order of a file's channels, all as far from the listener and as loud as each other.

    Raises:
        ShapeError: fewer than 2 that play a sound field, more than 64, or two at one place or of one label.
    """

    name: str
    speakers: tuple[Speaker, ...]

    def __post_init__(self) -> None:
        where = f"layout {self.name!r}"
        if len(self.full_range) < 2 or len(self.speakers) > MAX_SPEAKERS:
            got = f"{len(self.speakers)}, {len(self.full_range)} of them full-range"
            raise ShapeError(where, expected=f"2..{MAX_SPEAKERS} loudspeakers, LFE not counted below", got=got)
        labels = [one.label for one in self.speakers]
        if len(set(labels)) < len(labels):
            raise ShapeError(where, expected="every label once", got=", ".join(labels))
        u = self.directions
        near = np.argwhere(np.triu(u @ u.T > np.cos(LEAST_APART), 1))
        if len(near):
            first, second = (labels[self.full_range[i]] for i in near[0])
            raise ShapeError(where, expected="loudspeakers at least 1° apart", got=f"{first} and {second} nearer")

    @property
    def full_range(self) -> tuple[int, ...]:
        """Channels that play the sound field: all but LFE."""
        return tuple(i for i, one in enumerate(self.speakers) if not one.lfe)

    @property
    def directions(self) -> Float64[np.ndarray, "s 3"]:
        """Unit vectors to the full-range loudspeakers, head axes (FLU)."""
        angles = np.deg2rad([(one.azimuth_deg, one.elevation_deg) for one in self.speakers if not one.lfe])
        azimuth, elevation = angles.reshape(-1, 2).T
        flat = np.cos(elevation)
        return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], -1)

    @property
    def wave_mask(self) -> int:
        """Channel mask of a WAVE file; 0 where the labels are not WAVE's or not in WAVE's order."""
        bits = [WAVE_BITS.get(one.label, 0) for one in self.speakers]
        known = all(bits) and bits == sorted(bits) and all(s.lfe == (s.label == "LFE") for s in self.speakers)
        return sum(bits) if known else 0


def _standing(**places: tuple[float, float]) -> tuple[Speaker, ...]:
    return tuple(Speaker(label, *place) for label, place in places.items())


_STEREO = _standing(FL=(30, 0), FR=(-30, 0))
_LFE = Speaker("LFE", lfe=True)
_FRONT = (*_STEREO, Speaker("FC"), _LFE)
_SIDES = _standing(SL=(110, 0), SR=(-110, 0))
_SEVEN = _standing(BL=(135, 0), BR=(-135, 0), SL=(90, 0), SR=(-90, 0))
_TOPS_OF_FIVE = _standing(TFL=(30, 30), TFR=(-30, 30), TBL=(110, 30), TBR=(-110, 30))
_TOPS_OF_SEVEN = _standing(TFL=(45, 30), TFR=(-45, 30), TBL=(135, 30), TBR=(-135, 30))
_TILT_DEG = float(np.rad2deg(np.arctan(1 / np.sqrt(2))))
_CUBE = tuple(
    Speaker(f"{height}{side}", azimuth, sign * _TILT_DEG)
    for height, sign in (("D", -1), ("U", 1))
    for side, azimuth in (("FL", 45.0), ("FR", -45.0), ("BL", 135.0), ("BR", -135.0))
)

LayoutName = Literal["stereo", "quad", "5.1", "7.1", "5.1.4", "7.1.4", "cube"]
LAYOUTS: dict[LayoutName, Layout] = {
    "stereo": Layout("stereo", _STEREO),
    "quad": Layout("quad", _standing(FL=(45, 0), FR=(-45, 0), BL=(135, 0), BR=(-135, 0))),
    "5.1": Layout("5.1", (*_FRONT, *_SIDES)),
    "7.1": Layout("7.1", (*_FRONT, *_SEVEN)),
    "5.1.4": Layout("5.1.4", (*_FRONT, *_SIDES, *_TOPS_OF_FIVE)),
    "7.1.4": Layout("7.1.4", (*_FRONT, *_SEVEN, *_TOPS_OF_SEVEN)),
    "cube": Layout("cube", _CUBE),
}
"""By name. `cube` has its corners at ±45° and ±135°, 35.3° up and down, lower four (D) before upper four (U)."""


class _Row(Options):
    label: str
    azimuth_deg: float = Field(default=0.0, allow_inf_nan=False)
    elevation_deg: float = Field(default=0.0, allow_inf_nan=False)
    lfe: bool = False


class _Table(Options):
    name: str = "own layout"
    speakers: list[_Row] = Field(max_length=MAX_SPEAKERS)


def parse_layout(document: object) -> Layout:
    """A layout from its JSON or TOML form.

    `{"name": "studio", "speakers": [{"label": "FL", "azimuth_deg": 30, "elevation_deg": 0}, ...]}`, in the order of
    the channels; a subwoofer is `{"label": "LFE", "lfe": true}`.

    Raises:
        InputError: anything unknown, missing or out of range; says where.
    """
    try:
        table = _Table.model_validate(document, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise InputError(f"layout{where}: {first['msg']}") from error
    rows = [Speaker(row.label, row.azimuth_deg, row.elevation_deg, row.lfe) for row in table.speakers]
    return Layout(table.name, tuple(rows))
