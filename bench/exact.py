"""Every claim of exactness of the sound engine, measured: one table, and exit code 1 if one fails.

    python bench/exact.py [--quick]

Executors that are not in this install (no compiler, no WebAssembly) are named as missing; their rows claim nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import quad
from scipy.signal import fftconvolve
from scipy.signal.windows import kaiser
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre, sph_harm_y

from sonoworld.encode.area import cap_gains
from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import BackendMissingError
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render import render_walk, still_walk
from sonoworld.render.engine import Engine
from sonoworld.render.engine_numpy import NumpyExecutor
from sonoworld.render.executor import Executor, Plan, Shape
from sonoworld.render.hrirs import fibonacci_sphere
from sonoworld.render.hrtf import hrir
from sonoworld.render.native import NativeExecutor, native_widths
from sonoworld.types import Clip, Source, Spread

TESTS = Path(__file__).parent.parent / "tests"
RATE_HZ = 48000
BLOCKS = (1, 2, 7, 31, 64, 100, 127, 128, 255, 256, 257, 300, 480, 512, 1000, 1023, 4096)
EXECUTORS = ("numpy", "native")


@dataclass(frozen=True)
class Row:
    """One claim. `measured` None: it could not be measured here, and `detail` says why."""

    claim: str
    measured: float | None
    limit: float
    unit: str = ""
    detail: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "missing"
        return "holds" if self.measured <= self.limit else "FAILS"


# --- formulas -------------------------------------------------------------------------------------------------------


def scipy_harmonics(v: np.ndarray, order: int) -> np.ndarray:
    """SN3D, ACN, without Condon–Shortley phase, from SciPy's complex harmonics."""
    azimuth, zenith = np.arctan2(v[:, 1], v[:, 0]), np.arctan2(np.hypot(v[:, 0], v[:, 1]), v[:, 2])
    columns: list[np.ndarray] = []
    for n in range(order + 1):
        for m in range(-n, n + 1):
            value = sph_harm_y(n, abs(m), zenith, azimuth) * (-1) ** m
            scale = np.sqrt((1 if m == 0 else 2) * 4 * np.pi / (2 * n + 1))
            columns.append(scale * (value.real if m >= 0 else value.imag))
    return np.stack(columns, -1)


def harmonics_row() -> Row:
    v = np.concatenate([fibonacci_sphere(5000), np.eye(3), -np.eye(3)])
    error = float(np.abs(harmonics(v, 10) - scipy_harmonics(v, 10)).max())
    return Row("harmonics, orders 0..10, against SciPy sph_harm_y", error, 1e-12, "", f"{len(v)} directions")


def rotation_row() -> Row:
    v = fibonacci_sphere(200)
    worst = 0.0
    for R in Rotation.random(200, rng=np.random.default_rng(1)).as_matrix():
        turned = harmonics(v, 10) @ rotation_matrix(R, 10).T
        worst = max(worst, float(np.abs(harmonics(v @ R.T, 10) - turned).max()))
    return Row("Y(Rv) = R_sh Y(v), order 10", worst, 1e-12, "", "200 rotations × 200 directions")


def cap_row() -> Row:
    """Mean of P_n over the cap: ∫₀¹ P_n(1 − (1 − cos a) t) dt, by adaptive quadrature."""
    degrees = np.array(channel_degrees(10))
    worst, angles = 0.0, np.concatenate([np.geomspace(1e-4, np.pi, 40), [0.0, np.pi / 2]])
    for a in angles:
        depth = 2 * np.sin(a / 2) ** 2
        wanted = [quad(lambda t, n=n, d=depth: eval_legendre(n, 1 - d * t), 0, 1, epsabs=1e-13)[0] for n in range(11)]
        worst = max(worst, float(np.abs(cap_gains(float(a), 10) - np.array(wanted)[degrees]).max()))
    return Row("gains of a cap against numerical integration, order 10", worst, 1e-10, "", f"{len(angles)} half angles")


# --- rendering ------------------------------------------------------------------------------------------------------


def blocks_row(executor: str, order: int, blocks: tuple[int, ...]) -> Row:
    """Three sources and a turned head, block by block, against one convolution in float64."""
    rng = np.random.default_rng(order)
    positions, levels = 3 * rng.standard_normal((3, 3)), np.array([100.0, 94.0, 88.0])
    x = (0.1 * rng.standard_normal((3, 6000))).astype(np.float32)
    offset = (positions - [0.3, -0.2, 0.1]) @ world_from_head_rotation(0.5, 0.2, -0.1)
    gains = harmonics(offset, order) / np.sqrt((offset**2).sum(1) + 0.01)[:, None]
    field = (gains * 10 ** ((levels[:, None] - 100) / 20)).T @ x.astype(float)
    wanted = fftconvolve(field[None], hrir("kemar", order).astype(float), axes=-1).sum(1)[:, :6000]
    worst, at = 0.0, 0
    for block in blocks:
        engine = Engine(order=order, block=block, max_sources=3, executor=executor)
        engine.set_sources(positions, levels)
        engine.set_listener([0.3, -0.2, 0.1], 0.5, 0.2, -0.1)
        padded = np.pad(x, ((0, 0), (0, -6000 % block)))
        parts = [engine.process(padded[:, i : i + block]) for i in range(0, padded.shape[1], block)]
        error = float(np.abs(np.concatenate(parts, 1)[:, :6000] - wanted).max() / np.abs(wanted).max())
        worst, at = max((worst, at), (error, block))
    detail = f"{len(blocks)} block sizes {blocks[0]}..{blocks[-1]}, worst at {at}"
    return Row(f"blocks = one convolution, order {order}, {executor}", worst, 1e-6, "of peak", detail)


