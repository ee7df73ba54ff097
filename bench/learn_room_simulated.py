"""Simulated rooms: what a fit tells of rooms whose walls are known, simulated by pyroomacoustics, not by us.

`python bench/learn_room_simulated.py [--rooms 6] [--shots 1]` (pip install pyroomacoustics). Shoeboxes with a random
material per wall (octave bands), images up to order 40, omnidirectional and figure-of-eight microphones in one place.
Trained where the listener stands first, tested where it walks to. The fit begins at 0.2 everywhere. Absorption is
compared at 500 Hz .. 4 kHz, of walls whose first reflection arrives while the fit looks, and of all.
"""

import argparse
import sys
import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

try:
    import pyroomacoustics as pra  # pyright: ignore[reportMissingImports]  no test needs it
except ImportError:
    sys.exit("expected pyroomacoustics, which simulates the rooms: pip install pyroomacoustics")

from sonoworld.acoustics import OCTAVES_HZ, shoebox
from sonoworld.acoustics.bands import in_bands
from sonoworld.acoustics.decay import decay_time_s
from sonoworld.acoustics.heard import room_response
from sonoworld.acoustics.response import Grid
from sonoworld.acoustics.room import Walls
from sonoworld.evaluate import acoustic
from sonoworld.learn.room import FitOptions, Shot, aligned, fit_room

RATE, SECONDS, TESTS = 48000, 1.0, 4
pra.constants.set("c", 343.2)  # ours, at 20 °C
AXES = {"Y": (90.0, 90.0), "Z": (0.0, 0.0), "X": (0.0, 90.0)}  # azimuth, colatitude
BANDS = slice(2, 6)  # 500 Hz .. 4 kHz: lower, reflections overlap within a wave
EARLY_S = 0.03


def simulated(size: np.ndarray, alpha: np.ndarray, source: np.ndarray, listener: np.ndarray) -> np.ndarray:
    """W Y Z X of one place; walls in our order: front, back, left, right, ceiling, floor."""
    names = ("east", "west", "north", "south", "ceiling", "floor")
    centres = list(OCTAVES_HZ)
    materials = {
        n: pra.Material({"coeffs": list(row), "center_freqs": centres}) for n, row in zip(names, alpha, strict=True)
    }
    room = pra.ShoeBox(size, fs=RATE, materials=materials, max_order=40, air_absorption=False, min_phase=True)
    room.add_source(source)
    towards = pra.directivities
    axes = [towards.DirectionVector(azimuth=a, colatitude=c, degrees=True) for a, c in AXES.values()]
    microphones = [towards.Omnidirectional(), *(towards.FigureEight(axis) for axis in axes)]
    room.add_microphone_array(np.tile(listener[:, None], 4), directivity=microphones)
    room.compute_rir()
    out = np.zeros((4, round(SECONDS * RATE)))
    for c in range(4):
        h = np.asarray(room.rir[c][0])[: out.shape[1]]
        out[c, : len(h)] = h
    return out


def first_reflections_s(walls: Walls, shot: Shot) -> np.ndarray:
    """When the first reflection off every wall arrives: later than the fit looks, nothing tells what it swallows."""
    images = [shot.source - 2 * (n @ shot.source - q) * n for n, q in zip(walls.normals, walls.offsets_m, strict=True)]
    return np.linalg.norm(np.array(images) - shot.listener, axis=1) / 343.2


def one(seed: int, shots: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    size = rng.uniform([4, 3.5, 2.4], [8, 6, 3.5])
    tilt = np.clip(rng.uniform(-0.08, 0.08, (6, 1)) * np.linspace(-1, 1, len(OCTAVES_HZ)), -0.1, 0.1)
    alpha = np.clip(rng.uniform(0.08, 0.6, (6, 1)) + tilt, 0.03, 0.9)
    places = rng.uniform(0.8, size - 0.8, (shots + TESTS + 1, 3))
    eye, source = places[0], places[1]
    heads = [eye, *places[2:]]
    walls = shoebox(tuple(size), tuple(eye), np.full(alpha.shape, 0.2))
    known = [Shot(simulated(size, alpha, source, p), RATE, source - eye, p - eye) for p in heads[:shots]]
    fit = fit_room(tuple(known), walls, FitOptions(order=4, early_s=EARLY_S, seed=seed))
    told = fit.parameters.walls.absorption
    late = fit.parameters.late
    assert late
    seen = first_reflections_s(walls, known[0]) < EARLY_S - 0.003
    error = np.abs(told - alpha)[:, BANDS]
    scores: list[list[float]] = []
    for p in heads[shots : shots + TESTS]:
        truth = Shot(simulated(size, alpha, source, p), RATE, source - eye, p - eye)
        y = aligned(truth)
        grid = Grid(y.shape[1], RATE, air=False)
        x = room_response(fit.parameters, fit.emitter, source - eye, p - eye, grid)
        s = acoustic.compare(x, y, RATE)
        start = int(np.argmax(np.abs(y[0]))) + 480
        rings = np.array([decay_time_s(b, RATE) for b in in_bands(y[0, start:], RATE)])
        t60 = 100 * float(np.abs(late.t60_s / rings - 1)[BANDS].mean())
        scores.append([t60, np.degrees(s["direct_angular_error_rad"]), s["c50_error_db"], s["t60_error_percent"]])
    mean = np.mean(scores, 0)
    return {
        "T60 s": float(late.t60_s[BANDS].mean()),
        "explained": float(fit.explained[BANDS].mean()),
        "walls heard": float(seen.sum()),
        "|Δα| of these": float(error[seen].mean()),
        "worst wall": float(np.abs((told - alpha)[seen][:, BANDS].mean(1)).max()),
        "|Δα| of all": float(error.mean()),
        "at start": float(np.abs(0.2 - alpha)[:, BANDS].mean()),
        "T60 %, bands": float(mean[0]),
        "T60 %, all": float(mean[3]),
        "direct °": float(mean[1]),
        "C50 dB": float(mean[2]),
        "fit s": fit.seconds,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rooms", type=int, default=6)
    options.add_argument("--shots", type=int, default=1)
    given = options.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    rows = [one(seed, given.shots) for seed in range(given.rooms)]
    table = Table("room", *rows[0], title=f"Simulated shoeboxes, {given.shots} shot(s), {TESTS} other places each")
    for seed, row in enumerate(rows):
        table.add_row(str(seed), *(f"{v:.3f}" for v in row.values()))
    table.add_row("mean", *(f"{np.mean([row[k] for row in rows]):.3f}" for k in rows[0]))
    Console(width=170).print(table, f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
