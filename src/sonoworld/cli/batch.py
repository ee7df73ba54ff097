"""The verb for many photos: progress, an estimate, and at the end what failed and why."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld.batch import head
from sonoworld.batch.head import Progress, Wanted
from sonoworld.batch.ledger import Entry, ledger_path
from sonoworld.batch.photos import find_photos, shard
from sonoworld.batch.pool import Answers, pool
from sonoworld.batch.store import brought, is_store, staging
from sonoworld.errors import InputError, SonoworldError
from sonoworld.recipe import DEFAULT
from sonoworld.wording import one_line

Settings = UseAppendAction[tuple[str, ...]]
MOST_WORKERS = 1024
MOST_SHOWN = 20


def batch(  # noqa: PLR0913, PLR0917  one per option of the command line
    photos: Positional[str],
    out: Positional[str],
    recipe: str = DEFAULT,
    settings: Annotated[Settings, arg(name="set", metavar="STAGE.KEY=VALUE")] = (),
    seed: int = 0,
    workers: int | None = None,
    ray: str = "",
    gpus: float = 0.0,
    part: Annotated[str, arg(name="shard", metavar="I/N")] = "",
) -> None:
    """Turn many photos into worlds, each in a process of its own; run it again to go on after anything.

    Args:
        photos: Folder of photos (with its folders), a pattern in quotes, or a list: .txt with a path a line, .jsonl.
        out: Folder for the worlds and `manifest.jsonl` (what became of every photo), or an address such as s3://a/b.
        recipe: Which backend does each stage: a name (`sonoworld recipe --list`) or a TOML file.
        settings: Change one option, such as `panorama.width=1024`; may be repeated.
        seed: The same for every photo: each world is as `sonoworld create --seed` makes it alone.
        workers: Processes; not set: one per core, as far as memory goes.
        ray: Let a Ray cluster do it: its address, `auto`, or `local` to start one here (extra `cluster`).
        gpus: Of each photo of a Ray cluster: 0.5 puts two on a GPU.
        part: Only the i-th of n parts, such as 2/8, for several machines with one folder.
    """
    console = Console()
    here = staging(out) if is_store(out) else Path(out)
    items = shard(find_photos(photos, here), part)
    answers, who = _makers(workers, ray, gpus)
    console.print(f"{len(items)} photos, recipe {recipe}, seed {seed}, {who}", highlight=False, markup=False)
    steps = head.run(items, here, Wanted(recipe, settings, seed, part), answers)
    if is_store(out):
        steps = brought(steps, items, here, out)
    _follow(steps, ledger_path(here, part), console)


def _makers(workers: int | None, ray: str, gpus: float) -> tuple[Answers, str]:
    """Who makes the worlds, with words for people."""
    if ray and workers is not None:
        raise InputError("--workers: expected without --ray, whose cluster knows its cores")
    if gpus and not ray:
        raise InputError("--gpus: expected together with --ray")
    if not 0 <= gpus <= MOST_WORKERS:
        raise InputError(f"--gpus: expected 0..{MOST_WORKERS}, got {gpus:g}")
    if ray:
        from sonoworld.batch.cluster import ray_cluster  # noqa: PLC0415

        return partial(ray_cluster, address=ray, gpus=gpus), f"Ray at {ray}"
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"--workers: expected 1..{MOST_WORKERS}, got {workers}")
    count = workers or head.fitting_workers()
    return partial(pool, workers=count), f"{count} workers"


def _follow(steps: Generator[Progress], ledger: Path, console: Console) -> None:
    """Show all of it; an error at the end if a photo failed."""
    failed: list[Entry] = []
    last: Progress | None = None
    with _shown(console) as show:
        for last in steps:
            if last.entry is not None and last.entry.state == "failed":
                failed.append(last.entry)
            show(last)
    if last is None:
        return
    console.print(f"{last.done} made, {last.kept} there already, {last.failed} failed; {ledger}", highlight=False)
    if failed:
        lines = [f"  {one_line(one.photo)}: {one_line(one.error, 300)}" for one in failed[:MOST_SHOWN]]
        more = [f"  and {len(failed) - MOST_SHOWN} more"] if len(failed) > MOST_SHOWN else []
        raise SonoworldError("\n".join([f"{len(failed)} of {last.total} photos failed", *lines, *more]))


@contextmanager
def _shown(console: Console) -> Generator["_Bar | _Lines"]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[note]}"))
    with Bar(*columns, console=console) as live:
        yield _Bar(live)


class _Bar:
    """Live, on a terminal; failures stay above it."""

    def __init__(self, live: Bar) -> None:
        self._live, self._task = live, live.add_task("", total=None, note="looking at what is there")

    def __call__(self, step: Progress) -> None:
        if step.entry is not None and step.entry.state == "failed":
            self._live.print(Text(_line(step.entry)))
        note = left(step.left_s) + (f", {step.failed} failed" if step.failed else "")
        done = step.kept + step.done + step.failed
        self._live.update(self._task, total=step.total, completed=done, note=note)


class _Lines:
    """A line a photo, where nobody watches."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, step: Progress) -> None:
        if step.entry is None:
            if step.kept:
                self._console.print(f"  {step.kept} are there already", highlight=False)
            return
        count = f"[{step.kept + step.done + step.failed}/{step.total}]"
        self._console.print(Text(f"  {count} {_line(step.entry)}; {left(step.left_s)}"), soft_wrap=True)


def _line(entry: Entry) -> str:
    what = f"{entry.seconds:.1f} s" if entry.state == "done" else f"failed: {one_line(entry.error, 300)}"
    return f"{one_line(entry.photo)} -> {entry.id} {what}" + (f", try {entry.attempts}" if entry.attempts > 1 else "")


def left(seconds: float | None) -> str:
    """How long it will take in words: `3 h 05 min left`."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s left"
    return f"{minutes // 60} h {minutes % 60:02d} min left" if minutes >= 60 else f"{minutes} min left"
