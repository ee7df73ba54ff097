"""`commercial = true` refuses what its licence forbids, and names it; what backends need follows their options."""

from pathlib import Path
from typing import Any

import pytest

from sonoworld import recipe, stock
from sonoworld.backend import Backend, Options, Weights, find, needed_weights
from sonoworld.errors import RecipeError
from sonoworld.licences import commercial_objection, commercial_objections
from sonoworld.types import Stage


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


@pytest.mark.parametrize(
    ("stage", "backend", "model", "licence"),
    [
        ("panorama", "flux2_klein", "black-forest-labs/FLUX.2-klein-9B", "FLUX Non-Commercial License"),
        ("panorama", "flux2_klein", "black-forest-labs/FLUX.2-klein-base-9B", "FLUX Non-Commercial License"),
        ("lift", "depth_anything", "depth-anything/Depth-Anything-V2-Large-hf", "CC-BY-NC-4.0"),
        ("lift", "depth_anything", "depth-anything/Depth-Anything-V2-Metric-Indoor-Base-hf", "CC-BY-NC-4.0"),
        ("lift", "depth_anything_3", "depth-anything/DA3-GIANT-1.1", "CC-BY-NC-4.0"),
        ("lift", "depth_anything_3", "depth-anything/DA3NESTED-GIANT-LARGE", "unknown"),
        ("understand", "llava_next", "somebody/else", "unknown"),
    ],
)
def test_the_chosen_models_own_licence_counts(stage: str, backend: str, model: str, licence: str) -> None:
    """The backend may be used commercially with its default model; with this one it is refused."""
    usual = [f"{stage}.backend={backend}", "commercial=true"]
    if backend != "llava_next":  # its default's text model is not clearly free
        assert recipe.load("embedded", usual).commercial
    with pytest.raises(RecipeError, match="commercial = true refuses") as caught:
        recipe.load("embedded", [*usual, f"{stage}.model={model}"])
    assert f"{stage}.{backend}: {model}: its licence ({licence})" in str(caught.value)


def needs(stage: Stage, name: str, **options: object) -> dict[str, Weights]:
    spec = find(stage, name)
    return {weights.model: weights for weights in needed_weights(spec, spec.options.model_validate(options))}


CLAP, VOCODER = "laion/larger_clap_general", "nvidia/bigvgan_v2_44khz_128band_512x"


def test_sound_models_need_who_chooses_and_mmaudio_its_vocoder(tmp_path: Path) -> None:
    for name in ("stable_audio", "mmaudio"):
        judge = needs("sound", name)[CLAP]
        assert (judge.size_gb, judge.licence) == (0.8, "Apache-2.0")
        for silent in ({"rank": "none"}, {"candidates": 1}, {"rank_model": str(tmp_path)}):
            assert CLAP not in needs("sound", name, **silent)
    assert VOCODER in needs("sound", "mmaudio")
    small = needs("sound", "mmaudio", variant="small_16k")
    assert VOCODER not in small
    assert "weights/mmaudio_small_16k.pth ext_weights/v1-16.pth ext_weights/best_netG.pt" in (
        small["hkchengrex/MMAudio"].command
    )
    assert small["hkchengrex/MMAudio"].size_gb < needs("sound", "mmaudio")["hkchengrex/MMAudio"].size_gb


def test_worldgen_needs_its_lora_too(tmp_path: Path) -> None:
    assert list(needs("panorama", "worldgen")) == ["black-forest-labs/FLUX.1-Fill-dev", "LeoXie/WorldGen"]
    assert list(needs("panorama", "worldgen", model=str(tmp_path))) == ["LeoXie/WorldGen"]
    assert list(needs("panorama", "worldgen", model=str(tmp_path), lora=str(tmp_path))) == []
    package = needs("panorama", "worldgen", engine="package", shared_px=0, model=str(tmp_path))
    assert "black-forest-labs/FLUX.1-Fill-dev" in package


def test_gates_are_known() -> None:
    """Pages that want their licence accepted: Black Forest Labs' non-commercial models, Stability's, Meta's SAM 3."""
    painters, sounds = (
        (find("panorama", "flux_fill"), find("panorama", "flux2_klein")),
        (find("sound", "stable_audio"),),
    )
    gated = {weights.model for spec in painters + sounds for weights in spec.weights if weights.gated}
    assert gated == {
        "black-forest-labs/FLUX.1-Fill-dev",
        "black-forest-labs/FLUX.2-klein-9B",
        "black-forest-labs/FLUX.2-klein-base-9B",
        "stabilityai/stable-audio-open-1.0",
        "stabilityai/stable-audio-3-medium",
    }


@pytest.mark.parametrize("name", [name for name in recipe.names() if name != "embedded"])
def test_all_weights_of_bundled_recipes_are_known(name: str) -> None:
    """Each with its size and licence, each listed once, and their commands are understood where they name the hub."""
    found = stock.items(recipe.load(name))
    assert found
    for item in found:
        assert item.weights.size_gb > 0
        assert item.weights.licence != "unknown"
        assert (item.download is not None) == item.command.startswith("hf download")
    models = [item.weights.model for item in found]
    assert len(set(models)) == len(models)
