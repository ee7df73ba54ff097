"""The C++ kernel as an executor: built at install into `products/native`, from the source in `native/`."""

import importlib
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.air import WAYS_M, air_bank
from sonoworld.encode.nearfield import MOST_BOOST_DB, NEAREST_M, REFERENCE_M, near_field_roots
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S, branch_filters, interpolation_table
from sonoworld.errors import BackendMissingError
from sonoworld.render.engine_room import LONGEST_M, EngineRoom
from sonoworld.render.executor import Plan, Shape
from sonoworld.types import Directivity

MODULE = "sonoworld.products.native.kernel"
REBUILD = "`pip install --force-reinstall --no-deps sonoworld`, or `pip install -e .` in a checkout, builds it"


@cache
def kernel_module() -> ModuleType:
    """The compiled extension.

    Raises:
        BackendMissingError: it was not built at install; says why, and that `executor="numpy"` needs no compiler.
    """
    try:
        return importlib.import_module(MODULE)
    except ImportError as error:
        note = files("sonoworld").joinpath("products", "native", "MISSING.txt")
        why = note.read_text("utf-8").strip() if note.is_file() else str(error)
        raise BackendMissingError(
            f"the native audio kernel is not in this install ({why}); {REBUILD}. "
            "Engine(executor='numpy') runs without it"
        ) from error


def native_widths() -> tuple[tuple[str, int], ...]:
    """Instruction sets and lanes that this machine can run, narrowest first.

    Raises:
        BackendMissingError: no kernel in this install.
    """
    return tuple(kernel_module().widths())


def native_name() -> str:
    """The widest executor here, for `sonoworld doctor`.

    Raises:
        BackendMissingError: no kernel in this install.
    """
    compiler = files("sonoworld").joinpath("products", "native", "compiler.txt").read_text("utf-8").strip()
    instruction_set, lanes = native_widths()[-1]
    return f"native C++, {instruction_set}, up to {lanes} lanes, built by {compiler}"


class NativeExecutor:
    """See `Executor`; arrays are handed over as they are when float64 (control) or float32 (sound), C-contiguous."""

    def __init__(self, plan: Plan, lanes: int = 0) -> None:
        law = plan.law
        paper = law.mode == "paper"
        alpha = law.alpha if law.air == "alpha" else 0.0
        numbers = (alpha, np.exp(-alpha) if paper else 1.0, 0.0 if paper else law.near_m)
        more: dict[str, Any] = {}
        if law.delay:
            more["table"] = interpolation_table()
        if law.air == "iso9613":
            more |= {"air": air_bank(plan.rate_hz), "ways_m": np.array(WAYS_M, np.float64)}
        if law.near_field:
            more |= {"roots": near_field_roots(plan.order), "near": np.array([REFERENCE_M, NEAREST_M, MOST_BOOST_DB])}
        if plan.room is not None:
            more |= _room(plan.room)
        self._kernel = kernel_module().Kernel(
            plan.order,
            plan.block,
            plan.sources,
            np.ascontiguousarray(plan.filters),
            np.array([*numbers, plan.rate_hz, SPEED_OF_SOUND_M_S, law.delay], np.float64),
            **more,
            lanes=lanes,
        )
        # Straight to the compiled methods: these three run in every block.
        self.move = self._kernel.move
        self.listener = self._kernel.listener
        self._process = self._kernel.process

    @property
    def name(self) -> str:
        """Instruction set and lanes."""
        return f"native C++, {self._kernel.set}, {self._kernel.lanes} lanes"

    def place(
        self, i: int, position: Float64[np.ndarray, "3"], gain: float, shape: Shape, aim: Directivity | None
    ) -> bool:
        """See `Executor.place`."""
        if aim is None:
            facing, pattern, sharpness = None, 0.0, 1.0
        else:
            facing, pattern, sharpness = np.asarray(aim.facing, np.float64), aim.pattern, aim.sharpness
        if shape.points is not None and shape.weights is not None:
            points, weights = np.ascontiguousarray(shape.points), np.ascontiguousarray(shape.weights)
            return self._kernel.place_surface(i, points, weights, shape.labels, gain, facing, pattern, sharpness)
        cap = None if shape.cap is None else shape.cap.astype(np.float32)
        return self._kernel.place(i, position, gain, cap, facing, pattern, sharpness)

    def remove(self, i: int) -> bool:
        """See `Executor.remove`."""
        return self._kernel.remove(i)

    def bed(self, signal: Float32[np.ndarray, "c t"] | None, order: int, loops: bool) -> bool:
        """See `Executor.bed`."""
        return self._kernel.bed(signal, order, loops)

    def process(self, inputs: Float32[np.ndarray, "q b"], out: Float32[np.ndarray, "2 b"]) -> bool:
        """See `Executor.process`."""
        return self._process(inputs, out) == 0


def _room(room: EngineRoom) -> dict[str, Any]:
    return {
        "normals": room.normals,
        "offsets": room.offsets_m,
        "wall_filters": np.ascontiguousarray(room.filters.reshape(len(room.filters), 10)),
        "late": room.late,
        "sends": room.sends,
        "branches": branch_filters(),
        "longest_m": LONGEST_M,
    }
