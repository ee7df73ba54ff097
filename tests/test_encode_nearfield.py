"""Near-field filters against the spherical Hankel functions of SciPy, and what two ears make of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import sosfilt, sosfreqz
from scipy.special import spherical_jn, spherical_yn

from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.nearfield import (
    MOST_BOOST_DB,
    NEAREST_M,
    REFERENCE_M,
    SETTLES_S,
    near_field_sections,
    through_near_field,
)
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.render.hrtf import hrir

RATE = 48000
BELOW_2K = np.geomspace(30, 2000, 300)


def response(sections: np.ndarray, hz: np.ndarray) -> np.ndarray:
    return sosfreqz(sections, hz, fs=RATE)[1] if len(sections) else np.ones(len(hz), complex)


def hankel_ratio(n: int, r: float, hz: np.ndarray) -> np.ndarray:
    """h_n(kr)/h_n(kR) with the distance and the delay of degree 0 taken out; h of the second kind."""
    k = 2 * np.pi * hz / SPEED_OF_SOUND_M_S

    def h(degree: int, x: np.ndarray) -> np.ndarray:
        return spherical_jn(degree, x) - 1j * spherical_yn(degree, x)

    return h(n, k * r) / h(n, k * REFERENCE_M) * h(0, k * REFERENCE_M) / h(0, k * r)


@pytest.mark.parametrize(("n", "bound_db"), [(1, 0.002), (3, 0.01), (5, 0.03), (7, 0.08), (10, 0.25)])
@pytest.mark.parametrize("r", [0.25, 0.4, 0.8, 1.2])
def test_filters_are_ratios_of_hankel_functions(n: int, bound_db: float, r: float) -> None:
    got = response(near_field_sections(np.array([r]), RATE, n, np.inf)[n][0], BELOW_2K)
    expected = hankel_ratio(n, r, BELOW_2K)
    assert np.abs(20 * np.log10(np.abs(got / expected))).max() < bound_db
    assert np.abs(np.angle(got / expected)).max() < 0.05


@pytest.mark.parametrize("r", [0.25, 0.5, 1.0])
def test_ends_of_the_frequencies(r: float) -> None:
    for n, sections in enumerate(near_field_sections(np.array([r]), RATE, 10, np.inf)):
        low, high = np.abs(response(sections[0], np.array([1e-3, RATE / 2 - 1e-6])))
        assert low == pytest.approx((REFERENCE_M / r) ** n, rel=1e-4)
        assert high == pytest.approx(1.0, rel=1e-6)


@given(st.floats(0.0, 3.0), st.sampled_from([8000, 44100, 48000, 96000]))
def test_stable_bounded_and_nothing_far_away(r: float, rate: int) -> None:
    for n, sections in enumerate(near_field_sections(np.array([r]), rate, 10)):
        for section in sections[0]:
            assert np.abs(np.roots(section[3:] if section[5] else section[3:5])).max() < 1
        at_dc = np.prod(sections[0][:, :3].sum(1) / sections[0][:, 3:].sum(1)) if n else 1.0
        assert 20 * np.log10(at_dc) <= MOST_BOOST_DB + 1e-6
        if r >= REFERENCE_M:
            np.testing.assert_allclose(sections[0][:, :3], sections[0][:, 3:], atol=1e-12)


def test_a_still_source_is_a_plain_filter() -> None:
    x = np.random.default_rng(0).standard_normal((2, 9600)).astype(np.float32)
    sections = near_field_sections(np.array([0.6]), RATE, 4)
    for n in range(1, 5):
        expected = sosfilt(sections[n][0], x.astype(np.float64))
        np.testing.assert_allclose(through_near_field(x, sections[n], 64), expected, atol=1e-5 * np.abs(expected).max())


def test_a_moving_source_has_no_click() -> None:
    # a low tone while the source comes from 1.3 to 0.5 m in a second: it swells, and that is all
    n, block = RATE, 256
    t = np.arange(n) / RATE
    x = np.sin(2 * np.pi * 100 * t).astype(np.float32)[None, : n // block * block]
    r = np.linspace(1.3, 0.5, n // block + 1)
    y = through_near_field(x, near_field_sections(r, RATE, 3)[3], block)[0, 4800:].astype(np.float64)
    power = np.abs(np.fft.rfft(y * np.blackman(len(y)))) ** 2
    f = np.fft.rfftfreq(len(y), 1 / RATE)
    assert 10 * np.log10(power[np.abs(f - 100) > 60].sum() / power.sum()) < -95


def test_steady_state_follows_the_blocks() -> None:
    # within a block the output fades from the old filter's to the new one's, as a sum of two plain filters would
    x = np.random.default_rng(1).standard_normal((1, 4096)).astype(np.float32)
    sections = near_field_sections(np.array([0.9, 0.9, 0.5]), RATE, 1)[1]
    got = through_near_field(x, sections, 2048)[0, 2048:]
    old, new = (sosfilt(s, x[0].astype(np.float64))[2048:] for s in (sections[1], sections[2]))
    r = (np.arange(2048) + 1) / 2048
    np.testing.assert_allclose(got, (1 - r) * old + r * new, atol=1e-5)


def test_filters_settle_in_the_time_they_say() -> None:
    x = np.zeros((1, RATE // 2), np.float32)
    x[0, 0] = 1
    for sections in near_field_sections(np.array([NEAREST_M]), RATE, 10)[1:]:
        y = np.abs(through_near_field(x, sections, 64)[0])
        assert y[int(SETTLES_S * RATE) :].max() < 1e-9 * y.max()


@pytest.mark.parametrize("order", [3, 5])
def test_two_ears_hear_how_near_it_is(order: int) -> None:
    # level difference between the ears of a rigid sphere of 8.75 cm at 400 Hz, source at the left, against the series
    # for a point source (Duda and Martens 1998, eq. 1)
    hz = np.array([400.0])
    filters = hrir("sphere", order, RATE).astype(np.float64)
    spectra = filters @ np.exp(-2j * np.pi * np.arange(filters.shape[-1]) * hz[0] / RATE)
    y = harmonics(np.array([0.0, 1.0, 0.0]), order)

    def difference_db(r: float) -> float:
        F = [response(s[0], hz)[0] for s in near_field_sections(np.array([r]), RATE, order)]
        degrees = np.repeat(np.arange(order + 1), 2 * np.arange(order + 1) + 1)
        left, right = (np.abs(np.sum(np.array(F)[degrees] * y * ear)) for ear in spectra)
        return 20 * np.log10(left / right)

    def sphere_db(r: float) -> float:
        a, k, n = 0.0875, 2 * np.pi * hz[0] / SPEED_OF_SOUND_M_S, np.arange(40)
        h = spherical_jn(n, k * r) - 1j * spherical_yn(n, k * r)
        slope = spherical_jn(n, k * a, derivative=True) - 1j * spherical_yn(n, k * a, derivative=True)
        near = np.abs(np.sum((2 * n + 1) * h / slope))
        far = np.abs(np.sum((2 * n + 1) * (-1.0) ** n * h / slope))
        return 20 * np.log10(near / far)

    for r in (0.25, 0.5, 1.0):
        more, true_more = difference_db(r) - difference_db(REFERENCE_M), sphere_db(r) - sphere_db(REFERENCE_M)
        assert more == pytest.approx(true_more, abs=1.3)
    assert difference_db(0.25) - difference_db(REFERENCE_M) > 6
