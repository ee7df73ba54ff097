"""Sources are told from a mixture that another renderer made: place, level, absorption, colour, width."""

import numpy as np
import pytest

from sonoworld.acoustics.bands import BANDS, minimum_phase_basis
from sonoworld.encode import Track
from sonoworld.encode.area import cap_gains
from sonoworld.encode.field import ramped_mix
from sonoworld.encode.harmonics import harmonics
from sonoworld.errors import ShapeError
from sonoworld.learn.source import Believed, SourceFit, fit_sources

T, BLOCK, ORDER = 12288, 256, 2
TRUE = Believed(
    np.array([[2.5, 1.0, 0.3], [-0.5, -2.0, 0.0]]),
    np.array([90.0, 84.0]),
    0.1,
    np.array([[-4.0, -3, -1, 0, 1, 2, 2, 3], [5.0, 3, 1, 0, -1, -2, -3, -3]]),
    np.radians([10.0, 40.0]),
)


def dry() -> np.ndarray:
    return np.random.default_rng(5).standard_normal((2, T)).astype(np.float32)


def walk() -> Track:
    count = T // BLOCK + 1
    origins = np.linspace([0.0, 0, 0], [1.6, -0.9, 0.0], count)
    return Track(np.tile(np.eye(3), (count, 1, 1)), origins, BLOCK)


def mixture() -> np.ndarray:
    """With NumPy alone: σ(d) = exp(−α(d − 1))/d, caps, colours; 0 dBFS is 100 dB SPL."""
    track, out = walk(), np.zeros(((ORDER + 1) ** 2, T), np.float32)
    for q in range(2):
        way = TRUE.places[q] - track.origins
        d = np.sqrt((way**2).sum(1) + 0.01)
        gain = 10 ** ((TRUE.level_db[q] - 100) / 20) * np.exp(-TRUE.alpha * (d - 1)) / d
        gains = gain[:, None] * harmonics(way, ORDER) * np.asarray(cap_gains(TRUE.half_angle[q], ORDER))
        n = 1 << 15
        colour = np.exp(minimum_phase_basis(n, 48000) @ (TRUE.colour_db[q] * np.log(10) / 20))
        x = np.fft.irfft(np.fft.rfft(dry()[q], n) * colour, n)[:T].astype(np.float32)
        out += ramped_mix(x[None], gains[:, None], BLOCK)
    return out


@pytest.fixture(scope="module")
def fit() -> SourceFit:
    start = Believed(
        TRUE.places + np.array([[0.5, -0.4, 0.2], [-0.4, 0.5, 0.3]]),
        np.array([86.0, 88.0]),
        0.03,
        np.zeros((2, BANDS)),
        np.radians([25.0, 25.0]),
    )
    return fit_sources(mixture(), dry(), walk(), start)


def test_places_and_levels(fit: SourceFit) -> None:
    assert np.linalg.norm(fit.told.places - TRUE.places, axis=1).max() < 0.05
    np.testing.assert_allclose(fit.told.level_db, TRUE.level_db, atol=0.3)


def test_absorption_colour_and_width(fit: SourceFit) -> None:
    assert fit.told.alpha == pytest.approx(TRUE.alpha, abs=0.02)
    centred = TRUE.colour_db - TRUE.colour_db.mean(1, keepdims=True)
    np.testing.assert_allclose(fit.told.colour_db[:, 2:], centred[:, 2:], atol=0.5)
    assert np.abs(fit.told.half_angle - TRUE.half_angle).max() < np.radians(4)
    assert fit.losses[-1] < 1e-3 * fit.losses[0]


def test_other_numbers_of_sounds_are_refused() -> None:
    with pytest.raises(ShapeError, match="dry"):
        fit_sources(mixture(), dry()[:1], walk(), TRUE)