def against_numpy(cases: list[tuple[int, int]], others: Callable[[Plan], Iterator[Executor]]) -> tuple[float, str]:
    """Largest difference from NumPy, of the peak, in the scene of the tests: everything moves, under every law."""
    sys.path.append(str(TESTS))
    from test_native_kernel import LAWS, SOURCES, rendered  # noqa: PLC0415

    worst = 0.0
    for order, block in cases:
        for law in LAWS.values():
            plan = Plan(order, RATE_HZ, block, SOURCES, hrir("kemar", order), law.model_copy(update={"order": order}))
            wanted = rendered(NumpyExecutor(plan), block, order)
            for executor in others(plan):
                got = rendered(executor, block, order)
                worst = max(worst, float(np.abs(got - wanted).max() / np.abs(wanted).max()))
    return worst, f"everything moves; {len(cases)} sizes × {len(LAWS)} laws"


def native_row(quick: bool) -> Row:
    cases = [(1, 128), (3, 256), (5, 64)] + ([] if quick else [(2, 7), (3, 100), (7, 512), (5, 1000)])
    widths = native_widths()
    worst, detail = against_numpy(cases, lambda plan: (NativeExecutor(plan, lanes) for _, lanes in widths))
    named = ", ".join(f"{name} {lanes}" for name, lanes in widths)
    return Row("native = NumPy", worst, 1e-6, "of peak", f"{detail} × {named}")


def wasm_row(quick: bool) -> Row:
    """The kernel as WebAssembly, run by node as the browser runs it."""
    sys.path.append(str(TESTS))
    try:
        from wasm_executor import KERNEL, wasm_executor  # noqa: PLC0415
    except ImportError as error:
        return Row("WebAssembly = NumPy", None, 1e-6, "of peak", str(error))
    if not KERNEL.is_file():
        return Row("WebAssembly = NumPy", None, 1e-6, "of peak", f"{KERNEL.name} was not built at install")

    def one(plan: Plan) -> Iterator[Executor]:
        with wasm_executor(plan) as executor:
            yield executor

    cases = [(3, 128)] + ([] if quick else [(1, 128), (5, 128), (7, 128), (2, 7)])
    worst, detail = against_numpy(cases, one)
    return Row("WebAssembly = NumPy", worst, 1e-6, "of peak", detail)


