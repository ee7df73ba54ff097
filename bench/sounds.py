"""Every voice by numbers: speed, level, loops, variety, and whether a judge of real recordings knows it.

    python bench/sounds.py                    # about 5 minutes; no recordings needed
    python bench/sounds.py FOLDER_OF_ESC10    # and what the judge makes of recordings that it has not met
    python bench/sounds.py --voices fire rain --seeds 4

Claims: every voice is made at least 10 times faster than it plays, on one core; at the loop point no more happens than
the clip's own 95th percentile; a scene of the eight slowest takes at most 5 s; the middle of the seeds lies within the
range of real recordings (16 classes: centroid, envelope, modulation, onsets) or of physics (the others); where five
recordings or more were measured, texture differs between seeds at least 0.4 times as much as between them; a judge
trained on real recordings puts fresh seeds of the eight best-known classes first in 75 % and among the first three in
95 %. Every miss is named; exit code 1.

`reference/texture.py` says what is measured and on which recordings, `reference/ranges.py` what it is held against,
`reference/judge.py` what the judge looks at; each wrote the JSON beside it.
x real: from words to a levelled clip, after compilation. join: spectral flux at the loop point over the clip's own 95th
percentile, worst seed. Hz, CV, on/s: centroid, spread of the envelope and onsets, medians over seeds.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyloudnorm

from sonoworld.backend import Run
from sonoworld.sound import synthesise
from sonoworld.sound.loop import join_ratio
from sonoworld.sound.studio import maker
from sonoworld.sound.synth import SynthOptions
from sonoworld.sound.voices.catalogue import VOICES
from sonoworld.types import Source, Spread

sys.path.append(str(Path(__file__).parent / "reference"))
from judge import UNMET, features, kept, shown
from ranges import ENOUGH, FEW, SOUNDS, middle, outside, recordings_of
from texture import recordings, statistics

FASTEST_OK, SCENE_S, VARIETY, FIRST, THREE = 10.0, 5.0, 0.4, 0.75, 0.95
STATISTICS_SEED, FRESH_SEED = 100, 11_000_000
"""The second was used for nothing while voices were made."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was measured of one voice; `rows`: statistics of every seed."""

    times_real: float
    worst_join: float
    lufs: float
    rows: list[dict[str, float]]

    def all(self, name: str) -> np.ndarray:
        return np.array([row[name] for row in self.rows])


def clip(name: str, seed: int, seconds: float) -> np.ndarray:
    return synthesise(name, seconds=seconds, rng=np.random.default_rng(seed)).samples.astype(np.float64)


def heard(name: str, seeds: int, seconds: float) -> Heard:
    begin = time.process_time()
    made = [clip(name, STATISTICS_SEED + s, seconds) for s in range(seeds)]
    took = time.process_time() - begin
    meter = pyloudnorm.Meter(48_000)
    return Heard(
        seeds * seconds / took,
        max(join_ratio(x) for x in made),
        float(np.mean([meter.integrated_loudness(x) for x in made])),
        [statistics(x, loops=True) for x in made],
    )


def every_voice(names: list[str], asked: argparse.Namespace) -> tuple[dict[str, Heard], list[str]]:
    found: dict[str, Heard] = {}
    print(f"{'voice':18}{'x real':>7}{'join':>6}{'LUFS':>7}{'Hz':>6}{'CV':>6}{'on/s':>6}  in range of")
    missed: list[str] = []
    for name in names:
        it = found[name] = heard(name, asked.seeds, asked.seconds)
        mid = middle(it.rows)
        print(f"{name:18}{it.times_real:7.0f}{it.worst_join:6.2f}{it.lufs:7.1f}{2 ** mid['centroid_oct']:6.0f}", end="")
        count, out = outside(name, it.rows)
        whose = f"{count} of {recordings_of(name) or 'physics'}" + ("" if not recordings_of(name) else " recordings")
        print(f"{np.exp(mid['env_cv']):6.2f}{mid['onsets']:6.1f}  {count - len(out)} / {whose}  {', '.join(out)}")
        missed += [f"{name}: {one}" for one in out]
        if it.times_real < FASTEST_OK:
            missed.append(f"{name}: {it.times_real:.0f} x real time")
        if it.worst_join > 1:
            missed.append(f"{name}: {it.worst_join:.2f} at the loop point")
    return found, missed


