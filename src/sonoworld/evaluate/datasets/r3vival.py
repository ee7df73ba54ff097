"""R3VIVAL: measured spatial responses of one room, and a 360° photo that shows three of their loudspeakers.

Letters: r radius of the array, m; k = 2πf/c; u unit direction of arrival; p_i pressure at microphone i, with
p_i = p e^(jk r_i·u) for a plane wave, so that p_front − p_back = 2j sin(k r u_x) p ≈ 2jkr u_x p.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld.disk.wav import read_wav
from sonoworld.errors import InputError
from sonoworld.frames import direction_from_angles

RADIUS_M = 0.05
SOUND_M_S = 343.2
BAND_HZ = (200.0, 1700.0)
"""Above, the array is no longer small against the wavelength; below, gradients are noise."""

DIRECT_S = (0.0005, 0.0025)
"""Kept before and after the first arrival."""

NAME = re.compile(r"(?P<condition>[0-9A-Z]+)_S(?P<azimuth>\d{3})-(?P<distance>\d{3})")

PHOTO = "Lab.png"
SEEN_BOXES = {"S060": (2534, 504, 2593, 556), "S090": (2855, 503, 2919, 556), "S120": (3165, 504, 3228, 556)}
"""Loudspeaker -> box in pixels of the photo, 3840 × 880, as a person draws it."""

PHOTO_SIZE = (3840, 880)


@dataclass(frozen=True, slots=True)
class Response:
    """One measured response; `azimuth_rad` by its name, ours (+ is left); the delay of its way is not in it."""

    condition: str
    source: str
    azimuth_rad: float
    distance_m: float
    path: Path


def read_r3vival(root: Path) -> tuple[Response, ...]:
    """The responses of a folder, in the order of their names.

    Raises:
        InputError: there are none.
    """
    found: list[Response] = []
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in (".flac", ".wav")):
        said = NAME.fullmatch(path.stem)
        if said:
            azimuth = -np.radians(float(said["azimuth"]))  # names count to the right
            azimuth = float(np.arctan2(np.sin(azimuth), np.cos(azimuth)))
            metres = float(said["distance"]) / 100
            found.append(Response(said["condition"], f"S{said['azimuth']}", azimuth, metres, path))
    if not found:
        raise InputError(f"{root}: expected responses named such as 000_S060-150.flac, found none")
    return tuple(found)


def first_order_response(response: Response) -> Float32[np.ndarray, "4 t"]:
    """[W, Y, Z, X], SN3D, between 200 Hz and 1.7 kHz, from pressure differences of the six outer microphones.

    Raises:
        InputError: not 7 channels.
    """
    samples, rate_hz = read_wav(response.path)
    if samples.shape[0] != 7:
        raise InputError(f"{response.path}: expected 7 channels, got {samples.shape[0]}")
    f = np.fft.rfftfreq(samples.shape[1], 1 / rate_hz)
    front, back, right_top, left_top, right_low, left_low, centre = np.fft.rfft(samples.astype(np.float64), axis=1)
    band = _smooth_band(f)
    slope = band / np.where(f > 0, 2j * np.pi * f / SOUND_M_S * RADIUS_M, 1.0)
    side = slope / (4 * np.sqrt(0.5))  # four microphones, 45° above and below the side
    x = (front - back) * slope / 2
    y = (left_top + left_low - right_top - right_low) * side
    z = (left_top + right_top - left_low - right_low) * side
    return np.fft.irfft(np.stack([centre * band, y, z, x]), samples.shape[1], axis=1).astype(np.float32)


def direct_sound(response: Response) -> Float32[np.ndarray, "4 t"]:
    """The first arrival of `first_order_response`, cut where the full-band centre microphone first hears it.

    Raises:
        InputError: as there, or the response is silent.
    """
    foa = first_order_response(response)
    power = np.asarray(foa[0], np.float64) ** 2
    if power.max() == 0:
        raise InputError(f"{response.path}: the response is silent")
    whole, rate_hz = read_wav(response.path)
    onset = int(np.argmax(np.abs(whole[6]) > 0.2 * np.abs(whole[6]).max()))
    begin, end = (round(s * rate_hz) for s in DIRECT_S)
    window = np.zeros(foa.shape[1], np.float32)
    low, high = max(0, onset - begin), min(onset + end, foa.shape[1])
    window[low:high] = 1.0
    return foa * window


def photo_mask(box: tuple[int, int, int, int], height: int) -> np.ndarray:
    """A box of the photo as a mask [height, 2·height]: the photo spans the whole turn, its height is taken as 180°."""
    mask = np.zeros((height, 2 * height), np.bool_)
    across, down = 2 * height / PHOTO_SIZE[0], height / PHOTO_SIZE[1]
    columns = slice(round(box[0] * across), round(box[2] * across))
    mask[round(box[1] * down) : round(box[3] * down), columns] = True
    return mask


def photo_panorama(rgb: UInt8[np.ndarray, "h w 3"], height: int) -> UInt8[np.ndarray, "k w2 3"]:
    """The photo stretched to a panorama; its azimuths are true, its elevations are not.

    Raises:
        InputError: another photo.
    """
    import cv2  # noqa: PLC0415  heavy

    if (rgb.shape[1], rgb.shape[0]) != PHOTO_SIZE:
        raise InputError(f"{PHOTO}: expected {PHOTO_SIZE[0]} × {PHOTO_SIZE[1]} pixels, got {rgb.shape[1::-1]}")
    return np.asarray(cv2.resize(np.asarray(rgb), (2 * height, height), interpolation=cv2.INTER_AREA), np.uint8)


def named_direction(response: Response) -> Float64[np.ndarray, "3"]:
    """Where its name says that the loudspeaker stands, at the height of the ears."""
    return np.asarray(direction_from_angles(np.array(response.azimuth_rad), np.array(0.0)), np.float64)


def _smooth_band(f: Float64[np.ndarray, "f"]) -> Float64[np.ndarray, "f"]:
    """1 within the band, to 0 over a third of an octave on a cosine."""
    octaves = np.log2(np.maximum(f, 1e-3))
    low, high = np.log2(BAND_HZ[0]), np.log2(BAND_HZ[1])
    rise = np.clip((octaves - low) * 3, -1, 0)
    fall = np.clip((high - octaves) * 3, -1, 0)
    return np.asarray((0.5 + 0.5 * np.cos(np.pi * rise)) * (0.5 + 0.5 * np.cos(np.pi * fall)))
