"""What an evaluation keeps between runs: the scores and pictures of every microphone, in files named by content.

A name is the digest of all that the scores depend on: what was asked, the program, the recipe, and the bytes of the
files that were read. How folders are spelled is not among it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sonoworld.errors import InputError
from sonoworld.evaluate.results import Row


@dataclass(frozen=True, slots=True)
class Scored:
    """What one microphone gave: rows, and pictures as caption and PNG file."""

    rows: tuple[Row, ...]
    pictures: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What all microphones gave, in order; pictures as caption and file."""

    rows: tuple[Row, ...]
    pictures: tuple[tuple[str, Path], ...] = ()


Job = Callable[[int], Scored]
"""A picklable function of a microphone's number."""


def station_key(name: str, asked: Sequence[str], files: Sequence[Path]) -> str:
    """All that the scores of a microphone depend on, in one text whose first line is for people.

    Args:
        name: of the microphone.
        asked: options, program, recipe.
        files: whose bytes count, not their places.

    Raises:
        InputError: a file cannot be read.
    """
    digests: list[str] = []
    for file in files:
        try:
            digests.append(hashlib.sha256(file.read_bytes()).hexdigest())
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error}") from error
    return "\n".join([name, *asked, *digests])


def all_scored(job: Job, keys: Sequence[str], folder: Path, *, workers: int, told: Callable[[str], None]) -> Kept:
    """Run `job` for each number of `keys`, or read back what an earlier run made under the same key.

    Raises:
        InputError: fewer than one worker, or a part that is no result.
    """
    if workers < 1:
        raise InputError(f"workers: expected at least 1, got {workers}")
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json" for key in keys]
    missing = [at for at, file in enumerate(files) if not file.is_file()]
    if len(missing) < len(keys):
        told(f"{len(keys) - len(missing)} of {len(keys)} microphones were scored before")
    if workers == 1 or len(missing) < 2:
        for at in missing:
            _store(files[at], job(at))
            told(keys[at].split("\n")[0])
    else:
        with ProcessPoolExecutor(min(workers, len(missing)), mp_context=get_context("spawn")) as pool:
            for at, scored in zip(missing, pool.map(job, missing), strict=True):
                _store(files[at], scored)
                told(keys[at].split("\n")[0])
    parts = [_load(file) for file in files]
    return Kept(
        tuple(row for part in parts for row in part.rows), tuple(shown for part in parts for shown in part.pictures)
    )


def _store(file: Path, scored: Scored) -> None:
    for number, (_, png) in enumerate(scored.pictures):
        _picture(file, number).write_bytes(png)
    plain = {"rows": [_plain(row) for row in scored.rows], "pictures": [caption for caption, _ in scored.pictures]}
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(plain), encoding="utf-8")
    partial.replace(file)


def _plain(row: Row) -> list[Any]:
    scores = {name: repr(float(value)) for name, value in row.metrics.items()}
    return [row.method, row.scene, row.mic, row.clip, scores, dict(row.provenance)]


def _picture(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}-{number}.png")


def _load(file: Path) -> Kept:
    try:
        plain = json.loads(file.read_text("utf-8"))
        rows = [
            Row(method, scene, mic, clip, {name: float(value) for name, value in metrics.items()}, notes)
            for method, scene, mic, clip, metrics, notes in plain["rows"]
        ]
        pictures = [(str(caption), _picture(file, number)) for number, caption in enumerate(plain["pictures"])]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{file}: expected scores of an earlier run, got {error!r}; delete it") from error
    return Kept(tuple(rows), tuple(pictures))
