"""Depth maps of strangers: read, or turned down with one clear error. Never anything else."""

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzz_edits import Edit, edited, edits
from fuzz_outcomes import outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sonoworld.disk.depth_file import MAX_PIXELS, read_depth

GOLDEN = Path(__file__).parent.parent / "golden"
NAMES = ("a.exr", "b.exr", "a.npy", "a.npz", "a.pfm", "a.png", "a.tif", "b.tif")


@cache
def seeds() -> dict[str, bytes]:
    """A small map of every kind."""
    z = np.random.default_rng(0).uniform(1, 60, (8, 16)).astype(np.float32)
    npy, npz, lzw = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, z)
    np.savez_compressed(npz, depth=z)
    Image.fromarray(z).save(lzw, "TIFF", compression="tiff_lzw")
    plain = {"a.npy": npy.getvalue(), "a.npz": npz.getvalue(), "b.tif": lzw.getvalue()}
    drawn = {"a.pfm": z, "a.png": (1000 * z).astype(np.uint16), "a.tif": (1000 * z).astype(np.uint16)}
    encoded = {name: cv2.imencode(name[1:], image)[1].tobytes() for name, image in drawn.items()}
    exr = {"a.exr": (GOLDEN / "depth_zip.exr").read_bytes(), "b.exr": (GOLDEN / "depth_none.exr").read_bytes()}
    return {**plain, **encoded, **exr}


def read(path: Path) -> str:
    found = read_depth(path)
    assert found.values.dtype == np.float32
    assert found.values.ndim == 2
    assert 4 <= found.values.size <= MAX_PIXELS
    return "read"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_seeds_are_valid(folder: Path) -> None:
    assert sorted(seeds()) == sorted(NAMES)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)
        assert outcome(read, folder / name) == "read", name


@settings(max_examples=600)
@given(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES), changes=edits(600))
def test_bytes(folder: Path, name: str, other: str, changes: list[Edit]) -> None:
    path = folder / name
    path.write_bytes(edited(seeds()[name], changes, seeds()[other]))
    outcome(read, path)
