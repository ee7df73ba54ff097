"""A classifier trained on real recordings alone, which then judges sounds that it has never met.

    python bench/reference/judge.py FOLDER_OF_ESC10

trains it on folds 3 to 5 of ESC-10 (24 recordings of each of ten classes) and writes what it learnt to `judge.json`
beside this file, so that `bench/sounds.py` can ask it without any recordings.

Linear (multinomial logistic regression, L2) over 435 numbers of a 5 s clip: level, spread and percentiles of 40 bands
in ERB, their modulation, correlations between them, speed of change, and how tonal the spectrum is. Every recording is
shown several times, each time coloured, padded or repeated, and on a floor of noise, all at random: so it cannot lean
on a microphone, on the silence around a clip, or on how often the clip was repeated.
"""

import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage, optimize, signal
from texture import RATE_HZ, band_power, erb_edges_hz, recordings

SAMPLES = 5 * RATE_HZ
BANDS = 40
EDGES_HZ = erb_edges_hz(BANDS, 60, 14_000)
MODULATION_HZ = (0.4, 1, 2, 4, 8, 16, 32, 50)
L2 = 0.1
MOST_SIGMAS = 4.0
TRAINED_ON, UNMET = (3, 4, 5), (1, 2)
"""Folds of ESC-10."""

JSON = Path(__file__).parent / "judge.json"


def features(x: np.ndarray) -> np.ndarray:
    """435 numbers that tell classes apart."""
    x = x[:SAMPLES] - x[:SAMPLES].mean()
    power = band_power(x / (x.std() + 1e-9), EDGES_HZ, 1440)
    power = power + 1e-5 * power.mean()
    db = 10 * np.log10(power)
    mean = 10 * np.log10(power.mean(axis=0))
    low, middle, high = np.percentile(db, (5, 50, 95), axis=0)
    compressed = power**0.15
    groups = compressed.reshape(-1, 10, 4).mean(axis=2)
    groups = groups / groups.mean(axis=0) - 1
    beat = np.abs(np.fft.rfft(groups * np.hanning(len(groups))[:, None], axis=0)) ** 2
    hz = np.fft.rfftfreq(len(groups), 0.01)
    shares = np.array([beat[(hz >= a) & (hz < b)].sum(axis=0) for a, b in itertools.pairwise(MODULATION_HZ)])
    pairs = compressed.reshape(-1, 20, 2).mean(axis=2)
    together = np.corrcoef(pairs.T + 1e-9 * np.random.default_rng(0).standard_normal(pairs.T.shape))
    step = np.diff(db, axis=0)
    change = [np.mean(np.abs(step)), np.sqrt(np.mean(np.maximum(step, 0) ** 2)), np.sum(step.mean(axis=1) > 3)]
    parts = (
        mean - mean.mean(), db.std(axis=0), high - middle, middle - low, np.log(shares / shares.sum(axis=0) + 1e-3),
        np.log(groups.std(axis=0) + 1e-2), together[np.triu_indices(20, 1)], change, tonality(x),
    )  # fmt: skip
    return np.concatenate([np.ravel(part) for part in parts])


def tonality(x: np.ndarray) -> tuple[float, float]:
    """How far lines stand out of the spectrum around them (log power), and how much that changes."""
    f, _, z = signal.stft(x, RATE_HZ, nperseg=4096, noverlap=2048, boundary=None, padded=False)
    inside = (f > 100) & (f < 8000)
    power = np.abs(z[inside]) ** 2 * f[inside, None]
    log = np.log(power + 1e-9 * power.max())
    above = log - ndimage.median_filter(log, (31, 1))
    weight = power.sum(axis=0)
    lines = np.sort(above, axis=0)[-8:].mean(axis=0)
    return float((lines * weight).sum() / weight.sum()), float(above.max(axis=0).std())


