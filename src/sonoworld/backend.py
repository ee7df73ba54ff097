"""Backends: interchangeable ways of doing a stage, found by entry point.

A backend is one `Backend` value under the entry-point group `sonoworld.<stage>`; ours use the same route as other
people's. Finding a backend must not import anything heavy: that waits for `make`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from pydantic import BaseModel, ConfigDict

from sonoworld.errors import BackendMissingError, RecipeError
from sonoworld.types import Camera, Geometry, Panorama, Photo, Sounding, Source, Splats, Stage

UNKNOWN = "unknown"
"""The licence of weights that a backend does not know."""

BACKEND_STAGES: tuple[Stage, ...] = ("calibrate", "panorama", "lift", "seed", "understand", "segment", "sound")
"""Stages that have interchangeable backends, in the order in which data moves."""


class Options(BaseModel):
    """Base of every backend's options: unknown names are errors, values do not change after they were made."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _silent(fraction: float, note: str = "") -> None:
    del fraction, note


def _unseen(source: Source) -> np.ndarray | None:
    del source


def nobody(what: str, why: str) -> None:
    """Listens to notes of a stage and forgets them."""
    del what, why


@dataclass(frozen=True, slots=True)
class Run:
    """What a stage gets besides its inputs: its own randomness, and ways to tell what people may want to know.

    `tell(fraction, note)` may raise to interrupt the stage; call it a few times in anything longer than a second.
    `leave_out(what, why)`: something was found that is not in the result; it is kept with the scene, for people.
    `credit(model, licence)`: these weights were truly used; it goes into the scene's record (`weights.credited`).
    `camera` is told to `lift`, for what is known of the photo's own pixels; None for panoramas and elsewhere.
    `picture_of(source)`, for the sound stage: a square uint8 picture [n n 3] of a source as seen from the photo's eye,
    or None for what is not to be seen.
    """

    rng: np.random.Generator
    tell: Callable[[float, str], None] = _silent
    camera: Camera | None = None
    picture_of: Callable[[Source], np.ndarray | None] = _unseen
    leave_out: Callable[[str, str], None] = nobody
    credit: Callable[[str, str], None] = nobody


