"""The conformance suite over every installed backend, and the suite itself against backends that cheat."""

import dataclasses
import itertools
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ConfigDict

from sonoworld import testing
from sonoworld.backend import BACKEND_STAGES, Backend, Listing, Options, Run, find, installed, require_available
from sonoworld.disk.splat_file import write_splats
from sonoworld.disk.wav import write_wav
from sonoworld.errors import BackendMissingError, RecipeError

LISTINGS = installed()


def options_for(spec: Backend, tmp_path: Path) -> Options | None:
    """Options of the backends that have no defaults."""
    if (spec.stage, spec.name) == ("calibrate", "given"):
        return spec.options.model_validate({"fov_deg": 60.0})
    if (spec.stage, spec.name) == ("understand", "given"):
        path = tmp_path / "sources.toml"
        path.write_text('[[source]]\nlabel = "bell"\nspread = "point"\ndirection_deg = [30, 10]\n')
        return spec.options.model_validate({"path": str(path)})
    if (spec.stage, spec.name) == ("sound", "folder"):
        samples = np.random.default_rng(0).normal(0, 0.1, 144_000).astype(np.float32)
        write_wav(tmp_path / "wind.wav", samples[None], 48_000)
        return spec.options.model_validate({"path": str(tmp_path), "seconds": 4})
    if (spec.stage, spec.name) == ("lift", "marble_file"):
        splats = find("seed", "footprint").make(find("seed", "footprint").options())
        world = splats(testing.tiny_panorama(), testing.tiny_geometry(), Run(np.random.default_rng(0)))
        write_splats(tmp_path / "world.spz", world, axes="RDF")
        return spec.options.model_validate({"path": str(tmp_path / "world.spz"), "metric_scale_factor": 1.0})
    if (spec.stage, spec.name) == ("lift", "given"):
        np.save(tmp_path / "map.npy", testing.tiny_geometry().distance)
        return spec.options.model_validate({"path": str(tmp_path / "map.npy")})
    if (spec.stage, spec.name) == ("lift", "mesh_file"):
        path = tmp_path / "ground.obj"
        path.write_text("v -9 -1.6 -9\nv 9 -1.6 -9\nv 9 -1.6 9\nv -9 -1.6 9\nf 1 2 3 4\n")
        return spec.options.model_validate({"paths": [str(path)]})
    return None


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda entry: f"{entry.stage}.{entry.name}")
def test_every_installed_backend_keeps_its_contract(listing: Listing, tmp_path: Path) -> None:
    assert listing.backend is not None, listing.reason
    if listing.backend.weights:  # run in tests/models, on tiny checkpoints
        testing.check_declaration(listing.backend)
        assert all(w.size_gb > 0 and w.licence and w.command for w in listing.backend.weights)
        return
    if (listing.stage, listing.name) in {("understand", "vlm"), ("lift", "marble")}:  # on servers of our own elsewhere
        testing.check_declaration(listing.backend)
        return
    require_available(listing.backend)
    testing.check_backend(listing.backend, options_for(listing.backend, tmp_path))


def test_every_stage_has_a_backend() -> None:
    assert {listing.stage for listing in LISTINGS} == set(BACKEND_STAGES)


def test_unknown_and_broken_backends_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"expected one of .*popup"):
        find("lift", "magic")
    entry = EntryPoint("broken", "no.such.module:X", "sonoworld.lift")
    monkeypatch.setattr("sonoworld.backend.entry_points", lambda group: [entry])
    (listing,) = installed("lift")
    assert not listing.available
    assert "failed to load" in listing.reason
    with pytest.raises(BackendMissingError, match="failed to load"):
        find("lift", "broken")


class Loose(Options):
    model_config = ConfigDict(extra="allow", frozen=True)


def cheat(**changes: Any) -> Backend:
    good = Backend("calibrate", "cheat", "1", "always the same camera", Options, lambda _: _same_camera)
    return dataclasses.replace(good, **changes)


def _same_camera(photo: object, run: object) -> object:
    return testing.tiny_camera()


def _moody(options: Options) -> Any:
    def see(photo: object, run: object) -> object:
        camera = testing.tiny_camera()
        return dataclasses.replace(camera, K=camera.K + np.diag([next(MOODS), 0, 0]))

    del options
    return see


MOODS = itertools.count(1)


def test_an_honest_backend_passes() -> None:
    testing.check_backend(cheat())


@pytest.mark.parametrize(
    ("backend", "rule"),
    [
        (cheat(options=Loose), "misspelt option is accepted"),
        (cheat(name="Not A Name"), "lower case"),
        (cheat(summary=" "), "summary is empty"),
        (cheat(make=lambda _: lambda photo, run: "a camera"), "returns a Camera"),
        (cheat(make=_moody), "different results"),
    ],
)
def test_cheats_are_caught(backend: Backend, rule: str) -> None:
    with pytest.raises(testing.ConformanceError, match=rule):
        testing.check_backend(backend)
