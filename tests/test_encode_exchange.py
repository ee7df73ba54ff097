"""N3D, SN3D and FuMa: round trips, and the definitions they must meet."""

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode.exchange import (
    fuma_from_sn3d,
    n3d_from_sn3d,
    order_of,
    sn3d_from_fuma,
    sn3d_from_n3d,
)
from sonoworld.encode.harmonics import harmonics
from sonoworld.errors import ShapeError
from sonoworld.render.hrirs import fibonacci_sphere


@given(st.integers(0, 10), st.integers(0, 1000))
def test_n3d_round_trip(order: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(((order + 1) ** 2, 5))
    np.testing.assert_allclose(sn3d_from_n3d(n3d_from_sn3d(x)), x, atol=1e-14)


def test_n3d_has_unit_power_on_the_sphere() -> None:
    n3d = n3d_from_sn3d(harmonics(fibonacci_sphere(20000), 5).T)
    np.testing.assert_allclose((n3d**2).mean(1), 1, atol=1e-3)


@given(st.integers(0, 3), st.integers(0, 1000))
def test_fuma_round_trip(order: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(((order + 1) ** 2, 5))
    np.testing.assert_allclose(sn3d_from_fuma(fuma_from_sn3d(x)), x, atol=1e-14)


def test_fuma_is_furse_and_malhams_table() -> None:
    # Furse-Malham encoding equations, azimuth A, elevation E (Malham 2003)
    A, E = 0.7, -0.4
    u = np.array([np.cos(A) * np.cos(E), np.sin(A) * np.cos(E), np.sin(E)])
    s, c = np.sin, np.cos
    table = [
        1 / np.sqrt(2),
        c(A) * c(E), s(A) * c(E), s(E),
        1.5 * s(E) ** 2 - 0.5, c(A) * s(2 * E), s(A) * s(2 * E), c(2 * A) * c(E) ** 2, s(2 * A) * c(E) ** 2,
        s(E) * (5 * s(E) ** 2 - 3) / 2,
        np.sqrt(135 / 256) * c(A) * c(E) * (5 * s(E) ** 2 - 1),
        np.sqrt(135 / 256) * s(A) * c(E) * (5 * s(E) ** 2 - 1),
        np.sqrt(27 / 4) * c(2 * A) * s(E) * c(E) ** 2, np.sqrt(27 / 4) * s(2 * A) * s(E) * c(E) ** 2,
        c(3 * A) * c(E) ** 3, s(3 * A) * c(E) ** 3,
    ]  # fmt: skip
    fuma = fuma_from_sn3d(harmonics(u, 3)[:, None])[:, 0]
    np.testing.assert_allclose(fuma, table, atol=1e-14)


def test_fuma_channels_peak_at_one() -> None:
    peaks = np.abs(fuma_from_sn3d(harmonics(fibonacci_sphere(100000), 3).T)).max(1)
    np.testing.assert_allclose(peaks[1:], 1, atol=2e-4)
    assert peaks[0] == pytest.approx(np.sqrt(0.5))


def test_fuma_ends_at_third_order() -> None:
    with pytest.raises(ShapeError, match=r"0\.\.3"):
        fuma_from_sn3d(np.zeros((25, 4)))
    with pytest.raises(ShapeError, match=r"\(N \+ 1\)²"):
        order_of(7)


def test_any_array_library() -> None:
    x = np.random.default_rng(0).standard_normal((16, 3))
    for convert in (fuma_from_sn3d, sn3d_from_fuma, n3d_from_sn3d, sn3d_from_n3d):
        np.testing.assert_allclose(np.asarray(convert(strict.asarray(x))), convert(x), atol=1e-15)
