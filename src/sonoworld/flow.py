"""The whole way in one function: a photo becomes a scene, step by step, each kept under a key of all it depends on."""

import hashlib
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from sonoworld import __version__, localize, terrain
from sonoworld.backend import Lifted, Run
from sonoworld.disk import atomic, sound_values, world_values
from sonoworld.disk.codec import Codec
from sonoworld.disk.ground_value import GROUND
from sonoworld.disk.notes import Heard
from sonoworld.disk.walk_file import WALK
from sonoworld.disk.workspace import Workspace, open_workspace, publish
from sonoworld.errors import InputError, SonoworldError, StageError
from sonoworld.recipe import Recipe, digest
from sonoworld.types import (
    Camera,
    Clip,
    Geometry,
    Panorama,
    Photo,
    Projection,
    Scene,
    Sounding,
    Source,
    Splats,
    Stage,
    WalkSurface,
)
from sonoworld.warm import Makes, empty_memory, ran_out

T = TypeVar("T")
LITE_SPLATS = 500_000
SPOILED = "made again, for these are not as they were written: "
"""How a note of progress begins that names files of a stored step that were spoiled."""


@runtime_checkable
class Watch(Protocol):
    """What a caller may want to know while a scene is made."""

    def started(self, step: str, backend: str) -> None: ...  # noqa: D102

    def progress(self, step: str, fraction: float, note: str) -> None: ...  # noqa: D102

    def finished(self, step: str, seconds: float, *, stored: bool) -> None: ...  # noqa: D102


class Unwatched:
    """A watch that looks away."""

    def started(self, step: str, backend: str) -> None:  # noqa: D102
        del step, backend

    def progress(self, step: str, fraction: float, note: str) -> None:  # noqa: D102
        del step, fraction, note

    def finished(self, step: str, seconds: float, *, stored: bool) -> None:  # noqa: D102
        del step, seconds, stored


@dataclass(frozen=True, slots=True)
class Task:
    """One step: its name, where its result lies, what it depends on, and what identifies its way of working."""

    name: str
    needs: tuple[str, ...]
    identity: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs steps of one scene, or returns what an earlier run stored under the same key."""

    work: Workspace
    recipe: Recipe
    seed: int
    watch: Watch
    keeper: Makes | None = None

    def stage(self, stage: Stage, codec: Codec[T], needs: tuple[str, ...], do: Callable[[Any, Run], T]) -> T:
        """Run a stage by its backend; `do(backend, run)` calls it. The backend is made only if it must run."""
        choice = self.recipe.choices[stage]
        spec = choice.backend
        identity: dict[str, Any] = {
            "backend": spec.name,
            "version": spec.version,
            "options": choice.options.model_dump(mode="json"),
            "licence": spec.licence,
            "seed": self.seed,
        }
        if files := spec.files(choice.options):
            identity["files"] = [_file_digest(Path(file)) for file in files]
        stamp = json.dumps(identity.get("files", []))
        make = partial(
            spec.make if self.keeper is None else partial(self.keeper.made, spec, stamp=stamp), choice.options
        )
        return self.run(Task(stage, needs, identity), codec, lambda run: _in_turn(do, make, run, self.keeper))

    def run(self, task: Task, codec: Codec[T], do: Callable[[Run], T]) -> T:
        """Run `do`, or load its stored result when nothing it depends on has changed."""
        inputs = {need: self.work.digest(need) for need in task.needs}
        document = json.dumps([task.name, task.identity, inputs], sort_keys=True)
        key = hashlib.sha256(document.encode()).hexdigest()
        began = time.perf_counter()
        self.watch.started(task.name, task.identity.get("backend", ""))
        spoiled = self.work.spoiled(task.name, key)
        stored = spoiled == ()
        if spoiled:
            self.watch.progress(task.name, 0.0, f"{SPOILED}{', '.join(spoiled)}")
        if not stored:
            heard = Heard()
            run = self._run_of(task.name, heard)
            value = self._do(task, lambda: do(run))
            provenance = {**task.identity, **heard.record(task.name)}
            self.work.record(task.name, key, codec.save(self.work.folder, value), provenance)
        else:
            value = codec.load(self.work.folder)
        self.watch.finished(task.name, time.perf_counter() - began, stored=stored)
        return value

    def _run_of(self, step: str, heard: Heard) -> Run:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(step.encode())]))
        return Run(rng, partial(self.watch.progress, step), leave_out=heard.leave_out, credit=heard.credit)

    def _do(self, task: Task, work: Callable[[], T]) -> T:
        """Name the step in whatever goes wrong in it, ours or a plug-in's; errors meant for people pass as they are."""
        try:
            return work()
        except SonoworldError:
            raise
        except Exception as error:
            backend = task.identity.get("backend")
            who = f"{task.name}.{backend}" if backend else task.name
            raise StageError(
                f"{who} failed: {type(error).__name__}: {error}{_advice(error)}\n"
                f"  finished steps are kept in {self.work.folder}; SONOWORLD_DEBUG=1 shows the traceback"
            ) from error


