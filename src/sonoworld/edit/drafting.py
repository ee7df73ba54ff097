"""An operation on a draft gives another draft, and a line about it. Nothing is written here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sonoworld.disk.draft_file import Draft
from sonoworld.edit import operations as ops
from sonoworld.edit import places
from sonoworld.edit.suggest import suggestions
from sonoworld.edit.voice import Voice, recorded
from sonoworld.errors import InputError
from sonoworld.localize.names import unique_ids
from sonoworld.types import Geometry, Motion, Panorama, Sounding, Source, Spread
from sonoworld.understand.levels import default_level_db

BACKEND = "edit"
MOST_SOURCES = 1024


@dataclass(frozen=True, slots=True)
class World:
    """What is seen, and what was understood of it when the world was made."""

    panorama: Panorama
    geometry: Geometry
    soundings: tuple[Sounding, ...]


@dataclass(frozen=True, slots=True)
class Studio:
    """What operations need besides the draft.

    `world()` is asked for only by those that look at it; `recording` finds the file that an operation names;
    `fresh_seed` is one that no earlier version had.
    """

    world: Callable[[], World]
    voice: Voice
    recording: Callable[[str], Path]
    fresh_seed: int


@dataclass(frozen=True, slots=True)
class Edited:
    """A draft after an operation, what was done in words, and the id of the source it was done to."""

    draft: Draft
    what: str
    id: str


def apply(draft: Draft, operation: ops.Operation, studio: Studio) -> Edited:
    """Do what an operation asks for.

    Raises:
        InputError: there is no such source, or it cannot be done to it.
        BackendMissingError: the backend that makes its sound cannot run here.
    """
    match operation:
        case ops.Add():
            return _add(draft, operation, studio)
        case ops.Mute():
            return _mute(draft, operation)
        case ops.Remove():
            return _remove(draft, operation)
        case _:
            before = _find(draft, operation.id)
            after, what = _changed(before, operation, studio)
            sources = tuple(after if source.id == before.id else source for source in draft.sources)
            return Edited(replace(draft, sources=sources), what, before.id)


_OnOne = ops.Move | ops.Widen | ops.Rename | ops.Retype | ops.Level | ops.Sound | ops.Path


def _changed(source: Source, operation: _OnOne, studio: Studio) -> tuple[Source, str]:
    name = f"“{source.label}”"
    match operation:
        case ops.Move():
            return _moved(source, operation, studio), f"{name} moved"
        case ops.Widen():
            return places.widened(source, operation.radius_m), f"{name} widened to {operation.radius_m:g} m"
        case ops.Rename():
            return _renamed(source, operation), f"{name} renamed to “{operation.label or source.label}”"
        case ops.Retype():
            return _retyped(source, operation, studio), f"{name} made {operation.spread.value}"
        case ops.Level():
            return replace(source, level_db=operation.level_db), f"{name} set to {operation.level_db:g} dB"
        case ops.Sound():
            return _sounding(source, operation, studio), f"{name} got another sound"
        case ops.Path():
            return _led(source, operation), f"{name} {'goes along a path' if operation.times_s else 'stays'}"


def _add(draft: Draft, op: ops.Add, studio: Studio) -> Edited:
    if len(draft.sources) >= MOST_SOURCES:
        raise InputError(f"edit: expected at most {MOST_SOURCES} sources in a world")
    world, direction = studio.world(), places.unit(op.direction)
    label, prompt, spread, level_db, why = _words(op, world)
    sounding = Sounding(label, prompt, spread, level_db, 1.0, BACKEND, reason=why)
    if spread is Spread.AREA:
        sounding = replace(sounding, mask=places.region(world.panorama, direction, op.tolerance))
    elif spread is Spread.POINT:
        sounding = replace(sounding, direction=direction)
    source = places.placed(sounding, world.panorama, world.geometry)
    source = replace(source, id=unique_ids([*(s.id for s in draft.sources), label])[-1], imagined=False)
    clip = studio.voice(source, studio.fresh_seed if op.seed is None else op.seed, None)
    sources = (*draft.sources, replace(source, clip=clip))
    return Edited(replace(draft, sources=sources), f"“{label}” added", source.id)


def _words(op: ops.Add, world: World) -> tuple[str, str, Spread, float, str]:
    """Label, prompt, spread, level and reason: as said, the rest as suggested."""
    if op.label is not None:
        prompt, spread = op.prompt or op.label, op.spread or Spread.POINT
        level_db = default_level_db(op.label, prompt, spread) if op.level_db is None else op.level_db
        return op.label, prompt, spread, level_db, "added by hand"
    first = suggestions(world.panorama, world.soundings, places.unit(op.direction))[0]
    level_db = first.level_db if op.level_db is None else op.level_db
    return first.label, op.prompt or first.prompt, op.spread or first.spread, level_db, f"added by hand; {first.why}"


def _mute(draft: Draft, op: ops.Mute) -> Edited:
    source = _find(draft, op.id)
    muted = draft.muted | {source.id} if op.muted else draft.muted - {source.id}
    return Edited(replace(draft, muted=muted), f"“{source.label}” {'muted' if op.muted else 'heard again'}", source.id)


def _remove(draft: Draft, op: ops.Remove) -> Edited:
    source = _find(draft, op.id)
    rest = tuple(s for s in draft.sources if s.id != source.id)
    return Edited(Draft(rest, draft.muted - {source.id}), f"“{source.label}” removed", source.id)


def _find(draft: Draft, id_: str) -> Source:
    for source in draft.sources:
        if source.id == id_:
            return source
    known = ", ".join(s.id for s in draft.sources) or "none"
    raise InputError(f"edit: no source {id_!r} (expected one of {known})")


def _moved(source: Source, op: ops.Move, studio: Studio) -> Source:
    if op.position is not None:
        return places.shifted(source, np.array(op.position, np.float64))
    assert op.direction is not None
    return places.shifted(source, _seen_at(source, op.direction, studio))


def _seen_at(source: Source, direction: ops.Point, studio: Studio) -> np.ndarray:
    world = studio.world()
    there = Sounding(
        source.label, source.prompt, Spread.POINT, 0.0, 1.0, BACKEND, direction=places.unit(direction)
    )  # fmt: skip
    centroid = places.placed(there, world.panorama, world.geometry).centroid
    assert centroid is not None
    return centroid


def _renamed(source: Source, op: ops.Rename) -> Source:
    label = op.label or source.label
    return replace(source, label=label, prompt=source.prompt if op.prompt is None else op.prompt)


def _retyped(source: Source, op: ops.Retype, studio: Studio) -> Source:
    if op.spread is Spread.AMBIENT:
        return places.around(source)
    if op.direction is None and op.spread is Spread.POINT:
        return places.as_point(source)
    direction = op.direction
    if direction is None:
        if source.centroid is None:
            raise InputError(f"edit: {source.id} sounds from all around: expected a direction to place it")
        x, y, z = source.centroid.tolist()
        direction = (x, y, z)
    world, ahead = studio.world(), places.unit(direction)
    where = Sounding(source.label, source.prompt, op.spread, source.level_db, 1.0, BACKEND, direction=ahead)
    if op.spread is Spread.AREA:
        where = replace(where, direction=None, mask=places.region(world.panorama, ahead, op.tolerance))
    found = places.placed(where, world.panorama, world.geometry)
    return replace(
        source,
        spread=found.spread,
        points=found.points,
        normals=found.normals,
        weights=found.weights,
        solid_angle_sr=found.solid_angle_sr,
        path=None,
    )


def _sounding(source: Source, op: ops.Sound, studio: Studio) -> Source:
    if op.file is not None:
        clip = recorded(source, studio.recording(op.file), op.licence, op.author, studio.fresh_seed)
    else:
        clip = studio.voice(source, studio.fresh_seed if op.seed is None else op.seed, op.backend)
    return replace(source, clip=clip)


def _led(source: Source, op: ops.Path) -> Source:
    if not op.times_s:
        return replace(source, path=None)
    if source.spread is Spread.AMBIENT:
        raise InputError(f"edit: {source.id} sounds from all around and has no way to go")
    if len(op.times_s) != len(op.positions):
        raise InputError(
            f"edit: path: expected as many positions as times, got {len(op.positions)} and {len(op.times_s)}"
        )
    times, positions = np.array(op.times_s, np.float64), np.array(op.positions, np.float64).reshape(-1, 3)
    return replace(source, path=Motion(times, positions, op.loops, op.faces_ahead))
