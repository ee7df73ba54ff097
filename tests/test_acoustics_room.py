"""Images, filters and late field against closed forms that are not ours."""

import itertools
import math

import numpy as np
import pytest
import torch

from sonoworld.acoustics import OCTAVES_HZ, shoebox
from sonoworld.acoustics.bands import in_bands, minimum_phase_basis
from sonoworld.acoustics.images import heard_images
from sonoworld.acoustics.late import late_response
from sonoworld.acoustics.noise import band_noise
from sonoworld.acoustics.response import Grid, Radiation, early_response
from sonoworld.errors import ShapeError

B = len(OCTAVES_HZ)
SIZE, EYE = (5.0, 4.0, 3.0), (2.0, 1.5, 1.2)


def radiation(directivity: float = 0.0) -> Radiation:
    return Radiation(torch.zeros(B), torch.full((B,), directivity), torch.tensor([1.0, 0.0, 0.0]))


def lattice(source: np.ndarray, order: int) -> np.ndarray:
    """Allen & Berkley's closed form: along each axis, the image of i bounces."""
    ways = []
    for n in itertools.product(range(-order, order + 1), repeat=3):
        if sum(map(abs, n)) <= order:
            corner = source + np.array(EYE)
            place = [
                2 * L * math.ceil(i / 2) - x if i % 2 else i * L + x for i, L, x in zip(n, SIZE, corner, strict=True)
            ]
            ways.append(np.array(place) - EYE)
    return np.array(ways)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_images_of_a_box_are_allen_and_berkleys(order: int) -> None:
    source = np.array([1.3, -0.4, 0.5])
    places = heard_images(shoebox(SIZE, EYE, np.full((6, B), 0.3)), source, np.array([0.2, 0.7, 0.1]), order).places(
        source
    )
    expected = lattice(source, order)
    assert places.shape == expected.shape
    key = lambda a: a[np.lexsort(np.round(a, 6).T)]  # noqa: E731
    np.testing.assert_allclose(key(places), key(expected), atol=1e-9)


def test_who_stands_behind_a_wall_is_told() -> None:
    with pytest.raises(ShapeError, match="inside the walls"):
        heard_images(shoebox(SIZE, EYE, np.full((6, B), 0.3)), np.array([4.0, 0, 0]), np.zeros(3), 1)


def test_direct_sound_falls_as_one_over_distance_and_comes_from_its_side() -> None:
    walls = shoebox(SIZE, EYE, np.full((6, B), 0.3))
    source = np.array([0.0, 2.0, 0.0])
    images = heard_images(walls, source, np.zeros(3), 0)
    h = early_response(
        images,
        torch.zeros(6, B),
        radiation(),
        torch.tensor(source).float(),
        torch.zeros(3),
        Grid(1024, 48000, air=False),
    ).numpy()
    assert int(np.argmax(np.abs(h[0]))) == round(2.0 / 343.2 * 48000)
    assert np.sum(h[0] ** 2) == pytest.approx(0.25, rel=0.01)
    np.testing.assert_allclose(h[1], h[0], atol=1e-5)  # Y: from the left
    assert np.abs(h[2:]).max() < 1e-6


def test_minimum_phase_filters_are_causal_and_have_their_gain() -> None:
    n = 4096
    gains = np.array([0.9, 0.8, 0.5, 0.6, 0.4, 0.3, 0.2, 0.1])
    spectrum = np.exp(minimum_phase_basis(n, 48000) @ np.log(gains))
    bins = np.round(np.array(OCTAVES_HZ) * n / 48000).astype(int)
    np.testing.assert_allclose(np.abs(spectrum[bins]), gains, rtol=0.05)
    h = np.fft.irfft(spectrum)
    assert np.sum(h[n // 2 :] ** 2) < 1e-6 * np.sum(h**2)


def test_bands_add_up_to_the_whole() -> None:
    x = np.random.default_rng(0).standard_normal(4000) * np.hanning(4000)
    assert np.sum(in_bands(x, 48000) ** 2) == pytest.approx(np.sum(x**2), rel=0.02)


def test_late_field_has_its_energy_and_time() -> None:
    rate, taps = 16000, 16000
    noise = torch.from_numpy(band_noise(taps, rate, 1))
    root = torch.eye(4, dtype=torch.float64).expand(B, 4, 4)
    t60 = torch.full((B,), 0.5, dtype=torch.float64)
    h = late_response(noise, t60, torch.full((B,), math.log(0.2)).double(), torch.tensor(0.03).double(), root, rate)
    w = h[0].numpy()
    assert np.sum(w**2) == pytest.approx(0.2, rel=0.15)
    level = 10 * np.log10(np.cumsum(w[::-1] ** 2)[::-1])
    i, j = np.argmax(level < level[0] - 5), np.argmax(level < level[0] - 35)
    assert (j - i) / rate * 2 == pytest.approx(0.5, rel=0.06)
    assert np.abs(w[: int(0.02 * rate)]).max() < 1e-3


@pytest.mark.parametrize("what", ["reflection", "gain", "directivity", "source"])
def test_gradients_are_finite_differences(what: str) -> None:
    walls = shoebox(SIZE, EYE, np.full((6, B), 0.3))
    place = np.array([1.3, -0.4, 0.5])
    images, grid = heard_images(walls, place, np.zeros(3), 1), Grid(700, 16000)
    weight = torch.from_numpy(np.random.default_rng(3).standard_normal((4, 700)))
    start = {
        "reflection": torch.full((6, B), -0.2),
        "gain": torch.zeros(B),
        "directivity": torch.full((B,), 0.2),
        "source": torch.tensor(place),
    }

    def value(x: torch.Tensor) -> torch.Tensor:
        now = {**start, what: x}
        emitter = Radiation(now["gain"], now["directivity"], torch.tensor([0.0, 1.0, 0.0]))
        h = early_response(
            images, now["reflection"].double(), emitter, now["source"].double(), torch.zeros(3).double(), grid
        )
        return (h * weight).sum()

    x = start[what].double().requires_grad_()
    value(x).backward()
    assert x.grad is not None
    way = torch.from_numpy(np.random.default_rng(4).standard_normal(x.shape))
    step = 1e-5 if what == "source" else 1e-2
    with torch.no_grad():
        slope = (value(x + step * way) - value(x - step * way)) / (2 * step)
    assert float((x.grad * way).sum()) == pytest.approx(float(slope), rel=0.02, abs=2e-3)
