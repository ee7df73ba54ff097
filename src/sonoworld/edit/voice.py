"""The sound of one source anew: by the backend that made the world's sounds, or by another, or from a recording."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import ValidationError

from sonoworld.backend import Options, Run, find, require_available
from sonoworld.disk import atomic
from sonoworld.disk.workspace import MADE
from sonoworld.errors import InputError, StageError
from sonoworld.types import Clip, Source

SECONDS = 20.0
"""Longest loop that is made of a recording."""

UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Maker:
    """The backend that makes sounds, with its options, and the seed with which it made the world's."""

    backend: str
    options: dict[str, object]
    seed: int


def maker_of(scene: Path) -> Maker:
    """How the sounds of a scene were made, by its own record; `synth` where that says nothing."""
    document = atomic.read_json(scene / MADE) if (scene / MADE).is_file() else {}
    steps = cast("dict[str, object]", document).get("steps") if isinstance(document, dict) else None
    step = cast("dict[str, object]", steps).get("sound") if isinstance(steps, dict) else None
    fields = cast("dict[str, object]", step) if isinstance(step, dict) else {}
    name, options, seed = fields.get("backend"), fields.get("options"), fields.get("seed")
    if not isinstance(name, str) or not isinstance(options, dict):
        return Maker("synth", {}, 0)
    return Maker(name, cast("dict[str, object]", options), seed if isinstance(seed, int) else 0)


def voiced(source: Source, maker: Maker, seed: int, backend: str | None = None) -> Clip:
    """A clip made of the source's words. The seed that made the world, and its backend: the world's own clip again.

    Raises:
        RecipeError: no such backend.
        BackendMissingError: it cannot run here.
        InputError: it wants options that the world does not know.
        StageError: it made none.
    """
    name = maker.backend if backend is None else backend
    spec = find("sound", name)
    options = _options(spec.options, maker.options if name == maker.backend else {}, name)
    require_available(spec, options)
    # as `flow` seeds its stages
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(b"sound")]))
    (made,) = spec.make(options)((source,), Run(rng))
    if made.clip is None:
        raise StageError(f"sound.{name}: expected a sound for {source.label!r}, got none")
    return made.clip


def _options(kind: type[Options], values: dict[str, object], name: str) -> Options:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"sound.{name}: {place}: {first['msg']} (choose another backend, or a file)") from error


def recorded(source: Source, path: Path, licence: str, author: str, seed: int) -> Clip:
    """A loop from a recording.

    Raises:
        UnsafeFileError: the file cannot be read.
        InputError: it is silent or too short.
    """
    from sonoworld.sound.recordings import Recording  # noqa: PLC0415  heavy only where used
    from sonoworld.sound.takes import take  # noqa: PLC0415

    recording = Recording(path, path.name, source.label, (), licence or UNSTATED, author)
    return take(recording, SECONDS, np.random.default_rng(seed), source.tone_db)


Voice = Callable[[Source, int, str | None], Clip]
"""(source, seed, backend or None) -> clip."""
