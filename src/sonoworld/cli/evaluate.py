"""The verb that measures: a data set in, a table of methods with intervals out."""

import datetime
import math
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.table import Table
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld import __version__
from sonoworld.errors import InputError
from sonoworld.evaluate.results import Results

if TYPE_CHECKING:
    from sonoworld.evaluate.baselines.files import Submission
    from sonoworld.evaluate.datasets.synthetic import Tier
    from sonoworld.evaluate.kept import Kept

Names = UseAppendAction[tuple[str, ...]]
JUDGED = ("angular_error_rad", "cc", "auc")
DEFAULT_CLIPS = 16
DATASETS = ("synthetic", "r3vival", "sonoscene360", "pairs")


def evaluate(  # noqa: PLR0913, PLR0917  a command line has as many options as people need
    dataset: Positional[str],
    data: Annotated[Path | None, arg(aliases=["-d"])] = None,
    out: Annotated[Path, arg(aliases=["-o"])] = Path("evaluation"),
    recipe: str = "embedded",
    parts: Annotated[Names, arg(metavar="PART")] = (),
    baselines: Annotated[Names, arg(metavar="NAME")] = (),
    submissions: Annotated[Names, arg(name="submission", metavar="METHOD=DIR")] = (),
    full: bool = False,
    ablations: bool = True,
    clap: str | None = None,
    workers: int = 0,
    seed: int = 0,
    write_docs: Path | None = None,
) -> None:
    """Score our sound fields against recorded ones, beside every baseline that can run here.

    Args:
        dataset: `synthetic`, `r3vival`, `sonoscene360`, or `pairs` (first-order files of one name in two folders).
        data: Folder of the data set; for `pairs`, of the references.
        out: Folder of the report, the scores and what is kept to go on after an interruption.
        recipe: Recipe whose stages see the panorama.
        parts: Of `synthetic`: T0 (closed forms), T1 (outdoors), T2 (rooms; needs pyroomacoustics), or `all`; may be
            repeated. T1 where none is named; the others are kept in folders of their names below `out`.
        baselines: `all`, or one of chance, front, mono, see2sound, release, paper, ours, oracle-places, oracle; may be
            repeated. All where none is named.
        submissions: Files of another method, such as `visage=their-files`; may be repeated.
        full: The whole benchmark in place of a part of it (16 clips of T1, or of recordings).
        ablations: Also score ours with one thing changed at a time.
        clap: LAION-CLAP, as hub id (such as laion/clap-htsat-unfused) or folder: adds D-CLAP, R-Precision and
            qa_accuracy for `synthetic` and `sonoscene360`. Not asked for by default.
        workers: Processes; 0 takes one per core, at most 4.
        seed: Of everything random.
        write_docs: Markdown file whose table of this data set is to be replaced by this one.
    """
    from sonoworld.evaluate import methods, tables  # noqa: PLC0415  heavy

    count = workers or max(1, min(4, os.cpu_count() or 1))
    asked = Asked(data, out, recipe, baselines, submissions, full, ablations, clap, count, seed, _commit())
    _refuse(dataset, asked, parts)
    methods.chosen(baselines, truth=True)  # a wrong name is told before anything is made
    jobs = _jobs(dataset, asked, parts)
    if write_docs is not None:
        for name in jobs:
            tables.place_in_page(write_docs, name, seed)
    for name, (its, run) in jobs.items():
        _reported(name, run(its), its, write_docs)


def _refuse(dataset: str, asked: "Asked", parts: Sequence[str]) -> None:
    """Options that do not go with the data set."""
    if dataset not in DATASETS:
        raise InputError(f"evaluate: expected one of {', '.join(DATASETS)}, got {dataset!r}")
    for option, given, good in (
        ("--submission", asked.submissions, ("sonoscene360", "pairs")),
        ("--clap", asked.clap, ("synthetic", "sonoscene360")),
        ("--parts", parts, ("synthetic",)),
    ):
        if given and dataset not in good:
            raise InputError(f"evaluate: {option} goes with {' and '.join(good)}, not with {dataset}")


def _jobs(dataset: str, asked: "Asked", parts: Sequence[str]) -> "dict[str, tuple[Asked, Callable[[Asked], Kept]]]":
    """Name of each table -> what is asked there, and what runs it."""
    if dataset != "synthetic":
        runs = {"r3vival": _r3vival, "sonoscene360": _recordings, "pairs": _pairs}
        return {dataset: (asked, runs[dataset])}
    jobs: dict[str, tuple[Asked, Callable[[Asked], Kept]]] = {}
    for tier in _tiers(parts):
        name, out = ("synthetic", asked.out) if tier == "T1" else (f"synthetic {tier}", asked.out / tier)
        jobs[name] = replace(asked, out=out), partial(_synthetic, tier=tier)
    return jobs


def _tiers(parts: Sequence[str]) -> "tuple[Tier, ...]":
    """The parts that are asked for, in their order; what a part needs is looked for before anything is made."""
    from sonoworld.evaluate.datasets.synthetic import DEFAULT  # noqa: PLC0415  heavy
    from sonoworld.evaluate.datasets.synthetic_rooms import simulator  # noqa: PLC0415  heavy

    wrong = [part for part in parts if part != "all" and part not in DEFAULT]
    if wrong:
        raise InputError(f"parts: expected all or {', '.join(DEFAULT)}, got {wrong[0]!r}")
    wanted = set(DEFAULT) if "all" in parts else set(parts) or {"T1"}
    if "T2" in wanted:
        simulator()
    return tuple(tier for tier in DEFAULT if tier in wanted)


