"""What sounds in a scene as somebody edits it, as files whose names are their own digests: nothing is written over."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, TypeAdapter

from sonoworld.disk import atomic, riff
from sonoworld.disk.arrays import array_bytes
from sonoworld.disk.codec import checked_record
from sonoworld.disk.sound_values import MAX_ITEMS, ClipRecord, SourceRecord, located_source, source_record
from sonoworld.disk.wav import read_wav, write_wav
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Clip, Source

BLOBS = "blobs"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Draft:
    """Every source with its clip, and the ids of those that are kept but silent."""

    sources: tuple[Source, ...]
    muted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ids = {source.id for source in self.sources}
        if len(ids) != len(self.sources):
            raise InputError(f"expected sources with different ids, got {sorted(s.id for s in self.sources)}")
        if not self.muted <= ids:
            raise InputError(f"expected mutes of sources, got one of {sorted(self.muted - ids)}")

    @property
    def heard(self) -> tuple[Source, ...]:
        """The sources that are not muted."""
        return tuple(source for source in self.sources if source.id not in self.muted)


@dataclass(frozen=True, slots=True)
class _Voice:
    clip: ClipRecord
    file: Digest


@dataclass(frozen=True, slots=True)
class _Entry:
    source: SourceRecord
    surface: Digest
    voice: _Voice | None
    muted: bool


_ENTRIES = TypeAdapter(list[_Entry]).validate_python


def save_draft(folder: Path, draft: Draft) -> list[dict[str, object]]:
    """Put surfaces and clips among the blobs of `folder`; returns what JSON must say of them."""
    return [_saved(folder, source, source.id in draft.muted) for source in draft.sources]


def _saved(folder: Path, source: Source, muted: bool) -> dict[str, object]:
    surface = {"points": source.points, "normals": source.normals, "weights": source.weights}
    voice = None if source.clip is None else _saved_voice(folder, source.clip)
    shape = array_bytes(surface)
    where = blob(folder, digest := hashlib.sha256(shape).hexdigest(), ".npz")
    if not where.exists():
        atomic.write_bytes(where, shape)
    return {"source": source_record(source), "surface": digest, "voice": voice, "muted": muted}


def _saved_voice(folder: Path, clip: Clip) -> dict[str, object]:
    record = ClipRecord(clip.loops, clip.clip_gain_db, clip.made_by, clip.licence, clip.author)
    total = hashlib.sha256(riff.header(riff.Layout(1, clip.rate_hz, clip.samples.size)))
    total.update(np.asarray(clip.samples, "<f4").tobytes())
    where = blob(folder, digest := total.hexdigest(), ".wav")
    if not where.exists():
        write_wav(where, clip.samples[None], clip.rate_hz)
    return {"clip": asdict(record), "file": digest}


def blob(folder: Path, digest: str, kind: str) -> Path:
    """Where the blob of that digest lies."""
    return folder / BLOBS / f"{digest}{kind}"


def load_draft(folder: Path, document: object, where: Path) -> Draft:
    """Read back what `save_draft` wrote.

    Raises:
        UnsafeFileError: the document or a file is malformed or missing.
    """
    entries = checked_record(document, _ENTRIES, where)
    if len(entries) > MAX_ITEMS:
        raise UnsafeFileError(f"{where}: expected at most {MAX_ITEMS} sources, got {len(entries)}")
    sources = tuple(_loaded(folder, entry) for entry in entries)
    return Draft(sources, frozenset(entry.source.id for entry in entries if entry.muted))


def _loaded(folder: Path, entry: _Entry) -> Source:
    source = located_source(blob(folder, entry.surface, ".npz"), entry.source)
    if entry.voice is None:
        return source
    where, record = blob(folder, entry.voice.file, ".wav"), entry.voice.clip
    samples, rate_hz = read_wav(where)
    if len(samples) != 1:
        raise UnsafeFileError(f"{where}: expected one channel, got {len(samples)}")
    clip = Clip(
        samples[0], rate_hz, record.loops, record.clip_gain_db, record.made_by, record.licence, record.author
    )  # fmt: skip
    return replace(source, clip=clip)


def files_of(document: object, where: Path) -> set[tuple[str, str]]:
    """(digest, kind) of every blob that a document names."""
    entries = checked_record(document, _ENTRIES, where)
    surfaces = {(entry.surface, ".npz") for entry in entries}
    return surfaces | {(entry.voice.file, ".wav") for entry in entries if entry.voice is not None}
