"""Why every source of a world is there, how sure that is, what is imagined; what was left out; whose models were used.

Labels and reasons may be words of models and strangers: they are printed as plain text on one line, never as markup.
"""

from collections.abc import Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sonoworld.cli.tables import source_record
from sonoworld.disk.notes import STEPS, LeftOut, StepNotes
from sonoworld.types import Source, Spread
from sonoworld.wording import one_line

REASON_CHARS = 1000
_NONE = StepNotes("", None, ())

ACCOUNTS = {
    "understand": "seen or said, and not heard",
    "segment": "looked for in the picture, and not found",
    "localize": "found, and no part of a source",
}
"""What a step's list of left-out things is about."""


def say_why(sources: tuple[Source, ...], notes: Mapping[str, StepNotes], console: Console) -> None:
    """Print all of it: sources in their order, then what each step left out, then the models used."""
    console.print(Text(f"{len(sources)} sources, and why they are there", style="bold"))
    for number, source in enumerate(sources, 1):
        _say_source(number, source, console)
    for step in STEPS:
        _say_left_out(step, notes.get(step, _NONE), console)
    _say_models(notes, console)


def _say_source(number: int, source: Source, console: Console) -> None:
    head = Text(f"{number:>2}  ")
    head.append(one_line(source.label), style="bold")
    head.append(f"  {place(source)}, {source.level_db:.0f} dB, {100 * source.confidence:.0f} % sure")
    if source.imagined:
        head.append("  imagined", style="yellow")
    console.print(head, soft_wrap=True)
    lines = {"why": source.reason or "nobody said", "named by": f"understand.{source.backend}"}
    if source.spread is not Spread.AMBIENT:
        lines["stands in"] = stands_in(source)
    clip = source.clip
    lines["sound"] = source.prompt if clip is None else f"{source.prompt}; {clip.made_by} ({clip.licence})"
    grid = Table.grid(padding=(0, 1))
    for name, text in lines.items():
        grid.add_row(Text(f"    {name:<9}", style="dim"), Text(one_line(text, REASON_CHARS)))
    console.print(grid)


def place(source: Source) -> str:
    """Kind and place of a source in a few words: degrees, metres, share of the view all around."""
    record = source_record(source)
    if source.spread is Spread.AMBIENT:
        return "all around"
    where = f"azimuth {record['azimuth_deg']:+.0f}°, elevation {record['elevation_deg']:+.0f}°"
    wide = f", {source.solid_angle_sr:.2g} sr wide" if source.spread is Spread.AREA else ""
    return f"{source.spread.value}, {where}, {record['distance_m']:.1f} m{wide}"


def stands_in(source: Source) -> str:
    """Whether the photo shows what the place of a source was taken from."""
    return "pixels that were filled in: its place is imagined" if source.imagined else "what the photo shows"


def _say_left_out(step: str, notes: StepNotes, console: Console) -> None:
    head = Text(f"\nLeft out by {step}", style="bold")
    if notes.backend:
        head.append(f".{one_line(notes.backend)}")
    if notes.left_out is None:
        head.append(": it does not say (made before steps did)", style="not bold")
        console.print(head)
        return
    head.append(f": {sum(max(1, one.times) for one in notes.left_out)} {ACCOUNTS[step]}", style="not bold")
    console.print(head)
    for one in notes.left_out:
        console.print(Padding(_left_out_line(one), (0, 0, 0, 4)))


def _left_out_line(one: LeftOut) -> Text:
    times = f"{one.times} × " if one.times > 1 else ""
    return Text.assemble(times, (one_line(one.what), "bold"), ": ", one_line(one.why))


def _say_models(notes: Mapping[str, StepNotes], console: Console) -> None:
    used = [(step, model) for step, one in notes.items() for model in one.models]
    if not used:
        return
    console.print(Text("\nModels used", style="bold"))
    for step, model in used:
        console.print(
            Padding(Text(f"{step}: {one_line(model.model)}, licence {one_line(model.licence)}"), (0, 0, 0, 4))
        )
