"""The verb that asks people: a listening study as a static site, and what their answers say."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.table import Table
from tyro.conf import OmitSubcommandPrefixes, Positional, UseAppendAction, subcommand

from sonoworld.disk import atomic
from sonoworld.errors import InputError
from sonoworld.study.analysis import Analysis, Estimate


@dataclass(frozen=True)
class Make:
    """Make the pages from a folder that holds one folder for each scene: a film or picture, and METHOD.wav for each."""

    stimuli: Positional[Path]
    """Folder of scenes."""
    out: Positional[Path]
    """New folder: `site` for the listeners, `key.json` for you alone."""
    listeners: int = 48
    """How many may take part; twice the number of scenes, or a multiple, is balanced in full."""
    method: UseAppendAction[tuple[str, ...]] = ()
    """Only these methods; may be repeated."""
    title: str = "Listening study"
    """What the page is called."""
    seed: int = 0
    """Another seed is another choice of sides."""


@dataclass(frozen=True)
class Analyse:
    """Say what the answers mean: how strong each method is, and how often it was chosen, with 95 % intervals."""

    key: Positional[Path]
    """The key.json of the study."""
    answers: Positional[tuple[Path, ...]]
    """Files that listeners saved, or a folder of them."""
    json: Path | None = None
    """Also write all numbers to this file."""
    draws: int = 2000
    """Of listeners and scenes, for the intervals."""
    seed: int = 0
    """Of the draws."""


_Verb = Annotated[Make, subcommand("make")] | Annotated[Analyse, subcommand("analyse")]


def study(do: OmitSubcommandPrefixes[_Verb]) -> None:
    """Ask people which method fits better, and analyse what they say.

    Args:
        do: What to do.
    """
    console = Console()
    if isinstance(do, Make):
        _make(do, console)
    else:
        _analyse(do, console)


def _make(do: Make, console: Console) -> None:
    from sonoworld.study import design, site, stimuli  # noqa: PLC0415  heavy only where used

    scenes = stimuli.read(do.stimuli)
    methods = do.method or tuple(sorted(scenes[0].sounds))
    plan = design.plan(methods, tuple(scene.name for scene in scenes), do.listeners, seed=do.seed)
    page = site.write(plan, scenes, do.out, title=do.title)
    trials = len(plan.listeners[0])
    heard = sum(2 * sound.seconds for scene in scenes for sound in scene.sounds.values()) * (len(methods) - 1) / 2
    _say(
        console,
        f"{page}: {len(scenes)} scenes, {len(methods)} methods, {trials} pairs for each of {do.listeners} people",
    )
    _say(
        console,
        f"at least {heard / 60:.0f} minutes of listening each; it opens by a double click or from any web server",
    )
    _say(console, f"keep {do.out / site.KEY} to yourself: it tells which sound is which")
    if do.listeners % (2 * len(scenes)):
        _say(console, f"sides and places are balanced in full over multiples of {2 * len(scenes)} listeners")


def _analyse(do: Analyse, console: Console) -> None:
    from sonoworld.study import analysis, answers  # noqa: PLC0415  heavy only where used

    files = _files(do.answers)
    key = answers.read_key(do.key)
    people = answers.read(files, key)
    found = analysis.analyse(people, key, draws=do.draws, seed=do.seed)
    for criterion, question in key.design.criteria.items():
        console.print(_table(f"{criterion}: {question}", found, criterion))
        _say(console, f"chosen on the first side: {100 * found.findings[criterion].first:.0f} %")
    left_out = f"; left out: {', '.join(map(str, found.left_out))}" if found.left_out else ""
    _say(console, f"{len(found.listeners)} of {len(people)} listeners passed the headphone check{left_out}")
    if do.json is not None:
        atomic.write_json(do.json, _document(found))


def _files(given: tuple[Path, ...]) -> list[Path]:
    found = [file for path in given for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not found:
        raise InputError(f"expected files of answers, got none in {', '.join(map(str, given))}")
    return found


def _table(title: str, found: Analysis, criterion: str) -> Table:
    finding = found.findings[criterion]
    table = Table(title=title, title_justify="left")
    for column in ("method", "strength", *(f"chosen over {name}" for name in finding.strengths)):
        table.add_column(column)
    for method, strength in sorted(finding.strengths.items(), key=lambda item: -item[1].value):
        shares = [finding.chosen.get((method, other)) for other in finding.strengths]
        cells = ["" if share is None else _percent(share) for share in shares]
        table.add_row(method, f"{strength.value:+.2f} [{strength.low:+.2f}, {strength.high:+.2f}]", *cells)
    return table


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _document(found: Analysis) -> dict[str, object]:
    findings = {
        criterion: {
            "strengths": {name: asdict(value) for name, value in finding.strengths.items()},
            "chosen": [
                {"method": a, "over": b, **asdict(value), "asked": finding.asked[a, b]}
                for (a, b), value in finding.chosen.items()
            ],
            "first_side": finding.first,
        }
        for criterion, finding in found.findings.items()
    }
    return {"findings": findings, "listeners": list(found.listeners), "left_out": list(found.left_out)}


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
