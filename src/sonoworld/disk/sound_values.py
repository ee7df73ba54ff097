"""Soundings, sources and clips as files of a scene folder."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from sonoworld.disk import atomic
from sonoworld.disk.arrays import read_arrays, read_mask, write_arrays, write_mask
from sonoworld.disk.codec import Codec, checked_record
from sonoworld.disk.wav import read_wav, write_wav
from sonoworld.errors import UnsafeFileError
from sonoworld.types import Clip, Directivity, Motion, Movement, Sounding, Source, Spread

MAX_ITEMS = 4096

_Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _SoundingRecord:
    label: str
    prompt: str
    spread: Spread
    level_db: float
    confidence: float
    backend: str
    reason: str
    direction: list[float] | None
    has_mask: bool
    grounding: str = ""
    visible: bool | None = None
    negative_prompt: str = ""
    tone_db: _Triple = (0.0, 0.0, 0.0)
    movement: Movement = Movement.UNSAID


_SOUNDING_RECORDS = TypeAdapter(list[_SoundingRecord]).validate_python


def _save_soundings(file: str, folder: Path, soundings: tuple[Sounding, ...]) -> tuple[str, ...]:
    records: list[dict[str, Any]] = []
    names = [f"{file}.json"]
    for i, s in enumerate(soundings):
        direction = None if s.direction is None else s.direction.tolist()
        record = _SoundingRecord(
            s.label, s.prompt, s.spread, s.level_db, s.confidence, s.backend, s.reason, direction, s.mask is not None,
            s.grounding, s.visible, s.negative_prompt, s.tone_db, s.movement,
        )  # fmt: skip
        records.append(asdict(record))
        if s.mask is not None:
            names.append(f"{file}/{i:03d}.png")
            write_mask(folder / names[-1], s.mask)
    atomic.write_json(folder / names[0], records)
    return tuple(names)


def _load_soundings(file: str, folder: Path) -> tuple[Sounding, ...]:
    where = folder / f"{file}.json"
    records = checked_record(atomic.read_json(where), _SOUNDING_RECORDS, where)
    if len(records) > MAX_ITEMS:
        raise UnsafeFileError(f"{where}: expected at most {MAX_ITEMS} soundings, got {len(records)}")
    return tuple(
        Sounding(
            r.label,
            r.prompt,
            r.spread,
            r.level_db,
            r.confidence,
            r.backend,
            mask=read_mask(folder / file / f"{i:03d}.png") if r.has_mask else None,
            direction=None if r.direction is None else np.array(r.direction, np.float64),
            reason=r.reason,
            grounding=r.grounding,
            visible=r.visible,
            negative_prompt=r.negative_prompt,
            tone_db=r.tone_db,
            movement=r.movement,
        )
        for i, r in enumerate(records)
    )


def _soundings_codec(file: str) -> Codec[tuple[Sounding, ...]]:
    return Codec(
        lambda folder, value: _save_soundings(file, folder, value), lambda folder: _load_soundings(file, folder)
    )


@dataclass(frozen=True, slots=True)
class _DirectivityRecord:
    pattern: float
    sharpness: float
    facing: _Triple


@dataclass(frozen=True, slots=True)
class _MotionRecord:
    times_s: list[float]
    positions: list[_Triple]
    loops: bool = False
    faces_ahead: bool = False


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source as JSON keeps it, without its surface points and its clip."""

    id: str
    label: str
    prompt: str
    spread: Spread
    level_db: float
    confidence: float
    backend: str
    solid_angle_sr: float
    imagined: bool
    reason: str
    directivity: _DirectivityRecord | None = None
    path: _MotionRecord | None = None
    negative_prompt: str = ""
    tone_db: _Triple = (0.0, 0.0, 0.0)
    movement: Movement = Movement.UNSAID


_SOURCE_RECORDS = TypeAdapter(list[SourceRecord]).validate_python


_SOURCE_FIELDS = tuple(name for name in SourceRecord.__dataclass_fields__ if name not in ("directivity", "path"))


def _save_located(folder: Path, sources: tuple[Source, ...]) -> tuple[str, ...]:
    names = ["sources.json"]
    for source in sources:
        names.append(f"sources/{source.id}.npz")
        atomic.inside(folder, names[-1])
        arrays = {"points": source.points, "normals": source.normals, "weights": source.weights}
        write_arrays(folder / names[-1], arrays)
    atomic.write_json(folder / names[0], {"format": 1, "sources": [source_record(source) for source in sources]})
    return tuple(names)