def zipper_row(executor: str, kind: str, block: int) -> Row:
    """1 kHz, head 90°/s, order 5: energy outside 900..1100 Hz. Kaiser window, β = 20: its leakage is under −150 dB."""
    seconds = 4
    engine = Engine(order=5, block=block, max_sources=1, executor=executor)
    tone = np.sin(2 * np.pi * 1000 * np.arange(seconds * RATE_HZ) / RATE_HZ).astype(np.float32)
    if kind == "bed":
        engine.set_bed(np.outer(harmonics(np.array([0.2, -1.0, 0.1]), 5), tone).astype(np.float32), loop=False)
    else:
        spread = {"point": None, "cap": 0.5}[kind]
        engine.set_source(0, [2.0, 1.0, 0.3], spread=spread)
    parts: list[np.ndarray] = []
    for i in range(len(tone) // block):
        engine.set_listener([0.0, 0.0, 0.0], np.deg2rad(90) * (i + 1) * block / RATE_HZ, 0.0)
        parts.append(engine.process(tone[None, i * block : (i + 1) * block]))
    steady = np.concatenate(parts, 1)[:, RATE_HZ // 2 :].astype(float)
    power = (np.abs(np.fft.rfft(steady * kaiser(steady.shape[1], 20.0))) ** 2).sum(0)
    f = np.fft.rfftfreq(steady.shape[1], 1 / RATE_HZ)
    outside = power[(f < 900) | (f > 1100)].sum() / power.sum()
    claim = f"no zipper: turning head, order 5, {kind}, {executor}"
    return Row(claim, float(10 * np.log10(outside)), -80.0, "dB", f"blocks of {block}")


# --- direction ------------------------------------------------------------------------------------------------------


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    chord = np.linalg.norm(a / np.linalg.norm(a) - b / np.linalg.norm(b))
    return float(np.degrees(2 * np.arcsin(min(1.0, chord / 2))))


def intensity(wyzx: np.ndarray) -> np.ndarray:
    """Where the energy comes from: the mean of W·(X, Y, Z)."""
    w, y, z, x = wyzx.astype(np.float64)
    return np.array([(w * x).sum(), (w * y).sum(), (w * z).sum()])


def places(count: int) -> Iterator[tuple[np.ndarray, float]]:
    """Places all around at 0.3 to 100 m, in float32, and yaws of the head."""
    rng = np.random.default_rng(1)
    for direction in fibonacci_sphere(count):
        distance = np.exp(rng.uniform(np.log(0.3), np.log(100)))
        yield (distance * direction).astype(np.float32), rng.uniform(-np.pi, np.pi)


def offline_field(position: np.ndarray, yaw: float) -> np.ndarray:
    samples = np.random.default_rng(0).normal(0, 0.1, 2400).astype(np.float32)
    clip = Clip(samples, RATE_HZ, True, 23.0, "bench", "CC0-1.0")
    source = Source(
        "s", "s", "s", Spread.POINT, 70.0, 1.0, "bench", position[None], -position[None] / np.linalg.norm(position),
        np.ones(1, np.float32), 0.0, clip=clip,
    )  # fmt: skip
    head = Pose(world_from_head_rotation(yaw, 0.0, 0.0), np.zeros(3))
    return render_walk([source], still_walk(head, 0.05), "ambix", 1).signal


def direct_filters(first: int) -> np.ndarray:
    """Ears that hear two channels of the field as they are."""
    filters = np.zeros((2, 4, 16), np.float32)
    filters[0, first, 0] = filters[1, first + 1, 0] = 1.0
    return filters


def streamed_field(executors: list[Executor], position: np.ndarray, yaw: float) -> np.ndarray:
    x = np.random.default_rng(0).normal(0, 0.1, (1, 1024)).astype(np.float32)
    rows: list[np.ndarray] = []
    for executor in executors:
        executor.place(0, position.astype(np.float64), 1.0, Shape(), None)
        executor.listener(np.zeros(3), yaw, 0.0, 0.0)
        for _ in range(3):  # past the ramp and what the filters remember
            out = np.empty((2, 1024), np.float32)
            executor.process(x, out)
        rows.append(out)
    return np.concatenate(rows)


def direction_row(name: str, count: int) -> Row:
    field: Callable[[np.ndarray, float], np.ndarray] = offline_field
    if name != "offline":
        kind = {"numpy": NumpyExecutor, "native": NativeExecutor}[name]
        law = EncodeOptions(order=1)
        both = [kind(Plan(1, RATE_HZ, 1024, 1, direct_filters(first), law)) for first in (0, 2)]
        field = lambda position, yaw: streamed_field(both, position, yaw)  # noqa: E731
    worst = 0.0
    for position, yaw in places(count):
        truth = position.astype(np.float64) @ world_from_head_rotation(yaw, 0.0, 0.0)
        worst = max(worst, angle_deg(intensity(field(position, yaw)), truth))
    return Row(f"direction of the rendered field, float32, {name}", worst, 1e-5, "°", f"{count} places, turned heads")


# --- the table ------------------------------------------------------------------------------------------------------


def measured(make: Callable[[], Row]) -> Row:
    try:
        return make()
    except BackendMissingError as error:
        return Row("the native kernel", None, 0.0, "", str(error).split(";")[0])


def rows(quick: bool) -> Iterator[Row]:
    yield harmonics_row()
    yield rotation_row()
    yield cap_row()
    for executor in EXECUTORS:
        for order in (1, 5):
            yield measured(lambda e=executor, o=order: blocks_row(e, o, BLOCKS[2::3] if quick else BLOCKS))
    yield measured(lambda: native_row(quick))
    yield wasm_row(quick)
    for executor in EXECUTORS:
        for kind in ("point", "cap", "bed"):
            yield measured(lambda e=executor, k=kind: zipper_row(e, k, 256))
    for name in ("offline", *EXECUTORS):
        yield measured(lambda n=name: direction_row(n, 100 if quick else 500))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cases of everything")
    quick = parser.parse_args().quick
    began, failed = time.perf_counter(), 0
    print(f"{'claim':<58}{'measured':>11}  {'at most':>8} {'':<8}{'':<8} how")
    for row in rows(quick):
        value = "-" if row.measured is None else f"{row.measured:.2e}" if row.unit != "dB" else f"{row.measured:.1f}"
        limit = f"{row.limit:.0f}" if row.unit == "dB" else f"{row.limit:.0e}"
        print(f"{row.claim:<58}{value:>11}  {limit:>8} {row.unit:<8}{row.verdict:<8} {row.detail}", flush=True)
        failed += row.verdict == "FAILS"
    said = f"{failed} claims FAIL" if failed else "every measured claim holds"
    print(f"{said}; {time.perf_counter() - began:.0f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