def variety(found: dict[str, Heard]) -> list[str]:
    """Variance over seeds against the real p10-p90 range, (p90 - p10) / 2.563 standing for sigma; each held to 2."""
    real = {n: r["p10_p50_p90"] for n, r in (SOUNDS | FEW).items() if n in found and r["recordings"] >= ENOUGH}
    if not real:
        return []
    groups = ("spec", "env", "bandcv", "mod", "corr")
    count = len(next(iter(found.values())).rows)
    print(f"\nvariance over {count} seeds / real")
    print(f"{'voice':14}{'mean':>6}" + "".join(f"{g:>8}" for g in groups))
    missed: list[str] = []
    for name, ranges in real.items():
        ratio = {
            key: min(2.0, float(found[name].all(key).var()) / max((p90 - p10) / 2.563, 1e-3) ** 2)
            for key, (p10, _, p90) in ranges.items()
        }
        mean = float(np.mean(list(ratio.values())))
        parts = [np.mean([v for key, v in ratio.items() if key.startswith(g)]) for g in groups]
        print(f"{name:14}{mean:6.2f}" + "".join(f"{v:8.2f}" for v in parts))
        if mean < VARIETY:
            missed.append(f"{name}: variance between seeds {mean:.2f} of the real one")
    return missed


def scene(found: dict[str, Heard]) -> list[str]:
    none = np.zeros((0, 3), np.float32)
    slowest = sorted(found, key=lambda name: found[name].times_real)[:8]
    sources = tuple(
        Source(
            id=str(i), label=name, prompt="", spread=Spread.AMBIENT, level_db=50.0, confidence=1.0, backend="bench",
            points=none, normals=none, weights=np.zeros(0, np.float32), solid_angle_sr=12.0,
        )
        for i, name in enumerate(slowest)
    )  # fmt: skip
    options = SynthOptions()
    begin = time.process_time()
    maker(options)(sources, Run(np.random.default_rng(0)))
    took = time.process_time() - begin
    print(f"\na scene of {len(slowest)} sources of {options.seconds:g} s, the slowest voices: {took:.2f} s of one core")
    print(f"    ({', '.join(slowest)})")
    return [] if took <= SCENE_S else [f"a scene of 8 sources: {took:.2f} s"]


def judged(seeds: int, folder: Path | None) -> list[str]:
    """Fresh seeds before a judge of real recordings; beside them, given a folder, recordings that it has not met."""
    judge, rng = kept(), np.random.default_rng(2)
    unmet = recordings(folder, UNMET) if folder else []
    print(f"\na judge trained on {len(judge.names)} real classes: {seeds} fresh seeds", end="")
    print("; real: recordings it has not met" if folder else "")
    print(f"{'voice':14}{'first':>7}{'in 3':>6}{'taken for':>14}" + f"{'real: first':>13}{'in 3':>6}" * bool(folder))
    ours, theirs = [], []
    for name in (name for name in judge.names if name in VOICES):
        ranks, wrong = judge.ranks(np.array([features(clip(name, FRESH_SEED + s, 5.0)) for s in range(seeds)]), name)
        ours.append(ranks)
        print(f"{name:14}{np.mean(ranks == 0):7.2f}{np.mean(ranks < 3):6.2f}{wrong:>14}", end="")
        if folder:
            real = [features(shown(x, rng)) for known, x in unmet if known == name]
            theirs.append(judge.ranks(np.array(real), name)[0])
            print(f"{np.mean(theirs[-1] == 0):13.2f}{np.mean(theirs[-1] < 3):6.2f}", end="")
        print()
    first, three = (float(np.mean(np.concatenate(ours) < most)) for most in (1, 3))
    real_rows = np.concatenate(theirs) if theirs else np.zeros(0)
    beside = f"{np.mean(real_rows < 1):27.2f}{np.mean(real_rows < 3):6.2f}" if theirs else ""
    print(f"{'all':14}{first:7.2f}{three:6.2f}{beside}")
    missed = [] if first >= FIRST else [f"judge: first in {first:.0%}"]
    return missed if three >= THREE else [*missed, f"judge: among the first three in {three:.0%}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="ESC-10: folders '001 - Dog bark' ... of .ogg files")
    parser.add_argument("--voices", nargs="*", default=sorted(VOICES))
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--fresh", type=int, default=30, help="seeds for the judge")
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    synthesise("rain", seconds=1, rng=np.random.default_rng(0))  # compiles
    found, missed = every_voice(asked.voices, asked)
    missed += variety(found) + scene(found)
    missed += judged(asked.fresh, asked.folder)
    print(f"\n{'all claims met' if not missed else 'MISSED:'}")
    print("\n".join(f"    {line}" for line in missed))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
