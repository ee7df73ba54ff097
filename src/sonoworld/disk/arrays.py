"""Images, masks and plain arrays on disk, read within bounds and without pickles."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from sonoworld.disk import atomic
from sonoworld.errors import InputError, UnsafeFileError

MAX_IMAGE_BYTES = 400 * 2**20
MAX_ARRAY_BYTES = 2 * 2**30


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
        header = file.read(24)
    if header[:8] != b"\x89PNG\r\n\x1a\n":
        raise UnsafeFileError(f"{path}: expected a PNG")
    width, height = (int.from_bytes(header[i : i + 4], "big") for i in (16, 20))
    if not 0 < width * height <= 200_000_000:
        raise UnsafeFileError(f"{path}: expected at most 200 megapixels, its header says {width}×{height}")
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
    """An .npz without compression and without times, so that the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    atomic.write_bytes(path, buffer.getvalue())


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Named arrays of an .npz; sizes are checked before anything is unpacked, pickles are refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(info.file_size for info in archive.infolist())
            if total > MAX_ARRAY_BYTES or len(archive.infolist()) > 64:
                raise UnsafeFileError(
                    f"{path}: expected at most {MAX_ARRAY_BYTES >> 20} MiB of arrays, got {total >> 20}"
                )
        with np.load(path, allow_pickle=False) as stored:
            missing = [name for name in names if name not in stored.files]
            if missing:
                raise UnsafeFileError(f"{path}: expected arrays {', '.join(names)}; missing {', '.join(missing)}")
            return {name: stored[name] for name in names}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UnsafeFileError(f"{path}: expected an .npz of plain arrays: {error}") from error
