"""What the synthesis is made of: bubbles, bells, circular filters, closed phases, thinning."""

import numpy as np
import pytest
from scipy import signal as reference

from sonoworld.sound import grains, modulation, noise, resonance
from sonoworld.sound.voices.household import BELL_PARTIALS, bell_modes

RATE = 48_000
N = noise.loop_samples(1.0)


def peak_hz(x: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(x * np.hanning(x.size), 16 * x.size))) * RATE / (16 * x.size))


@pytest.mark.parametrize("radius_mm", [1.0, 3.0, 5.0])
def test_bubble_sings_at_minnaerts_frequency(radius_mm: float) -> None:
    """3.26 m/s over the radius: the textbook figure for air in water at 1 atm."""
    one = np.array([radius_mm / 1000])
    assert grains.minnaert_hz(one)[0] == pytest.approx(3.26 / one[0], rel=0.01)
    sung = grains.scatter(
        N, grains.Grains(np.zeros(1), grains.minnaert_hz(one), np.array([30.0]), np.ones(1)), np.random.default_rng(0)
    )
    assert peak_hz(sung) == pytest.approx(3.26 / one[0], rel=0.01)


def test_bell_is_a_minor_third_bell() -> None:
    """Tuned bells: hum an octave below, tierce a minor third, quint a fifth, nominal an octave above."""
    assert BELL_PARTIALS[:5] == (0.5, 1.0, 1.2, 1.5, 2.0)
    modes = bell_modes(300.0, np.random.default_rng(0))
    rung = grains.struck(4 * N, np.zeros(1), np.ones(1), modes, np.random.default_rng(0))
    spectrum = np.abs(np.fft.rfft(rung * np.hanning(rung.size)))
    for ratio in BELL_PARTIALS[:5]:
        at = round(300 * ratio * 4)
        assert spectrum[at - 4 : at + 5].max() > 5 * np.median(spectrum[at - 100 : at + 100])


def test_grain_passes_around_the_end() -> None:
    def at(start: float) -> np.ndarray:
        g = grains.Grains(np.array([start]), np.array([500.0]), np.array([40.0]), np.ones(1))
        return grains.scatter(N, g, np.random.default_rng(0))

    assert np.allclose(np.roll(at(0.25), N // 2), at(0.75), atol=1e-12)
    assert np.allclose(np.roll(at(0.0), -4800), at(0.9), atol=1e-12)


def test_kernel_against_plain_formula() -> None:
    g = grains.Grains(np.zeros(1), np.array([700.0]), np.array([60.0]), np.array([0.5]), np.array([0.1]))
    got = grains.scatter(N, g, np.random.default_rng(0))
    t = np.arange(1000) / RATE
    plain = 0.5 * np.exp(-60 * t) * np.sin(2 * np.pi * 700 * (t + 0.5 * 0.1 * 60 * t * t))
    assert np.allclose(got[1:1000], plain[1:], atol=2e-3)


def test_place_adds_a_sound_longer_than_the_loop() -> None:
    out = np.zeros(10)
    grains.place(out, np.ones(25), 3 / RATE)
    assert out.tolist() == [2, 2, 2, 3, 3, 3, 3, 3, 2, 2]


def test_resonance_has_its_peak_and_width() -> None:
    impulse = np.zeros(N)
    impulse[0] = 1
    response = np.abs(np.fft.rfft(resonance.resonant(impulse, ((1000.0, 100.0, 0.5),))))
    assert response[1000] == pytest.approx(0.5, rel=1e-6)
    edges = np.flatnonzero(response > 0.5 / np.sqrt(2))
    assert edges[-1] - edges[0] == pytest.approx(100, abs=2)


def test_lowpass_is_an_analogue_butterworth_of_order_one() -> None:
    impulse = np.zeros(N)
    impulse[0] = 1
    ours = np.fft.rfft(resonance.lowpass(impulse, 800.0))
    _, theirs = reference.freqs(*reference.butter(1, 2 * np.pi * 800, analog=True), 2 * np.pi * np.arange(ours.size))
    assert np.allclose(ours[:-1], theirs[:-1], atol=1e-9)


def test_filters_are_circular() -> None:
    x = np.random.default_rng(0).standard_normal(N)
    rolled = resonance.room(np.roll(x, 777), 0.6, 0.5, np.random.default_rng(1))
    assert np.allclose(rolled, np.roll(resonance.room(x, 0.6, 0.5, np.random.default_rng(1)), 777))


def test_phase_closes_after_whole_cycles() -> None:
    phase = modulation.cycles(np.full(N, 123.4))
    assert phase[-1] == pytest.approx(123)
    assert modulation.pulses(phase).sum() == 123


def test_noise_has_its_spectrum() -> None:
    x = noise.shaped(8 * N, {100: 0, 1000: -20, 10000: -40}, np.random.default_rng(0))
    f, power = reference.welch(x, RATE, nperseg=4800)
    fall = 10 * np.log10(power[np.argmin(abs(f - 500))] / power[np.argmin(abs(f - 5000))])
    assert fall == pytest.approx(20, abs=1.5)
    assert np.sqrt(np.mean(x**2)) == pytest.approx(1)


def test_thinning_keeps_what_density_says() -> None:
    rng = np.random.default_rng(0)
    density = np.concatenate([np.full(N // 2, 0.2), np.full(N // 2, 0.8)])
    kept = modulation.thinned(modulation.poisson(20_000, N, rng), density, rng)
    assert np.sum(kept < 0.5) / 10_000 == pytest.approx(0.2, abs=0.02)
    assert np.sum(kept >= 0.5) / 10_000 == pytest.approx(0.8, abs=0.03)
