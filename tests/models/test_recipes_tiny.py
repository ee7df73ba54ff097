"""`create` with the bundled recipes end to end, their models tiny and random in the official format, on the CPU.

A stage whose backend has no tiny model here runs as in the embedded recipe; `TINY` says which do not.
"""

import json
import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
import tiny_segmenters
from PIL import Image

from sonoworld import recipe, stock
from sonoworld.cli import main
from sonoworld.disk.scene import check_scene

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]


def sam2(folder: Path) -> dict[str, object]:
    shape, words = tiny_segmenters.save_sam2(folder / "sam2"), tiny_segmenters.save_clipseg(folder / "clipseg")
    return {"model": shape, "semantics": "clipseg", "semantics_model": words, "least_iou": 0.0, "least_stability": 0.0}


def sam3(folder: Path) -> dict[str, object]:
    return {"model": tiny_segmenters.save_sam3(folder / "sam3"), "least_score": 0.0}


TINY: dict[tuple[str, str], Callable[[Path], dict[str, object]]] = {
    ("segment", "sam2"): sam2,
    ("segment", "sam3"): sam3,
}
"""Options of a backend for a model that is made here: (stage, backend) -> folder to make it in -> options."""


def settings(name: str, folder: Path) -> list[str]:
    """`--set` for every stage of a recipe: tiny models where there are some, else as embedded; all of it small."""
    text = files("sonoworld.recipes").joinpath(f"{name}.toml").read_text("utf-8")
    embedded = recipe.load("embedded").choices
    found: dict[str, object] = {"panorama.width": 512}
    for stage, table in tomllib.loads(text).items():
        if stage not in embedded:
            continue
        make = TINY.get((stage, table["backend"]))
        found[f"{stage}.backend"] = table["backend"] if make else embedded[stage].backend.name
        options = make(folder) if make else {}
        found |= {f"{stage}.{key}": value for key, value in options.items()}
    found["sound.seconds"] = 4
    return [word for key, value in found.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "meadow.png"
    with files("sonoworld.assets").joinpath("meadow.jpg").open("rb") as file:
        Image.open(file).resize((480, 360)).save(path)
    return path


@pytest.mark.parametrize("name", [name for name in recipe.names() if name != "embedded"])
def test_a_recipe_makes_a_world(name: str, photo: Path, tmp_path: Path) -> None:
    chosen = settings(name, tmp_path)
    out, record = tmp_path / "world", tmp_path / "record.json"
    main(["create", str(photo), str(out), "--recipe", name, *chosen, "--no-film", "--record", str(record)])
    assert check_scene(out) == ()
    steps = {step["step"]: step for step in json.loads(record.read_text())["steps"]}
    made = json.loads((out / "made.json").read_text())["steps"]
    loaded = recipe.load(name, [word for word in chosen if word != "--set"])
    for stage, choice in loaded.choices.items():
        assert made[stage]["backend"] == choice.backend.name
        assert steps[stage]["seconds"] >= 0
    assert stock.items(loaded) == ()  # all models are folders here: nothing is to be downloaded
