"""What a mixture decides about its own separation: noise, open air or room, directions believed or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.encode.harmonics import harmonics
from sonoworld.errors import InputError, ShapeError
from sonoworld.evaluate.separation import si_sdr
from sonoworld.learn.separate import Separating, Separation, separate
from sonoworld.learn.separation.beams import cardioid_weights
from sonoworld.learn.separation.model import ROOM_SHARE, open_air, quiet_noise
from sonoworld.learn.separation.spatial import Target, diffuse_covariance, heard_through
from sonoworld.learn.separation.spectra import spectra
from sonoworld.learn.separation.wiener import swept
from sonoworld.types import SoundField

RATE_HZ = 16000
ROOT = np.sqrt(np.diag(diffuse_covariance(1)))[:, None]


def towards(*azimuths_deg: float) -> np.ndarray:
    az = np.radians(azimuths_deg)
    return np.stack([np.cos(az), np.sin(az), 0 * az], -1)


def points(u: np.ndarray) -> tuple[Target, ...]:
    return tuple(Target.towards(f"s{i}", v, 1) for i, v in enumerate(u))


def bursts(count: int, seconds: float = 2.0, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    samples = int(seconds * RATE_HZ)
    on = np.repeat(rng.random((count, samples // 800 + 1)) < 0.5, 800, axis=1)[:, :samples]
    return rng.normal(size=(count, samples)) * (0.05 + on)


def heard(u: np.ndarray, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    s = bursts(len(u))
    rest = noise * ROOT * np.random.default_rng(9).normal(size=(4, s.shape[1]))
    return (harmonics(u, 1).T @ s + rest).astype(np.float32), s


def bins_first(field: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(spectra(field, 1024).transpose(1, 2, 0))


def scores(found: Separation, s: np.ndarray) -> list[float]:
    return [si_sdr(e, t) for e, t in zip(found.dry, s, strict=True)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), c=st.sampled_from([1, 4, 9]), complex_=st.booleans())
def test_swept_is_the_inverse(seed: int, c: int, complex_: bool) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(2, 3, c, c)) + (1j * rng.normal(size=(2, 3, c, c)) if complex_ else 0)
    S = A @ A.conj().swapaxes(-1, -2) + np.eye(c)
    ours = swept(S.transpose(0, 2, 3, 1).copy()).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(ours, np.linalg.inv(S), atol=1e-8)


def test_quiet_noise_is_measured_where_no_source_reaches() -> None:
    x, _ = heard(towards(0, 110, -100), noise=0.1)
    found = quiet_noise(bins_first(x), points(towards(0, 110, -100)))[8:-8] / 2  # it is taken twice
    window_power = 1024 / 2 / 2  # squares of the window add up to half its length over OVERLAP / 2
    np.testing.assert_allclose(found.mean(0), 0.01 * window_power * np.diag(diffuse_covariance(1)), rtol=0.1)


def test_four_points_in_space_leave_nothing_to_measure_noise_in() -> None:
    u = np.array([[1.0, 0, 0], [-0.5, 0.8, 0.3], [-0.5, -0.8, 0.3], [0, 0, 1.0]])
    x, _ = heard(u / np.linalg.norm(u, axis=1, keepdims=True))
    assert not quiet_noise(bins_first(x), points(u)).any()


def test_measured_noise_helps() -> None:
    u = towards(0, 110)
    noisy, dense = heard(u)
    t = np.arange(noisy.shape[1]) / RATE_HZ
    s = np.stack([sum(np.sin(2 * np.pi * f * t) for f in tones) for tones in ((210, 640, 1300), (450, 900, 2100))])
    x = (noisy + harmonics(u, 1).T @ (s - dense)).astype(np.float32)
    ours, plain = (separate(SoundField(x, RATE_HZ), points(u), Separating(estimator=e)) for e in ("auto", "wiener"))
    assert np.mean(scores(ours, s)) > np.mean(scores(plain, s)) + 0.3


def test_directions_a_little_wrong_cost_little() -> None:
    u = towards(0, 110, -100)
    x, s = heard(u)
    right = separate(SoundField(x, RATE_HZ), points(u))
    wrong = separate(SoundField(x, RATE_HZ), points(towards(12, 98, -88)))
    fixed = separate(SoundField(x, RATE_HZ), points(towards(12, 98, -88)), Separating(reach_deg=0))
    assert np.mean(scores(wrong, s)) > np.mean(scores(right, s)) - 1.5
    assert np.mean(scores(wrong, s)) > np.mean(scores(fixed, s)) + 3


def test_directions_far_off_are_left_to_cardioids() -> None:
    x, _ = heard(towards(0, 110, -100))
    said = points(towards(42, 68, -142))
    found = separate(SoundField(x, RATE_HZ), said)
    assert found.estimator == "cardioid"
    np.testing.assert_allclose(found.dry, cardioid_weights(said, 1) @ x, atol=1e-5)


def test_a_room_is_told_from_open_air() -> None:
    u = towards(0, 110)
    x, s = heard(u)
    rng = np.random.default_rng(4)
    tail = np.exp(-np.arange(3200) / 600) * ROOT[None] * rng.normal(size=(2, 4, 3200)) * 0.08
    late = sum(np.stack([np.convolve(a, h)[: x.shape[1]] for h in t]) for a, t in zip(s, tail, strict=True))
    assert open_air(bins_first(x), points(u))
    assert not open_air(bins_first(x + late), points(u))
    found = separate(SoundField((x + late).astype(np.float32), RATE_HZ), points(u))
    assert found.estimator == "auto"
    assert found.share == ROOM_SHARE


def test_responses_by_name() -> None:
    two = points(towards(0, 110))
    h = two[0].gains[:, None] * np.array([[1.0, 0.5]])
    first, second = heard_through(two, {"s0": h})
    assert first.responses is not None
    assert second.responses is None
    x, s = heard(towards(0, 110))
    found = separate(SoundField(x, RATE_HZ), (first, second))
    assert found.share == 0
    assert min(scores(found, s)) > 10
    with pytest.raises(InputError, match="names of sources"):
        heard_through(two, {"s7": h})
    with pytest.raises(ShapeError):
        heard_through(two, {"s0": h[:1]})
