"""What a scene cost: seconds and memory of every step, measured beside it, for it is not part of the world.

The scene's own files are the same bytes whenever photo, recipe and seed are; what a run cost is not, so it is written
where it is asked for (`sonoworld create --record FILE`).
"""

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from sonoworld.flow import Watch


@dataclass(frozen=True, slots=True)
class Spent:
    """One step, and what it cost.

    `stored`: taken from an earlier run. `memory_gb`: the most that this process had up to its end. `gpu_gb`: the most
    that torch held on the GPU during it; None without a GPU.
    """

    step: str
    backend: str
    seconds: float
    stored: bool
    memory_gb: float | None
    gpu_gb: float | None


@dataclass(slots=True)
class Meter:
    """A `flow.Watch` that measures, and hands everything on to another."""

    watch: Watch
    spent: list[Spent] = field(default_factory=list[Spent])
    _backends: dict[str, str] = field(default_factory=dict[str, str])

    def started(self, step: str, backend: str) -> None:
        """A step begins."""
        self._backends[step] = backend
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()
        self.watch.started(step, backend)

    def progress(self, step: str, fraction: float, note: str) -> None:
        """A step is `fraction` (0..1) done."""
        self.watch.progress(step, fraction, note)

    def finished(self, step: str, seconds: float, *, stored: bool) -> None:
        """A step is done, or was `stored` by an earlier run."""
        cuda = _cuda()
        gpu_gb = None if cuda is None else cuda.max_memory_allocated() / 1e9
        self.spent.append(Spent(step, self._backends.get(step, ""), seconds, stored, process_peak_gb(), gpu_gb))
        self.watch.finished(step, seconds, stored=stored)

    def document(self) -> dict[str, object]:
        """All of it, for a JSON file."""
        steps = [
            {
                "step": one.step,
                "backend": one.backend,
                "seconds": round(one.seconds, 3),
                "stored": one.stored,
                "memory_gb": None if one.memory_gb is None else round(one.memory_gb, 3),
                "gpu_gb": None if one.gpu_gb is None else round(one.gpu_gb, 3),
            }
            for one in self.spent
        ]
        return {"format": 1, "steps": steps}


def process_peak_gb() -> float | None:
    """The most memory that this process had so far; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not on Windows

    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _cuda() -> Any:
    """`torch.cuda`, if torch was loaded by somebody and has used the GPU; it is not loaded for this."""
    torch: ModuleType | None = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return torch.cuda
