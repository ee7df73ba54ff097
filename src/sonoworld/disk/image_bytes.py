"""Images inside other files: judged by their header before anything is decoded."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from sonoworld.errors import UnsafeFileError


def decode_image(raw: bytes, formats: Sequence[str], pixels: tuple[int, int], what: str) -> UInt8[np.ndarray, "h w 4"]:
    """An RGBA image of at least and at most so many pixels, of one of Pillow's formats.

    Raises:
        UnsafeFileError: another size, another format, or damaged.
    """
    least, most = pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken tags are common; the size is judged below, with our limit
            image = Image.open(io.BytesIO(raw), formats=list(formats))
            width, height = image.size
            if not least <= width * height <= most:
                raise UnsafeFileError(f"{what}: expected {least} to {most} pixels, got {width}×{height}")
            return np.asarray(image.convert("RGBA"))
    except UnsafeFileError:
        raise
    except UnidentifiedImageError as error:
        raise UnsafeFileError(f"{what}: expected an image ({', '.join(formats)}), got something else") from error
    except Image.DecompressionBombError as error:
        raise UnsafeFileError(f"{what}: expected {least} to {most} pixels, got more") from error
    except Exception as error:  # decoders fail in many ways on damaged files; all mean the same
        raise UnsafeFileError(f"{what}: expected an image ({', '.join(formats)}): {error}") from error
