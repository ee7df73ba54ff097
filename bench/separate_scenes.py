"""Mixtures with known truth for `separate.py`: free field, measured rooms (R3VIVAL), simulated rooms.

R3VIVAL (CC BY 4.0): microphones 5 cm around a middle one; its first-order field is made here by pressure gradients and
is good to 1.7 kHz, so those mixtures are cut to 200..1700 Hz. Simulated rooms: image sources of pyroomacoustics (MIT).
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfiltfilt

from sonoworld.disk.wav import read_wav
from sonoworld.encode.harmonics import harmonics

RATE_HZ, SECONDS = 16000, 4.0
SAMPLES = int(RATE_HZ * SECONDS)
SPEED_M_S, ARRAY_RADIUS_M = 343.0, 0.05
BAND_HZ = (200.0, 1700.0)
NOISE_DB = -20.0
APART_DEG = {2: 60.0, 3: 45.0, 4: 40.0}


@dataclass(frozen=True)
class Mixture:
    """`images` [k c t]: what each source puts on each channel; `directions` [k 3] true; `noise` [c t]."""

    images: np.ndarray
    noise: np.ndarray
    directions: np.ndarray
    rooms: np.ndarray | None = None

    @property
    def signal(self) -> np.ndarray:
        return (self.images.sum(0) + self.noise).astype(np.float32)


def dry_sounds(folder: Path) -> dict[str, np.ndarray]:
    """Mono recordings at 16 kHz by file name."""
    made: dict[str, np.ndarray] = {}
    for file in sorted(f for f in folder.iterdir() if f.suffix in (".ogg", ".wav", ".flac")):
        samples, rate = read_wav(file)
        mono = samples[:, : 40 * rate].mean(0).astype(np.float64)
        common = np.gcd(rate, RATE_HZ)
        made[file.stem] = resample_poly(mono, RATE_HZ // common, rate // common)
    return made


def excerpts(sounds: dict[str, np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` different recordings, 4 s each from a random place that is not silent, power 1."""
    names = rng.permutation(sorted(sounds))[:count]
    rows: list[np.ndarray] = []
    for name in names:
        x = sounds[name]
        x = np.pad(x, (0, max(0, SAMPLES - len(x))))
        starts = rng.integers(0, len(x) - SAMPLES + 1, 8)
        piece = max((x[s : s + SAMPLES] for s in starts), key=lambda p: float(np.mean(p**2) > 1e-8))
        rows.append(piece / np.sqrt(np.mean(piece**2)))
    return np.stack(rows)


def horizontal(azimuths: Sequence[float] | np.ndarray) -> np.ndarray:
    az = np.asarray(azimuths, np.float64)
    return np.stack([np.cos(az), np.sin(az), 0 * az], -1)


def spread_azimuths(count: int, least_deg: float, rng: np.random.Generator) -> np.ndarray:
    while True:
        az = rng.uniform(-np.pi, np.pi, count)
        gap = np.abs((az[:, None] - az + np.pi) % (2 * np.pi) - np.pi) + 10 * np.eye(count)
        if gap.min() >= np.radians(least_deg):
            return az


def diffuse(power: float, rng: np.random.Generator) -> np.ndarray:
    """First-order field of many independent plane waves: covariance diag(1, 1/3, 1/3, 1/3) times `power`."""
    scale = np.sqrt(power * np.array([1, 1 / 3, 1 / 3, 1 / 3]))
    return scale[:, None] * rng.normal(size=(4, SAMPLES))


def free_field(sounds: dict[str, np.ndarray], count: int, rng: np.random.Generator) -> Mixture:
    u = horizontal(spread_azimuths(count, APART_DEG.get(count, 30.0), rng))
    images = harmonics(u, 1)[:, :, None] * excerpts(sounds, count, rng)[:, None]
    return Mixture(images, diffuse(10 ** (NOISE_DB / 10) * count, rng), u)


def through(sounds: dict[str, np.ndarray], rooms: np.ndarray, u: np.ndarray, rng: np.random.Generator) -> Mixture:
    """Dry excerpts through first-order responses [k c t], images of equal power at W, diffuse noise 30 dB below."""
    dry = excerpts(sounds, len(rooms), rng)
    images = fftconvolve(dry[:, None], rooms, axes=-1)[..., :SAMPLES]
    images = images / np.sqrt(np.mean(images[:, :1] ** 2, axis=-1, keepdims=True))
    return Mixture(images, diffuse(1e-3 * len(rooms), rng), u, rooms)


def in_band(mixture: Mixture) -> Mixture:
    sos = butter(4, BAND_HZ, "bandpass", fs=RATE_HZ, output="sos")
    images = sosfiltfilt(sos, mixture.images, axis=-1)
    scale = 1 / np.sqrt(np.mean(images[:, :1] ** 2, axis=-1, keepdims=True))
    noise = sosfiltfilt(sos, mixture.noise, axis=-1)
    return Mixture(images * scale, noise, mixture.directions, mixture.rooms)


