"""Where models run: what fits is whole, what does not is offloaded or refused, and the CPU is asked for by name."""

import gc
import json
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import small_world
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import folders, plan, testing
from sonoworld.backend import Backend, Options, Weights
from sonoworld.cli import main
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.flow import Unwatched, make_scene
from sonoworld.meter import Meter, process_peak_gb
from sonoworld.plan import WORKING_GB, Need, Placed, Wish, arranged, decide, gigabytes
from sonoworld.recipe import Choice, Recipe, load, names
from sonoworld.weights import ModelOptions

FLUX = Need("panorama", "flux_fill", 33.7, 23.8, can_offload=True)
VLM = Need("understand", "qwen_vl", 17.5, 17.5, can_four_bit=True)
SAM = Need("segment", "sam3", 3.4, 3.4)


@pytest.mark.parametrize(
    ("need", "budget_gb", "way"),
    [
        (FLUX, 80, "whole"),
        (FLUX, 26, "offload"),
        (VLM, 24, "whole"),
        (VLM, 12, "four_bit"),
        (SAM, 6, "whole"),
        (Need("lift", "tiny", 0.0, 0.0), 0.1, "whole"),
    ],
)
def test_what_fits(need: Need, budget_gb: float, way: str) -> None:
    assert decide(need, budget_gb, "auto").way == way


