"""Where models run: device, number format, and what to do when a GPU is too small for one.

Stages run one after another and a model is let go after its stage, so each stage has the whole budget. A model that
does not fit is offloaded (its parts take turns on the GPU), else with its largest part in 8 bits, else held in 4 bits,
where its backend can; otherwise the recipe is refused before anything runs. What a person has set stays as it is.

`auto` means: the GPU where there is one. Where there is none, small models run on the CPU; large ones are refused until
the CPU is asked for by name, for it may take hours.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sonoworld.backend import Backend, Options, Weights, needed_weights
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.folders import folder_weights
from sonoworld.recipe import Choice, Recipe
from sonoworld.types import Stage
from sonoworld.warm import Keeper
from sonoworld.weights import library

Way = Literal["whole", "offload", "eight_bit", "four_bit", "cpu"]
CHANGES: Mapping[Way, Mapping[str, object]] = {
    "whole": {"offload": False},
    "offload": {"offload": True},
    "eight_bit": {"offload": True, "quantise": "fp8"},
    "four_bit": {"four_bit": True},
    "cpu": {},
}
"""What a way means for a backend's options, of those that it has."""

WORKING_GB = 2.0
"""Beside the weights: what a stage computes with (FLUX 1 to 3, SAM 3 in batches of 4 about 1)."""

FOUR_BIT_SHARE = 0.33
"""NF4 with its scales, layers left in 16 bits included, of the weights in 16 bits (QLoRA, arXiv:2305.14314)."""

LARGEST_ON_CPU_GB = 4.0
"""Weights that the CPU gets without being asked for by name."""

LAYER_GB = 1.0
"""On the GPU at once when one layer is at a time (`offload = "sequential"`): more than any layer of FLUX or T5 has."""

SPARE = 0.95
"""Share of a GPU's memory that is planned with when no budget is given."""