def _in_turn(do: Callable[[Any, Run], T], make: Callable[[], Any], run: Run, keeper: Makes | None) -> T:
    """Make a stage's function and call it; then the memory of what is not kept is free for the models of the next."""
    try:
        return do(make(), run)
    except Exception as error:
        if keeper is not None and ran_out(error):
            keeper.release()
        raise
    finally:
        empty_memory()


def _advice(error: Exception) -> str:
    """What to do about an error of the machine rather than of the step."""
    if type(error).__name__ == "OutOfMemoryError":
        return (
            "\n  the GPU has too little memory: --vram with less than it has (such as --vram 16GB) plans with less,"
            "\n  a smaller model takes less, and --device cpu takes none of it, slowly"
        )
    if isinstance(error, MemoryError):
        return "\n  this machine has too little memory for it: a smaller panorama or model takes less"
    return ""


def make_scene(
    photo: Photo,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int = 0,
    watch: Watch | None = None,
    keeper: Makes | None = None,
) -> Scene:
    """Make `folder` the scene of this photo. Same photo, recipe and seed: same bytes (on CPU), warm or not.

    `keeper` (`plan.keeper`) holds models for the next scene (or has them elsewhere); without one each is let go after
    its stage.

    Raises:
        BackendMissingError: a chosen backend cannot run here (nothing was written).
        InputError: the folder is not a scene or cannot be written.
        StageError: a stage failed; finished stages are kept in `<folder>.partial` for the next run.
    """
    recipe.require_available()
    with open_workspace(folder) as work:
        steps = Steps(work, recipe, seed, watch or Unwatched(), keeper)
        camera, panorama = _see(steps, photo)
        geometry, splats, ground = _lift(steps, panorama, camera)
        soundings = _understand(steps, panorama, camera)
        sources = _voice(steps, soundings, geometry, panorama)
        scene = Scene(photo, camera, panorama, geometry, splats, soundings, sources, ground)
        needs = ("panorama", "lift", "seed", "localize")
        steps.run(Task("preview", needs, {"version": __version__}), world_values.PREVIEW, lambda _: _preview(scene))
        pictured = Task("sources_picture", ("panorama", "segment", "localize"), {"version": __version__})
        steps.run(pictured, world_values.SOURCES_PICTURE, lambda _: _sources_picture(scene))
        _walk(steps, scene)
        publish(work, version=__version__)
    return scene


def _see(steps: Steps, photo: Photo) -> tuple[Camera | None, Panorama]:
    """Photo -> Camera -> Panorama; a photo that is a panorama has no camera."""
    whole = photo.projection is Projection.EQUIRECTANGULAR
    steps.run(Task("photo", (), {"photo": _photo_digest(photo)}), world_values.PHOTO, lambda _: photo)
    camera = steps.stage(
        "calibrate", world_values.CAMERA, ("photo",), lambda see, run: None if whole else see(photo, run)
    )
    needs = ("photo", "calibrate")
    return camera, steps.stage("panorama", world_values.PANORAMA, needs, lambda fill, run: fill(photo, camera, run))


