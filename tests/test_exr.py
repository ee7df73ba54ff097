"""OpenEXR depth: the files of the reference implementation (golden/make_exr.py) are read to the bit, others refused."""

import struct
from pathlib import Path

import numpy as np
import pytest

from sonoworld.disk.exr import MAX_PIXELS, read_exr
from sonoworld.errors import InputError, UnsafeFileError

GOLDEN = Path(__file__).parent / "golden"
HEIGHT, WIDTH = 37, 12


def depth() -> np.ndarray:
    """What golden/make_exr.py wrote."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    z = 1.5 + x + 100 * y
    z[0, 0] = np.inf
    return z


@pytest.mark.parametrize("name", ["none", "zip"])
def test_float_depth_of_the_reference_writer(name: str) -> None:
    assert np.array_equal(read_exr(GOLDEN / f"depth_{name}.exr"), depth())  # in zip beside three colours of 16 bits


def test_halves_and_whole_numbers() -> None:
    assert np.array_equal(read_exr(GOLDEN / "depth_zips.exr"), depth().astype(np.float16).astype(np.float32))
    noise = np.random.default_rng(0).integers(0, 2**31, (HEIGHT, WIDTH)).astype(np.uint32)
    assert np.array_equal(read_exr(GOLDEN / "depth_noise.exr"), noise.astype(np.float32))  # blocks stored undeflated


def test_channels_by_name() -> None:
    x = np.broadcast_to(np.arange(WIDTH, dtype=np.float32), (HEIGHT, WIDTH))
    for times, name in enumerate("RGB", start=1):
        assert np.array_equal(read_exr(GOLDEN / "depth_zip.exr", name), x * times)
    with pytest.raises(InputError, match=r"expected channel depth, got B, G, R, ViewLayer\.Depth\.Z"):
        read_exr(GOLDEN / "depth_zip.exr", "depth")


def changed(tmp_path: Path, old: bytes, new: bytes, name: str = "none") -> Path:
    data = (GOLDEN / f"depth_{name}.exr").read_bytes()
    assert data.count(old) >= 1
    path = tmp_path / "changed.exr"
    path.write_bytes(data.replace(old, new, 1))
    return path


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected no compression, ZIP or ZIPS, got PIZ"):
        read_exr(GOLDEN / "depth_piz.exr")
    head = struct.pack("<II", 20000630, 2)
    for flag, what in ((0x200, "tiles"), (0x800, "deep pixels"), (0x1000, "several parts")):
        with pytest.raises(InputError, match=f"got {what}"):
            read_exr(changed(tmp_path, head, struct.pack("<II", 20000630, 2 | flag)))


def test_lies_about_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    window = struct.pack("<4i", 0, 0, WIDTH - 1, HEIGHT - 1)
    huge = struct.pack("<4i", 0, 0, 2**20, 2**20)
    with pytest.raises(UnsafeFileError, match=f"at most {MAX_PIXELS} pixels"):
        read_exr(changed(tmp_path, window, huge))
    for wrong in ((0, 0, -1, 5), (0, 0, WIDTH, HEIGHT - 1), (0, 0, WIDTH - 1, HEIGHT), (0, 7, WIDTH - 1, HEIGHT + 6)):
        with pytest.raises(UnsafeFileError, match="expected"):
            read_exr(changed(tmp_path, window, struct.pack("<4i", *wrong)))


def test_every_cut_is_one_clear_error(tmp_path: Path) -> None:
    whole = (GOLDEN / "depth_zip.exr").read_bytes()
    path = tmp_path / "cut.exr"
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"cut\.exr"):
            read_exr(path)
