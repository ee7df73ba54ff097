"""One-shot room acoustics on R3VIVAL: train on S000-150, test on all others of the same wall setting.

`python bench/learn_room.py FOLDER [--setting 000|R] [--seeds 5] [--nets] [--adapt 000]`, FOLDER with
<setting>_<source>.flac (48 kHz, 7 microphones; facebookresearch/R3VIVAL, CC BY 4.0). Truth of directions: measured
first order, 200..1700 Hz. With --adapt, a room fitted to the same source in another setting is tested as it is, and
after adapting to the one response of this setting.
"""

import argparse
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.signal import butter, sosfiltfilt

from sonoworld.acoustics import OCTAVES_HZ, shoebox
from sonoworld.acoustics.heard import room_response
from sonoworld.acoustics.response import Grid
from sonoworld.acoustics.room import Emitter, Room, Walls
from sonoworld.disk.wav import read_wav
from sonoworld.evaluate import acoustic, spatial
from sonoworld.learn.baselines.av_nerf import av_nerf
from sonoworld.learn.baselines.naf import naf
from sonoworld.learn.baselines.plain import PLAIN_ROWS, plain_row
from sonoworld.learn.room import FitOptions, RoomFit, Shot, fit_room
from sonoworld.learn.room_response import R3VIVAL_MICROPHONES_M, gradient_foa

RATE, SAMPLES, BAND_HZ = 48000, 38400, (200.0, 1700.0)
SIZE_M, EYE_M = (9.7, 5.5, 2.7), (3.5, 2.76, 1.3)  # from the plan; the height of the ears is not given
Response = np.ndarray
Predict = Callable[[np.ndarray, int], Response]


def place(azimuth_deg: float, distance_cm: float) -> np.ndarray:
    azimuth = -np.radians(azimuth_deg)  # its names count to the right
    return distance_cm / 100 * np.array([np.cos(azimuth), np.sin(azimuth), 0.0])


def responses(folder: Path, setting: str) -> dict[tuple[int, int], Response]:
    """First-order responses, scaled so that the training response's peak is 1."""
    found: dict[tuple[int, int], Response] = {}
    for file in sorted(folder.glob(f"{setting}_S*.flac")):
        name = re.fullmatch(r".*_S(\d+)-(\d+)", file.stem)
        assert name
        samples, rate = read_wav(file)
        assert rate == RATE
        foa = gradient_foa(samples.astype(np.float64), R3VIVAL_MICROPHONES_M, 6, RATE)
        found[int(name[1]), int(name[2])] = foa
    peak = np.abs(found[0, 150][0]).max()
    return {key: foa / peak for key, foa in found.items()}


def walls(absorption: float) -> Walls:
    return shoebox(SIZE_M, EYE_M, np.full((6, len(OCTAVES_HZ)), absorption))


def peak_at(h: Response, sample: int) -> Response:
    """Time shifted so that the largest sample of W stands at `sample`, as in the data."""
    return np.roll(h, sample - int(np.argmax(np.abs(h[0]))), axis=1)


def fitted(train: Response, seed: int, start: Walls | None = None, *, moving: bool = True) -> RoomFit:
    shot = Shot(train, RATE, place(0, 150), np.zeros(3))
    begin = walls(0.2) if start is None else start
    return fit_room((shot,), begin, FitOptions(seed=seed, foa_limit_hz=BAND_HZ[1], reach_m=0.4, moving=moving))


def from_room(room: Room, emitter: Emitter, train: Response) -> Predict:
    onset = int(np.argmax(np.abs(train[0])))
    lead = train[:, : onset - emitter.onset]  # the recording's noise before the sound, as in a copy

    def predict(source: np.ndarray, seed: int) -> Response:
        d = float(np.linalg.norm(source))
        facing = replace(emitter, facing=-source / d)
        h = room_response(room, facing, source, np.zeros(3), Grid(SAMPLES, RATE, air=False), seed)
        return np.concatenate([lead, moved(h, d, onset)[:, lead.shape[1] :]], 1)

    return predict


def moved(h: Response, d: float, onset: int) -> Response:
    """From time 0 when the sound is sent to the data's: the direct sound arrives at `onset`."""
    shift = onset - round(d / 343.2 * RATE)
    return np.pad(h, ((0, 0), (max(shift, 0), 0)))[:, max(-shift, 0) :][:, :SAMPLES]