def source_record(source: Source) -> dict[str, object]:
    """What a `SourceRecord` says of a source, ready for JSON."""
    record: dict[str, object] = {name: getattr(source, name) for name in _SOURCE_FIELDS}
    if (aim := source.directivity) is not None:
        record["directivity"] = {"pattern": aim.pattern, "sharpness": aim.sharpness, "facing": aim.facing.tolist()}
    if (path := source.path) is not None:
        keys = {"times_s": path.times_s.tolist(), "positions": path.positions.tolist()}
        record["path"] = {**keys, "loops": path.loops, "faces_ahead": path.faces_ahead}
    return record


def _directivity(record: _DirectivityRecord) -> Directivity:
    return Directivity(record.pattern, record.sharpness, np.array(record.facing, np.float64))


def _motion(record: _MotionRecord) -> Motion:
    positions = np.array(record.positions, np.float64).reshape(-1, 3)
    return Motion(np.array(record.times_s, np.float64), positions, record.loops, record.faces_ahead)


def _load_located(folder: Path) -> tuple[Source, ...]:
    where = folder / "sources.json"
    document = atomic.read_json(where)
    if not isinstance(document, dict) or cast("dict[str, object]", document).get("format") != 1:
        raise UnsafeFileError(f"{where}: expected a document of format 1")
    records = checked_record(cast("dict[str, object]", document).get("sources"), _SOURCE_RECORDS, where)
    if len(records) > MAX_ITEMS or len({record.id for record in records}) != len(records):
        raise UnsafeFileError(f"{where}: expected at most {MAX_ITEMS} sources with different ids, got {len(records)}")
    return tuple(located_source(atomic.inside(folder, f"sources/{record.id}.npz"), record) for record in records)


def located_source(where: Path, record: SourceRecord) -> Source:
    """A source without its clip, its surface points read from a file."""
    a = read_arrays(where, ("points", "normals", "weights"))
    n = len(a["weights"])
    if a["points"].shape != (n, 3) or a["normals"].shape != (n, 3) or a["weights"].ndim != 1:
        raise UnsafeFileError(f"{where}: expected points [m 3], normals [m 3], weights [m]; got {a['points'].shape}")
    points, normals, weights = (a[name].astype(np.float32, copy=False) for name in ("points", "normals", "weights"))
    fixed = {name: getattr(record, name) for name in _SOURCE_FIELDS}
    return Source(
        **fixed,
        points=points,
        normals=normals,
        weights=weights,
        directivity=None if record.directivity is None else _directivity(record.directivity),
        path=None if record.path is None else _motion(record.path),
    )


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """A clip as JSON keeps it, without its samples."""

    loops: bool
    clip_gain_db: float
    made_by: str
    licence: str
    author: str


_CLIP_RECORDS = TypeAdapter(dict[str, ClipRecord]).validate_python


def _save_clips(folder: Path, clips: dict[str, Clip]) -> tuple[str, ...]:
    names = ["clips.json"]
    records: dict[str, object] = {}
    for id_, clip in clips.items():
        names.append(f"sources/{id_}.wav")
        write_wav(atomic.inside(folder, names[-1]), clip.samples[None], clip.rate_hz)
        records[id_] = asdict(ClipRecord(clip.loops, clip.clip_gain_db, clip.made_by, clip.licence, clip.author))
    atomic.write_json(folder / names[0], records)
    return tuple(names)


def _load_clips(folder: Path) -> dict[str, Clip]:
    where = folder / "clips.json"
    records = checked_record(atomic.read_json(where), _CLIP_RECORDS, where)
    clips: dict[str, Clip] = {}
    for id_, r in records.items():
        samples, rate_hz = read_wav(atomic.inside(folder, f"sources/{id_}.wav"))
        if len(samples) != 1:
            raise UnsafeFileError(f"{where}: the clip of {id_!r} has {len(samples)} channels, expected 1")
        clips[id_] = Clip(samples[0], rate_hz, r.loops, r.clip_gain_db, r.made_by, r.licence, r.author)
    return clips


def with_clips(sources: tuple[Source, ...], clips: Mapping[str, Clip]) -> tuple[Source, ...]:
    """Sources with their clips; a source without one keeps None."""
    return tuple(replace(source, clip=clips.get(source.id)) for source in sources)


UNDERSTOOD = _soundings_codec("understood")
SOUNDINGS = _soundings_codec("soundings")
LOCATED = Codec(_save_located, _load_located)
CLIPS = Codec(_save_clips, _load_clips)
