"""Separation: spectra, spatial models, beams and Wiener filters against closed forms and known mixtures."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT

from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError, ShapeError
from sonoworld.evaluate.separation import si_sdr
from sonoworld.frames import Pose
from sonoworld.learn.separate import Estimator, Separating, pieces, separate
from sonoworld.learn.separation import beams, renderer
from sonoworld.learn.separation.model import (
    CHANCE,
    IN_PHASE,
    diffuse_share,
    direction_of,
    loud_bins,
    quadrature,
    refined,
)
from sonoworld.learn.separation.spatial import Target, diffuse_covariance, response_covariance, surrounded, targets_of
from sonoworld.learn.separation.spectra import signals, spectra
from sonoworld.learn.separation.wiener import Steps, fit, floor_of, images, inverted, log_likelihood, ratios
from sonoworld.render.reference import Around, Clock, Head, Sources
from sonoworld.types import SoundField, Source, Spread

RATE_HZ = 16000


def bursts(count: int, samples: int, seed: int) -> np.ndarray:
    """Noise coloured and switched differently for each: sources that a model of variances can tell apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, samples))
    on = np.repeat(rng.random((count, samples // 800 + 1)) < 0.5, 800, axis=1)[:, :samples]
    return x * (0.05 + on)


def towards(*azimuths_deg: float) -> np.ndarray:
    az = np.radians(azimuths_deg)
    return np.stack([np.cos(az), np.sin(az), 0 * az], -1)


def mixed(u: np.ndarray, seed: int = 1, noise: float = 0.05, samples: int = RATE_HZ) -> tuple[np.ndarray, np.ndarray]:
    s = bursts(len(u), samples, seed)
    field = harmonics(u, 1).T @ s
    rng = np.random.default_rng(seed + 100)
    field = field + noise * np.sqrt(np.diag(diffuse_covariance(1)))[:, None] * rng.normal(size=field.shape)
    return field.astype(np.float32), s


def points(u: np.ndarray) -> tuple[Target, ...]:
    return tuple(Target.towards(f"s{i}", v, 1) for i, v in enumerate(u))


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 3000), quarter=st.integers(1, 128))
def test_spectra_come_back(samples: int, quarter: int) -> None:
    x = np.random.default_rng(samples).normal(size=(2, samples)).astype(np.float32)
    back = signals(spectra(x, 4 * quarter * 2), samples)
    np.testing.assert_allclose(back, x, atol=2e-5)


def test_spectra_are_scipys() -> None:
    x = np.random.default_rng(0).normal(size=2048).astype(np.float32)
    ours = spectra(x, 256)
    window = np.sin(np.pi * np.arange(256) / 256)
    theirs = ShortTimeFFT(window, 64, 1.0, phase_shift=None).stft(x)  # frames centred on multiples of the hop
    np.testing.assert_allclose(ours[:, 3:30] * np.sqrt(2), theirs[:, 3:30], atol=1e-3)


def test_diffuse_covariance_is_the_mean_over_the_sphere() -> None:
    u = np.random.default_rng(0).normal(size=(200_000, 3))
    Y = harmonics(u, 2)
    np.testing.assert_allclose(Y.T @ Y / len(Y), diffuse_covariance(2), atol=0.01)


def source(spread: Spread, at: np.ndarray) -> Source:
    n = len(at)
    return Source(
        spread.value, "thing", "", spread, 70.0, 1.0, "test", at.astype(np.float32),
        np.zeros((n, 3), np.float32), np.full(n, 1 / n if n else 0, np.float32), 0.1,
    )  # fmt: skip


def test_targets_of_a_scene() -> None:
    wide = np.array([[0.0, 2.0, 0.0], [0.0, -2.0, 0.0]])
    many = (source(Spread.POINT, np.array([[1.0, 0, 0]])), source(Spread.AREA, wide), source(Spread.AMBIENT, wide[:0]))
    turned = Pose(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1.0]]), np.zeros(3))  # the head looks left
    point, area, ambient = targets_of(many, turned, 1)
    np.testing.assert_allclose(direction_of(point), [0, -1, 0], atol=1e-9)
    # left and right of the world, alike: ahead and behind of the head
    np.testing.assert_allclose(area.covariance, np.diag([1.0, 0, 0, 1]), atol=1e-9)
    np.testing.assert_allclose(ambient.covariance, diffuse_covariance(1))
    with pytest.raises(InputError):
        targets_of((), turned, 1)


