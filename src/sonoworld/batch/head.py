"""The head of a batch: knows what is finished, has the rest made, and writes down what became of it."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sonoworld import __version__
from sonoworld.batch.ledger import MAX_ERROR_CHARS, Entry, append, entries, ledger_path
from sonoworld.batch.photos import Item
from sonoworld.batch.pool import Answer, Answers, Order
from sonoworld.batch.worker import Request
from sonoworld.disk import atomic
from sonoworld.disk.lock import held
from sonoworld.disk.scene import manifest
from sonoworld.errors import InputError, SonoworldError
from sonoworld.recipe import Recipe, digest, load

LOCK = ".batch.lock"
GB = 1e9
NEEDED_GB = 2.5
"""Memory that one world takes while it is made with the embedded recipe at its full size."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How worlds are made: recipe by name or file, its settings, and the seed, the same for all."""

    recipe: str
    settings: tuple[str, ...] = ()
    seed: int = 0
    part: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """After each photo: its entry (None: the start); how many there are, were kept, are done, failed; time left, s."""

    entry: Entry | None
    total: int
    kept: int
    done: int
    failed: int
    left_s: float | None


def run(items: Sequence[Item], out: Path, wanted: Wanted, answers: Answers) -> Generator[Progress]:
    """Have every photo made a world `out/<id>`, but for those that are there already; yields as they come.

    A world is there if the last word on it is done, it depends on the same things, and all its files are as they were
    written. One that was finished without anybody having noted it is noted without being made again.

    Raises:
        InputError: `out` cannot be written, or the recipe is wrong; nothing was started.
        SonoworldError: another head is at work in `out`.
    """
    recipe = load(wanted.recipe, wanted.settings)
    recipe.require_available()
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = out / (LOCK if not wanted.part else f".batch-{wanted.part.replace('/', '-of-')}.lock")
        with held(lock, f"{out}: another batch is at work here"):
            yield from _run(items, out, wanted, answers, world_key(recipe, wanted.seed))
    except PermissionError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}: {error.filename})") from error
    except OSError as error:
        raise SonoworldError(
            f"{out}: {error.strerror or error}; what is finished is kept, run the same command again to go on"
        ) from error


def _run(
    items: Sequence[Item], out: Path, wanted: Wanted, answers: Answers, key_of: Callable[[Item], str]
) -> Generator[Progress]:
    keys = _standing(items, out, key_of)
    open_ = {item.id: item for item in items if not keys[item.id].there}
    total, kept = len(items), len(items) - len(open_)
    done = failed = 0
    began = time.perf_counter()
    yield Progress(None, total, kept, 0, 0, None)
    with closing(answers([_order(item, out, wanted) for item in open_.values()])) as coming:
        for answer in coming:
            entry = _entry(answer, open_[answer.id], keys[answer.id].key)
            append(ledger_path(out, wanted.part), entry)
            done, failed = done + (entry.state == "done"), failed + (entry.state == "failed")
            pace_s = (time.perf_counter() - began) / (done + failed)
            yield Progress(entry, total, kept, done, failed, pace_s * (len(open_) - done - failed))


@dataclass(frozen=True, slots=True)
class _Standing:
    key: str
    there: bool


def _standing(items: Sequence[Item], out: Path, key_of: Callable[[Item], str]) -> Mapping[str, _Standing]:
    """What every world depends on, and whether it is there."""
    before = entries(out)

    def look(item: Item) -> _Standing:
        key, entry = key_of(item), before.get(item.id)
        noted = entry is not None and entry.state == "done" and bool(key) and entry.key == key
        return _Standing(key, noted and whole(out / item.id))

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as readers:
        return dict(zip((item.id for item in items), readers.map(look, items), strict=True))


def whole(world: Path) -> bool:
    """Whether a world is there with all its files as they were written."""
    try:
        return all(
            (path := atomic.inside(world, name)).is_file() and atomic.sha256(path) == digest_
            for name, digest_ in manifest(world).items()
        )
    except (SonoworldError, OSError):
        return False


def world_key(recipe: Recipe, seed: int) -> Callable[[Item], str]:
    """A name for everything that a world depends on, by its photo; "" where that cannot be read."""
    choices = {
        stage: (one.backend.name, one.backend.version, digest(one.options), _files(one.backend.files(one.options)))
        for stage, one in recipe.choices.items()
    }
    common = json.dumps([__version__, seed, choices, digest(recipe.localize)], sort_keys=True)

    def key(item: Item) -> str:
        try:
            photo = atomic.sha256(item.path)
        except OSError:
            return ""
        return hashlib.sha256(f"{common} {photo} {item.panorama}".encode()).hexdigest()

    return key


def _files(names: Sequence[str | Path]) -> list[str]:
    return [atomic.sha256(Path(name)) if Path(name).is_file() else "" for name in names]


def _order(item: Item, out: Path, wanted: Wanted) -> Order:
    # absolute: a worker of a cluster stands in another folder
    photo, world = str(item.path.absolute()), str((out / item.id).absolute())
    return Order(item.id, Request(photo, world, wanted.recipe, wanted.settings, wanted.seed, item.panorama))


def _entry(answer: Answer, item: Item, key: str) -> Entry:
    outcome = answer.outcome
    state = "failed" if outcome.error else "done"
    error = outcome.error.replace(str(item.path.absolute()), item.name)[:MAX_ERROR_CHARS]
    return Entry(item.id, item.name, state, outcome.seconds, outcome.digest, error, key, answer.attempts)


def fitting_workers() -> int:
    """As many as there are cores, and as memory holds at `NEEDED_GB` each; at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB
    except (AttributeError, ValueError, OSError):
        return cores
    return max(1, min(cores, int(memory_gb / NEEDED_GB)))
