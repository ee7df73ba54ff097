"""Images, masks and plain arrays on disk, read within bounds and without pickles."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

import cv2
import numpy as np

from sonoworld.disk import atomic
from sonoworld.errors import InputError, UnsafeFileError

MAX_IMAGE_BYTES = 400 * 2**20
MAX_PIXELS = 2**26
"""A panorama has at most 8192×4096, half of this."""
MAX_PIXEL_BYTES = 2**28
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of PNG's kinds of colour: grey, RGB, palette, each also with alpha."""
MAX_ARRAY_BYTES = 2 * 2**30
MAX_EXPANSION, FREE_BYTES = 100, 2**26
"""Bytes of arrays for a byte of file, where they are more than `FREE_BYTES`: ours are stored as they are."""


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a gray [h w] or RGB [h w 3] uint8 image as PNG."""
    pixels = image if image.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not ok:
        raise InputError(f"{path.name}: the image {image.shape} could not be encoded as PNG")
    atomic.write_bytes(path, data.tobytes())


def read_image(path: Path, *, gray: bool = False) -> np.ndarray:
    """Read a PNG as uint8 RGB [h w 3], or [h w] with `gray`.

    Raises:
        UnsafeFileError: missing, too large, not a PNG, corrupt.
    """
    if not path.is_file() or path.stat().st_size > MAX_IMAGE_BYTES:
        raise UnsafeFileError(f"{path}: expected a PNG of at most {MAX_IMAGE_BYTES >> 20} MiB, found none such")
    with path.open("rb") as file:
        header = file.read(26)
    if header[:8] != b"\x89PNG\r\n\x1a\n":
        raise UnsafeFileError(f"{path}: expected a PNG")
    width, height = (int.from_bytes(header[i : i + 4], "big") for i in (16, 20))
    # PNG (W3C 2003) 11.2.2: after the sides, bits a channel and the kind of colour
    pixel_bytes = header[24] / 8 * CHANNELS.get(header[25], 0) if len(header) == 26 else 0
    if not 0 < width * height * pixel_bytes <= MAX_PIXEL_BYTES or width * height > MAX_PIXELS:
        raise UnsafeFileError(
            f"{path}: expected at most {MAX_PIXELS} pixels, its header says {width}×{height} of {pixel_bytes:g} bytes"
        )
    data = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)
    if image is None:
        raise UnsafeFileError(f"{path}: the PNG is corrupt")
    return image if gray else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_mask(path: Path) -> np.ndarray:
    """Read a mask [h w] bool; white is True."""
    return read_image(path, gray=True) > 127


def write_mask(path: Path, mask: np.ndarray) -> None:
    """Write a mask [h w] bool as a black and white PNG."""
    write_image(path, mask.astype(np.uint8) * 255)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an .npz; see `array_bytes`."""
    atomic.write_bytes(path, array_bytes(arrays))


def array_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An .npz without compression and without times, so that the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return buffer.getvalue()


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Named arrays of an .npz; sizes are checked before anything is unpacked, pickles are refused.

    Raises:
        UnsafeFileError: missing, no .npz, too large, without one of the names, or not arrays of plain numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(info.file_size for info in archive.infolist())
            most = min(MAX_ARRAY_BYTES, max(FREE_BYTES, MAX_EXPANSION * path.stat().st_size))
            if total > most or len(archive.infolist()) > 64:
                raise UnsafeFileError(f"{path}: expected at most {most >> 20} MiB of arrays, got {total >> 20}")
            missing = [name for name in names if f"{name}.npy" not in archive.NameToInfo]
            if missing:
                raise UnsafeFileError(f"{path}: expected arrays {', '.join(names)}; missing {', '.join(missing)}")
            return {name: _array(archive, f"{name}.npy") for name in names}
    # what zipfile raises on hostile archives: RuntimeError for encrypted ones, NotImplementedError for odd methods
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnsafeFileError(f"{path}: expected an .npz of plain arrays: {str(error)[:200]}") from error


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array; memory is taken only once its header and the archive agree on its size.

    Raises:
        ValueError: another version, no numbers, or more or fewer bytes than its header says.
    """
    with archive.open(name) as file:
        version = np.lib.format.read_magic(cast("BinaryIO", file))
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{name}: expected .npy version 1 or 2, got {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        try:
            shape, by_column, dtype = read(cast("BinaryIO", file))
        except Exception as error:  # the header is Python source, and fails in as many ways
            raise ValueError(f"{name}: expected a header of .npy, got {str(error)[:100]!r} from it") from error
        size = math.prod(shape) * dtype.itemsize
        left = archive.NameToInfo[name].file_size - file.tell()
        if dtype.hasobject or min(shape, default=0) < 0 or size != left:
            raise ValueError(f"{name}: expected {left} bytes of numbers, got {dtype} of {str(shape)[:80]}")
        data = np.frombuffer(bytearray(file.read(size)), dtype)
    return data.reshape(shape, order="F" if by_column else "C")
