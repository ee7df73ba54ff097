"""One photo after the other, in a process that may end at any time and takes nobody along.

Every line of its input asks for a world (JSON), every line of its output says what became of it. It ends when its input
does, which is when the process that started it is gone.
"""

import json
import os
import queue
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from sonoworld.warm import Makes

ORPHANED = 75
"""Exit status where the one who asked is gone (EX_TEMPFAIL)."""

STILL_ENDING_S = 30.0
"""For so long a process that was just orphaned may go on holding its world."""

_POOLS = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{pool}_NUM_THREADS".replace("MAXIMUM_NUM", "MAXIMUM"): "1" for pool in _POOLS}
"""The environment of a worker: N of them have N cores, and none waits for the threads of another."""


def one_thread() -> None:
    """The same for OpenCV, which has no such variable."""
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)


@dataclass(frozen=True, slots=True)
class Request:
    """A world to make: as `sonoworld create PHOTO OUT --recipe R --set S --seed N` would."""

    photo: str
    out: str
    recipe: str
    settings: tuple[str, ...] = ()
    seed: int = 0
    panorama: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`digest` of its `scene.json` where the world is there, otherwise `error`."""

    seconds: float
    digest: str = ""
    error: str = ""


_REQUEST = TypeAdapter(Request).validate_json
_OUTCOME = TypeAdapter(Outcome).validate_json


def request_line(request: Request) -> str:
    """As it is sent."""
    return json.dumps(asdict(request)) + "\n"


def outcome_of(line: str) -> Outcome:
    """As it is received."""
    return _OUTCOME(line)


@dataclass(frozen=True, slots=True)
class Models:
    """Where models run: on this share of a GPU with this memory, GB (None: no GPU); `keeper` gives the functions."""

    gpu_gb: float | None
    share: float
    keeper: "Makes"


def made(request: Request, models: Models | None = None) -> Outcome:
    """Make the world of a request; whatever goes wrong is said and not raised.

    Without `models` they are loaded here, each for its stage.
    """
    began = time.perf_counter()
    try:
        digest = _make(request, models)
    except Exception as error:  # noqa: BLE001  one bad photo must not stop the rest
        return Outcome(round(time.perf_counter() - began, 3), error=_reason(error))
    return Outcome(round(time.perf_counter() - began, 3), digest)


def _reason(error: Exception) -> str:
    from sonoworld.errors import SonoworldError  # noqa: PLC0415

    return str(error) if isinstance(error, SonoworldError) else f"{type(error).__name__}: {error}"


def _make(request: Request, models: Models | None) -> str:
    from sonoworld import plan  # noqa: PLC0415  heavy: a worker says that it is there before
    from sonoworld.disk import atomic  # noqa: PLC0415
    from sonoworld.disk.lock import locked  # noqa: PLC0415
    from sonoworld.disk.photo import read_photo  # noqa: PLC0415
    from sonoworld.disk.workspace import SCENE  # noqa: PLC0415
    from sonoworld.flow import make_scene  # noqa: PLC0415
    from sonoworld.recipe import load  # noqa: PLC0415

    recipe = load(request.recipe, request.settings)
    if plan.runs_models(recipe):
        gpu_gb, wish = plan.gpu_memory_gb() if models is None else models.gpu_gb, plan.Wish()
        if models is not None and gpu_gb is not None and models.share < 1:
            wish = plan.Wish(vram_gb=plan.SPARE * models.share * gpu_gb)
        recipe, _ = plan.arranged(recipe, wish, gpu_gb)
    out = Path(request.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out, wait_s=STILL_ENDING_S):
        pass
    photo = read_photo(Path(request.photo), panorama=request.panorama)
    make_scene(photo, recipe, out, seed=request.seed, keeper=None if models is None else models.keeper)
    return atomic.sha256(out / SCENE)


def main() -> int:
    """Answer one line after the other."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries that print must not garble the answers
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    one_thread()
    while True:
        outcome = made(_REQUEST(asked.get()))
        answers.write(json.dumps(asdict(outcome)) + "\n")
        answers.flush()


def _listen(asked: "queue.SimpleQueue[str]") -> None:
    rest = b""
    while data := os.read(0, 65536):  # not sys.stdin: its lock would be held when the interpreter ends
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            asked.put(line.decode())
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
