"""What hunts have found stays mended: each file or request once broke its reader with another error than its own."""

import asyncio
import io
import zipfile
from pathlib import Path

import fuzz_requests
import numpy as np
import pytest
from fuzz_more_seeds import pictures, splats

from sonoworld.disk.arrays import array_bytes, read_arrays, read_mask
from sonoworld.disk.photo import read_photo
from sonoworld.disk.sog import read_sog
from sonoworld.errors import InputError, RecipeError, UnsafeFileError
from sonoworld.recipe import load
from sonoworld.sound.recordings import read_folder
from sonoworld.study import answers, design
from sonoworld.understand.sources_file import read_soundings

DEEP, LONG = "a = " + "[" * 5000, "a = " + "9" * 5000


@pytest.mark.parametrize("text", [DEEP, LONG], ids=["too deep", "too many digits"])
def test_toml_that_python_gives_up(tmp_path: Path, text: str) -> None:
    for name in ("recipe.toml", "sounds.toml"):
        (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError, match="not TOML"):
        load(str(tmp_path / "recipe.toml"))
    with pytest.raises(RecipeError):
        load("embedded", ["panorama.width=" + text[4:]])
    with pytest.raises(InputError, match="expected TOML"):
        read_soundings(str(tmp_path / "recipe.toml"), 64, None)
    with pytest.raises(InputError, match="expected TOML"):
        read_folder(tmp_path)


def npz(name: str, part: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, part)
    return out.getvalue()


HEAD = b"\x93NUMPY\x01\x00\x76\x00"


def header(text: str) -> bytes:
    return HEAD + text.encode().ljust(0x75) + b"\n"


@pytest.mark.parametrize(
    "part",
    [
        b"no array at all",
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }") + bytes(4),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + bytes(8),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }") + bytes(8),
    ],
    ids=["words", "half a header", "more than memory", "less than nothing", "objects", "more than it says"],
)
def test_arrays_that_are_none(tmp_path: Path, part: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(npz("a.npy", part))
    with pytest.raises(UnsafeFileError, match="of plain arrays"):
        read_arrays(tmp_path / "a.npz", ("a",))


@pytest.mark.parametrize("array", [np.float32(3.5), np.zeros((2, 0)), np.asfortranarray(np.arange(6.0).reshape(2, 3))])
def test_arrays_of_every_shape_are_read(tmp_path: Path, array: np.ndarray) -> None:
    (tmp_path / "a.npz").write_bytes(array_bytes({"a": np.asarray(array)}))
    read = read_arrays(tmp_path / "a.npz", ("a",))["a"]
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype
    with np.load(tmp_path / "a.npz") as stored:
        np.testing.assert_array_equal(read, stored["a"])
    if read.size:
        read.reshape(-1)[0] = 1  # what is read may be written to


def test_errors_of_archives_are_short(tmp_path: Path) -> None:
    data = splats()["sog"]["a.sog"]
    at = data.index(b"meta.json") - 30
    (tmp_path / "a.sog").write_bytes(data[: at + 26] + b"\xff\x7f" + data[at + 28 :])
    with pytest.raises(UnsafeFileError) as caught:
        read_sog(tmp_path / "a.sog")
    assert len(str(caught.value)) < 500


def test_broken_tags_are_no_warning(tmp_path: Path) -> None:
    whole = pictures()["deflate.tif"]
    for at in range(8, 400, 3):
        (tmp_path / "a.tif").write_bytes(whole[:-at] if at % 2 else whole[: -at - 8] + b"\xff" * 8 + whole[-at:])
        try:
            read_photo(tmp_path / "a.tif")
        except InputError as error:
            assert "a.tif" in str(error)


@pytest.mark.parametrize("length", ["abc", "-1", "", "9" * 5000])
def test_a_length_that_is_no_number(length: str) -> None:
    request = (
        f"POST /{fuzz_requests.TOKEN}/api/photos?name=a.jpg\nhost: 127.0.0.1\ncontent-length: {length}\n\nno photo"
    )
    status, _ = asyncio.run(fuzz_requests.ask(request.encode()))
    assert status in (400, 413)


def test_a_picture_of_many_bytes_a_pixel(tmp_path: Path) -> None:
    """60 megapixels of 16-bit RGBA took 1.7 GB to be read as a mask."""
    sides = (8000).to_bytes(4, "big") + (7500).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + sides + b"\x10\x06\0\0\0")
    with pytest.raises(UnsafeFileError, match="of 8 bytes"):
        read_mask(tmp_path / "a.png")


def test_answers_of_infinity(tmp_path: Path) -> None:
    (tmp_path / "sent.json").write_text('{"study": "x", "listener": Infinity, "checks": [], "answers": []}')
    key = answers.Key("x", design.plan(("a", "b"), ("c", "d"), 2), ())
    with pytest.raises(InputError, match="not answers of a study"):
        answers.read([tmp_path / "sent.json"], key)
