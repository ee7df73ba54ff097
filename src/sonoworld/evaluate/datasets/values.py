"""What a data set holds, as plain values: scenes, their microphones, and the recordings made at these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from sonoworld.types import Clip, Geometry, Sounding, Source


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a microphone stands, as people marked it in the calibration panorama.

    Attributes:
        camera_from_world: rotation; OpenCV camera axes at the microphone, the release's panorama axes (front is −x).
        ground: (u, v) in 0..1 of the point on the ground below the microphone.
        centre: (u, v) in 0..1 of its capsule.
    """

    camera_from_world: Float64[np.ndarray, "3 3"]
    ground: tuple[float, float]
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Recording:
    """One first-order recording (ACN, SN3D, 48 kHz), in a file."""

    id: str
    path: Path


@dataclass(frozen=True, slots=True)
class Microphone:
    """One place of recording; `annotations` are (direction, label) pairs, directions left, right, front, ...

    `text` is the file that says all this but the recordings.
    """

    id: str
    marks: Marks
    recordings: tuple[Recording, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    text: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of this microphone."""
        return (*(() if self.text is None else (self.text,)), *(clip.path for clip in self.recordings))


@dataclass(frozen=True, slots=True)
class RecordedScene:
    """A panorama, what is known to sound in it, and its microphones."""

    id: str
    panorama: Path
    known_sources: tuple[str, ...]
    microphones: tuple[Microphone, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """All scenes of a data set."""

    name: str
    scenes: tuple[RecordedScene, ...]

    @property
    def clip_count(self) -> int:
        """Recordings in all."""
        return sum(len(mic.recordings) for scene in self.scenes for mic in scene.microphones)


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a renderer is given: how far things are, what sounds where in the picture, and the dry clips.

    Attributes:
        rgb: the panorama.
        geometry: its distances.
        soundings: with masks.
        clips: by place in `soundings`.
        truth: where the sources really are, for those who may know (else none).
        part: of the benchmark, for example `open` or `occluded`.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    geometry: Geometry
    soundings: tuple[Sounding, ...]
    clips: tuple[Clip, ...]
    truth: tuple[Source, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