def test_surrounded_has_ends() -> None:
    R = points(towards(30))[0].covariance
    np.testing.assert_allclose(surrounded(R, 0.0), R)
    np.testing.assert_allclose(surrounded(R, 1.0), diffuse_covariance(1))
    with pytest.raises(ShapeError):
        surrounded(R, 1.5)


def test_a_response_of_one_tap_is_a_point() -> None:
    target = points(towards(70))[0]
    R = response_covariance(target.gains[:, None], 256)
    np.testing.assert_allclose(R, np.broadcast_to(target.covariance, R.shape), atol=2e-3)


def test_beams_pass_their_source() -> None:
    three = points(towards(0, 100, -120))
    A = np.stack([t.gains for t in three], -1)
    x, _ = mixed(towards(0, 100, -120))
    for weights in (beams.cardioid_weights(three, 1), beams.sharpest_weights(three, 1)):
        np.testing.assert_allclose(np.diag(weights @ A), 1)
    np.testing.assert_allclose(beams.ls_weights(three) @ A, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(beams.lcmv_weights(three, x) @ A, np.eye(3), atol=1e-6)


def model(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(3, 5, 4)) + 1j * rng.normal(size=(3, 5, 4))).astype(np.complex64)
    each = [surrounded(t.covariance, 0.3) for t in points(towards(10, 130))]
    R = np.repeat(np.stack([*each, diffuse_covariance(1)])[:, None], 3, 1).astype(np.complex64)
    return x, R, rng.uniform(0.5, 2, (3, 3, 5)).astype(np.float32)


def test_gradient_of_the_likelihood_by_variances() -> None:
    x, R, v = model()
    up, down = ratios(inverted(x, v, R, np.zeros((3, 4), np.float32)), R)
    for at in [(0, 0, 0), (1, 2, 3), (2, 1, 4)]:
        step = 1e-2 * v[at]
        more, less = v.copy(), v.copy()
        more[at] += step
        less[at] -= step
        finite = (log_likelihood(x, more, R) - log_likelihood(x, less, R)) / (2 * step) * 15
        assert abs(finite - (up - down)[at]) < 0.02 * (1 + abs(finite))


def test_updates_raise_the_likelihood_and_images_add_up() -> None:
    x, R, _ = model(1)
    likelihood = [fit(x, R, Steps(n)).log_likelihood for n in (1, 3, 6, 12, 24)]
    assert likelihood == sorted(likelihood)
    v = fit(x, R, Steps(10)).variances
    np.testing.assert_allclose(images(inverted(x, v, R, floor_of(x)).turned, v, R).sum(0), x, atol=1e-3)


@pytest.mark.parametrize(
    ("estimator", "least_db"), [("ls", 18), ("lcmv", 15), ("wiener", 18), ("auto", 18), ("nmf", 15)]
)
def test_free_field(estimator: Estimator, least_db: float) -> None:
    u = towards(0, 110, -100)
    x, s = mixed(u, samples=2 * RATE_HZ)
    found = separate(SoundField(x, RATE_HZ), points(u), Separating(estimator=estimator))
    assert np.mean([si_sdr(e, t) for e, t in zip(found.dry, s, strict=True)]) > least_db
    np.testing.assert_allclose(found.images.sum(0) + found.residual, x, atol=1e-4)


def test_renderer_explains_the_mixture() -> None:
    u = towards(0, 110)
    x, s = mixed(u, samples=4000)
    found = separate(SoundField(x, RATE_HZ), points(u), Separating(estimator="renderer", updates=3))
    assert min(si_sdr(e, t) for e, t in zip(found.dry, s, strict=True)) > 15
    around = (Target("a", np.eye(4)[0], diffuse_covariance(1), point=False),)
    with pytest.raises(InputError):
        separate(SoundField(x, RATE_HZ), around, Separating(estimator="renderer"))


