"""An export that is told what sounds in its world by now. Pictures stay; clips that it has are not written again.

Files keep their names as long as their content stays, so a page that has one need not fetch it again; none is removed,
so a page that was opened earlier finds its own.
"""

import hashlib
from pathlib import Path

import numpy as np
import soundfile as sf

from sonoworld.disk import atomic
from sonoworld.types import Clip, Source
from sonoworld.view.document import ClipPart, SourcePart, WorldDocument
from sonoworld.view.export import WORLD
from sonoworld.view.hearing import write_copies
from sonoworld.view.world import clip_scale, with_sources

Files = dict[str, str]
"""Name of the file that holds a content, by the content's digest."""


def files_of(folder: Path, sources: tuple[Source, ...]) -> Files:
    """The clips and copies that an export of these sources holds."""
    files: Files = {}
    for source, part in zip(sources, _document(folder).sources, strict=True):
        if source.clip is None or part.clip is None:
            continue
        files[_clip_key(source.clip)] = part.clip.file
        if part.clip.copies is not None:
            files[_copies_key(part)] = part.clip.copies.file
    return files


def revoice(folder: Path, sources: tuple[Source, ...], files: Files) -> Files:
    """Make the export in `folder` tell of these sources; what it holds, before and after, is `files`.

    The document is written last: on any failure the export stays as it was.
    """
    told = with_sources(_document(folder), sources)
    held = dict(files)
    parts = tuple(_voiced(folder, source, part, held) for source, part in zip(sources, told.sources, strict=True))
    atomic.write_json(folder / WORLD, told.model_copy(update={"sources": parts}).model_dump(mode="json"))
    return held


def _voiced(folder: Path, source: Source, part: SourcePart, held: Files) -> SourcePart:
    clip, told = source.clip, part.clip
    if clip is None or told is None:
        return part
    key = _clip_key(clip)
    if key not in held:
        name = f"clips/{key}.flac"
        samples = clip.samples * np.float32(clip_scale(source))
        sf.write(folder / name, samples, clip.rate_hz, "PCM_16", format="FLAC")
        held[key] = name
    named = told.model_copy(update={"file": held[key], "copies": None})
    return part.model_copy(update={"clip": _with_copies(folder, source, part, named, held)})


def _with_copies(folder: Path, source: Source, part: SourcePart, named: ClipPart, held: Files) -> ClipPart:
    copies = part.clip.copies if part.clip else None
    if copies is None:
        return named
    key = _copies_key(part)
    if key not in held:
        name = f"clips/{key}.copies.bin"
        write_copies(folder / name, copies, source.id, max(part.labels) + 1)
        held[key] = name
    return named.model_copy(update={"copies": copies.model_copy(update={"file": held[key]})})


def _clip_key(clip: Clip) -> str:
    return hashlib.sha256(f"{clip.rate_hz}:".encode() + clip.samples.tobytes()).hexdigest()[:24]


def _copies_key(part: SourcePart) -> str:
    return hashlib.sha256(f"{max(part.labels) + 1}:{part.id}".encode()).hexdigest()[:24]


def _document(folder: Path) -> WorldDocument:
    return WorldDocument.model_validate_json((folder / WORLD).read_bytes())
