"""Models of a batch on a Ray cluster: they live in actors, each with its share of a GPU, loaded once for many worlds.

A world is made by a task that needs a core and no GPU; for a stage with models it sends the inputs to a place and gets
the result. A place does one thing at a time and tasks wait for it, so no more lies in memory than worlds are under way.
"""

import itertools
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from sonoworld import plan
from sonoworld.backend import Backend, Options, Run, find
from sonoworld.batch.worker import Models, one_thread
from sonoworld.errors import InputError, SonoworldError
from sonoworld.recipe import Recipe
from sonoworld.types import Camera, Source, Stage
from sonoworld.warm import Keeper, ran_out
from sonoworld.weights import library

TRIES = 3
"""A stage is given to a place so many times, where the place's process dies over it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A stage to run: backend, options, inputs, and of `Run` what can travel. `stamp`: as for `Keeper.made`."""

    stage: Stage
    backend: str
    options: Options
    stamp: str
    inputs: tuple[Any, ...]
    rng: np.random.Generator
    camera: Camera | None
    picture_of: Callable[[Source], np.ndarray | None]


@dataclass(slots=True)
class Done:
    """A stage's result, or the error as name and text (`ours`: meant for people as it is); notes for the scene."""

    value: Any = None
    error: tuple[str, str] | None = None
    ours: bool = False
    no_memory: bool = False
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    credits: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class Place:
    """What an actor is: stage functions that stay, within a share of a GPU where several stages live here."""

    def __init__(self, stages: int, share: float) -> None:
        """Nothing is loaded before it is asked for."""
        one_thread()
        self._gpu_gb = plan.gpu_memory_gb()
        tight = stages > 1 and self._gpu_gb is not None
        budget_gb = plan.SPARE * min(1.0, share) * self._gpu_gb if tight and self._gpu_gb else math.inf
        self._keeper = plan.keeper(budget_gb) if tight else Keeper(budget_gb, plan.kept_gb)

    def where(self) -> tuple[str, float | None]:
        """Its node, and the memory of its GPU, GB; None where torch sees none."""
        ray: Any = library("ray", "cluster")
        return str(ray.get_runtime_context().get_node_id()), self._gpu_gb

    def do(self, call: Call) -> Done:
        """Run a stage; its errors are told, not raised."""
        done = Done()

        def leave_out(what: str, why: str) -> None:
            done.left_out.append((what, why))

        def credit(model: str, licence: str) -> None:
            done.credits.append((model, licence))

        run = Run(call.rng, camera=call.camera, leave_out=leave_out, credit=credit, picture_of=call.picture_of)
        try:
            function = self._keeper.made(find(call.stage, call.backend), call.options, call.stamp)
            done.value = function(*call.inputs, run)
        except Exception as error:  # noqa: BLE001  a place outlives the photos that it cannot serve
            done.error, done.ours = (type(error).__name__, str(error)), isinstance(error, SonoworldError)
            if ran_out(error):
                done.no_memory = True
                self._keeper.release()
        return done


@dataclass(frozen=True, slots=True)
class Hired:
    """The places of a batch: for each of its stages with models, actors that serve it and their nodes."""

    by_stage: dict[str, tuple[tuple[Any, str], ...]]
    gpu_gb: float | None
    share: float

    def models(self, ray: Any, world: str) -> Models:
        """As the maker of a world wants them: a place on its own node first, otherwise worlds take turns."""
        here = str(ray.get_runtime_context().get_node_id())
        turn = zlib.crc32(world.encode())
        chosen = {stage: _nearest(places, here, turn) for stage, places in self.by_stage.items()}
        return Models(self.gpu_gb, self.share, _Elsewhere(ray, chosen))


def _nearest(places: Sequence[tuple[Any, str]], here: str, turn: int) -> Any:
    near = [actor for actor, node in places if node == here] or [actor for actor, _ in places]
    return near[turn % len(near)]


class _Elsewhere:
    """Stage functions as the flow wants them: those that live in a place are called there, all others are made here."""

    def __init__(self, ray: Any, actors: dict[str, Any]) -> None:
        self._ray, self._actors = ray, actors

    def made(self, spec: Backend, options: Options, stamp: str = "") -> Any:
        """The stage function, or one that has it done."""
        actor = self._actors.get(spec.stage)
        if actor is None:
            return spec.make(options)

        def ask(*inputs: Any) -> Any:
            *values, run = inputs
            call = Call(spec.stage, spec.name, options, stamp, tuple(values), run.rng, run.camera, run.picture_of)
            return _told(self._ray.get(actor.do.remote(call)), run)

        return ask

    def release(self) -> None:
        """Nothing is held here; a place that has run out of memory lets go by itself."""


def _told(done: Done, run: Run) -> Any:
    """The value; notes and errors as if it had been made here."""
    for note in done.left_out:
        run.leave_out(*note)
    for note in done.credits:
        run.credit(*note)
    if done.error is None:
        return done.value
    name, text = done.error
    if done.ours:
        raise SonoworldError(text)
    base = MemoryError if done.no_memory else RuntimeError
    raise cast("type[Exception]", type(name, (base,), {}))(text)


def modelled(recipe: Recipe) -> tuple[str, ...]:
    """Stages whose models may run on a GPU."""
    return tuple(stage for stage, choice in recipe.choices.items() if getattr(choice.options, "device", "cpu") != "cpu")


def shared_out(stages: Sequence[str], places: int) -> list[tuple[str, ...]]:
    """Which stages each place serves: one each, in turn, where there are enough; otherwise every place serves all."""
    if places < len(stages):
        return [tuple(stages)] * places
    return [(stage,) for stage, _ in zip(itertools.cycle(stages), range(places), strict=False)]


def hired(ray: Any, recipe: Recipe, gpus: float, environment: dict[str, str]) -> Hired:
    """Start the places of a batch: as many as shares of this size lie in the cluster's GPUs.

    Raises:
        InputError: no stage of the recipe has models for a GPU, or the cluster has not so much of one.
    """
    if not (stages := modelled(recipe)):
        raise InputError(f"--gpus: expected a recipe with models that run on a GPU, got {recipe.name}, which has none")
    free = [float(node["Resources"].get("GPU", 0)) for node in ray.nodes() if node["Alive"]]
    places = sum(_shares(have, gpus) for have in free)
    if not places:
        most = max(free, default=0)
        raise InputError(f"--gpus: expected at most the {most:g} that a machine of the cluster has, got {gpus:g}")
    means = {"num_cpus": 0, "num_gpus": gpus, "max_restarts": -1, "max_task_retries": TRIES - 1}
    actor = ray.remote(**means, runtime_env={"env_vars": environment})(Place)
    serving = [(actor.remote(len(mine), gpus), mine) for mine in shared_out(stages, places)]
    standing = ray.get([one.where.remote() for one, _ in serving])
    by_stage = {
        stage: tuple((one, node) for (one, mine), (node, _) in zip(serving, standing, strict=True) if stage in mine)
        for stage in stages
    }
    sizes = [size for _, size in standing if size is not None]
    return Hired(by_stage, min(sizes, default=None), gpus)


def _shares(have: float, wanted: float) -> int:
    """How many times so much of a GPU a machine can give; a share below 1 lies on one GPU."""
    if wanted >= 1:
        return math.floor(have / wanted)
    return math.floor(have) * math.floor(1 / wanted + 1e-9)