@dataclass(frozen=True, slots=True)
class Need:
    """A stage's weights, GB: together, the largest part that has to be on the GPU at once when parts take turns.

    `largest_part_8bit_gb`: the same with what can be in 8 bits held so.
    """

    stage: str
    backend: str
    weights_gb: float
    largest_part_gb: float
    can_offload: bool = False
    can_four_bit: bool = False
    can_eight_bit: bool = False
    largest_part_8bit_gb: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A decision: how a stage's models are held, and about how much of the GPU that takes, GB (0 on the CPU)."""

    need: Need
    way: Way
    gpu_gb: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for: device ("" = as the recipe says), number format ("" likewise), GPU memory to use, GB."""

    device: str = ""
    dtype: str = ""
    vram_gb: float | None = None


def gigabytes(text: str) -> float:
    """`24GB`, `24 GB`, `24` -> 24.0 (1 GB = 10⁹ bytes).

    Raises:
        InputError: something else, or nothing left.
    """
    match = re.fullmatch(r"\s*(\d{1,4}(?:\.\d{1,3})?)\s*(?:gb)?\s*", text, re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise InputError(f"--vram: expected memory such as 24GB, got {text!r}")
    return float(match[1])


def decide(need: Need, budget_gb: float | None, device: str) -> Placed:
    """How one stage's models are held on a GPU with this budget; `budget_gb` None: there is no GPU.

    Raises:
        BackendMissingError: it does not fit, or would have to run on the CPU without being asked to.
    """
    if device == "cpu" or (budget_gb is None and device in ("auto", "mps")):
        if device == "auto" and need.weights_gb > LARGEST_ON_CPU_GB:
            raise BackendMissingError(
                f"{need.stage}.{need.backend} has {need.weights_gb:.1f} GB of weights and torch sees no GPU here\n"
                f"  on the CPU all the same, slowly: --device cpu, or --set {need.stage}.device=cpu"
            )
        return Placed(need, "cpu" if device != "mps" else "whole", 0.0)
    if budget_gb is None:
        raise BackendMissingError(f"{need.stage}.{need.backend}: device {device!r}: torch sees no CUDA GPU here")
    ways: list[tuple[Way, bool, float]] = [
        ("whole", True, need.weights_gb),
        ("offload", need.can_offload, need.largest_part_gb),
        ("eight_bit", need.can_eight_bit, need.largest_part_8bit_gb),
        ("four_bit", need.can_four_bit, FOUR_BIT_SHARE * need.weights_gb),
    ]
    for way, able, size_gb in ways:
        if not need.weights_gb or (able and size_gb + WORKING_GB <= budget_gb):
            return Placed(need, way, size_gb + WORKING_GB if need.weights_gb else 0.0)
    least_gb = min(size_gb for _, able, size_gb in ways if able) + WORKING_GB
    raise BackendMissingError(
        f"{need.stage}.{need.backend} needs about {least_gb:.0f} GB of GPU memory, {budget_gb:.0f} GB are to be used\n"
        f"  a larger --vram, a smaller model: --set {need.stage}.model=..., or slowly: --set {need.stage}.device=cpu"
    )


def arranged(recipe: Recipe, wish: Wish, gpu_gb: float | None) -> tuple[Recipe, tuple[Placed, ...]]:
    """The recipe with devices, number formats and ways set, and what was decided for each stage that has weights.

    `gpu_gb`: memory of the GPU; None where there is none.

    Raises:
        BackendMissingError: as `decide`.
        InputError: more memory is asked for than there is.
    """
    if wish.vram_gb is not None and gpu_gb is not None and wish.vram_gb > gpu_gb:
        raise InputError(f"--vram: expected at most the GPU's {gpu_gb:.1f} GB, got {wish.vram_gb:g}")
    whole_gb = None if gpu_gb is None else SPARE * gpu_gb
    budget_gb = whole_gb if wish.vram_gb is None or gpu_gb is None else wish.vram_gb
    choices: dict[Stage, Choice] = {}
    decided: list[Placed] = []
    for stage, choice in recipe.choices.items():
        asked = {name: value for name, value in (("device", wish.device), ("dtype", wish.dtype)) if value}
        options = _with(choice.options, asked)
        if "device" in type(options).model_fields:
            placed = decide(need_of(replace(choice, options=options)), budget_gb, str(getattr(options, "device")))  # noqa: B009
            kept = choice.options.model_fields_set
            changes = {name: value for name, value in CHANGES[placed.way].items() if name not in kept}
            options = _with(options, changes if placed.need.weights_gb else {})
            decided.append(placed)
        choices[stage] = replace(choice, options=options)
    return replace(recipe, choices=choices), tuple(placed for placed in decided if placed.need.weights_gb)


def need_of(choice: Choice) -> Need:
    """What a choice needs, by its weights as downloaded or stored: an upper bound for models that run in 16 bits."""
    spec, options = choice.backend, choice.options
    weights = needed_weights(spec, options) + folder_weights(options)
    layers = getattr(options, "offload", None) == "sequential"
    return Need(
        spec.stage,
        spec.name,
        sum(one.size_gb for one in weights),
        LAYER_GB if layers else max((_part(one) for one in weights), default=0.0),
        can_offload=_may(options, "offload", True, "model", "sequential"),
        can_four_bit=_may(options, "four_bit", True) or getattr(options, "quantise", None) == "4bit",
        can_eight_bit=_may(options, "offload", True, "model")
        and _may(options, "quantise", "fp8")
        and any(one.largest_part_8bit_gb for one in weights),
        largest_part_8bit_gb=max((one.largest_part_8bit_gb or _part(one) for one in weights), default=0.0),
    )


def keeper(budget_gb: float) -> Keeper:
    """Keeps models from scene to scene as long as their weights, and what a stage computes with, fit `budget_gb`.

    Raises:
        InputError: the budget leaves nothing for weights.
    """
    return Keeper(budget_gb - WORKING_GB, kept_gb)


def kept_gb(spec: Backend, options: Options) -> float:
    """Weights that a made stage holds, as downloaded or stored; infinite where the size of one is unknown."""
    if not all(one.size_gb for one in needed_weights(spec, options)):
        return math.inf
    return need_of(Choice(spec, options)).weights_gb


def runs_models(recipe: Recipe) -> bool:
    """Whether anything in it has a device to choose."""
    return any("device" in type(choice.options).model_fields for choice in recipe.choices.values())


def gpu_memory_gb() -> float | None:
    """Memory of the first CUDA GPU; None where torch sees none, or is not here."""
    try:
        torch: Any = library("torch")
    except BackendMissingError:
        return None
    return float(torch.cuda.get_device_properties(0).total_memory) / 1e9 if torch.cuda.is_available() else None


def hold_to(budget_gb: float) -> None:
    """From now on more of the GPU's memory than this is out of memory."""
    torch: Any = library("torch")
    total_gb = float(torch.cuda.get_device_properties(0).total_memory) / 1e9
    torch.cuda.set_per_process_memory_fraction(min(1.0, budget_gb / total_gb))


def _may(options: Options, name: str, *values: object) -> bool:
    """Whether an option can have one of these values: it is there, and nobody has set it to another."""
    free = name in type(options).model_fields and name not in options.model_fields_set
    return free or getattr(options, name, None) in values


def _part(weights: Weights) -> float:
    return weights.largest_part_gb or weights.size_gb


def _with(options: Options, changes: Mapping[str, object]) -> Options:
    known = {name: value for name, value in changes.items() if name in type(options).model_fields}
    return type(options).model_validate({**options.model_dump(exclude_unset=True), **known}) if known else options
