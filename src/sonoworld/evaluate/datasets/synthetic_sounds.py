"""Dry sounds for synthetic scenes: noise, chirps and tones; other takes of a sound have another seed."""

import numpy as np
from jaxtyping import Float64

from sonoworld.evaluate.datasets.synthetic_layout import Sound

RATE_HZ = 48000


def dry_sound(sound: Sound | str, seconds: float, rng: np.random.Generator) -> Float64[np.ndarray, "t"]:
    """One take, RMS 1."""
    samples = round(seconds * RATE_HZ)
    made = {
        "birds": _birds,
        "stream": lambda n, r: _noise(n, r, 300, 6000),
        "fountain": lambda n, r: _noise(n, r, 500, 9000),
        "siren": _siren,
        "voice": _voice,
        "engine": lambda n, r: _noise(n, r, 40, 400),
        "wind": lambda n, r: _noise(n, r, 50, 500),
    }[sound](samples, rng)
    return made / np.sqrt(np.mean(made**2))


def _noise(samples: int, rng: np.random.Generator, low_hz: float, high_hz: float) -> Float64[np.ndarray, "t"]:
    """Pink noise between two frequencies."""
    f = np.fft.rfftfreq(samples, 1 / RATE_HZ)
    shape = ((f >= low_hz) & (f <= high_hz)) / np.sqrt(np.maximum(f, 1.0))
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * shape, samples)


def _birds(samples: int, rng: np.random.Generator) -> Float64[np.ndarray, "t"]:
    out = np.zeros(samples)
    for _ in range(max(3, samples // (RATE_HZ // 4))):
        length = int(rng.uniform(0.06, 0.18) * RATE_HZ)
        begin = int(rng.integers(0, max(1, samples - length)))
        t = np.arange(min(length, samples - begin)) / RATE_HZ
        start_hz, slide = rng.uniform(2500, 5000), rng.uniform(-6000, 6000)
        chirp = np.sin(2 * np.pi * (start_hz * t + slide * t**2 / 2)) * np.hanning(t.size)
        out[begin : begin + t.size] += chirp
    return out


def _siren(samples: int, rng: np.random.Generator) -> Float64[np.ndarray, "t"]:
    t = np.arange(samples) / RATE_HZ
    tone_hz = 700 + 250 * np.sign(np.sin(2 * np.pi * 0.7 * t + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(tone_hz) / RATE_HZ
    return np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)


def _voice(samples: int, rng: np.random.Generator) -> Float64[np.ndarray, "t"]:
    """Babble: syllables of coloured noise."""
    t = np.arange(samples) / RATE_HZ
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * t + rng.uniform(0, 6)), 0, None)
    return _noise(samples, rng, 150, 3500) * syllables
