import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sonoworld.errors import BackendMissingError, InputError
from sonoworld.evaluate import image
from sonoworld.sphere import pixel_solid_angles

RNG = np.random.default_rng(0)
SMOOTH = (
    127 + 100 * np.sin(np.arange(40)[None, :, None] / 5 + np.arange(20)[:, None, None] / 3 + np.arange(3))
).astype(np.uint8)
NOISY = np.clip(SMOOTH + RNG.normal(0, 20, SMOOTH.shape), 0, 255).astype(np.uint8)


def by_windows(a: np.ndarray, b: np.ndarray, *, around: bool) -> np.ndarray:
    """SSIM window by window, by the paper's formulas; [h, w or inner w]."""
    x = np.arange(-5, 6)
    window = np.exp(-(x[:, None] ** 2 + x[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    rows, columns = a.shape[:2]
    found = []
    for r in range(5, rows - 5):
        for c in range(columns) if around else range(5, columns - 5):
            places = np.ix_(range(r - 5, r + 6), [k % columns for k in range(c - 5, c + 6)])
            for channel in range(3):
                p, q = (i[..., channel][places].astype(float) for i in (a, b))
                mp, mq = (window * p).sum(), (window * q).sum()
                vp, vq = (window * p * p).sum() - mp**2, (window * q * q).sum() - mq**2
                both = (window * p * q).sum() - mp * mq
                found.append((2 * mp * mq + c1) * (2 * both + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return np.array(found).reshape(rows - 10, -1, 3)


def test_ssim_window_by_window() -> None:
    assert image.ssim(NOISY, SMOOTH) == pytest.approx(by_windows(NOISY, SMOOTH, around=False).mean(), abs=1e-6)
    rows = by_windows(NOISY, SMOOTH, around=True).mean(axis=(1, 2))
    weights = pixel_solid_angles(20)[5:-5]
    assert image.ssim(NOISY, SMOOTH, spherical=True) == pytest.approx(np.average(rows, weights=weights), abs=1e-6)


def test_psnr_of_a_known_error() -> None:
    off = SMOOTH.copy()
    off[:, :, :] += 10
    assert image.psnr_db(off, SMOOTH) == pytest.approx(20 * math.log10(25.5))
    assert image.psnr_db(off, SMOOTH, spherical=True) == pytest.approx(20 * math.log10(25.5))
    assert image.compare(SMOOTH, SMOOTH) == {"psnr_db": math.inf, "ssim": pytest.approx(1)}


def test_on_the_sphere_errors_at_the_pole_count_less() -> None:
    """A cap down to latitude φ is (1 − sin φ) / 2 of the sphere."""
    polar = SMOOTH.copy()
    polar[:5] += 10  # down to 45°
    share = (1 - math.sin(math.pi / 4)) / 2
    assert image.psnr_db(polar, SMOOTH, spherical=True) == pytest.approx(10 * math.log10(255**2 / (share * 100)))
    assert image.psnr_db(polar, SMOOTH) == pytest.approx(10 * math.log10(255**2 / 25))


def test_a_seam_is_told_from_none() -> None:
    azimuth = 2 * np.pi * (np.arange(128) + 0.5) / 128
    closed = np.repeat(np.repeat((127 + 100 * np.sin(azimuth))[None, :, None], 64, 0), 3, 2)
    assert image.seam_error(closed.astype(np.uint8)) == pytest.approx(1, abs=0.15)
    turned = closed + np.linspace(0, 27, 128)[None, :, None]
    assert image.seam_error(turned.astype(np.uint8)) > 2
    flat = np.zeros((64, 128, 3), np.uint8)
    assert math.isnan(image.seam_error(flat))
    flat[:, :64] = 9
    assert image.seam_error(flat) == math.inf


def test_a_tilted_horizon_is_found_by_its_line() -> None:
    tilt = math.radians(7)
    up = np.array([math.sin(tilt), 0.0, math.cos(tilt)])
    angle = np.linspace(0, 2, 200)[:, None]  # a third of the circle is seen, not quite straight
    line = np.cos(angle) * [math.cos(tilt), 0, -math.sin(tilt)] + np.sin(angle) * np.array([0.0, 1, 0])
    line += 1e-3 * RNG.standard_normal((200, 3))
    found = image.horizon_up(line)
    assert image.horizon_error_rad(found, up) < 1e-3
    assert image.horizon_error_rad(found, np.array([0.0, 0, 2])) == pytest.approx(tilt, abs=2e-3)
    with pytest.raises(InputError, match="line"):
        image.horizon_up(np.array([[1.0, 0, 0], [-1.0, 0, 0]]))
    with pytest.raises(InputError, match="direction"):
        image.horizon_error_rad(np.zeros(3), up)


def test_lpips_is_asked_in_its_own_range_or_named_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(BackendMissingError, match="pip install lpips"):
        image.lpips(NOISY, SMOOTH)
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def forward(self, a: object, b: object) -> object:
            assert a.shape == (1, 3, 20, 40)  # pyright: ignore
            assert a.min() >= -1  # pyright: ignore
            return (a - b).abs().mean()  # pyright: ignore

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=lambda net, verbose: Net()))
    black, white = np.zeros_like(SMOOTH), np.full_like(SMOOTH, 255)
    assert image.lpips(white, black) == pytest.approx(2)


def test_wrong_sizes_are_told() -> None:
    with pytest.raises(InputError, match="expected"):
        image.psnr_db(SMOOTH[:-1], SMOOTH)
    with pytest.raises(InputError, match="2:1"):
        image.ssim(SMOOTH[:-1], SMOOTH[:-1], spherical=True)
    with pytest.raises(InputError, match="at least 11"):
        image.ssim(SMOOTH[:5], SMOOTH[:5])
