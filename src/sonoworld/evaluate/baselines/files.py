"""Estimates that other programs wrote: one first-order file for each microphone, or a mono or surround file.

MMAudio writes mono or stereo, SEE-2-SOUND 5.1 (L R C LFE Ls Rs), OmniAudio and ViSAGe first-order Ambisonics. Layout:
`<folder>/<scene>/<mic>/foa.wav`, as the release's evaluator reads it; any suffix that we can read.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from sonoworld.disk.wav import read_wav
from sonoworld.encode.exchange import sn3d_from_fuma
from sonoworld.errors import InputError

RATE_HZ = 48000

Format = Literal["foa", "fuma", "mono", "surround"]
FORMATS: dict[str, Format] = {"mmaudio": "mono", "see-2-sound": "surround", "omniaudio": "foa", "visage": "foa"}
"""Program -> what its files hold."""

SURROUND_DEG = (30.0, -30.0, 0.0, math.nan, 110.0, -110.0)
"""L R C LFE Ls Rs: azimuth, + is left (ITU-R BS.775); LFE has none."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A folder of files of one method."""

    name: str
    folder: Path
    format: Format

    def file(self, scene: str, mic: str) -> Path:
        """The one file of a microphone.

        Raises:
            InputError: no file, or several.
        """
        place = self.folder / scene / mic
        found = sorted(place.glob("foa.*")) or sorted(place.glob("*.wav"))
        if len(found) != 1:
            raise InputError(f"{place}: expected one file foa.wav, found {len(found)} sound files")
        return found[0]

    def read(self, scene: str, mic: str) -> Float32[np.ndarray, "4 t"]:
        """[W, Y, Z, X], ACN, SN3D, 48 kHz, of one microphone.

        Raises:
            InputError: no file, several, or other channels or rate than the format has.
        """
        file = self.file(scene, mic)
        samples, rate_hz = read_wav(file)
        if rate_hz != RATE_HZ:
            raise InputError(f"{file}: expected {RATE_HZ} Hz, got {rate_hz} Hz; resample it first")
        return first_order(samples, self.format, str(file))


def first_order(samples: Float32[np.ndarray, "c t"], format_: Format, what: str) -> Float32[np.ndarray, "4 t"]:
    """Any of the formats as [W, Y, Z, X].

    Raises:
        InputError: a number of channels that the format does not have.
    """
    channels = {"foa": (4,), "fuma": (4,), "mono": (1, 2), "surround": (6,)}[format_]
    if samples.shape[0] not in channels:
        raise InputError(f"{what}: expected {' or '.join(map(str, channels))} channels, got {samples.shape[0]}")
    if format_ == "foa":
        return samples
    if format_ == "fuma":
        return np.asarray(sn3d_from_fuma(samples), np.float32)
    if format_ == "mono":
        w = samples.mean(0, keepdims=True)
        return np.concatenate([w, np.zeros((3, samples.shape[1]), np.float32)])
    angles = np.radians(np.nan_to_num(np.array(SURROUND_DEG)))
    placed = ~np.isnan(SURROUND_DEG)
    y = np.stack([np.ones(6), np.sin(angles) * placed, np.zeros(6), np.cos(angles) * placed])
    return (y @ samples).astype(np.float32)
