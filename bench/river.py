"""A river heard while walking to it and along it: it swells, widens, and never jumps.

    python bench/river.py [--plot docs/river.png]

A bank of 40 m, 320 points with uneven weights; one walks from 120 m straight to it, stops short at 1.5 m, and goes on
along it past its end, at 3 m/s. Claims: on the way to it the energy and the width of the sound field only grow; no
block of 256 samples differs from the next by more than 0.1 dB; both executors and the offline rendering agree; the
ears hear one place from far away and many from near by. The plot needs matplotlib.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import butter, sosfiltfilt

from sonoworld.encode import EncodeOptions
from sonoworld.encode.area import seen_width, split_surface
from sonoworld.encode.gains import voice_gains
from sonoworld.encode.propagate import fade
from sonoworld.encode.way import moving_way
from sonoworld.errors import BackendMissingError
from sonoworld.render import Walk, render_walk
from sonoworld.render.engine_numpy import NumpyExecutor
from sonoworld.render.executor import Executor, Plan, Shape
from sonoworld.render.native import NativeExecutor
from sonoworld.types import Clip, Source, Spread

RATE_HZ, BLOCK = 48000, 256
LENGTH_M, FAR_M, NEAR_M, ALONG_M, SPEED_M_S = 40.0, 120.0, 1.5, 32.0, 3.0
LEVEL_DB = 80.0
LAW = EncodeOptions(order=1)
STEP_DB, AGREE_DB = 0.1, 0.05
WINDOW = 16384
LAG = RATE_HZ // 1000
EXECUTORS: dict[str, type[Executor]] = {"NumPy": NumpyExecutor, "native": NativeExecutor}


@dataclass(frozen=True)
class Field:
    """Energy of W (dB SPL) and width (degrees) of the first-order field at every block boundary."""

    level_db: np.ndarray
    width_deg: np.ndarray

    @property
    def step_db(self) -> float:
        return float(np.abs(np.diff(self.level_db)).max())


def river(spread: Spread = Spread.AREA) -> Source:
    rng = np.random.default_rng(4)
    along, up = np.meshgrid(np.linspace(-LENGTH_M / 2, LENGTH_M / 2, 80), [-1.7, -1.4, -1.1, -0.8])
    points = np.stack([np.full(along.size, FAR_M), along.ravel(), up.ravel()], -1)
    points += rng.normal(0, 0.1, points.shape)
    weights = rng.uniform(0.2, 1.0, len(points))
    clip = Clip(rng.normal(0, 0.0707, 4 * RATE_HZ).astype(np.float32), RATE_HZ, True, 23.0, "bench", "CC0-1.0")
    return Source(
        "river", "river", "a river", spread, LEVEL_DB, 1.0, "bench", points.astype(np.float32),
        np.tile(np.array([[-1.0, 0, 0]], np.float32), (len(points), 1)), (weights / weights.sum()).astype(np.float32),
        0.0, clip=clip,
    )  # fmt: skip


def walk() -> Walk:
    there = (FAR_M - NEAR_M) / SPEED_M_S
    times = np.array([0.0, there, there + ALONG_M / SPEED_M_S])
    places = np.array([[0.0, 0, 0], [FAR_M - NEAR_M, 0, 0], [FAR_M - NEAR_M, ALONG_M, 0]])
    return Walk(times, places, np.zeros(3), np.zeros(3), np.zeros(3))


def field_of(gains: np.ndarray) -> Field:
    """From gains [k v 4] of voices that do not know each other: energies add."""
    w, y, z, x = np.moveaxis(gains, -1, 0)
    energy = (w * w).sum(1)
    flow = np.stack([(w * x).sum(1), (w * y).sum(1), (w * z).sum(1)], -1)
    r = np.clip(np.linalg.norm(flow, axis=1) / energy, 0, 1)
    # the cap whose mean direction is as long: r = (1 + cos a)/2, its full angle 2a
    return Field(LEVEL_DB + 10 * np.log10(energy), np.rad2deg(2 * np.arccos(2 * r - 1)))


def offline_field(source: Source, origins: np.ndarray) -> Field:
    track = walk().track(RATE_HZ, BLOCK, BLOCK * (len(origins) - 1))
    way = moving_way(source, track, np.arange(len(origins)) * BLOCK / RATE_HZ, LAW)
    labels = split_surface(source.points, source.weights) if source.spread is Spread.AREA else None
    return field_of(voice_gains(source, labels, way, LAW))


def executor_field(kind: type[Executor], source: Source, origins: np.ndarray) -> Field:
    """What an executor puts on the four channels: row v sounds only in sample v from the end, ears hear channels."""
    labels = split_surface(source.points, source.weights).astype(np.int32)
    rows = int(labels.max()) + 2
    x = np.zeros((rows, BLOCK), np.float32)
    x[np.arange(rows), BLOCK - rows + np.arange(rows)] = 1.0
    points, weights = source.points.astype(np.float64), source.weights.astype(np.float64)
    gains = np.empty((len(origins), rows, 4))
    for first in (0, 2):
        filters = np.zeros((2, 4, 16), np.float32)
        filters[0, first, 0] = filters[1, first + 1, 0] = 1.0
        executor = kind(Plan(1, RATE_HZ, BLOCK, rows, filters, LAW))
        executor.place(0, np.zeros(3), 1.0, Shape(points=points, weights=weights, labels=labels), None)
        out = np.empty((2, BLOCK), np.float32)
        for k, origin in enumerate(origins):
            executor.listener(origin, 0.0, 0.0, 0.0)
            executor.process(x, out)
            gains[k, :, first : first + 2] = out[:, -rows:].T
    return field_of(gains)


def coherence(source: Source, area: str) -> np.ndarray:
    """Interaural coherence, 0.5 to 4 kHz, order 5, over the walk: the highest correlation within 1 ms."""
    options = EncodeOptions(order=5, area=area)
    ears = render_walk([source], walk(), "binaural", 5, None, options).astype(float)
    band = sosfiltfilt(butter(4, (500, 4000), "bandpass", fs=RATE_HZ, output="sos"), ears)
    found: list[float] = []
    for start in range(0, band.shape[1] - WINDOW + 1, WINDOW // 2):
        spectra = np.fft.rfft(band[:, start : start + WINDOW] * np.hanning(WINDOW), 2 * WINDOW)
        correlation = np.fft.irfft(spectra[0] * spectra[1].conj())
        power = (np.abs(np.fft.irfft(np.abs(spectra) ** 2)[:, 0])).prod()
        found.append(float(np.abs(np.r_[correlation[: LAG + 1], correlation[-LAG:]]).max() / np.sqrt(power)))
    return np.array(found)


def geometric_width(source: Source, origins: np.ndarray) -> np.ndarray:
    offset = source.points.astype(float)[None] - origins[:, None]
    return np.rad2deg(seen_width(offset, source.weights.astype(float) * fade(offset, LAW) ** 2))


@dataclass(frozen=True)
class Heard:
    """Everything that is measured: fields by name, coherences by name, and the axes they belong to."""

    origins: np.ndarray
    fields: dict[str, Field]
    geometric_deg: np.ndarray
    coherences: dict[str, np.ndarray]

    @property
    def turn(self) -> int:
        """The block at which one stops walking to the bank and starts along it."""
        return round((FAR_M - NEAR_M) / SPEED_M_S * RATE_HZ / BLOCK)

    @property
    def windows(self) -> np.ndarray:
        """The block in the middle of every window of coherence."""
        count = len(next(iter(self.coherences.values())))
        return (np.arange(count) + 1) * (WINDOW // 2) // BLOCK


def listen() -> Heard:
    source, point = river(), river(Spread.POINT)
    count = int(walk().seconds * RATE_HZ / BLOCK)
    _, origins = walk().at(np.arange(count + 1) * BLOCK / RATE_HZ)
    fields = {"offline": offline_field(source, origins), "point": offline_field(point, origins)}
    for name, kind in EXECUTORS.items():
        try:
            fields[name] = executor_field(kind, source, origins)
        except BackendMissingError as error:
            print(f"  {name} is missing: {str(error).split(';')[0]}")
    coherences = {
        "area": coherence(source, "clusters"),
        "area, coherent": coherence(source, "coherent"),
        "point": coherence(point, "clusters"),
    }
    return Heard(origins, fields, geometric_width(source, origins), coherences)


def claims(heard: Heard) -> int:
    """The table; how many claims fail."""
    river_, turn = heard.fields["offline"], heard.turn
    ears = heard.coherences["area"][heard.windows < turn]
    rows = [
        ("swells: least change on the way to it", np.diff(river_.level_db)[:turn].min(), ">=", 0.0, "dB per block"),
        ("widens: least change on the way to it", np.diff(river_.width_deg)[:turn].min(), ">=", 0.0, "° per block"),
        ("ears far away: interaural coherence", ears[0], ">=", 0.95, ""),
        ("ears near by: interaural coherence", ears[-1], "<=", 0.4, ""),
    ]
    for name in [name for name in heard.fields if name != "point"]:
        rows.append((f"largest step between blocks, {name}", heard.fields[name].step_db, "<=", STEP_DB, "dB"))
    for name in [name for name in heard.fields if name in EXECUTORS]:
        apart = float(np.abs(heard.fields[name].level_db - river_.level_db).max())
        rows.append((f"{name} against offline, largest difference", apart, "<=", AGREE_DB, "dB"))
    near, far = river_.level_db[turn], river_.level_db[0]
    print(f"  {far:.1f} dB SPL and {river_.width_deg[0]:.0f}° wide at {FAR_M:g} m,", end=" ")
    print(f"{near:.1f} dB and {river_.width_deg[turn]:.0f}° at {NEAR_M:g} m")
    failed = 0
    for claim, value, sign, limit, unit in rows:
        holds = value >= limit if sign == ">=" else value <= limit
        failed += not holds
        print(f"  {claim:<46}{value:>9.4f} {sign} {limit:<5g}{unit:<14}{'holds' if holds else 'FAILS'}")
    return failed


def plot(heard: Heard, path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415  only for the picture

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(3, 2, figsize=(10.5, 8.2), sharey="row", sharex="col", layout="constrained")
    to_go, along = FAR_M - heard.origins[:, 0], heard.origins[:, 1]
    for column, place, blocks in ((0, to_go, slice(0, heard.turn + 1)), (1, along, slice(heard.turn, len(along)))):
        _draw_fields(axes[:2, column], heard, place, blocks)
        _draw_coherence(axes[2, column], heard, place, blocks)
    _label(axes)
    figure.suptitle(f"A river bank of {LENGTH_M:g} m", fontsize=13)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    print(f"  {path}")


def _draw_fields(axes: np.ndarray, heard: Heard, place: np.ndarray, blocks: slice) -> None:
    styles = {
        "point": ("one point at its centre", {"color": "0.6", "ls": "--"}),
        "offline": ("the river, offline", {"color": "C0", "lw": 2.5}),
        "NumPy": ("NumPy executor", {"color": "k", "ls": "", "marker": "x"}),
        "native": ("native executor", {"color": "C3", "ls": "", "marker": "."}),
    }
    inside = np.arange(len(place))[blocks]
    # every so many millimetres of the picture, where distance is on a log scale and the way along is not
    across = np.log(place[inside]) if blocks.start == 0 else place[inside]
    for name, (label, style) in styles.items():
        if name not in heard.fields:
            continue
        shift = {"NumPy": 0.25, "native": 0.75}.get(name)
        at = across[0] + (np.arange(14) + (shift or 0)) / 14 * (across[-1] - across[0])
        some = inside if shift is None else inside[np.abs(across[:, None] - at).argmin(0)]
        axes[0].plot(place[some], heard.fields[name].level_db[some], label=label, **style)
        axes[1].plot(place[some], heard.fields[name].width_deg[some], **style)
    axes[1].plot(place[inside], heard.geometric_deg[inside], "C2:", label="of its points, as seen")


def _draw_coherence(axes: Any, heard: Heard, place: np.ndarray, blocks: slice) -> None:
    inside = (heard.windows >= blocks.start) & (heard.windows < blocks.stop)
    styles = {
        "area": ("the river", {"color": "C0", "lw": 2.5}),
        "area, coherent": ("without decorrelated parts", {"color": "C1"}),
        "point": ("one point at its centre", {"color": "0.6", "ls": "--"}),
    }
    for name, (label, style) in styles.items():
        axes.plot(place[heard.windows[inside]], heard.coherences[name][inside], label=label, **style)


def _label(axes: np.ndarray) -> None:
    axes[0, 0].set(ylabel="level of W, dB SPL", xscale="log", xlim=(FAR_M, NEAR_M), title="walking to it")
    axes[0, 1].set(xlim=(0, ALONG_M), title=f"walking along it, {NEAR_M:g} m from the bank")
    axes[1, 0].set(ylabel="width of the field, °", ylim=(-4, 184), yticks=range(0, 181, 30))
    axes[2, 0].set(ylabel="coherence of the two ears\n0.5 to 4 kHz", ylim=(0, 1.05), xlabel="distance from the bank, m")
    axes[2, 1].set(xlabel="way along the bank, m")
    axes[2, 0].set_xticks([100, 50, 20, 10, 5, 2], ["100", "50", "20", "10", "5", "2"], minor=False)
    axes[2, 0].minorticks_off()
    axes[0, 0].legend(loc="upper left", fontsize=9)
    axes[1, 0].legend(loc="upper left", fontsize=9)
    axes[2, 0].legend(loc=(0.52, 0.45), fontsize=9)
    for ax in axes.flat:
        ax.grid(alpha=0.3)
    for ax in axes[:, 1]:
        ax.axvline(LENGTH_M / 2, color="k", lw=0.8, ls=":")
    where = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "left", "va": "top"}
    axes[0, 1].annotate("the bank ends", (LENGTH_M / 2, 0.97), (4, 0), fontsize=9, **where)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", type=Path, help="also draw it to this PNG")
    options = parser.parse_args()
    print(f"a bank of {LENGTH_M:g} m, from {FAR_M:g} m to {NEAR_M:g} m and {ALONG_M:g} m along it, {SPEED_M_S:g} m/s")
    heard = listen()
    failed = claims(heard)
    if options.plot is not None:
        plot(heard, options.plot)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