@dataclass(frozen=True, slots=True)
class Lifted:
    """What lifting gives: geometry, and splats where the backend makes its own (otherwise `seed` makes them)."""

    geometry: Geometry
    splats: Splats | None = None


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class Calibrate(Protocol):
    """Photo -> Camera."""

    def __call__(self, photo: Photo, run: Run) -> Camera: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class MakePanorama(Protocol):
    """Photo, Camera -> Panorama. `camera` is None when the photo is a panorama already."""

    def __call__(self, photo: Photo, camera: Camera | None, run: Run) -> Panorama: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class Lift(Protocol):
    """Panorama -> Geometry (and perhaps Splats)."""

    def __call__(self, panorama: Panorama, run: Run) -> Lifted: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class Seed(Protocol):
    """Panorama, Geometry -> Splats."""

    def __call__(self, panorama: Panorama, geometry: Geometry, run: Run) -> Splats: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class Understand(Protocol):
    """Panorama -> what sounds. `camera` lets a backend speak in photo pixels; None for panoramas."""

    def __call__(self, panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class Segment(Protocol):
    """Fills `mask` of soundings that are `sought` where it finds them; leaves the others as they are."""

    def __call__(self, panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]: ...  # noqa: D102


@runtime_checkable  # so that tests can check annotations
@runtime_checkable
class MakeSound(Protocol):
    """Gives every source a clip. All sources of a scene come at once, so that a model can batch them."""

    def __call__(self, sources: tuple[Source, ...], run: Run) -> tuple[Source, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Weights:
    """Files a backend needs that do not come with the install.

    `command` gets them; `gated`: their page at the hub wants its licence accepted, by someone who is logged in;
    `largest_part_gb`: what has to be on a GPU at once when the parts take turns (0 = all of it);
    `largest_part_8bit_gb`: the same with what can be held in 8 bits held so (0 = the backend cannot).
    """

    model: str
    size_gb: float
    licence: str
    command: str
    gated: bool = False
    largest_part_gb: float = 0.0
    largest_part_8bit_gb: float = 0.0


@dataclass(frozen=True, slots=True)
class Backend:
    """One way of doing a stage. `make(options)` imports what is heavy and returns the stage function.

    `files(options)` names the files that the result depends on besides its inputs: changed ones make it run again.
    `extra` names the pip extra that brings its packages ("" = comes with the install); `missing()` returns why it
    cannot run here, or "" when it can, without importing anything heavy; `missing_for(options)`, where it is given,
    says so for these options, and `missing()` for the default ones. `weights` are all that it knows;
    `weights_for(options)`, where it is given, those that these options need (otherwise: those that the options `model`
    and `*_model` name).
    """

    stage: Stage
    name: str
    version: str
    summary: str
    options: type[Options]
    make: Callable[[Any], Any]
    extra: str = ""
    licence: str = "MIT"
    commercial: bool = True
    weights: tuple[Weights, ...] = ()
    missing: Callable[[], str] = field(default=lambda: "")
    files: Callable[[Any], tuple[str, ...]] = field(default=lambda options: ())
    missing_for: Callable[[Any], str] | None = None
    weights_for: Callable[[Any], tuple[Weights, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A backend as listed for people: `backend` is None when its plug-in is broken, and `reason` says why."""

    stage: str
    name: str
    backend: Backend | None
    reason: str

    @property
    def available(self) -> bool:
        """Whether it can run here and now."""
        return self.backend is not None and not self.reason


def _load(stage: Stage, entry: EntryPoint) -> Listing:
    try:
        spec = entry.load()
    except Exception as error:  # noqa: BLE001  a stranger's plug-in may fail in any way; it is listed with its reason
        return Listing(stage, entry.name, None, f"plug-in {entry.value} failed to load: {error!r}")
    if not isinstance(spec, Backend):
        return Listing(stage, entry.name, None, f"{entry.value} is a {type(spec).__name__}, expected a Backend")
    if spec.stage != stage or spec.name != entry.name:
        return Listing(
            stage, entry.name, None, f"{entry.value} calls itself {spec.stage}.{spec.name}, not {stage}.{entry.name}"
        )
    return Listing(stage, entry.name, spec, spec.missing())


def installed(stage: Stage | None = None) -> tuple[Listing, ...]:
    """All backends of one stage (or of all stages), broken ones included, in stage order then by name."""
    stages = BACKEND_STAGES if stage is None else (stage,)
    return tuple(
        _load(one, entry)
        for one in stages
        for entry in sorted(entry_points(group=f"sonoworld.{one}"), key=lambda e: e.name)
    )


def find(stage: Stage, name: str) -> Backend:
    """The named backend of a stage, able to run or not.

    Raises:
        RecipeError: no backend of that name is installed for the stage.
        BackendMissingError: the plug-in exists but is broken.
    """
    matches = [entry for entry in entry_points(group=f"sonoworld.{stage}") if entry.name == name]
    if not matches:
        names = ", ".join(sorted(e.name for e in entry_points(group=f"sonoworld.{stage}"))) or "none"
        raise RecipeError(f"{stage}.backend: expected one of {names}; got {name!r} (`sonoworld backends` lists them)")
    listing = _load(stage, matches[0])
    if listing.backend is None:
        raise BackendMissingError(f"{stage}.{name} cannot be used: {listing.reason}")
    return listing.backend


def require_available(spec: Backend, options: Options | None = None) -> None:
    """Raise `BackendMissingError` with what is missing and how to get it, unless the backend can run here."""
    reason = spec.missing() if options is None or spec.missing_for is None else spec.missing_for(options)
    if not reason:
        return
    lines = [f"{spec.stage}.{spec.name} cannot run here: {reason}"]
    if spec.extra:
        lines.append(f"  packages: pip install 'sonoworld[{spec.extra}]'")
    weights = spec.weights[:1] if options is None else needed_weights(spec, options)
    lines += [f"  weights: {w.model} ({w.size_gb:g} GB, {w.licence}): {w.command}" for w in weights]
    raise BackendMissingError("\n".join(lines))


def needed_weights(spec: Backend, options: Options) -> tuple[Weights, ...]:
    """Weights to be had before the backend runs with these options.

    As the backend itself says (`weights_for`); otherwise those that its options `model` and `*_model` name. An id that
    the backend does not know has size 0 and the licence `UNKNOWN`. Local folders and files need nothing.
    """
    if spec.weights_for is not None:
        return spec.weights_for(options)
    named = [
        value
        for name, value in options.model_dump().items()
        if (name == "model" or name.endswith("_model")) and isinstance(value, str) and value
    ]
    known = {weights.model for weights in spec.weights}
    ids = [name for name in named if name in known or _is_hub_id(name)]
    if spec.weights and not ids and not any(_is_here(name) for name in named):
        return spec.weights[:1]
    return weights_of(spec.weights, *ids)


def weights_of(known: tuple[Weights, ...], *models: str) -> tuple[Weights, ...]:
    """The weights of these models, for `Backend.weights_for`: as known, or `UNKNOWN`; what is a folder needs none."""
    facts = {weights.model: weights for weights in known}
    return tuple(
        facts.get(model) or Weights(model, 0.0, UNKNOWN, f"hf download {model}")
        for model in models
        if not _is_here(model)
    )


def _is_hub_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "~", "/")) and not _is_here(name)


def _is_here(name: str) -> bool:
    """Whether a file or folder has this name; what can be no name (too long, `~nobody`) is not here."""
    try:
        return Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
