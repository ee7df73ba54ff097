"""Ears: the shipped mannequin, the sphere against its own series and limits."""

import hashlib
import importlib.util
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.errors import InputError, ShapeError
from sonoworld.render.equalise import minimum_phase
from sonoworld.render.hrirs import HrirSet, fibonacci_sphere, fill_gaps, sphere_areas, trimmed
from sonoworld.render.hrtf import hrir, mirror_signs
from sonoworld.render.magls import centred_spectra, decoder, match_diffuse_field
from sonoworld.render.sphere_hrtf import sphere_hrirs, sphere_response

KEMAR_SOFA = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
KEMAR_SHA256 = "8ee77bf3b2fe894c280cae336dd8f5721c74c9f6f7810f01164cbceb3df5a12d"
GRID = fibonacci_sphere(700)
F = np.fft.rfftfreq(1024, 1 / 48000)


def ears(filters: np.ndarray, direction: np.ndarray, order: int) -> np.ndarray:
    return np.einsum("mc,ect->met", harmonics(np.atleast_2d(direction), order), filters.astype(float))


def interaural_lag(pair: np.ndarray) -> int:
    """Samples by which the right ear is later, below 1.2 kHz."""
    low = butter(4, 1200, fs=48000, output="sos")
    left, right = sosfiltfilt(low, pair)
    return int(np.argmax(np.correlate(right, left, "full"))) - (len(left) - 1)


@cache
def sphere_48k() -> HrirSet:
    return sphere_hrirs(48000)


