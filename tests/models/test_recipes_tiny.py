"""`create` with the bundled recipes end to end, their models tiny and random in the official format, on the CPU.

A stage whose backend has no tiny model (`tiny_recipes.TINY`), or whose package is not installed here, runs as in the
embedded recipe.
"""

import json
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import tiny_vlm
from PIL import Image
from tiny_recipes import TINY, lacking, maker, told

from sonoworld import recipe, stock
from sonoworld.cli import main
from sonoworld.disk.scene import check_scene
from sonoworld.types import Stage

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def _models_that_can_be_asked(torchvision_imports: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """MMAudio's place is taken by a stand-in; what a random model of language writes is dictated to it."""
    import mmaudio_stand_in  # noqa: PLC0415
    from transformers.generation import GenerationMixin  # noqa: PLC0415

    for name, module in mmaudio_stand_in.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(GenerationMixin, "generate", tiny_vlm.dictated(GenerationMixin.generate, tiny_vlm.ANSWER))


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "meadow.png"
    with files("sonoworld.assets").joinpath("meadow.jpg").open("rb") as file:
        Image.open(file).resize((480, 360)).save(path)
    return path


def settings(name: str, folder: Path) -> list[str]:
    """`--set` for every stage of a recipe: tiny models where there are some, else as embedded; all of it small."""
    text = files("sonoworld.recipes").joinpath(f"{name}.toml").read_text("utf-8")
    embedded = recipe.load("embedded").choices
    found: dict[str, object] = {"panorama.width": 256}
    for stage, table in tomllib.loads(text).items():
        if stage not in embedded:
            continue
        make = maker(stage, table["backend"])
        found[f"{stage}.backend"] = table["backend"] if make else embedded[stage].backend.name
        found |= {f"{stage}.{key}": value for key, value in told(make(folder / stage) if make else {}).items()}
    found.setdefault("sound.seconds", 4)
    return [word for key, value in found.items() for word in ("--set", f"{key}={value}")]


def created(name: str, chosen: list[str], photo: Path, folder: Path) -> dict[str, dict[str, object]]:
    """What the scene says of its making, after `create`; each step was measured."""
    out, record = folder / "world", folder / "record.json"
    main(["create", str(photo), str(out), "--recipe", name, *chosen, "--no-film", "--record", str(record)])
    assert check_scene(out) == ()
    steps = {step["step"]: step for step in json.loads(record.read_text())["steps"]}
    loaded = recipe.load(name, [word for word in chosen if word != "--set"])
    assert stock.items(loaded) == ()  # all models are folders here: nothing is to be downloaded
    made = json.loads((out / "made.json").read_text())["steps"]
    for stage, choice in loaded.choices.items():
        assert made[stage]["backend"] == choice.backend.name
        assert steps[stage]["seconds"] >= 0
    return made


@pytest.mark.parametrize("name", [name for name in recipe.names() if name != "embedded"])
def test_a_recipe_makes_a_world(name: str, photo: Path, tmp_path: Path) -> None:
    created(name, settings(name, tmp_path), photo, tmp_path)


def test_flux_fill_makes_a_world(photo: Path, tmp_path: Path) -> None:
    """It is in no bundled recipe by itself: worldgen is it with a LoRA."""
    options = told(TINY["panorama", "flux_fill"](tmp_path / "panorama"))
    chosen = [word for key, value in options.items() for word in ("--set", f"panorama.{key}={value}")]
    small = ["--set", "sound.seconds=4"]
    made = created("embedded", ["--set", "panorama.backend=flux_fill", *chosen, *small], photo, tmp_path)
    assert made["panorama"]["backend"] == "flux_fill"


@pytest.mark.parametrize(("stage", "backend"), list(TINY))
def test_what_a_tiny_model_needs_is_installed(stage: Stage, backend: str) -> None:
    """A skip says whose stage ran as in the embedded recipe, and why."""
    if why := lacking(stage, backend):
        pytest.skip(f"{stage}.{backend}: {why}")
    assert maker(stage, backend) is TINY[stage, backend]


def test_every_bundled_recipe_runs_models() -> None:
    """At least these of each are tiny models; what is not: see `TINY`, and why: not a pip package, or over the net."""
    texts = {name: tomllib.loads(files("sonoworld.recipes").joinpath(f"{name}.toml").read_text()) for name in (
        name for name in recipe.names() if name != "embedded"
    )}  # fmt: skip
    plain = {stage: choice.backend.name for stage, choice in recipe.load("embedded").choices.items()}
    left = {
        f"{stage}.{table['backend']}"
        for text in texts.values()
        for stage, table in text.items()
        if stage in plain and table["backend"] != plain[stage] and (stage, table["backend"]) not in TINY
    }
    assert left == {
        "calibrate.geocalib", "lift.hunyuanworld", "lift.marble", "lift.marble_file", "understand.vlm",
    }  # fmt: skip
