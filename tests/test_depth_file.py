"""Depth maps of every kind of file say the same; what is no depth, or lies, is refused with one clear error."""

import pickle
import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sonoworld.disk.depth_file import MAX_PIXELS, read_depth
from sonoworld.disk.pfm import read_pfm
from sonoworld.errors import InputError, UnsafeFileError

Z = (1.0 + np.arange(60).reshape(6, 10) / 8).astype(np.float32)
MM = (1000 * Z).astype(np.uint16)


def test_floats(tmp_path: Path) -> None:
    np.save(tmp_path / "c.npy", Z)
    np.save(tmp_path / "f.npy", np.asfortranarray(Z[None, :, :, None].astype(">f8")))
    np.savez_compressed(tmp_path / "one.npz", anything=Z)
    np.savez(tmp_path / "two.npz", intrinsics=np.eye(3), depth=Z)
    Image.fromarray(Z).save(tmp_path / "a.tiff")
    assert cv2.imwrite(str(tmp_path / "b.tif"), Z)  # another writer
    assert cv2.imwrite(str(tmp_path / "a.pfm"), Z)
    for name in ("c.npy", "f.npy", "one.npz", "two.npz", "a.tiff", "b.tif", "a.pfm"):
        found = read_depth(tmp_path / name)
        assert np.array_equal(found.values, Z), name
        assert (found.whole, found.most) == (False, None), name
    assert np.array_equal(read_depth(tmp_path / "two.npz", "depth").values, Z)


def test_whole_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MM)
    np.save(tmp_path / "wide.npy", MM.astype(np.int32))
    assert cv2.imwrite(str(tmp_path / "a.png"), MM)
    assert cv2.imwrite(str(tmp_path / "a.tif"), MM)
    for name, most in (("a.npy", 65535.0), ("a.png", 65535.0), ("a.tif", 65535.0), ("wide.npy", None)):
        found = read_depth(tmp_path / name)
        assert np.array_equal(found.values, MM.astype(np.float32)), name
        assert (found.whole, found.most) == (True, most), name


def test_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    odd = Z.astype(np.float64)
    odd[0, :3] = np.nan, np.inf, 1e300
    np.save(tmp_path / "odd.npy", odd)
    assert np.array_equal(read_depth(tmp_path / "odd.npy").values[0, :3], [np.nan, np.inf, np.inf], equal_nan=True)


def test_pfm_both_ends_and_bottom_up(tmp_path: Path) -> None:
    path = tmp_path / "a.pfm"
    for scale, order in ((b"-1.0", "<"), (b"1", ">")):
        path.write_bytes(b"Pf\n2 2\n" + scale + b"\n" + struct.pack(f"{order}4f", 3, 4, 1, 2))
        assert read_pfm(path).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.pfm", b"PF\n2 2\n-1\n" + bytes(48), "got three"),
        ("a.pfm", b"Pf\n99999 99999\n-1\n", f"at most {MAX_PIXELS}"),
        ("a.pfm", b"Pf\n2 2\n-1\n" + bytes(12), "expected 16 bytes"),
        ("a.pfm", b"Pf\n2\n", "three lines"),
        ("a.jpg", b"", "expected depth as"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "expected a PNG or TIFF"),
        ("a.tif", b"II*\0\x08\0\0\0\xff\xff", "expected a PNG or TIFF"),
        ("a.npy", b"\x93NUMPY\x03\0", "version 1 or 2"),
        ("a.npz", b"PK\x05\x06", "expected an .npz"),
    ],
)
def test_hostile_bytes(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=what):
        read_depth(tmp_path / name)


def npy(shape: str, descr: str = "'<f4'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode()


@pytest.mark.parametrize("shape", ["(100000, 100000)", "(-5, -5)", "(2, 2)", "(0, 4)", "(4,)", "(2, 2, 3)", "'x'"])
def test_arrays_that_lie(tmp_path: Path, shape: str) -> None:
    (tmp_path / "a.npy").write_bytes(npy(shape))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("depth.npy", npy(shape))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(InputError, match=r"expected .*, got"):
            read_depth(tmp_path / name)


def test_no_pickle(tmp_path: Path) -> None:
    class Told:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "opened",)

    (tmp_path / "a.npy").write_bytes(npy("(2, 2)", "'|O'") + pickle.dumps(np.full((2, 2), Told())))
    np.save(tmp_path / "b.npy", np.full((2, 2), Told()), allow_pickle=True)
    for name in ("a.npy", "b.npy"):
        with pytest.raises(InputError, match="expected one number"):
            read_depth(tmp_path / name)
    assert not (tmp_path / "opened").exists()


def test_what_is_no_depth(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "rgb.png")
    for name, mode in (("grey.png", "L"), ("rgb.png", "RGB")):
        with pytest.raises(InputError, match=f"got {mode}: pictures of 8 bits"):
            read_depth(tmp_path / name)
    np.savez(tmp_path / "a.npz", x=Z, y=Z)
    with pytest.raises(InputError, match="expected array depth, got x, y"):
        read_depth(tmp_path / "a.npz")
    with pytest.raises(InputError, match="nothing there"):
        read_depth(tmp_path / "none.png")
    (tmp_path / "long.pfm").write_bytes(b"Pf\n" + b" " * 300)
    with pytest.raises(UnsafeFileError, match="three lines"):
        read_depth(tmp_path / "long.pfm")
