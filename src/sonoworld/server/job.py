"""One photo on its way to become a world: what is known of it, and what of that is kept on disk."""

import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from sonoworld.disk import atomic
from sonoworld.errors import SonoworldError

State = Literal["waiting", "running", "done", "failed"]
JOBS = ".jobs"
RECORD = "job.json"

SHARES: dict[str, float] = {
    "photo": 0.02, "calibrate": 0.05, "panorama": 0.27, "lift": 0.3, "seed": 0.03, "lite": 0.02, "ground": 0.01,
    "understand": 0.03, "segment": 0.02, "localize": 0.02, "sound": 0.17, "preview": 0.05, "walk": 0.01,
}  # fmt: skip
"""Part of the time that each step takes, in their order; measured with the embedded recipe, a guess with others."""


@dataclass(slots=True)
class Job:
    """`world` is the name under which the world will be found; `fraction` (0..1) and `step` say how far it is."""

    id: str
    number: int
    title: str
    world: str
    state: State = "waiting"
    error: str = ""
    step: str = ""
    note: str = ""
    fraction: float = 0.0
    finished: set[str] = field(default_factory=set[str])

    def progress(self, step: str, fraction: float, note: str) -> None:
        """A step is `fraction` done; the whole never goes back."""
        self.step, self.note = step, note
        if fraction >= 1:
            self.finished.add(step)
        whole = sum(SHARES.get(name, 0.0) for name in self.finished)
        part = 0.0 if step in self.finished else SHARES.get(step, 0.0) * fraction
        self.fraction = max(self.fraction, min(1.0, whole + part))

    def shown(self) -> dict[str, object]:
        """As the page is told."""
        told = ("id", "title", "world", "state", "error", "step", "note")
        return {**{name: getattr(self, name) for name in told}, "fraction": round(self.fraction, 4)}


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    number: int
    title: str
    world: str
    state: State
    error: str


_RECORD = TypeAdapter(_Record).validate_python


def photo_of(folder: Path, job: Job) -> Path:
    """Where the photo of a job lies while it is needed."""
    return folder / JOBS / job.id / "photo"


def keep(folder: Path, job: Job) -> None:
    """Remember a job, so that it goes on when the server was ended."""
    record = _Record(job.id, job.number, job.title, job.world, job.state, job.error)
    atomic.write_json(folder / JOBS / job.id / RECORD, asdict(record))


def forget(folder: Path, job: Job) -> None:
    """Drop a job and its photo."""
    shutil.rmtree(folder / JOBS / job.id, ignore_errors=True)


def remembered(folder: Path) -> list[Job]:
    """Jobs that an earlier server did not finish, oldest first; what was running waits again."""
    found: list[Job] = []
    for where in sorted((folder / JOBS).glob(f"*/{RECORD}")):
        try:
            record = _RECORD(atomic.read_json(where))
        except (SonoworldError, ValidationError):
            continue  # cut short while it was written: its upload had not been answered yet
        state: State = "failed" if record.state == "failed" else "waiting"
        job = Job(where.parent.name, record.number, record.title, record.world, state, record.error)
        if photo_of(folder, job).is_file():
            found.append(job)
    return sorted(found, key=lambda job: job.number)