def _lift(steps: Steps, panorama: Panorama, camera: Camera | None) -> tuple[Geometry, Splats, WalkSurface]:
    """Panorama -> Geometry -> Splats, the lighter splats beside them, and the ground to walk on."""
    needs = ("panorama", "calibrate")
    lifted: Lifted = steps.stage(
        "lift", world_values.LIFTED, needs, lambda lift, run: lift(panorama, replace(run, camera=camera))
    )
    geometry, own = lifted.geometry, lifted.splats
    splats: Splats = steps.stage(
        "seed",
        world_values.SPLATS,
        ("panorama", "lift"),
        lambda seed, run: seed(panorama, geometry, run) if own is None else own,
    )
    light = {"limit": LITE_SPLATS, "version": __version__}
    steps.run(Task("lite", ("seed",), light), world_values.LITE, lambda _: _lite(splats))
    walked = Task("ground", ("lift",), {"version": terrain.VERSION})
    ground = steps.run(walked, GROUND, lambda _: terrain.walk_surface(geometry, own))
    return geometry, splats, ground


def _understand(steps: Steps, panorama: Panorama, camera: Camera | None) -> tuple[Sounding, ...]:
    """Panorama -> what sounds -> where in the picture."""
    needs = ("panorama", "calibrate")
    said: tuple[Sounding, ...] = steps.stage(
        "understand", sound_values.UNDERSTOOD, needs, lambda listen, run: listen(panorama, camera, run)
    )
    needs = ("panorama", "understand")
    return steps.stage(
        "segment", sound_values.SOUNDINGS, needs, lambda find, run: _looked_for(find(panorama, said, run), run)
    )


def _looked_for(soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
    """The same soundings; those that were looked for and have no place in the picture are noted."""
    for s in soundings:
        if s.sought or (s.mask is not None and not s.mask.any()):
            run.leave_out(f"a place for {s.label}", f"nothing found in the picture for: {s.grounding or s.label}")
    return soundings


def _voice(steps: Steps, soundings: tuple[Sounding, ...], geometry: Geometry, panorama: Panorama) -> tuple[Source, ...]:
    """Soundings -> located sources -> sources with clips."""
    options = steps.recipe.localize
    located = steps.run(
        Task("localize", ("segment", "lift", "panorama"), {"options": digest(options), "version": __version__}),
        sound_values.LOCATED,
        lambda run: localize.localize(soundings, geometry, panorama.known, options, run.leave_out),
    )
    pictures = partial(localize.picture_of, rgb=panorama.rgb)
    clips = steps.stage(
        "sound",
        sound_values.CLIPS,
        ("localize", "panorama"),
        lambda voice, run: _clips(voice(located, replace(run, picture_of=pictures))),
    )
    return sound_values.with_clips(located, clips)


def _walk(steps: Steps, scene: Scene) -> None:
    """The walk that comes with a scene; a film of an earlier one goes."""
    from sonoworld.filming import forget_stale_film  # noqa: PLC0415  heavy
    from sonoworld.render import tour, walk_document  # noqa: PLC0415  heavy

    task = Task("walk", ("localize", "ground"), {"version": tour.VERSION, "seconds": tour.TOUR_S})
    steps.run(task, WALK, lambda _: walk_document(tour.default_walk(tour.TOUR_S, scene.sources, scene.ground)))
    forget_stale_film(steps.work)


def _lite(splats: Splats) -> Splats:
    from sonoworld.lift.lite import lite  # noqa: PLC0415  heavy, and only when it must run

    return lite(splats, LITE_SPLATS)


def _preview(scene: Scene) -> np.ndarray:
    from sonoworld.render.overview import world_preview  # noqa: PLC0415  heavy, and only when it must run

    return world_preview(scene)


def _sources_picture(scene: Scene) -> np.ndarray:
    from sonoworld.render.sources_picture import sources_picture  # noqa: PLC0415  heavy, and only when it must run

    return sources_picture(scene)


def _clips(sources: tuple[Source, ...]) -> dict[str, Clip]:
    return {source.id: source.clip for source in sources if source.clip is not None}


def _file_digest(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: expected a file named by a recipe, got nothing there or not a regular file")
    return atomic.sha256(path)


def _photo_digest(photo: Photo) -> str:
    total = hashlib.sha256(photo.rgb.tobytes())
    total.update(repr((photo.rgb.shape, photo.focal_px, photo.taken_with, photo.projection.value)).encode())
    return total.hexdigest()