def test_shipped_file_is_the_one_its_script_made() -> None:
    data = files("sonoworld.render").joinpath("data/kemar_sh_hrir.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == KEMAR_SHA256
    assert len(data) < 300_000


@pytest.mark.skipif(not KEMAR_SOFA.is_file(), reason="the KEMAR measurement (Debian package libmysofa1) is not here")
def test_script_makes_the_shipped_filters_again() -> None:
    path = Path(__file__).parent.parent / "assets/make_kemar_sh.py"
    spec = importlib.util.spec_from_file_location("make_kemar_sh", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for order in (1, 4):
        made = decoder(script.prepared(KEMAR_SOFA), order)[0]
        assert np.abs(made - hrir("kemar", order)[0]).max() < 1e-4 * np.abs(made).max()


@pytest.mark.parametrize("name", ["kemar", "sphere"])
@pytest.mark.parametrize("order", [1, 3, 7])
def test_left_is_left(name: str, order: int) -> None:
    filters = hrir(name, order)
    assert filters.shape == (2, (order + 1) ** 2, 256)
    left, right = ears(filters, np.array([0.0, 1.0, 0.0]), order)[0]
    assert 10 * np.log10((left**2).sum() / (right**2).sum()) > 5
    lag = interaural_lag(np.stack([left, right]))
    # earlier on the left: 0.4..1 ms between the ears of a head (first order blurs it)
    assert (8 if order == 1 else 22) < lag < 48


@pytest.mark.parametrize("order", range(1, 8))
def test_the_mannequin_is_its_mirror_image(order: int) -> None:
    left, right = hrir("kemar", order)
    np.testing.assert_array_equal(right, left * mirror_signs(order)[:, None])
    flipped = GRID[:50] * [1, -1, 1]
    np.testing.assert_allclose(
        ears(hrir("kemar", order), flipped, order)[:, ::-1], ears(hrir("kemar", order), GRID[:50], order), atol=1e-6
    )


@pytest.mark.parametrize("order", range(1, 8))
def test_reference_level_is_the_diffuse_field(order: int) -> None:
    spectrum = np.abs(np.fft.rfft(ears(hrir("kemar", order), GRID, order), 1024)) ** 2
    diffuse_db = 10 * np.log10(spectrum.mean((0, 1)))
    band = (F > 100) & (F < 16000)
    assert np.abs(diffuse_db[band]).max() < (3.6 if order == 1 else 3.0)
    assert abs(np.average(diffuse_db[band], weights=1 / F[band])) < 0.4


@pytest.mark.parametrize(
    ("order", "low_db", "high_db"), [(1, 1.6, 0.8), (3, 0.2, 0.4), (5, 0.03, 0.3), (7, 0.03, 0.25)]
)
def test_magls_keeps_magnitudes(order: int, low_db: float, high_db: float) -> None:
    whole = sphere_48k()
    wanted = np.abs(np.fft.rfft(whole.taps, 1024))
    got = np.abs(np.fft.rfft(ears(decoder(whole, order), whole.directions, order), 1024))
    error = np.abs(20 * np.log10((got + 1e-9) / (wanted + 1e-9)))
    assert error[..., (F > 200) & (F < 1500)].mean() < low_db
    assert error[..., (F > 2000) & (F < 16000)].mean() < high_db


def test_covariance_is_the_sets_own() -> None:
    whole = sphere_48k()
    Y = harmonics(whole.directions, 2) * np.sqrt(2 * np.array(channel_degrees(2)) + 1)
    areas = sphere_areas(whole.directions) / (4 * np.pi)
    H = centred_spectra(whole)[4:480:16]
    D = np.linalg.lstsq(Y, H.transpose(1, 0, 2).reshape(len(Y), -1), rcond=None)[0]
    D = D.reshape(Y.shape[1], len(H), 2).transpose(1, 0, 2)
    matched = match_diffuse_field(D, H, Y, areas)
    seen = Y @ matched
    wanted = np.einsum("fme,m,fmg->feg", H.conj(), areas, H)
    got = np.einsum("fme,m,fmg->feg", seen.conj(), areas, seen)
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    # already matched: nothing changes
    np.testing.assert_allclose(match_diffuse_field(matched, H, Y, areas), matched, atol=1e-6)


def test_decoder_is_exact_for_a_field_of_its_own_order() -> None:
    # ears that hear first-order patterns are decoded exactly by any order, below and above the cut
    pulse = np.zeros((len(GRID), 2, 256))
    pulse[:, 0, 48] = 1 + 0.6 * GRID[:, 1]
    pulse[:, 1, 48] = 1 - 0.6 * GRID[:, 1]
    out = ears(decoder(HrirSet(pulse, GRID, 48000.0), 3), GRID, 3)
    np.testing.assert_allclose(out, pulse, atol=2e-3)


def test_sphere_meets_its_limits() -> None:
    f = np.array([0.0, 20.0, 15000.0])
    towards = sphere_response(np.array([1.0, 0.0, -1.0]), f)
    np.testing.assert_allclose(towards[:2], 1, atol=0.06)
    # a wall doubles the pressure at high frequencies
    assert abs(towards[2, 0]) == pytest.approx(2, abs=0.05)
    assert abs(towards[2, 2]) < abs(towards[2, 0])
    # long waves: extra arrival (3/2)(a/c) cos γ (Kuhn 1977, eq. 3)
    phase = np.angle(towards[1]) / (2 * np.pi * 20)
    np.testing.assert_allclose(phase, 1.5 * 0.0875 / 343 * np.array([1, 0, -1]), atol=2e-6)


def test_minimum_phase_is_causal_and_keeps_the_magnitude() -> None:
    magnitude = 1 / np.sqrt(1 + (np.fft.rfftfreq(2048) * 20) ** 2)
    H = minimum_phase(magnitude)
    np.testing.assert_allclose(np.abs(H), magnitude, rtol=1e-9)
    taps = np.fft.irfft(H, 2048)
    assert (taps[1024:] ** 2).sum() < 1e-6 * (taps**2).sum()


@pytest.mark.parametrize("rate", [44100, 96000])
def test_other_rates_sound_the_same(rate: int) -> None:
    one = np.abs(np.fft.rfft(hrir("kemar", 2, 48000), 4800, axis=-1))
    other = np.abs(np.fft.rfft(hrir("kemar", 2, rate), rate // 10, axis=-1))
    bins = slice(20, 1600)  # 200 Hz..16 kHz
    np.testing.assert_allclose(other[..., bins], one[..., bins], atol=0.03)


def test_gaps_are_continued_and_holes_are_errors() -> None:
    whole = sphere_48k()
    measured = whole.directions[:, 2] > np.sin(np.deg2rad(-40))
    partial = HrirSet(whole.taps[measured], whole.directions[measured], 48000.0)
    filled = fill_gaps(partial)
    assert (filled.directions[:, 2] < -0.9).any()
    # what was invented below is close to what the sphere does there, below 1.5 kHz
    new = filled.directions[len(partial.directions) :]
    got = np.fft.rfft(filled.taps[len(partial.directions) :], 1024)
    wanted = np.stack([sphere_response(side * new[:, 1], F) for side in (1.0, -1.0)], -1)
    band = (F > 100) & (F < 1500)
    error_db = 20 * np.log10(np.abs(got[..., band]) / np.abs(wanted[band].transpose(1, 2, 0)))
    assert np.abs(error_db).mean() < 1.0
    assert len(fill_gaps(whole).directions) == len(whole.directions)
    ring = np.abs(whole.directions[:, 2]) < 0.1
    with pytest.raises(InputError, match="leaves no gap wider"):
        fill_gaps(HrirSet(whole.taps[ring], whole.directions[ring], 48000.0))


def test_a_room_is_not_a_head() -> None:
    taps = np.random.default_rng(0).standard_normal((4, 2, 48000)) * np.exp(-np.arange(48000) / 8000)
    with pytest.raises(InputError, match="room"):
        trimmed(HrirSet(taps, np.eye(4, 3) + 0.1, 48000.0))


@pytest.mark.parametrize("bad", [0, 8, -1])
def test_orders_of_ears(bad: int) -> None:
    with pytest.raises(ShapeError, match=r"1\.\.7"):
        hrir("kemar", bad)
