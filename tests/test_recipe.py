"""Recipes are strict: a misspelt stage, backend or option is named, with what would have been right."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from sonoworld import recipe
from sonoworld.backend import BACKEND_STAGES, installed, needed_weights
from sonoworld.errors import RecipeError
from sonoworld.licences import commercial_objection


def lacking(name: str) -> set[tuple[str, str]]:
    """Backends that a bundled recipe names and that are not installed."""
    text = files("sonoworld.recipes").joinpath(f"{name}.toml").read_text("utf-8")
    tables = {stage: table for stage, table in tomllib.loads(text).items() if isinstance(table, dict)}
    named = {(stage, table["backend"]) for stage, table in tables.items() if "backend" in table}
    return named - {(listing.stage, listing.name) for listing in installed()}


def test_recipes_name_only_backends_that_are_here() -> None:
    assert not {one for name in recipe.names() for one in lacking(name)}


def test_there_is_a_recipe_for_every_purpose() -> None:
    bundled = {"best", "commercial", "embedded", "laptop", "paper-open", "paper-proprietary", "release"}
    assert set(recipe.names()) == bundled


@pytest.mark.parametrize("name", recipe.names())
def test_every_bundled_recipe_is_complete(name: str) -> None:
    loaded = recipe.load(name)
    assert tuple(loaded.choices) == BACKEND_STAGES
    assert loaded.name == name


def test_a_printed_recipe_is_the_same_recipe(tmp_path: Path) -> None:
    original = recipe.load("embedded", ["panorama.width=512", "encode.order=5"])
    path = tmp_path / "embedded.toml"
    path.write_text(recipe.to_toml(original))
    assert recipe.load(str(path)) == original
    assert set(tomllib.loads(path.read_text())) == {*BACKEND_STAGES, "localize", "encode"}


def test_settings_change_one_option() -> None:
    plain = recipe.load("embedded")
    changed = recipe.load("embedded", ["panorama.width=1024", "encode.order = 5"])
    assert changed.choices["panorama"].options.width == 1024  # type: ignore[attr-defined]
    assert changed.encode.order == 5
    assert changed.choices["lift"] == plain.choices["lift"]


def test_another_backend_starts_from_its_own_defaults() -> None:
    changed = recipe.load("embedded", ["calibrate.backend=given", "calibrate.fov_deg=70"])
    assert changed.choices["calibrate"].backend.name == "given"
    assert changed.choices["calibrate"].options.fov_deg == 70  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("panorama.widht=512", r"panorama\.widht: no such option \(expected one of width"),
        ("panorama.width=many", r"panorama\.width: .*'many'"),
        ("panorama.width=-4", r"panorama\.width"),
        ("panoramma.width=512", "unknown stage panoramma"),
        ("panorama.backend=magic", "expected one of embedded"),
        ("panorama", "expected stage.key=value"),
        ("panorama=3", "expected stage.key=value"),
        ("=", "expected stage.key=value"),
    ],
)
def test_wrong_settings_are_named(setting: str, says: str) -> None:
    with pytest.raises(RecipeError, match=says) as caught:
        recipe.load("embedded", [setting])
    assert caught.value.exit_code == 2


def test_wrong_recipes_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"expected a file or one of .*embedded"):
        recipe.load("no-such")
    path = tmp_path / "a.toml"
    for text, says in (
        ("[panorama", "not TOML"),
        ("x = 1", "expected only tables"),
        ("[panorama]\nbackend = 'embedded'", r"\[calibrate\] expected backend"),
        ("[panorama]\nbackend = 3", "expected backend"),
    ):
        path.write_text(text)
        with pytest.raises(RecipeError, match=says):
            recipe.load(str(path))


def test_equal_options_have_equal_digests() -> None:
    one, two = (recipe.load("embedded").choices["panorama"].options for _ in range(2))
    other = recipe.load("embedded", ["panorama.width=512"]).choices["panorama"].options
    assert recipe.digest(one) == recipe.digest(two) != recipe.digest(other)


@pytest.mark.parametrize("name", [name for name in ("laptop",) if not lacking(name)])
def test_a_laptop_downloads_little_and_under_free_licences(name: str) -> None:
    weights = [
        w for choice in recipe.load(name).choices.values() for w in needed_weights(choice.backend, choice.options)
    ]
    assert 0 < sum(w.size_gb for w in weights) <= 3
    assert not [w.model for w in weights if commercial_objection(w.licence)]
