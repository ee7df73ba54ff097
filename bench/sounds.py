"""Every voice by numbers, beside the medians of real recordings where they are known.

python bench/sounds.py [--seeds 4] [--seconds 5] [VOICE ...]

x real time: on one core, after compilation. LUFS: before levelling, of the voice as it comes. join: spectral flux at
the loop point over the 95th percentile. vary: standard deviation over seeds of the centroid, octaves. CV: standard
deviation over mean of the envelope.
"""

import argparse
import time

import numpy as np

from sonoworld.sound.level import integrated_lufs
from sonoworld.sound.loop import join_ratio, quietest_join
from sonoworld.sound.manner import Manner
from sonoworld.sound.noise import RATE_HZ, loop_samples
from sonoworld.sound.voices.catalogue import VOICES

REAL = {
    "rain": (1190, 0.17, 2.0), "fire": (321, 0.48, 2.0), "sea waves": (822, 0.46, 2.0),
    "helicopter": (365, 0.30, 2.2), "chainsaw": (568, 0.51, 1.6), "dog": (804, 1.78, 1.4), "rooster": (1361, 1.47, 0.8),
    "clock tick": (1049, 1.33, 1.7),
    "birds": (2005, 0.81, 1.8), "crickets": (1209, 0.40, 1.7), "wind": (144, 0.43, 1.0), "city hum": (284, 0.21, 1.6),
    "crowd": (295, 0.40, 1.9), "storm": (185, 0.52, 2.0), "train": (254, 0.69, 3.0), "boat engine": (713, 0.44, 2.0),
}  # fmt: skip
"""Medians of 16 classes of real recordings: log-mean centroid Hz, envelope CV, onsets per s."""


def centroid_hz(x: np.ndarray) -> float:
    """Centroid on a log axis, of power in sixth-octave bands."""
    power = np.abs(np.fft.rfft(x)) ** 2
    f = np.fft.rfftfreq(x.size, 1 / RATE_HZ)
    inside = (f > 40) & (f < 12000)
    return float(2 ** (np.sum(power[inside] * np.log2(f[inside])) / power[inside].sum()))


def envelope_cv(x: np.ndarray) -> float:
    """Standard deviation over mean of the RMS of 10 ms frames."""
    rms = np.sqrt(np.mean(x[: x.size // 480 * 480].reshape(-1, 480) ** 2, axis=1))
    return float(rms.std() / rms.mean())


def onsets_per_s(x: np.ndarray) -> float:
    """Rises of more than 6 dB of 20 ms frames over the mean of the last 100 ms."""
    rms = np.sqrt(np.mean(x[: x.size // 960 * 960].reshape(-1, 960) ** 2, axis=1)) + 1e-9
    before = np.mean([np.roll(rms, s) for s in range(1, 6)], axis=0)
    hit = rms > 2 * before
    return float(np.sum(hit & ~np.roll(hit, 1)) / (x.size / RATE_HZ))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("voices", nargs="*", default=sorted(VOICES))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    n = loop_samples(asked.seconds)
    VOICES["rain"].sound(n, Manner(), np.random.default_rng(0))  # compiles
    print(f"{'voice':18}{'x real':>8}{'Hz':>7}{'(real)':>8}{'CV':>6}{'(real)':>8}{'on/s':>6}{'(real)':>8}", end="")
    print(f"{'LUFS':>7}{'join':>6}{'vary':>6}")
    for name in asked.voices:
        begin = time.perf_counter()
        made = [VOICES[name].sound(n, Manner(), np.random.default_rng(100 + s)) for s in range(asked.seeds)]
        speed = asked.seeds * asked.seconds / (time.perf_counter() - begin)
        hz, cv, on = (np.array([f(x) for x in made]) for f in (centroid_hz, envelope_cv, onsets_per_s))
        real = [f"{v:g}" for v in REAL[name]] if name in REAL else ["", "", ""]
        join = max(join_ratio(quietest_join(x)) for x in made)
        lufs = np.mean([integrated_lufs(x, RATE_HZ) for x in made])
        print(f"{name:18}{speed:8.0f}{np.median(hz):7.0f}{real[0]:>8}{np.median(cv):6.2f}{real[1]:>8}", end="")
        print(f"{np.median(on):6.1f}{real[2]:>8}{lufs:7.1f}{join:6.2f}{np.log2(hz).std():6.2f}")


if __name__ == "__main__":
    main()
