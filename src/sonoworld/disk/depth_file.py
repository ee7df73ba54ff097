"""Depth maps by their kind of file, as numbers in whatever unit they have."""

import warnings
import zipfile
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Float32
from PIL import Image

from sonoworld.disk.exr import read_exr
from sonoworld.disk.pfm import read_pfm
from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, SonoworldError, UnsafeFileError

MAX_BYTES, MAX_PIXELS, MAX_ARRAYS = 2**30, 2**26, 64
MOST_16_BIT = 65535.0
NUMBERS = "fui"
"""Kinds of numbers that a distance may be: floating, unsigned, signed."""

PICTURE_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
KINDS = ".png, .tif, .exr, .pfm, .npy or .npz"


@dataclass(frozen=True, slots=True)
class DepthFile:
    """Numbers of a depth map. `whole`: counted in whole units; then `most`, if not None, is the largest that fits."""

    values: Float32[np.ndarray, "h w"]
    whole: bool
    most: float | None = None


def read_depth(path: Path, array: str | None = None) -> DepthFile:
    """Read a depth map: .png (16 bits, grey), .tif/.tiff, .exr, .pfm, .npy or .npz.

    `array` names an array of an .npz or a channel of an .exr; None takes the only one, or one that is called depth.
    Numbers too large for float32 become infinite.

    Raises:
        UnsafeFileError: the file is malformed or too large.
        InputError: another kind of file, or one that holds no depth (colours, 8 bits).
    """
    match path.suffix.lower():
        case ".png" | ".tif" | ".tiff":
            found = _of_array(_read_picture(path), path)
        case ".exr":
            found = DepthFile(read_exr(path, array), whole=False)
        case ".pfm":
            found = DepthFile(read_pfm(path), whole=False)
        case ".npy":
            found = _of_array(_read_npy(path), path)
        case ".npz":
            found = _of_array(_read_npz(path, array), path)
        case other:
            raise InputError(f"{path}: expected depth as {KINDS}, got {other!r}")
    if min(found.values.shape) < 2:
        raise InputError(f"{path}: expected a picture of depth, got {found.values.shape}")
    return found


def _read_picture(path: Path) -> np.ndarray:
    require_file(path, "a depth map", MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about sizes and broken tags: what counts is checked here
            return _picture(path)
    except SonoworldError:
        raise
    except Exception as error:  # broken tags make Pillow raise anything from KeyError to AttributeError
        raise UnsafeFileError(f"{path}: expected a PNG or TIFF picture, got {str(error)[:200]!r} from it") from error


def _picture(path: Path) -> np.ndarray:
    with Image.open(path, formats=("PNG", "TIFF")) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise UnsafeFileError(f"{path}: expected at most {MAX_PIXELS} pixels, got {width}×{height}")
        if image.mode not in PICTURE_MODES:
            raise InputError(
                f"{path}: expected one channel of 16 bits or floating numbers, got {image.mode}: pictures of 8 bits "
                "are too coarse for distances"
            )
        return np.asarray(image)


def _read_npy(path: Path) -> np.ndarray:
    require_file(path, "an .npy file", MAX_BYTES)
    with path.open("rb") as file:
        return _array(file, path)


def _read_npz(path: Path, array: str | None) -> np.ndarray:
    require_file(path, "an .npz file", MAX_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")][:MAX_ARRAYS]
            chosen = _chosen(names, array, path)
            with archive.open(f"{chosen}.npy") as file:
                return _array(cast("BufferedIOBase", file), path)
    # what zipfile raises on hostile archives: RuntimeError for encrypted ones, NotImplementedError for odd methods
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnsafeFileError(f"{path}: expected an .npz file, got {str(error)[:200]!r} from it") from error


def _chosen(names: list[str], array: str | None, path: Path) -> str:
    if array is None and len(names) == 1:
        return names[0]
    for name in ("depth", "distance") if array is None else (array,):
        if name in names:
            return name
    told = ", ".join(name[:40] for name in names[:8]) or "none"
    raise InputError(f"{path}: expected array {array or 'depth'}, got {told}: name one (lift.array)")


def _array(file: BufferedIOBase, path: Path) -> np.ndarray:
    """An array as numpy writes them; its size is checked before it is read, and nothing but numbers is."""
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise UnsafeFileError(f"{path}: expected .npy version 1 or 2, got {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_column, dtype = read(file)
    except SonoworldError:
        raise
    except Exception as error:  # the header is Python source, and fails in as many ways
        raise UnsafeFileError(f"{path}: expected an array of numbers, got {str(error)[:200]!r} from it") from error
    _check(shape, dtype, path)
    size = prod(shape) * dtype.itemsize
    data = file.read(size)
    if len(data) != size:
        raise UnsafeFileError(f"{path}: expected {size} bytes of {dtype} {shape}, got {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_column else "C")


def _of_array(values: np.ndarray, path: Path) -> DepthFile:
    _check(values.shape, values.dtype, path)
    flat = values.reshape([side for side in values.shape if side != 1] if values.ndim > 2 else values.shape)
    with np.errstate(over="ignore"):
        numbers = flat.astype(np.float32)
    if values.dtype.kind == "f":
        return DepthFile(numbers, whole=False)
    most = MOST_16_BIT if values.dtype.itemsize == 2 and values.dtype.kind == "u" else None
    return DepthFile(numbers, whole=True, most=most)


def _check(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    sides = [side for side in shape if side != 1] if len(shape) > 2 else list(shape)
    if len(sides) != 2 or dtype.kind not in NUMBERS or dtype.itemsize < 2:
        raise InputError(f"{path}: expected one number of 16 bits or more a pixel, got {dtype} of {str(shape)[:80]}")
    if min(sides) < 1 or sides[0] * sides[1] > MAX_PIXELS:
        raise UnsafeFileError(f"{path}: expected at most {MAX_PIXELS} pixels, got {sides[1]}×{sides[0]}")
