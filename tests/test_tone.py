import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.sound.studio import synthesise
from sonoworld.sound.tone import curve_db, toned

decibels = st.floats(-24, 24)


@given(decibels, decibels, decibels)
def test_each_band_is_raised_by_what_was_asked(low: float, middle: float, high: float) -> None:
    at = np.array([0.0, 60.0, 1000.0, 12000.0])
    np.testing.assert_allclose(curve_db(at, (low, middle, high)), [low, low, middle, high], atol=1e-9)


@pytest.mark.parametrize(("hz", "band"), [(60.0, 0), (1000.0, 1), (12000.0, 2)])
def test_a_tone_comes_out_so_much_louder_and_not_later(hz: float, band: int) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(48000) / 48000)
    gains = (-7.0, 3.0, 5.0)
    np.testing.assert_allclose(toned(wave, 48000, gains), wave * 10 ** (gains[band] / 20), atol=1e-9)


def test_it_goes_round_the_loop() -> None:
    noise = np.random.default_rng(0).normal(size=4801)
    turned = np.roll(toned(noise, 48000, (6, 0, -6)), 700)
    np.testing.assert_allclose(toned(np.roll(noise, 700), 48000, (6, 0, -6)), turned, atol=1e-9)


def test_voices_take_it() -> None:
    def highs(tone_db: tuple[float, float, float]) -> float:
        clip = synthesise("rain", seconds=2, rng=np.random.default_rng(1), tone_db=tone_db)
        power = np.abs(np.fft.rfft(clip.samples.astype(float))) ** 2
        return float(power[16000:].sum() / power[1000:5000].sum())

    assert highs((0, 0, -12)) == pytest.approx(highs((0, 0, 0)) * 10**-1.2, rel=0.02)
