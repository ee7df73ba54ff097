"""`commercial = true` refuses what its licence forbids, and names it; what backends need follows their options."""

from pathlib import Path
from typing import Any

import pytest

from sonoworld import recipe
from sonoworld.backend import Backend, Options, Weights, find, needed_weights
from sonoworld.errors import RecipeError
from sonoworld.licences import commercial_objection, commercial_objections


@pytest.mark.parametrize(
    "licence",
    [
        "FLUX.1 [dev] Non-Commercial License",
        "flux-1-dev-non-commercial-license",
        "CC BY-NC 4.0",
        "CC-BY-NC-SA 4.0",
        "cc-by-nc-4.0",
        "Apple research licence",
        "Stability AI Community, Gemma",
        "tencent-hunyuanworld-1.0-community",
        "not stated",
        "unknown",
        "other",
        "",
    ],
)
def test_licences_that_commerce_cannot_rely_on(licence: str) -> None:
    assert (licence or "none") in commercial_objection(licence)


@pytest.mark.parametrize("licence", ["MIT", "Apache-2.0", "BSD-3-Clause", "SAM License", "CC BY 4.0", "CC0", "Llama 2"])
def test_licences_that_allow_it(licence: str) -> None:
    assert commercial_objection(licence) == ""


class Opts(Options):
    model: str = "a/free"
    other_model: str = ""


def backend(**changes: Any) -> Backend:
    weights = (
        Weights("a/free", 1.0, "MIT", "hf download a/free"),
        Weights("a/nc", 2.0, "CC BY-NC 4.0", "hf download a/nc"),
    )
    facts: dict[str, Any] = {"weights": weights, **changes}
    return Backend("lift", "trial", "1", "for tests", Opts, lambda _: None, **facts)


def ids(spec: Backend, **options: str) -> list[str]:
    return [weights.model for weights in needed_weights(spec, Opts(**options))]


def test_options_say_which_weights_are_needed(tmp_path: Path) -> None:
    assert ids(backend()) == ["a/free"]
    assert ids(backend(), other_model="a/nc") == ["a/free", "a/nc"]
    assert ids(backend(), model="b/mine") == ["b/mine"]
    assert ids(backend(), model=str(tmp_path)) == []
    assert ids(backend(), model="large") == ["a/free"]  # a name of its own: its first weights
    assert ids(backend(weights=())) == ["a/free"]
    spec = backend(weights_for=lambda options: (Weights("c/d", 1.0, "MIT", "curl c/d"),))
    assert ids(spec) == ["c/d"]


def test_objections_name_the_part_and_the_licence(tmp_path: Path) -> None:
    assert commercial_objections(backend(), Opts()) == ()
    (line,) = commercial_objections(backend(), Opts(model="a/nc"))
    assert line == "lift.trial: a/nc: its licence (CC BY-NC 4.0) forbids commercial use"
    (line,) = commercial_objections(backend(), Opts(model="b/mine"))
    assert line == "lift.trial: b/mine: its licence (unknown) says nothing that is known here"
    assert commercial_objections(backend(), Opts(model=str(tmp_path))) == ()
    (line,) = commercial_objections(backend(commercial=False, licence="terms of X"), Opts())
    assert "terms of X" in line


def test_a_commercial_recipe_refuses_what_is_not(tmp_path: Path) -> None:
    text = recipe.to_toml(recipe.load("embedded"))
    path = tmp_path / "shop.toml"
    path.write_text("commercial = true\n" + text)
    assert recipe.load(str(path)).commercial
    assert recipe.to_toml(recipe.load(str(path))).startswith("commercial = true")
    with pytest.raises(RecipeError, match=r"commercial = true refuses\n  lift\.marble: marble: its terms \(World Labs"):
        recipe.load(str(path), ["lift.backend=marble"])
    with pytest.raises(RecipeError, match="refuses"):
        recipe.load("embedded", ["lift.backend=marble", "commercial=true"])
    assert not recipe.load(str(path), ["lift.backend=marble", "commercial=false"]).commercial
    with pytest.raises(RecipeError, match="expected true or false, got 'perhaps'"):
        recipe.load("embedded", ["commercial=perhaps"])


def test_sam2_needs_what_gives_the_class_too() -> None:
    sam2 = find("segment", "sam2")
    needs = {
        semantics: [w.model for w in needed_weights(sam2, sam2.options.model_validate({"semantics": semantics}))]
        for semantics in ("clipseg", "sam3", "x_decoder")
    }
    assert needs["clipseg"] == ["facebook/sam2.1-hiera-large", "CIDAS/clipseg-rd64-refined"]
    assert needs["sam3"][1] == "facebook/sam3"
    assert needs["x_decoder"][0] == "facebook/sam2.1-hiera-large"