def score(predicted: Response, truth: Response) -> dict[str, float]:
    scores = acoustic.compare(predicted, truth, RATE, direction_band_hz=BAND_HZ)
    band = butter(2, BAND_HZ, "bandpass", fs=RATE, output="sos")
    whole = [spatial.direction(np.asarray(sosfiltfilt(band, h, axis=1))) for h in (predicted, truth)]
    return scores | {"whole": spatial.direction_errors_rad(*whole)[0]}


COLUMNS = {
    "direct_angular_error_rad": "direct °",
    "early_angular_error_rad": "early °",
    "whole": "whole °",
    "mag": "MAG",
    "env": "ENV",
    "c50_error_db": "C50 dB",
    "drr_error_db": "DRR dB",
    "t60_error_percent": "T60 %",
    "edt_error_s": "EDT s",
}


def row_of(predict: Predict, tests: dict[tuple[int, int], Response], seed: int) -> np.ndarray:
    rows = []
    for key, truth in tests.items():
        scores = score(predict(place(*key), seed), truth)
        rows.append([np.degrees(scores[c]) if COLUMNS[c].endswith("°") else scores[c] for c in COLUMNS])
    return np.mean(rows, 0)


def predictors(train: Response, seed: int, *, nets: bool, before: Response | None) -> dict[str, Predict]:
    """All rows; `before` the same source's response in another setting."""
    found: dict[str, Predict] = {}
    known = train[:, :SAMPLES]
    for name in PLAIN_ROWS:
        found[name] = lambda s, i, name=name: plain_row(name, known, place(0, 150), s, RATE, i)
    fit, resting = fitted(train, seed), fitted(train, seed, moving=False)
    found["image sources, default"] = from_room(Room(walls(0.1), None, 3), fit.emitter, train)
    found["ours, parameters only"] = from_room(fit.parameters, fit.emitter, train)
    found["ours, reflections rest"] = from_room(resting.room, resting.emitter, train)
    found["ours, reflections move"] = from_room(fit.room, fit.emitter, train)
    if before is not None:
        old = fitted(before, seed)
        new = fitted(train, seed, old.parameters.walls)
        found["not adapted"] = from_room(old.room, old.emitter, before)
        found["adapted by one"] = from_room(new.room, new.emitter, train)
        found["adapted, parameters only"] = from_room(new.parameters, new.emitter, train)
    if nets:
        onset = int(np.argmax(np.abs(train[0])))
        shot = Shot(known, RATE, place(0, 150), np.zeros(3))
        for name, make in (("NAF (adapted to FOA)", naf), ("AV-NeRF (adapted to FOA)", av_nerf)):
            field = make((shot,), seed)
            found[name] = lambda s, _i, field=field: peak_at(field(s, np.zeros(3)), onset)
    return found


def cells(values: np.ndarray) -> list[str]:
    """Mean over seeds, and half the 95 % interval where seeds matter."""
    with np.errstate(invalid="ignore"):  # a dry response has no decay: ∞ and NaN
        half = 1.96 * values.std(0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.zeros(values.shape[1])
    return [f"{m:.3f}" + (f"±{h:.3f}" if h > 5e-4 else "") for m, h in zip(values.mean(0), half, strict=True)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--setting", default="000")
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--nets", action="store_true")
    options.add_argument("--adapt", help="another setting, of which one response is known too")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    data = responses(given.folder, given.setting)
    before = responses(given.folder, given.adapt)[0, 150] if given.adapt else None
    tests = {key: h[:, :SAMPLES] for key, h in data.items() if key != (0, 150)}
    rows: dict[str, list[np.ndarray]] = {}
    for seed in range(given.seeds):
        for name, predict in predictors(data[0, 150], seed, nets=given.nets, before=before).items():
            rows.setdefault(name, []).append(row_of(predict, tests, seed))
    title = f"R3VIVAL {given.setting}: 1 shot, {len(tests)} tests, {given.seeds} seeds"
    table = Table("row", *COLUMNS.values(), title=title)
    for name, values in rows.items():
        table.add_row(name, *cells(np.asarray(values)))
    Console(width=190).print(table, f"{time.perf_counter() - began:.0f} s", sep="\n")
    if given.json:
        given.json.write_text(json.dumps({n: np.asarray(v).tolist() for n, v in rows.items()}, indent=1))


if __name__ == "__main__":
    main()
