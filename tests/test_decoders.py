"""Binaural decoders by their laws: least squares, max-rE and magnitude least squares on the rigid sphere."""

from functools import cache

import numpy as np
import pytest
from scipy.special import spherical_jn, spherical_yn

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import InputError, ShapeError
from sonoworld.render.hrirs import HEAD_RADIUS_M, SPEED_OF_SOUND_M_S, HrirSet, fibonacci_sphere, sphere_areas
from sonoworld.render.hrtf import hrir, mirror_signs
from sonoworld.render.magls import centred_spectra, decoder, decoder_spectra, magls_cut_hz
from sonoworld.render.sphere_hrtf import sphere_hrirs, sphere_response

F = np.fft.rfftfreq(1024, 1 / 48000)
ORDERS = [1, 3, 5, 7]


@cache
def sphere() -> HrirSet:
    return sphere_hrirs(48000)


@cache
def error_db(order: int, method: str) -> np.ndarray:
    """Signed errors of magnitude [f m 2] of the finished 256 taps."""
    D = np.fft.rfft(decoder(sphere(), order, method).astype(float), 1024)  # pyright: ignore[reportArgumentType]
    seen = np.einsum("mc,ecf->fme", harmonics(sphere().directions, order), D)
    return 20 * np.log10((np.abs(seen) + 1e-9) / (np.abs(centred_spectra(sphere())) + 1e-9))


def test_the_sphere_is_the_incident_wave_and_what_it_scatters() -> None:
    """Both summed apart, without the Wronskian that joins them in our series (e^{+iωt}, wave from γ = 0)."""
    x = 2 * np.pi * np.array([30.0, 300.0, 1500.0, 5000.0, 12000.0])[:, None] * HEAD_RADIUS_M / SPEED_OF_SOUND_M_S
    n = np.arange(55)
    cosines = np.linspace(-1, 1, 41)
    legendre = np.polynomial.legendre.legvander(cosines, len(n) - 1)
    j, dj = spherical_jn(n, x), spherical_jn(n, x, derivative=True)
    with np.errstate(over="ignore", invalid="ignore"):
        h, dh = j - 1j * spherical_yn(n, x), dj - 1j * spherical_yn(n, x, derivative=True)
        scattered = np.where(np.abs(h) < 1e150, -dj / dh * h, 0)
    wanted = ((2 * n + 1) * 1j**n * (j + scattered)) @ legendre.T
    got = sphere_response(cosines, x[:, 0] * SPEED_OF_SOUND_M_S / (2 * np.pi * HEAD_RADIUS_M))
    np.testing.assert_allclose(got, wanted, atol=1e-9)


def test_impulse_responses_of_the_sphere_are_its_series() -> None:
    # between the bins they were made at, too: nothing rings round the end
    frequency = np.array([117.0, 1017, 5017, 12017, 18017])
    turns = np.exp(-2j * np.pi * frequency / 48000 * (np.arange(512)[:, None] - 72))  # 1.5 ms late
    for ear, side in enumerate((1.0, -1.0)):
        wanted = sphere_response(side * sphere().directions[:, 1], frequency).T
        np.testing.assert_allclose(sphere().taps[:, ear] @ turns, wanted, atol=5e-4)


def test_a_band_without_sound_is_no_trouble() -> None:
    silent = np.fft.rfft(sphere().taps, 512)
    silent[..., 200:] = 0
    muted = HrirSet(np.fft.irfft(silent, 512), sphere().directions, 48000.0)
    filters = decoder(muted, 2)
    assert np.isfinite(filters).all()
    assert np.abs(np.fft.rfft(filters.astype(float), 1024)[..., 470:]).max() < 0.02


def test_least_squares_of_high_order_is_the_set() -> None:
    D = decoder_spectra(sphere(), 7, "ls")
    seen = harmonics(sphere().directions, 7) @ D
    H = centred_spectra(sphere())
    low = F < 2000
    assert np.abs(seen - H)[low].max() < 0.02
    # order 7 ends at ka = 7, 4.4 kHz
    assert np.abs(seen - H)[F > 8000].max() > 0.5


@pytest.mark.parametrize("order", ORDERS)
def test_magls_keeps_the_treble_that_least_squares_loses(order: int) -> None:
    cut_hz = magls_cut_hz(order)
    above = (F / cut_hz > 1.5) & (F < 16000)
    magnitude, waveform = (np.abs(error_db(order, method)[above]).mean() for method in ("magls", "ls"))
    assert magnitude < 0.25 * waveform
    # least squares gets fainter, not only wrong
    treble = (F > 8000) & (F < 16000)
    assert error_db(order, "ls")[treble].mean() < -2
    assert abs(error_db(order, "magls")[treble].mean()) < 0.25


