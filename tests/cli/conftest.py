"""One small world, made by the command line with the embedded recipe, shared by all command-line tests."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from sonoworld.cli import main

SETTINGS = ("--set", "panorama.width=512", "--set", "sound.seconds=4", "--no-film")


@pytest.fixture(scope="session")
def demo_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "meadow.jpg"
    shutil.copy(str(files("sonoworld.assets").joinpath("meadow.jpg")), path)
    return path


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, demo_photo: Path) -> Path:
    out = tmp_path_factory.mktemp("worlds") / "world"
    main(["create", str(demo_photo), str(out), *SETTINGS])
    return out
