"""Statistics of a sound's texture, and their ranges over real recordings.

    python bench/reference/texture.py FOLDER_OF_ESC10

writes `sounds.json` beside this file: 10th, 50th and 90th percentile of every statistic over the recordings of folds 1
and 2 of ESC-10 (Piczak 2015; CC BY 3.0, each clip CC0 or CC BY), 16 of each class. Folds 3 to 5 stay unseen: they train
the judge of `bench/sounds.py`.

Statistics (after McDermott & Simoncelli, Neuron 71, 2011) of what lies between the first and the last event:
spec0-7: level of eighths of the spectrum in ERB, dB re their loudest; centroid_oct: log2 of Hz, power-weighted; env_cv,
env_kurt: log of standard deviation over mean, and of the fourth moment, of the RMS of 10 ms; bandcv0-7: the same of
compressed band envelopes; mod0-5: log share of envelope power in octaves of modulation from 0.4 to 25 Hz; corr_near,
corr_far: mean correlation of bands 1-2 and 8 or more apart; onsets: rises by 6 dB a second.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

RATE_HZ = 48_000
BANDS = 32
MODULATION_HZ = (0.39, 0.78, 1.56, 3.12, 6.25, 12.5, 25.0)
SILENT = 2e-4
"""Below that share of its peak a recording holds no sound: ESC-10 fills short clips up with zeros."""

EVENT = 0.01
"""From that share of the loudest 10 ms on something happens."""

FOLDERS = {
    "dog": "001", "rain": "002", "sea waves": "003", "baby": "004", "clock tick": "005",
    "sneeze": "006", "helicopter": "007", "chainsaw": "008", "rooster": "009", "fire": "010",
}  # fmt: skip
"""Classes by the numbers of their folders. Babies and sneezes are no voices of ours; the judge knows them too."""

JSON = Path(__file__).parent / "sounds.json"


def erb_edges_hz(count: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Edges of `count` bands of equal width in ERB (Glasberg & Moore 1990)."""
    number = np.linspace(*(21.4 * np.log10(1 + 0.00437 * hz) for hz in (low_hz, high_hz)), count + 1)
    return (10 ** (number / 21.4) - 1) / 0.00437


def band_power(x: np.ndarray, edges_hz: np.ndarray, frame: int = 960) -> np.ndarray:
    """Mean power density [frames of 10 ms, bands]; edges between bins are shared out."""
    f, _, z = signal.stft(x, RATE_HZ, nperseg=frame, noverlap=frame - 480, nfft=4096, boundary=None, padded=False)
    power = np.abs(z) ** 2
    upto = np.concatenate([np.zeros((1, power.shape[1])), np.cumsum(power, axis=0)])
    place = np.interp(edges_hz, f - f[1] / 2, np.arange(f.size))
    low = place.astype(int)
    part = (place - low)[:, None]
    return np.diff(upto[low] * (1 - part) + upto[low + 1] * part, axis=0).T / np.diff(edges_hz)


