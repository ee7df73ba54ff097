"""Sounds that tell headphones from loudspeakers, and right from left, made here.

Huggins pitch (Milne et al., Behavior Research Methods 2021): white noise, alike in both ears but for a narrow band, in
which the phase between the ears turns once around. With headphones a faint tone is heard at the middle of the band;
over loudspeakers the ears' signals mix in the air and there is only noise. Of three noises one has it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

PITCH_HZ = 600.0
WIDTH = 0.06
"""Half of the band, relative to its middle."""

NOISE_S, GAP_S, FADE_S = 1.0, 0.15, 0.02
CHOICES = 3
RMS = 0.05

PITCHES, EARS = 6, 2
"""How many of each are asked."""

LEAST_PITCHES = 5
"""Right answers that pass; by chance 5 of 6 are there in 1.8 %."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question.

    Attributes:
        kind: `pitch` (which of three noises has a tone) or `ear` (which ear hears it).
        sound: stereo.
        answer: number of the noise from 0, or 0 for left and 1 for right.
    """

    kind: str
    sound: Float32[np.ndarray, "2 t"]
    answer: int


def checks(rate_hz: int, seed: int) -> list[Check]:
    """All questions, ears first: a left ear once, a right ear once; where the pitch is, drawn."""
    rng = np.random.default_rng(seed)
    sides = rng.permutation(EARS)
    made = [Check("ear", _one_ear(rate_hz, int(side), rng), int(side)) for side in sides]
    for answer in rng.permutation(np.arange(PITCHES) % CHOICES):
        made.append(Check("pitch", three_noises(rate_hz, int(answer), rng), int(answer)))
    return made


def three_noises(rate_hz: int, answer: int, rng: np.random.Generator) -> Float32[np.ndarray, "2 t"]:
    """Three noises with gaps, of which number `answer` has Huggins pitch."""
    gap = np.zeros((2, round(GAP_S * rate_hz)))
    parts: list[np.ndarray] = []
    for k in range(CHOICES):
        noise = rng.standard_normal(round(NOISE_S * rate_hz))
        ears = huggins(noise, rate_hz) if k == answer else np.stack([noise, noise])
        parts += [_levelled(ears, rate_hz), gap]
    return np.concatenate(parts[:-1], axis=1).astype(np.float32)


def huggins(noise: Float64[np.ndarray, "t"], rate_hz: int) -> Float64[np.ndarray, "2 t"]:
    """The noise to the left; to the right with a phase that turns from 0 to 2π across the band."""
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(noise.size, 1 / rate_hz)
    low, high = PITCH_HZ * (1 - WIDTH), PITCH_HZ * (1 + WIDTH)
    turn = 2 * np.pi * np.clip((hz - low) / (high - low), 0, 1)
    return np.stack([noise, np.fft.irfft(spectrum * np.exp(1j * turn), noise.size)])


def _one_ear(rate_hz: int, side: int, rng: np.random.Generator) -> Float32[np.ndarray, "2 t"]:
    ears = np.zeros((2, round(NOISE_S * rate_hz)))
    ears[side] = _levelled(rng.standard_normal((1, ears.shape[1])), rate_hz)[0]
    return ears.astype(np.float32)


def _levelled(ears: Float64[np.ndarray, "c t"], rate_hz: int) -> Float64[np.ndarray, "c t"]:
    """At `RMS`, with soft ends."""
    n = round(FADE_S * rate_hz)
    fade = np.ones(ears.shape[1])
    fade[:n] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    fade[-n:] = fade[:n][::-1]
    return ears * fade * (RMS / np.sqrt(np.mean(ears**2)))
