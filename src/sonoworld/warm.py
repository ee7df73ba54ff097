"""Stage functions kept from one scene to the next, so that their models need not be loaded again.

A kept one is the same function that a fresh `make` would give: results do not depend on it. What is kept longest unused
goes first when the budget is full, and all of it goes when memory runs out.
"""

import gc
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from sonoworld.backend import Backend, Options
from sonoworld.errors import InputError

Key = tuple[str, str, str, str]


@runtime_checkable
class Makes(Protocol):
    """Where the flow gets its stage functions from: made here and kept, or living in another process."""

    def made(self, spec: Backend, options: Options, stamp: str = "") -> Any: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102


class Keeper:
    """Holds made stage functions, together at most `budget_gb`; for one thread at a time.

    `size_gb(backend, options)` says what one takes; 0 is kept too, for it takes nothing of the budget, while more than
    the whole budget is made, used and let go. A stage whose files on disk have changed is made again.
    """

    def __init__(self, budget_gb: float, size_gb: Callable[[Backend, Options], float]) -> None:
        """Nothing is kept yet.

        Raises:
            InputError: the budget is not a positive number.
        """
        if not budget_gb > 0:
            raise InputError(f"warm models: expected a budget in GB above 0, got {budget_gb:g}")
        self._budget_gb = budget_gb
        self._size_gb = size_gb
        self._kept: OrderedDict[Key, tuple[Any, float]] = OrderedDict()

    @property
    def kept(self) -> tuple[str, ...]:
        """What is held, `stage.backend`, the one to go next first."""
        return tuple(f"{stage}.{name}" for stage, name, *_ in self._kept)

    def made(self, spec: Backend, options: Options, stamp: str = "") -> Any:
        """The stage function, kept or made now. `stamp`: of files that it was made from; another one makes it again.

        Room is made before it is loaded, so that both never lie in memory at once.
        """
        key = (spec.stage, spec.name, f"{spec.version} {options.model_dump_json()}", stamp)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        size_gb = self._size_gb(spec, options)
        self._make_room(self._budget_gb - size_gb)
        function = spec.make(options)
        if size_gb <= self._budget_gb:
            self._kept[key] = (function, size_gb)
        return function

    def release(self) -> None:
        """Let go of everything."""
        self._kept.clear()
        empty_memory()

    def _make_room(self, left_gb: float) -> None:
        gone = False
        while any(size for _, size in self._kept.values()) and self._held_gb() > left_gb:
            oldest = next(key for key, (_, size) in self._kept.items() if size)
            del self._kept[oldest]
            gone = True
        if gone:
            empty_memory()

    def _held_gb(self) -> float:
        return sum(size for _, size in self._kept.values())


def empty_memory() -> None:
    """What nobody holds any more is free for the next model; a GPU's memory, too, where torch is in use."""
    torch = sys.modules.get("torch")  # only where somebody has loaded it
    if torch is not None:
        gc.collect()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            torch.cuda.empty_cache()


def ran_out(error: BaseException) -> bool:
    """Whether it is memory that ran out, the machine's or a GPU's, here or in a cause of this error."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, MemoryError) or type(link).__name__ == "OutOfMemoryError":
            return True
        link = link.__cause__ or link.__context__
    return False