def _reported(name: str, kept: "Kept", asked: "Asked", page: Path | None) -> None:
    """Write the report of one data set, print its table, and put it into a page where one is named."""
    from sonoworld.evaluate import report  # noqa: PLC0415  heavy
    from sonoworld.evaluate.tables import put_in_page  # noqa: PLC0415  heavy

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0).isoformat()
    command = " ".join(["sonoworld", *sys.argv[1:]]) if Path(sys.argv[0]).stem == "sonoworld" else ""
    results = Results(name, now, asked.commit, asked.seed, asked.options, kept.rows, command)
    pictures = [(caption, file.relative_to(asked.out).as_posix()) for caption, file in kept.pictures]
    against = "release" if any(row.method == "release" for row in kept.rows) else None
    report.write(results, asked.out, against=against, pictures=pictures)
    console = Console()
    show(results, console)
    if page is not None:
        put_in_page(results, page)
    console.print(f"report: {asked.out / 'index.html'}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line, as given, and which program this is."""

    data: Path | None
    out: Path
    recipe: str
    baselines: tuple[str, ...]
    submissions: tuple[str, ...]
    full: bool
    ablations: bool
    clap: str | None
    workers: int
    seed: int
    commit: str

    @property
    def stamp(self) -> str:
        """Names the program in what is kept."""
        return f"{__version__} {self.commit}"

    @property
    def options(self) -> dict[str, str]:
        """What the report says was asked for."""
        said = {"recipe": self.recipe, "baselines": " ".join(self.baselines) or "all", "full": str(self.full)}
        clap = "not asked for" if self.clap is None else self.clap
        return {**said, "ablations": str(self.ablations), "clap": clap}

    @property
    def folder(self) -> Path:
        """Of the data set.

        Raises:
            InputError: none was given.
        """
        if self.data is None:
            raise InputError("evaluate: this data set needs --data DIR, see docs/evaluate.md for where to get it")
        return self.data


def _synthetic(asked: Asked, tier: "Tier") -> "Kept":
    from sonoworld.evaluate.datasets.synthetic import DEFAULT, FULL  # noqa: PLC0415  heavy
    from sonoworld.evaluate.on_synthetic import SyntheticRun, run_synthetic  # noqa: PLC0415  heavy

    size = (FULL if asked.full else DEFAULT)[tier]
    root = asked.out / f"synthetic-{size.scenes}x{size.microphones}x{size.clips}-seed{asked.seed}"
    run = SyntheticRun(root, size, asked.seed, asked.baselines, asked.ablations, asked.recipe, asked.clap)
    return run_synthetic(run, asked.out / "parts", workers=asked.workers, told=_tell, stamp=asked.stamp)


def _r3vival(asked: Asked) -> "Kept":
    from sonoworld.evaluate.on_r3vival import R3vivalRun, run_r3vival  # noqa: PLC0415  heavy

    run = R3vivalRun(asked.folder, asked.recipe, asked.seed, asked.baselines)
    return run_r3vival(run, asked.out / "parts", workers=asked.workers, told=_tell, stamp=asked.stamp)


def _recordings(asked: Asked) -> "Kept":
    from sonoworld.evaluate.on_recordings import RecordingsRun, run_recordings  # noqa: PLC0415  heavy

    most = None if asked.full else DEFAULT_CLIPS
    how = (asked.recipe, asked.seed, asked.baselines, asked.ablations, _submissions(asked), most, asked.clap)
    run = RecordingsRun(asked.folder, *how)
    return run_recordings(run, asked.out / "parts", workers=asked.workers, told=_tell, stamp=asked.stamp)


def _pairs(asked: Asked) -> "Kept":
    from sonoworld.evaluate.kept import Kept  # noqa: PLC0415  heavy
    from sonoworld.evaluate.on_pairs import run_pairs  # noqa: PLC0415  heavy

    return Kept(tuple(run_pairs(asked.folder, _submissions(asked))))


def _submissions(asked: Asked) -> "tuple[Submission, ...]":
    from sonoworld.evaluate.baselines.files import FORMATS, Submission  # noqa: PLC0415  heavy

    made: list[Submission] = []
    for said in asked.submissions:
        name, _, folder = said.partition("=")
        if not name or not Path(folder).is_dir() or not folder:
            raise InputError(f"--submission: expected METHOD=DIR with a folder that is there, got {said!r}")
        made.append(Submission(name, Path(folder), FORMATS.get(name, "foa")))
    return tuple(made)


def show(results: Results, console: Console) -> None:
    """Print the table, its parts, and the paired differences to the release."""
    from sonoworld.evaluate import tables  # noqa: PLC0415  heavy

    heading, *rows = tables.rows_of(results)
    title = f"{results.dataset} · {results.date} · commit {results.commit} · seed {results.seed}"
    table = Table(*heading, title=title)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    more = tables.below(results)
    if more is not None:
        heading, columns = more
        under = Table(heading, *columns)
        for method in dict.fromkeys(row.method for row in results.rows):
            under.add_row(method, *(_number(values.get(method, math.nan)) for values in columns.values()))
        console.print(under)
    methods = {row.method for row in results.rows}
    if {"ours", "release"} <= methods:
        for metric, gap in tables.compared(results, "ours", "release", JUDGED).items():
            console.print(f"ours − release, {metric}: {gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _commit() -> str:
    """Of the checkout this program runs from; "unknown" for an installed one."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()
