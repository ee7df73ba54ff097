"""Does refining help? The analytic street of bench/lift.py, its seeded splats before and after, held against the truth.

    python bench/refine.py [--width 340] [--steps 200] [--device cpu|cuda] [--places 4]

Views of 90° see as many pixels per pixel of the panorama as those of bench/lift.py. Printed: mean PSNR in dB and share
of pixels with alpha < 0.9 from the eye and from 0.5, 1 and 2 m, seconds, and how far splats moved. Claims: at 0 m the
PSNR rises by at least 0.5 dB, at 1 m it does not fall, and there are no more holes than before plus 0.1 %.
"""

import argparse
import sys
import time

import numpy as np

import lift
from sonoworld.backend import Run
from sonoworld.lift.refine import Settings, refined
from sonoworld.lift.refining import MOST_PX, renderer

LEAST_RISE_DB = 0.5
METRES = (0.0, 0.5, 1.0, 2.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=340)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--places", type=int, default=4, help="places per distance, 1..4; four directions each")
    parser.add_argument("--blur", type=float, default=0.0, help="blur of the distances, px: as of learned depth")
    options = parser.parse_args()
    lift.SIZE = (round(640 * options.width / 1180 / 2) * 2, round(360 * options.width / 1180 / 2) * 2)
    picture, distance = lift.panorama(options.width)
    distance = lift.blurred(distance, options.blur) if options.blur else distance
    splats = lift.lifted(picture, distance)
    before = [lift.walked(splats, metres, options.places) for metres in METRES]
    print(f"{len(splats):,} splats from {options.width}×{options.width // 2}, views {lift.SIZE[0]}×{lift.SIZE[1]}")
    draw = renderer(options.device)
    run = Run(np.random.default_rng(0), lambda fraction, note="": print(f"  {fraction:4.0%} {note}", flush=True))
    began = time.perf_counter()
    settings = Settings(options.steps, 1.0, MOST_PX[options.device], options.device)
    fit = refined(splats, picture, lift.geometry(distance), settings, draw, run)
    print(f"{fit.steps} steps on {options.device}: {time.perf_counter() - began:.1f} s")
    after = [lift.walked(fit.splats, metres, options.places) for metres in METRES]
    for metres, (level, holes), (new, left) in zip(METRES, before, after, strict=True):
        print(f"  {metres:3.1f} m: {level:5.2f} -> {new:5.2f} dB, alpha < 0.9 on {holes:.2f} -> {left:.2f} %")
    moved = np.abs(np.linalg.norm(fit.splats.means, axis=1) / np.linalg.norm(splats.means, axis=1) - 1)
    print(f"  distances changed by {moved.mean():.2%} on average, {moved.max():.2%} at most")
    rises = after[0][0] - before[0][0] >= LEAST_RISE_DB and after[2][0] >= before[2][0]
    sys.exit(0 if rises and after[2][1] <= before[2][1] + 0.1 else 1)


if __name__ == "__main__":
    main()
