"""Sources with a size: caps by integration, surfaces by their limits, parts by their energy."""

import math

import array_api_strict as strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import eval_legendre

from sonoworld.encode.area import NARROW, area_gains, cap_gains, point_gains, seen_width, split_gains, split_surface
from sonoworld.encode.decorrelate import decorrelated, decorrelator
from sonoworld.encode.harmonics import channel_degrees
from sonoworld.errors import ShapeError


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 0.2, 1.0, np.pi / 2, 3.0, np.pi])
def test_cap_is_the_mean_of_its_points(angle: float) -> None:
    gains = cap_gains(angle, 10)
    for n, gain in zip(channel_degrees(10), gains, strict=True):
        x = np.cos(angle)
        mean = quad(lambda z, n=n: eval_legendre(n, z), x, 1, epsabs=1e-13)[0] / (1 - x) if angle > 1e-4 else 1.0
        assert abs(gain - mean) < 1e-10


def test_cap_has_ends() -> None:
    np.testing.assert_allclose(cap_gains(np.pi, 5)[1:], 0, atol=1e-15)
    with pytest.raises(ShapeError):
        cap_gains(3.2, 1)


def patch(width_m: float, count: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = np.stack([0.1 * rng.random(count), width_m * (rng.random(count) - 0.5), rng.random(count)], -1)
    weights = rng.random(count)
    return points, weights / weights.sum()


def test_far_away_a_surface_is_its_centroid() -> None:
    points, weights = patch(4.0)
    offset = points + np.array([800.0, 300.0, -50.0])
    sigma = 1 / np.linalg.norm(offset, axis=-1)
    centre = weights @ offset
    point = point_gains(centre, np.asarray(1 / np.linalg.norm(centre)), 7)
    area = area_gains(offset, weights, sigma, 7)
    assert np.abs(area - point).max() < 1e-4 * point[0]


def test_seen_width_of_a_cap_is_its_angle() -> None:
    for half in (0.05, 0.5, 1.2):
        z = np.linspace(np.cos(half), 1, 4001)
        az = np.pi * (1 + np.sqrt(5)) * np.arange(4001)
        r = np.sqrt(1 - z * z)
        cap = np.stack([z, r * np.cos(az), r * np.sin(az)], -1)
        assert seen_width(cap, np.ones(4001)) == pytest.approx(2 * half, rel=0.01)


def test_narrow_is_undivided_and_wide_is_divided() -> None:
    points, weights = patch(6.0)
    labels = split_surface(points, weights)
    for x, undivided in ((60.0, True), (1.0, False)):
        offset = points + np.array([x, 0, 0])
        sigma = 1 / np.linalg.norm(offset, axis=-1)
        g = split_gains(offset, weights, sigma, labels, 3)
        if undivided:
            np.testing.assert_allclose(g[0], area_gains(offset, weights, sigma, 3), atol=1e-15)
            np.testing.assert_array_equal(g[1:], 0)
        else:
            np.testing.assert_array_equal(g[0], 0)
            assert (g[1:, 0] ** 2).sum() == pytest.approx((weights * sigma**2).sum(), rel=1e-12)


def test_energy_moves_without_a_step() -> None:
    points, weights = patch(6.0)
    labels = split_surface(points, weights)
    offset = points[None] + np.stack([np.linspace(0.3, 60, 4000), np.zeros(4000), np.zeros(4000)], -1)[:, None]
    sigma = 1 / np.sqrt((offset**2).sum(-1) + 0.01)
    g = split_gains(offset, weights, sigma, labels, 3)
    energy_db = 10 * np.log10((g[..., 0] ** 2).sum(-1))
    assert np.abs(np.diff(energy_db)).max() < 0.12
    assert np.abs(np.diff(g, axis=0)).max() < 0.05 * np.abs(g).max()


def test_parts_are_far_apart_and_all_used() -> None:
    points, weights = patch(10.0, 500)
    labels = split_surface(points, weights, 6)
    assert set(labels) == set(range(6))
    np.testing.assert_array_equal(labels, split_surface(points, weights, 6))
    assert set(split_surface(np.ones((9, 3)), np.full(9, 1 / 9), 6)) == {0}
    assert len(set(split_surface(points[:3], np.ones(3) / 3, 6))) == 3


def test_any_array_library() -> None:
    points, weights = patch(3.0)
    sigma = 1 / (1 + np.linalg.norm(points, axis=-1))
    labels = split_surface(points, weights)
    theirs = area_gains(*(strict.asarray(a) for a in (points, weights, sigma)), 4)
    np.testing.assert_allclose(np.asarray(theirs), area_gains(points, weights, sigma, 4), atol=1e-14)
    width = seen_width(strict.asarray(points), strict.asarray(weights * sigma**2))
    assert float(width) == pytest.approx(float(seen_width(points, weights * sigma**2)))
    parts = split_gains(*(strict.asarray(a) for a in (points, weights, sigma)), labels, 4)
    np.testing.assert_allclose(np.asarray(parts), split_gains(points, weights, sigma, labels, 4), atol=1e-14)
    angles = np.array([[0.0, 0.3], [1.0, math.pi]])
    caps = cap_gains(strict.asarray(angles), 7)
    assert caps.shape == (2, 2, 64)
    np.testing.assert_allclose(np.asarray(caps)[1, 0], cap_gains(1.0, 7), atol=1e-15)
    assert cap_gains(torch.from_numpy(angles).float(), 3).dtype == torch.float32


def test_gradients_of_caps_have_no_hole_at_a_point_and_at_the_sphere() -> None:
    angles = torch.tensor([1e-3, 0.4, 3.1], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: cap_gains(a, 6), (angles,))
    ends = torch.tensor([0.0, math.pi], dtype=torch.float64, requires_grad=True)
    cap_gains(ends, 6).sum().backward()
    assert ends.grad is not None
    np.testing.assert_allclose(ends.grad, 0, atol=1e-12)


@pytest.mark.parametrize("metres", [60.0, 9.0, 5.0, 0.5])
def test_gradients_of_split_areas(metres: float) -> None:
    # undivided, on the way (twice), wholly divided
    points, weights = patch(3.0, 12)
    labels = split_surface(points, weights, 3)
    offset = torch.from_numpy(points + np.array([metres, 0, 0])).requires_grad_()
    w, sigma = torch.from_numpy(weights), torch.rand(12, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, s: split_gains(x, w, s, labels, 2), (offset, sigma))
    assert torch.autograd.gradcheck(lambda x, s: seen_width(x, w * s**2), (offset, sigma))


def test_gradients_of_one_place_are_finite() -> None:
    offset = torch.ones(5, 3, dtype=torch.float64, requires_grad=True)
    sigma = torch.full((5,), 0.2, dtype=torch.float64, requires_grad=True)
    w = torch.full((5,), 0.2, dtype=torch.float64)
    for labels in (np.zeros(5, np.int64), np.arange(5)):
        split_gains(offset, w, sigma, labels, 3).sum().backward()
        assert offset.grad is not None
        assert sigma.grad is not None
        assert bool(torch.isfinite(offset.grad).all() and torch.isfinite(sigma.grad).all())
    assert float(seen_width(offset, w).detach()) == 0.0


@given(st.floats(0, 0.02))
def test_seen_width_does_not_cancel(half: float) -> None:
    # two places at the angles ±half, whose mean direction has the length cos(half): 4·asin √((1 − cos half)·…) is
    # exact to 1e-9, where the arc cosine of 2r − 1 would have lost half of its digits
    two = np.array([[np.cos(half), s * np.sin(half), 0.0] for s in (-1, 1)])
    exact = 4 * np.arctan(np.sqrt(2) * np.sin(half / 2) / np.sqrt(np.cos(half)))
    assert float(seen_width(two, np.ones(2))) == pytest.approx(exact, abs=2e-7)


def test_surfaces_that_radiate_nothing_here_are_silent_and_finite() -> None:
    points, weights = patch(6.0)
    labels = split_surface(points, weights)
    offset = points + np.array([1.0, 0, 0])
    np.testing.assert_array_equal(split_gains(offset, weights, np.zeros(len(points)), labels, 2), 0)
    # lobes of both signs: bounded by the energy they have
    sigma = np.where(np.arange(len(points)) % 2, 1.0, -1.0)
    g = split_gains(offset, weights, sigma, labels, 2)
    energy = np.array([weights[labels == j].sum() for j in range(labels.max() + 1)])
    assert (np.abs(g[1:]) <= np.sqrt(energy)[:, None] + 1e-12).all()
    assert float(seen_width(offset, weights)) > NARROW


@given(st.text(max_size=8), st.integers(0, 20))
def test_decorrelator_is_all_pass_at_its_bins(name: str, copy: int) -> None:
    taps = decorrelator(name, copy, 48000)
    assert len(taps) == 512
    np.testing.assert_allclose(np.abs(np.fft.rfft(taps)), 1, atol=1e-12)
    np.testing.assert_array_equal(taps, decorrelator(name, copy, 48000))


def test_copies_do_not_fuse_above_500_hz_and_stay_together_below_150() -> None:
    x = np.random.default_rng(0).standard_normal(96000).astype(np.float32)
    spectra = np.fft.rfft(np.concatenate([x[None], decorrelated(x, "river", 4, 48000, loops=True)]), axis=-1)
    f = np.fft.rfftfreq(96000, 1 / 48000)
    for band, low, high in (((1000, 16000), 0.0, 0.3), ((20, 150), 0.85, 1.01)):
        s = spectra[:, (f >= band[0]) & (f < band[1])]
        cross = np.abs(s @ s.conj().T) / np.sqrt(np.outer(*[(np.abs(s) ** 2).sum(1)] * 2))
        others = cross[~np.eye(5, dtype=bool)]
        assert low <= others.min()
        assert others.max() <= high
    np.testing.assert_allclose((np.abs(spectra) ** 2).sum(1) / (np.abs(spectra[0]) ** 2).sum(), 1, atol=0.05)


def test_a_loop_has_no_seam_after_decorrelation() -> None:
    x = np.sin(2 * np.pi * 30 * np.arange(4800) / 4800).astype(np.float32)
    y = decorrelated(x, "hum", 1, 48000, loops=True)[0]
    twice = decorrelated(np.tile(x, 2), "hum", 1, 48000, loops=True)[0]
    np.testing.assert_allclose(np.tile(y, 2), twice, atol=1e-5)