def test_gradient_through_the_renderer() -> None:
    at = torch.tensor([[[1.0, 0.2, 0.1], [-0.5, 1.0, 0.0]]], dtype=torch.float64, requires_grad=True)
    s = torch.from_numpy(bursts(2, 512, 3)).requires_grad_(True)
    x = torch.from_numpy(mixed(towards(0, 90), samples=512)[0].astype(np.float64))

    def value(waveforms: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        level = torch.full((1, 2), 100.0, dtype=torch.float64)
        head = Head(torch.eye(3, dtype=torch.float64)[None], torch.zeros(1, 3, dtype=torch.float64))
        around = Around(Sources.at(places, level), head)
        return renderer.loss(waveforms, x, around, EncodeOptions(order=1), Clock(RATE_HZ, 256))

    assert torch.autograd.gradcheck(lambda p: value(s.detach(), p), (at,), atol=1e-6)
    (gradient,) = torch.autograd.grad(value(s, at.detach()), s)
    s, at = s.detach(), at.detach()
    aside = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 512)))
    finite = (value(s + 1e-5 * aside, at) - value(s - 1e-5 * aside, at)) / 2e-5
    assert abs(float(finite - (gradient * aside).sum())) < 1e-5 * (1 + abs(float(finite)))


def test_refinement_finds_the_sources() -> None:
    true, said = towards(0, 110, -100), towards(9, 103, -108)
    x = np.ascontiguousarray(spectra(mixed(true)[0], 1024).transpose(1, 2, 0))
    loud = np.ascontiguousarray(x[loud_bins(x)])
    found = refined(loud, points(said), math.radians(15), 0.1)
    for target, u in zip(found, true, strict=True):
        assert math.degrees(math.acos(min(1.0, float(direction_of(target) @ u)))) < 5
    held = refined(loud, points(said), math.radians(2), 0.1)
    for target, u in zip(held, said, strict=True):
        assert math.degrees(math.acos(min(1.0, float(direction_of(target) @ u)))) < 2.01


def test_diffuse_share_is_measured() -> None:
    u = towards(0, 110)
    rng = np.random.default_rng(2)
    s = rng.normal(size=(2, 4 * RATE_HZ))
    for q in (0.02, 0.5):
        around = np.sqrt(2 * np.diag(diffuse_covariance(1)))[:, None] * rng.normal(size=(4, s.shape[1]))
        field = math.sqrt(1 - q) * harmonics(u, 1).T @ s + math.sqrt(q) * around
        x = np.ascontiguousarray(spectra(field, 1024).transpose(1, 2, 0))
        assert abs(diffuse_share(x, points(u)) - q) < 0.03 + 0.1 * q


def test_a_reflection_is_out_of_phase() -> None:
    x, s = mixed(towards(0, 110), samples=4 * RATE_HZ)
    wall = harmonics(towards(200), 1).T @ np.pad(s[:1], ((0, 0), (90, 0)))[:, : s.shape[1]]
    dry, wet = (np.ascontiguousarray(spectra(f, 1024).transpose(1, 2, 0)) for f in (x, x + 0.7 * wall))
    assert quadrature(dry) < IN_PHASE + CHANCE / dry.shape[1] < quadrature(wet)


def test_pieces_join_without_a_seam() -> None:
    u = towards(0, 120)
    x, s = mixed(u, samples=4 * RATE_HZ)
    how = Separating(piece_s=1.6)
    parts = list(pieces(SoundField(x, RATE_HZ), points(u), how))
    assert len(parts) > 2
    assert parts[-1][0] == 1.0
    whole = separate(SoundField(x, RATE_HZ), points(u), how)
    np.testing.assert_allclose(whole.images.sum(0) + whole.residual, x, atol=1e-4)
    assert si_sdr(whole.dry[0], s[0]) > 18


def test_same_bytes_again() -> None:
    u = towards(0, 120)
    x, _ = mixed(u, samples=6000)
    once, again = (
        separate(SoundField(x, RATE_HZ), points(u), Separating(estimator="nmf", seed=3)).images.tobytes() for _ in "ab"
    )
    assert once == again


def test_wrong_input_is_said() -> None:
    with pytest.raises(ShapeError):
        separate(SoundField(np.zeros((1, 900), np.float32), RATE_HZ), points(towards(0)))
    with pytest.raises(ShapeError):
        separate(SoundField(np.zeros((9, 900), np.float32), RATE_HZ), points(towards(0)))
    with pytest.raises(InputError):
        Separating(share=2.0)
