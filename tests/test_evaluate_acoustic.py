import math

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.evaluate import acoustic, acoustic_spectra

RATE_HZ = 16_000


def decaying(t60: float, seconds: float = 1.5) -> np.ndarray:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return 10 ** (-3 * t / t60)


@pytest.mark.parametrize("t60", [0.3, 0.8])
def test_an_exponential_has_its_own_decay_times(t60: float) -> None:
    assert acoustic.t60_s(decaying(t60), RATE_HZ) == pytest.approx(t60, rel=2e-3)
    assert acoustic.edt_s(decaying(t60), RATE_HZ) == pytest.approx(t60, rel=2e-3)
    x = 10 ** (-6 * 0.05 / t60)
    assert acoustic.c50_db(decaying(t60), RATE_HZ) == pytest.approx(10 * math.log10((1 - x) / x), abs=0.02)


def test_drr_of_two_impulses_is_their_ratio() -> None:
    h = np.zeros(8000)
    h[100], h[4000] = 1.0, 0.1
    assert acoustic.drr_db(h, RATE_HZ) == pytest.approx(20)


def test_equal_responses_are_no_distance_apart() -> None:
    h = np.stack([decaying(0.4)] * 4) * np.random.default_rng(0).standard_normal((4, 24_000))
    got = acoustic.compare(h, h, RATE_HZ, direction_band_hz=(200, 1700))
    assert set(got.values()) == {0.0} or max(got.values()) < 1e-7
    assert len(got) == 13


def test_a_gain_moves_mag_and_env_by_its_logarithm() -> None:
    h = 1e3 * (0.1 + np.abs(np.random.default_rng(0).standard_normal(8000)))
    assert acoustic_spectra.mag(2 * h, h) == pytest.approx(7 * math.log(2), rel=1e-2)
    assert acoustic_spectra.env(2 * h, h) == pytest.approx(2 * math.log(2), rel=1e-6)


def test_direct_sound_has_the_direction_it_comes_from() -> None:
    pair = []
    for azimuth in (0.3, 0.8):
        h = np.zeros((4, 8000))
        h[:, 200] = [1, math.sin(azimuth), 0, math.cos(azimuth)]
        h[:, 1000] = [0.2, 0.2, 0, 0]
        pair.append(h)
    got = acoustic.compare(pair[0], pair[1], RATE_HZ)
    assert got["direct_angular_error_rad"] == pytest.approx(0.5)
    assert got["early_angular_error_rad"] == pytest.approx(0)
    assert math.isnan(got["late_diffuseness_error"])


def test_what_does_not_decay_has_no_decay_time() -> None:
    assert math.isnan(acoustic.t60_s(np.eye(1, 100)[0], RATE_HZ))
    assert math.isnan(acoustic.c50_db(np.zeros(100), RATE_HZ))


def test_different_shapes_are_an_error() -> None:
    with pytest.raises(InputError, match="one shape"):
        acoustic.compare(np.zeros(10), np.zeros((4, 10)), RATE_HZ)