needs = st.builds(
    lambda size, share, offload, four, eight: Need(
        "lift", "any", size, share * size, offload, four, eight, share * size / 2
    ),
    st.floats(0, 200),
    st.floats(0.1, 1),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(needs, st.floats(0.5, 200))
def test_no_plan_is_larger_than_the_budget(need: Need, budget_gb: float) -> None:
    try:
        placed = decide(need, budget_gb, "cuda")
    except BackendMissingError:
        least = min(
            size
            for size, able in (
                (need.weights_gb, True),
                (need.largest_part_gb, need.can_offload),
                (need.largest_part_8bit_gb, need.can_eight_bit),
                (plan.FOUR_BIT_SHARE * need.weights_gb, need.can_four_bit),
            )
            if able
        )
        assert least + WORKING_GB > budget_gb  # refused only where nothing fits
        return
    assert placed.gpu_gb <= budget_gb
    assert placed.way != "offload" or need.can_offload
    assert placed.way != "eight_bit" or need.can_eight_bit
    assert placed.way != "four_bit" or need.can_four_bit


@given(needs, st.floats(0.5, 100), st.floats(0, 100))
def test_more_memory_is_never_worse(need: Need, budget_gb: float, more_gb: float) -> None:
    order = ["whole", "offload", "eight_bit", "four_bit", "refused"]

    def way(budget: float) -> int:
        try:
            return order.index(decide(need, budget, "auto").way)
        except BackendMissingError:
            return order.index("refused")

    assert way(budget_gb + more_gb) <= way(budget_gb)


def test_the_cpu_is_asked_for_by_name() -> None:
    assert decide(SAM, None, "auto") == Placed(SAM, "cpu", 0.0)
    with pytest.raises(BackendMissingError, match=r"slowly: --device cpu, or --set understand\.device=cpu"):
        decide(VLM, None, "auto")
    assert decide(VLM, None, "cpu").way == "cpu"
    assert decide(VLM, 80, "cpu") == Placed(VLM, "cpu", 0.0)
    with pytest.raises(BackendMissingError, match="torch sees no CUDA GPU"):
        decide(SAM, None, "cuda")
    assert decide(VLM, None, "mps").way == "whole"


@pytest.mark.parametrize(("text", "gb"), [("24GB", 24), ("24 gb", 24), ("7.5", 7.5), (" 80GB ", 80)])
def test_memory_is_read(text: str, gb: float) -> None:
    assert gigabytes(text) == gb


@pytest.mark.parametrize("text", ["", "GB", "0", "-4", "24GiB", "24MB", "nan", "1e3", "99999"])
def test_what_is_no_memory(text: str) -> None:
    with pytest.raises(InputError, match="expected memory such as 24GB"):
        gigabytes(text)


class LargeOptions(ModelOptions):
    model: str = "a/large"
    offload: bool = False


def recipe() -> Recipe:
    """The embedded one with a large model for the panorama; the rest needs none."""
    weights = (Weights("a/large", 30.0, "MIT", "hf download a/large", largest_part_gb=20.0),)
    spec = Backend("panorama", "large", "1", "for tests", LargeOptions, lambda _: None, weights=weights)
    plain = load("embedded")
    return replace(plain, choices={**plain.choices, "panorama": Choice(spec, LargeOptions())})


def test_a_recipe_is_arranged() -> None:
    planned, (placed,) = arranged(recipe(), Wish(dtype="float16", vram_gb=24.0), 80.0)
    options = planned.choices["panorama"].options
    assert isinstance(options, LargeOptions)
    assert (options.offload, options.dtype, options.device) == (True, "float16", "auto")
    assert placed.gpu_gb == 22.0
    assert planned.choices["lift"] == load("embedded").choices["lift"]  # what has no device stays as it is
    plain = recipe()
    assert arranged(plain, Wish(), 80.0)[0] == plain
    on_cpu, (placed,) = arranged(recipe(), Wish(device="cpu"), 80.0)
    assert (on_cpu.choices["panorama"].options.device, placed.way) == ("cpu", "cpu")  # type: ignore[attr-defined]


def flux(*settings: str) -> Recipe:
    return load("embedded", ["panorama.backend=flux_fill", *(f"panorama.{one}" for one in settings)])


@pytest.mark.parametrize(
    ("budget_gb", "settings", "way", "offload", "quantise"),
    [
        (80.0, [], "whole", "none", "none"),
        (30.0, [], "offload", "model", "none"),
        (24.0, [], "eight_bit", "model", "fp8"),
        (80.0, ["offload=model"], "whole", "model", "none"),  # what a person has set stays
        (24.0, ["quantise=fp8"], "eight_bit", "model", "fp8"),
        (24.0, ["quantise=4bit"], "four_bit", "model", "4bit"),
        (8.0, ["offload=sequential"], "offload", "sequential", "none"),
        (80.0, ["offload=false"], "whole", "none", "none"),
    ],
)
def test_flux_is_held_so_that_it_fits(
    budget_gb: float, settings: list[str], way: str, offload: str, quantise: str
) -> None:
    planned, (placed,) = arranged(flux(*settings), Wish(vram_gb=budget_gb), 80.0)
    options: Any = planned.choices["panorama"].options
    assert (placed.way, options.offload, options.quantise) == (way, offload, quantise)
    assert placed.gpu_gb <= budget_gb


def test_worldgens_own_package_is_not_offloaded() -> None:
    asked = ["panorama.backend=worldgen", "panorama.engine=package", "panorama.shared_px=0"]
    with pytest.raises(BackendMissingError, match=r"panorama\.worldgen needs about 36 GB of GPU memory"):
        arranged(load("embedded", asked), Wish(vram_gb=24.0), 80.0)
    assert arranged(load("embedded", asked), Wish(), 80.0)[1][0].way == "whole"


def test_what_a_person_has_set_may_not_fit() -> None:
    with pytest.raises(BackendMissingError, match=r"panorama\.flux_fill needs about 36 GB of GPU memory, 24 GB"):
        arranged(flux("offload=none"), Wish(vram_gb=24.0), 80.0)
    with pytest.raises(BackendMissingError, match=r"panorama\.flux_fill needs about 26 GB of GPU memory, 24 GB"):
        arranged(flux("quantise=none"), Wish(vram_gb=24.0), 80.0)
    with pytest.raises(BackendMissingError, match=r"panorama\.flux_fill needs about 14 GB of GPU memory, 12 GB"):
        arranged(flux(), Wish(vram_gb=12.0), 80.0)


@pytest.mark.parametrize("name", [name for name in names() if name != "embedded"])
def test_bundled_recipes_fit_80_gb_and_those_for_24_gb_fit_them(name: str) -> None:
    recipe = load(name)
    arranged(recipe, Wish(), 80.0)
    if name in ("best", "commercial", "laptop"):
        _, decided = arranged(recipe, Wish(vram_gb=24.0), 80.0)
        assert max(placed.gpu_gb for placed in decided) <= 24.0


def test_wishes_that_cannot_be() -> None:
    with pytest.raises(InputError, match=r"at most the GPU's 16\.0 GB, got 24"):
        arranged(recipe(), Wish(vram_gb=24.0), 16.0)
    with pytest.raises(BackendMissingError, match="needs about 22 GB of GPU memory, 15 GB are to be used"):
        arranged(recipe(), Wish(), 16.0)
    with pytest.raises(BackendMissingError, match=r"30\.0 GB of weights and torch sees no GPU"):
        arranged(recipe(), Wish(), None)


def test_local_folders_count_nothing(tmp_path: Path) -> None:
    spec = recipe().choices["panorama"].backend
    choices = {**recipe().choices, "panorama": Choice(spec, LargeOptions(model=str(tmp_path)))}
    _, decided = arranged(replace(recipe(), choices=choices), Wish(), None)
    assert decided == ()


def test_models_are_let_go_after_their_stage(tmp_path: Path) -> None:
    """When a later stage runs, what an earlier one made is gone."""
    plain = small_world.recipe()
    alive: list[int] = []
    made: list[Any] = []

    def watched(spec: Backend) -> Backend:
        def make(options: Options) -> Any:
            gc.collect()
            alive.append(sum(ref() is not None for ref in made))
            stage = spec.make(options)
            made.append(weakref.ref(stage))
            return stage

        return replace(spec, make=make)

    choices = {stage: Choice(watched(choice.backend), choice.options) for stage, choice in plain.choices.items()}
    make_scene(testing.tiny_photo(), replace(plain, choices=choices), tmp_path / "world")
    assert len(alive) == len(choices)
    assert set(alive) == {0}


def test_steps_are_measured(tmp_path: Path) -> None:
    meter = Meter(Unwatched())
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world", watch=meter)
    steps = [one.step for one in meter.spent]
    assert steps[:3] == ["photo", "calibrate", "panorama"]
    peak = process_peak_gb()
    assert peak is None or 0.01 < peak < 100
    assert all(one.memory_gb is None or one.memory_gb <= (peak or 0) for one in meter.spent)
    document = json.loads(json.dumps(meter.document()))
    assert document["steps"][1].keys() == {"step", "backend", "seconds", "stored", "memory_gb", "gpu_gb"}
    again = Meter(Unwatched())
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world", watch=again)
    assert all(one.stored for one in again.spent)


def test_wishes_without_models_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    Image.new("RGB", (320, 240), (90, 120, 200)).save(tmp_path / "a.png")
    with pytest.raises(SystemExit) as caught:
        main(["create", str(tmp_path / "a.png"), str(tmp_path / "world"), "--vram", "24GB"])
    assert caught.value.code == 2
    assert "recipe embedded runs no models" in capsys.readouterr().err


class Cuda:
    """A GPU of 80 GB, as far as it is asked."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return True

    def reset_peak_memory_stats(self) -> None:
        self.calls.append("reset")

    def max_memory_allocated(self) -> int:
        return 3_000_000_000

    def empty_cache(self) -> None:
        self.calls.append("empty")

    def get_device_properties(self, index: int) -> object:
        return SimpleNamespace(total_memory=80_000_000_000)

    def set_per_process_memory_fraction(self, share: float) -> None:
        self.calls.append(share)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    made = Cuda()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=made))
    return made


def test_the_gpus_memory_is_measured_and_emptied_by_step(cuda: Cuda, tmp_path: Path) -> None:
    meter = Meter(Unwatched())
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world", watch=meter)
    assert {one.gpu_gb for one in meter.spent} == {3.0}
    assert cuda.calls.count("reset") == len(meter.spent)
    assert cuda.calls.count("empty") == 7  # after every stage that has backends


def test_the_gpu_is_held_to_its_budget(cuda: Cuda) -> None:
    assert plan.gpu_memory_gb() == 80.0
    plan.hold_to(24.0)
    assert cuda.calls == [pytest.approx(0.3)]


def test_folders_of_ones_own_are_planned_by_their_files(tmp_path: Path) -> None:
    """A pipeline in turns: 8 bits halve its transformer; files beside its parts and second formats do not count."""
    for part, name, size in [
        ("transformer", "a.safetensors", 300), ("transformer", "b.safetensors", 100),
        ("text_encoder", "a.safetensors", 150),
        ("text_encoder", "pytorch_model.bin", 999), ("vae", "a.safetensors", 10), (".", "whole.safetensors", 5000),
    ]:  # fmt: skip
        (tmp_path / part).mkdir(exist_ok=True)
        with (tmp_path / part / name).open("wb") as file:
            file.truncate(size * 10**6)  # sparse
    (tmp_path / "model_index.json").write_text("{}")
    fill = load("embedded", ["panorama.backend=flux_fill", f"panorama.model={tmp_path}"]).choices["panorama"]
    need = plan.need_of(fill)
    assert need.weights_gb == pytest.approx(0.56)
    assert need.largest_part_gb == pytest.approx(0.4)
    assert need.largest_part_8bit_gb == pytest.approx(0.2)
    file = tmp_path / "vae" / "a.safetensors"
    (one,) = folders.folder_weights(ModelOptions(model=str(file)))
    assert one.size_gb == pytest.approx(0.01)
    assert folders.folder_weights(ModelOptions(model="someone/some-model")) == ()