def envelope(x: np.ndarray) -> np.ndarray:
    """RMS of every 10 ms."""
    return np.sqrt(np.mean(x[: x.size // 480 * 480].reshape(-1, 480) ** 2, axis=1))


def onsets_per_s(x: np.ndarray) -> float:
    """Rises of more than 6 dB of 20 ms over the mean of the last 100 ms."""
    rms = np.sqrt(np.mean(x[: x.size // 960 * 960].reshape(-1, 960) ** 2, axis=1)) + 1e-9
    before = np.mean([np.roll(rms, s) for s in range(1, 6)], axis=0)
    hit = (rms > 2 * before) & (rms > 0.1 * rms.max())
    return float(np.sum(hit & ~np.roll(hit, 1)) / (x.size / RATE_HZ))


def eventful(x: np.ndarray, loops: bool) -> np.ndarray:
    """From the first event to the last, as a recordist cuts; a loop is opened at its longest rest."""
    env = envelope(x)
    loud = np.flatnonzero(env > EVENT * env.max())
    if loops:
        rests = np.diff(np.append(loud, loud[0] + env.size))
        after = loud[(int(np.argmax(rests)) + 1) % loud.size]
        x, loud = np.roll(x, -after * 480), np.sort((loud - after) % env.size)
    return x[max(loud[0] - 1, 0) * 480 : (loud[-1] + 2) * 480]


def statistics(x: np.ndarray, loops: bool) -> dict[str, float]:
    """All statistics of the first 5 s."""
    x = eventful(x[: 5 * RATE_HZ], loops)
    x = (x - x.mean()) / x.std()
    found: dict[str, float] = {}
    power = band_power(x, erb_edges_hz(BANDS, 70, 12_000)) + 1e-14
    mean = power.mean(axis=0)
    db = np.maximum(10 * np.log10(mean / mean.max()), -60)
    for g in range(8):
        found[f"spec{g}"] = db[4 * g : 4 * g + 4].mean()
    whole = np.abs(np.fft.rfft(x)) ** 2
    f = np.fft.rfftfreq(x.size, 1 / RATE_HZ)
    inside = (f > 40) & (f < 12_000)
    found["centroid_oct"] = np.sum(whole[inside] * np.log2(f[inside])) / whole[inside].sum()
    env = envelope(x)
    score = (env - env.mean()) / env.std()
    found["env_cv"], found["env_kurt"] = np.log(env.std() / env.mean()), np.log(np.mean(score**4))
    compressed = power**0.15  # a cochlea's compression of amplitude, 0.3
    groups = compressed.reshape(-1, 8, 4).mean(axis=2)
    for g, cv in enumerate(groups.std(axis=0) / groups.mean(axis=0)):
        found[f"bandcv{g}"] = np.log(cv + 1e-3)
    beat = np.abs(np.fft.rfft(env - env.mean())) ** 2
    hz = np.fft.rfftfreq(env.size, 0.01)
    shares = np.array([beat[(hz >= a) & (hz < b)].sum() for a, b in itertools.pairwise(MODULATION_HZ)])
    for i, share in enumerate(shares / shares.sum()):
        found[f"mod{i}"] = np.log(share + 1e-3)
    together = np.corrcoef(compressed.T)
    apart = np.abs(np.subtract.outer(np.arange(BANDS), np.arange(BANDS)))
    found["corr_near"] = together[(apart >= 1) & (apart <= 2)].mean()
    found["corr_far"] = together[apart >= 8].mean()
    found["onsets"] = onsets_per_s(x)
    return {name: float(value) for name, value in found.items()}


def recordings(folder: Path, folds: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """(class, sound without the silence around it at 48 kHz mono) of every recording of some folds of ESC-10."""
    found: list[tuple[str, np.ndarray]] = []
    for name, number in FOLDERS.items():
        for path in sorted(folder.glob(f"{number}*/*.ogg")):
            if int(path.name[0]) not in folds:
                continue
            read, rate = soundfile.read(path, always_2d=True)
            x = signal.resample_poly(read.mean(axis=1), RATE_HZ, rate)
            loud = np.flatnonzero(np.abs(x) > SILENT * np.abs(x).max())
            found.append((name, x[loud[0] : loud[-1] + 1]))
    if not found:
        raise SystemExit(f"{folder}: expected the folders of ESC-10 ('001 - Dog bark', ...) with .ogg files")
    return found


def main() -> None:
    rows: dict[str, list[dict[str, float]]] = {}
    for name, x in recordings(Path(sys.argv[1]), (1, 2)):
        if eventful(x, loops=False).size >= RATE_HZ // 2:
            rows.setdefault(name, []).append(statistics(x, loops=False))
    ranges = {
        name: {
            "recordings": len(found),
            "p10_p50_p90": {
                key: [round(float(v), 3) for v in np.percentile([row[key] for row in found], (10, 50, 90))]
                for key in found[0]
            },
        }
        for name, found in rows.items()
        if name not in ("baby", "sneeze")
    }
    text = json.dumps({"source": "ESC-10, folds 1 and 2", "classes": ranges})
    JSON.write_text(text.replace("}, ", "},\n") + "\n")
    print(f"{JSON}: {', '.join(f'{name} {len(found)}' for name, found in rows.items())}")


if __name__ == "__main__":
    main()