def shown(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A recording as the judge gets it to learn: 5 s, begun anywhere, coloured, on some noise."""
    if x.size >= SAMPLES:
        long = x[:SAMPLES].copy()
    elif rng.random() < 0.5:
        long = np.resize(np.concatenate([x, np.zeros(int(rng.uniform(0, 0.5) * RATE_HZ))]), SAMPLES)
    else:
        long = np.pad(x, (0, SAMPLES - x.size))
    long = np.roll(long, rng.integers(SAMPLES))
    f = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    octave = np.log2(np.maximum(f, 30.0))
    knots = np.linspace(octave.min(), octave.max(), 7)
    gain_db = np.interp(octave, knots, rng.normal(0, 2.5, 7) + rng.normal(0, 0.8) * (knots - 9.5))
    long = np.fft.irfft(np.fft.rfft(long) * 10 ** (gain_db / 20), SAMPLES)
    noise = rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)
    floor = np.fft.irfft(noise / np.maximum(f, 60.0) ** rng.uniform(0, 1), SAMPLES)
    return long / np.abs(long).max() + floor / floor.std() * 10 ** (-rng.uniform(45, 85) / 20)


@dataclass(frozen=True, slots=True)
class Judge:
    """Names of c classes, mean and deviation of d features, and how much each speaks for each class."""

    names: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """[clips, c], larger for what is more likely."""
        return scaled(rows, self.mean, self.sd) @ self.weights + self.bias

    def ranks(self, rows: np.ndarray, name: str) -> tuple[np.ndarray, str]:
        """How many classes come before `name` for each clip, and the class most often taken for it."""
        score, own = self.scores(rows), self.names.index(name)
        wrong = [self.names[i] for i in score.argmax(axis=1) if i != own]
        return np.sum(score > score[:, [own]], axis=1), max(set(wrong), key=wrong.count) if wrong else ""


def scaled(rows: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Features of mean 0 and deviation 1, outliers held, over the square root of their number."""
    return np.clip((rows - mean) / sd, -MOST_SIGMAS, MOST_SIGMAS) / np.sqrt(rows.shape[1])


def trained(heard: Sequence[tuple[str, np.ndarray]], times: int, seed: int) -> Judge:
    """A judge that has been shown every recording `times` times."""
    rng = np.random.default_rng(seed)
    names = tuple(dict.fromkeys(name for name, _ in heard))
    rows = np.array([features(shown(x, rng)) for _, x in heard for _ in range(times)])
    truth = np.repeat(np.eye(len(names))[[names.index(name) for name, _ in heard]], times, axis=0)
    mean, sd = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    z = scaled(rows, mean, sd)
    d, c = z.shape[1], len(names)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = flat[:-c].reshape(d, c), flat[-c:]
        score = z @ w + b
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        slope = z.T @ (p - truth) + L2 * w
        value = -np.log((p * truth).sum(axis=1) + 1e-12).sum() + 0.5 * L2 * np.sum(w**2)
        return value / len(z), np.concatenate([slope.ravel(), (p - truth).sum(axis=0)]) / len(z)

    best = optimize.minimize(loss, np.zeros(d * c + c), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    return Judge(names, mean, sd, best[:-c].reshape(d, c), best[-c:])


def kept() -> Judge:
    """The judge beside this file."""
    read = json.loads(JSON.read_text())
    arrays = (np.array(read[key]) for key in ("mean", "sd", "weights", "bias"))
    return Judge(tuple(read["names"]), *arrays)


def main() -> None:
    judge = trained(recordings(Path(sys.argv[1]), TRAINED_ON), times=4, seed=1)
    numbers = {key: getattr(judge, key) for key in ("mean", "sd", "weights", "bias")}
    rounded = {key: np.vectorize(lambda v: float(f"{v:.4g}"))(value).tolist() for key, value in numbers.items()}
    told = {"source": "ESC-10 (Piczak 2015; CC BY 3.0), folds 3 to 5", "names": judge.names}
    JSON.write_text(json.dumps(told | rounded, separators=(",", ":")).replace("],", "],\n") + "\n")
    print(f"{JSON}: {len(judge.names)} classes, {JSON.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
