"""SOFA files for tests: small valid ones as netCDF writers make them, and any field changed."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sonoworld.render import sofa_process, sofa_tables
from sonoworld.render.hrirs import HrirSet, fibonacci_sphere
from sonoworld.render.sofa import Sofa, understood

TEXTS = {
    "Conventions": "SOFA",
    "Version": "2.1",
    "SOFAConventions": "SimpleFreeFieldHRIR",
    "SOFAConventionsVersion": "1.0",
    "DataType": "FIR",
    "RoomType": "free field",
    "Title": "a test",
    "ListenerShortName": "T. Ester",
    "DatabaseName": "none",
}
WORDS = {
    "SourcePosition": ("spherical", "degree, degree, metre"),
    "ListenerPosition": ("cartesian", "metre"),
    "ListenerView": ("cartesian", "metre"),
    "ListenerUp": ("", ""),
    "ReceiverPosition": ("cartesian", "metre"),
    "Data.SamplingRate": ("", "hertz"),
}


@dataclass
class Content:
    """What goes into a file: datasets (None leaves one out), (Type, Units) of each, global texts."""

    data: dict[str, Any]
    words: dict[str, tuple[str, str]] = field(default_factory=lambda: dict(WORDS))
    texts: dict[str, Any] = field(default_factory=lambda: dict(TEXTS))
    storage: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path, libver: str | None = None) -> Path:
        with h5py.File(path, "w", libver=libver) as file:
            for key, value in self.data.items():
                if value is not None:
                    file.create_dataset(key, data=value, **(self.storage if np.size(value) > 20 else {}))
            for key, (kind, units) in self.words.items():
                for name, text in (("Type", kind), ("Units", units)):
                    if key in file and text:
                        file[key].attrs[name] = np.bytes_(text.encode())
            for key, text in self.texts.items():
                file.attrs[key] = np.bytes_(text) if isinstance(text, str) else text
        return path


def spherical(places: np.ndarray) -> np.ndarray:
    """Azimuth 0..360, elevation (degrees), distance (m)."""
    radius = np.linalg.norm(places, axis=1)
    azimuth = np.rad2deg(np.arctan2(places[:, 1], places[:, 0])) % 360
    return np.stack([azimuth, np.rad2deg(np.arcsin(places[:, 2] / radius)), radius], -1)


def content_of(hrirs: HrirSet) -> Content:
    return Content(
        {
            "Data.IR": hrirs.taps,
            "Data.SamplingRate": np.array([hrirs.rate_hz]),
            "Data.Delay": np.zeros((1, 2)),
            "SourcePosition": spherical(1.4 * hrirs.directions),
            "ListenerPosition": np.zeros((1, 3)),
            "ListenerView": np.array([[1.0, 0, 0]]),
            "ListenerUp": np.array([[0.0, 0, 1]]),
            "ReceiverPosition": np.array([[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]]),
        }
    )


@cache
def small() -> HrirSet:
    """One click per ear, earlier and on the nearer side."""
    directions = fibonacci_sphere(120)
    taps = np.zeros((120, 2, 96))
    delay = 40 - 20 * np.stack([directions[:, 1], -directions[:, 1]], -1)
    taps[np.arange(120)[:, None], [[0, 1]], np.round(delay).astype(int)] = 1.0
    return HrirSet(taps, directions, 48000.0)


def tiny() -> Content:
    """The least that is read: six directions, 16 taps."""
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    taps = np.random.default_rng(0).standard_normal((6, 2, 16))
    return content_of(HrirSet(taps, axes, 48000.0))


def read_here(path: Path) -> Sofa:
    """As `load_sofa`, but in this process: a hundred times faster, for files that are no danger to HDF5."""
    try:
        said = sofa_tables.answer(str(path))
    except Exception as error:
        got = f"{type(error).__name__}: {error}"[:200]
        raise sofa_process.refused(path, "file", "readable HDF5", got) from error
    return understood(sofa_process.decoded(path, said))
