import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.errors import InputError
from sonoworld.evaluate import separation

RNG = np.random.default_rng(0)
SOURCES = RNG.standard_normal((2, 400))


@given(st.floats(0.01, 100), st.floats(-20, 40))
def test_si_sdr_is_the_ratio_put_in_whatever_the_gain(gain: float, level_db: float) -> None:
    s = SOURCES[0]
    noise = SOURCES[1] - (SOURCES[1] @ s) / (s @ s) * s
    noise *= np.linalg.norm(s) / np.linalg.norm(noise) * 10 ** (-level_db / 20)
    assert separation.si_sdr(gain * (s + noise), s) == pytest.approx(level_db, abs=1e-6)


def test_improvement_is_over_the_mixture() -> None:
    s = SOURCES[0]
    n = SOURCES[1] - (SOURCES[1] @ s) / (s @ s) * s
    got = separation.si_sdr_improvement(s + 0.1 * n, s + n, s)
    assert got == pytest.approx(20)


def by_explicit_delays(e: np.ndarray, sources: np.ndarray, taps: int) -> dict[str, float]:
    whole = np.pad(e, (0, taps - 1))
    shifts = [np.stack([np.pad(s, (k, taps - 1 - k)) for k in range(taps)], 1) for s in sources]
    own = shifts[0] @ np.linalg.lstsq(shifts[0], whole, rcond=None)[0]
    both = np.hstack(shifts)
    every = both @ np.linalg.lstsq(both, whole, rcond=None)[0]
    parts = {"sdr_db": (own, whole - own), "sir_db": (own, every - own), "sar_db": (every, whole - every)}
    return {key: 10 * math.log10((a @ a) / (b @ b)) for key, (a, b) in parts.items()}


@pytest.mark.parametrize("taps", [1, 2, 8])
def test_bss_eval_by_an_explicit_matrix_of_delays(taps: int) -> None:
    e = np.convolve(SOURCES[0], [1, 0.5, 0.2])[:400] + 0.3 * SOURCES[1] + 0.1 * RNG.standard_normal(400)
    assert separation.sdr_sir_sar(e, SOURCES, 0, taps=taps) == pytest.approx(
        by_explicit_delays(e, SOURCES, taps), abs=1e-8
    )


def test_bss_eval_of_sources_that_explain_each_other() -> None:
    """The second source is the first, one sample later: the equations have no single solution."""
    sources = np.stack([SOURCES[0], np.roll(SOURCES[0], 1)])
    sources[:, -1] = 0
    sources[1, 0] = 0
    e = sources[0] + 0.5 * np.roll(sources[0], 3) + 0.1 * SOURCES[1]
    assert separation.sdr_sir_sar(e, sources, 0, taps=8) == pytest.approx(by_explicit_delays(e, sources, 8), abs=1e-6)


def test_all_estimates_at_once_are_those_one_by_one() -> None:
    estimates = np.stack([SOURCES[0] + 0.2 * SOURCES[1], np.zeros(400)])
    first, silent = separation.bss_eval(estimates, SOURCES, taps=8)
    assert first == separation.sdr_sir_sar(estimates[0], SOURCES, 0, taps=8)
    assert all(math.isnan(value) for value in silent.values())
    with pytest.raises(InputError, match="taps"):
        separation.bss_eval(estimates, SOURCES, taps=0)


def test_silence_is_undefined() -> None:
    assert math.isnan(separation.si_sdr(np.zeros(400), SOURCES[0]))
    assert math.isnan(separation.sdr_sir_sar(np.zeros(400), SOURCES, 0)["sdr_db"])
    with pytest.raises(InputError, match="silent"):
        separation.sdr_sir_sar(SOURCES[0], np.stack([SOURCES[0], np.zeros(400)]), 0)