def r3vival_responses(folder: Path, condition: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (direction, first-order response [4 t] at 16 kHz). Names count azimuth clockwise."""
    made: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for file in sorted(folder.glob(f"{condition}_S*-150.flac")):
        name = file.stem.split("_")[1]
        samples, rate = read_wav(file)
        made[name] = (horizontal([-np.radians(float(name[1:4]))])[0], _gradient_field(samples.astype(np.float64), rate))
    return made


def _gradient_field(p: np.ndarray, rate_hz: int) -> np.ndarray:
    """W from the middle microphone, X Y Z from differences over 2jkr, Tikhonov below 60 Hz."""
    size = 2 * p.shape[1]
    P = np.fft.rfft(p, size)
    k = 2 * np.pi * np.fft.rfftfreq(size, 1 / rate_hz) / SPEED_M_S
    kr = 2j * k * ARRAY_RADIUS_M
    floor = (2 * 2 * np.pi * 60 / SPEED_M_S * ARRAY_RADIUS_M) ** 2
    upto = (k * SPEED_M_S / (2 * np.pi)) < 4000
    back = upto * np.conj(kr) / (np.abs(kr) ** 2 + floor)
    front, rear, right_top, left_top, right_low, left_low, middle = P
    side = 2 * np.sqrt(0.5)
    X = (front - rear) * back
    Y = (left_top + left_low - right_top - right_low) / side * back
    Z = (left_top + right_top - left_low - right_low) / side * back
    field = np.fft.irfft(np.stack([middle, Y, Z, X]), size)[:, : p.shape[1]]
    common = np.gcd(rate_hz, RATE_HZ)
    return resample_poly(field, RATE_HZ // common, rate_hz // common, axis=-1)


def simulated_response(room_m: np.ndarray, source_m: np.ndarray, listener_m: np.ndarray, t60_s: float) -> np.ndarray:
    """First-order response [4 t] from the image sources of pyroomacoustics, amplitude 1/d, band-limited delays."""
    pra: Any = importlib.import_module("pyroomacoustics")  # only these rows need it

    absorption, order = pra.inverse_sabine(t60_s, list(room_m))
    room = pra.ShoeBox(list(room_m), fs=RATE_HZ, materials=pra.Material(absorption), max_order=min(order, 40))
    room.add_source(list(source_m))
    room.add_microphone(list(listener_m))
    room.image_source_model()
    images = room.sources[0].images.T
    damping = np.asarray(room.sources[0].damping).reshape(-1, len(images))[0]
    offset = images - listener_m
    d = np.linalg.norm(offset, axis=1)
    length = int(RATE_HZ * (t60_s + 0.05))
    keep = d / SPEED_M_S * RATE_HZ < length - 50
    return _taps(offset[keep], d[keep], damping[keep], length)


def _taps(offset: np.ndarray, d: np.ndarray, damping: np.ndarray, length: int) -> np.ndarray:
    gains = harmonics(offset, 1) * (damping / d)[:, None]
    at = d / SPEED_M_S * RATE_HZ
    first = np.floor(at).astype(int) - 20
    out = np.zeros((4, length + 64))
    for j in range(42):
        t = first + j - at
        tap = np.sinc(t) * (0.5 + 0.5 * np.cos(np.pi * np.clip(t / 21, -1, 1)))
        for c in range(4):
            out[c] += np.bincount(np.maximum(first + j, 0), gains[:, c] * tap, minlength=length + 64)
    return out[:, :length]


def simulated(sounds: dict[str, np.ndarray], count: int, t60_s: float, rng: np.random.Generator) -> Mixture:
    """A shoebox of random size, listener near its middle, sources 1..2 m away."""
    size = rng.uniform([5, 4, 2.5], [8, 6, 3.2])
    listener = size * rng.uniform(0.42, 0.58, 3)
    u = horizontal(spread_azimuths(count, APART_DEG.get(count, 30.0), rng))
    rooms = np.stack([simulated_response(size, listener + rng.uniform(1.0, 1.8) * v, listener, t60_s) for v in u])
    return through(sounds, rooms, u, rng)


def measured(
    sounds: dict[str, np.ndarray],
    responses: dict[str, tuple[np.ndarray, np.ndarray]],
    count: int,
    rng: np.random.Generator,
) -> Mixture:
    """Sources of R3VIVAL at least 60° apart (their grid is 30°)."""
    names = sorted(responses)
    while True:
        chosen = rng.permutation(names)[:count]
        u = np.stack([responses[n][0] for n in chosen])
        if (u @ u.T - 2 * np.eye(count)).max() < np.cos(np.radians(59)):
            break
    return in_band(through(sounds, np.stack([responses[n][1] for n in chosen]), u, rng))
