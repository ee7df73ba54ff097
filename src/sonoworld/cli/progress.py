"""Stages as they run: live bars on a terminal, one line per finished stage elsewhere."""

from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from sonoworld.flow import SPOILED


@dataclass(slots=True)
class StageWatch:
    """A `flow.Watch` that prints; use as a context manager. `seconds` keeps the time of every step."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    _spoiled: dict[str, str] = field(default_factory=dict[str, str])
    _live: Progress | None = None
    _bars: dict[str, TaskID] = field(default_factory=dict[str, TaskID])

    def __enter__(self) -> "StageWatch":
        if self.console.is_terminal:
            columns = (
                SpinnerColumn(finished_text="✓"),
                TextColumn("{task.fields[step]:<10}"),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("[dim]{task.fields[note]}"),
            )
            self._live = Progress(*columns, console=self.console)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, step: str, backend: str) -> None:
        """A step begins."""
        if self._live is not None:
            self._bars[step] = self._live.add_task("", total=None, step=step, note=backend)

    def progress(self, step: str, fraction: float, note: str) -> None:
        """A step is `fraction` (0..1) done."""
        if note.startswith(SPOILED):
            self._spoiled[step] = note
        if self._live is not None and step in self._bars:
            self._live.update(self._bars[step], total=1.0, completed=min(max(fraction, 0.0), 1.0), note=note)

    def finished(self, step: str, seconds: float, *, stored: bool) -> None:
        """A step is done, or was `stored` by an earlier run."""
        self.seconds[step] = seconds
        note = "kept from before" if stored else self._spoiled.get(step, "")
        if self._live is not None:
            self._live.update(self._bars[step], total=1.0, completed=1.0, note=note)
        else:
            self.console.print(f"  {step:<10} {seconds:6.2f} s {note}".rstrip(), highlight=False)