@pytest.mark.parametrize("method", ["magls", "ls"])
@pytest.mark.parametrize("order", ORDERS)
def test_bass_is_unbiased(order: int, method: str) -> None:
    low = (F > 90) & (F / magls_cut_hz(order) < 0.5)
    error = error_db(order, method)[low]
    assert abs(error.mean()) < 0.06
    assert np.abs(error).mean() < (0.4 if order == 1 else 0.1)


@pytest.mark.parametrize("method", ["magls", "ls", "ls_max_re"])
def test_spectra_are_those_of_real_filters(method: str) -> None:
    D = decoder_spectra(sphere(), 3, method)  # pyright: ignore[reportArgumentType]
    assert D.shape == (513, 16, 2)
    taps = np.fft.irfft(D, 1024, axis=0)
    np.testing.assert_allclose(np.fft.rfft(taps, axis=0), D, atol=1e-12)
    # real at 0 Hz, and not by force: the imaginary part rises from there in proportion to frequency
    np.testing.assert_allclose(D[2].imag, 2 * D[1].imag, atol=2e-3)
    # and short: hardly anything rings outside what is kept (1 ms before the mean arrival, 4.3 ms after)
    kept = np.concatenate([taps[-48:], taps[:208]])
    assert (kept**2).sum() > 0.999 * (taps**2).sum()


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("method", ["magls", "ls"])
def test_ears_in_a_diffuse_field(order: int, method: str) -> None:
    H, u = centred_spectra(sphere()), sphere().directions
    areas = sphere_areas(u) / (4 * np.pi)
    wanted = np.einsum("fme,m,fmg->feg", H.conj(), areas, H)
    off = {}
    for where in ("everywhere", "below_cut", "nowhere"):
        seen = harmonics(u, order) @ decoder_spectra(sphere(), order, method, covariance=where)  # pyright: ignore
        got = np.einsum("fme,m,fmg->feg", seen.conj(), areas, seen)
        off[where] = np.abs(got - wanted).max((1, 2))[1:-1]  # both ends are made real
    below = F[1:-1] < magls_cut_hz(order) / 1.3
    assert off["everywhere"].max() < 1e-6
    assert off["below_cut"][below].max() < 1e-6
    assert off["nowhere"][below].max() > 1e-3
    above = F[1:-1] > magls_cut_hz(order) * 1.3
    np.testing.assert_allclose(off["below_cut"][above], off["nowhere"][above], atol=1e-12)


@pytest.mark.parametrize("method", ["magls", "ls", "ls_max_re"])
def test_a_symmetric_head_has_symmetric_filters(method: str) -> None:
    half = fibonacci_sphere(500)
    half = half[half[:, 1] > 0.03]
    directions = np.concatenate([half, half * [1, -1, 1]])
    response = [sphere_response(side * directions[:, 1], F[::2]) for side in (1.0, -1.0)]
    later = np.stack(response, -1) * np.exp(-2j * np.pi * F[::2] * 1.5e-3)[:, None, None]
    later[-1] = later[-1].real
    taps = np.ascontiguousarray(np.moveaxis(np.fft.irfft(later, axis=0), 0, -1))
    left, right = decoder(HrirSet(taps, directions, 48000.0), 4, method)  # pyright: ignore[reportArgumentType]
    np.testing.assert_allclose(right, left * mirror_signs(4)[:, None], atol=1e-6)


def test_max_re_weighs_degrees() -> None:
    weights = max_re_weights(5)[np.array(channel_degrees(5))]
    plain = decoder_spectra(sphere(), 5, "ls")
    np.testing.assert_allclose(decoder_spectra(sphere(), 5, "ls_max_re"), plain * weights[:, None], atol=1e-12)


def test_by_name() -> None:
    for method in ("magls", "ls", "ls_max_re"):
        np.testing.assert_array_equal(hrir("sphere", 2, method=method), decoder(sphere(), 2, method))
    assert np.abs(hrir("sphere", 2) - hrir("sphere", 2, method="ls")).max() > 0.01
    with pytest.raises(InputError, match=r"expected magls for the shipped kemar, got ls; give .*\.sofa"):
        hrir("kemar", 2, method="ls")
    with pytest.raises(ShapeError, match="decoder order"):
        decoder(sphere(), 8)
