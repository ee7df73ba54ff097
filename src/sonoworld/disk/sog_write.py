"""SOG files of splats, written: see `sog.py` for what they are.

Splats are put in Morton order (Morton 1966) of their stored positions, so that neighbours in space are neighbours in
the images, which is most of what compression there is.
"""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from sonoworld.disk import atomic
from sonoworld.disk.sog import FIRST_TAG, META, OTHER_PARTS, PALETTE_COLUMNS
from sonoworld.disk.sog_codebook import codebook, palette
from sonoworld.disk.splat_file_checks import bytes_of_logits
from sonoworld.errors import InputError
from sonoworld.types import Splats

MAX_SIDE_PX = 16383
"""Of a WebP image."""

EXACT_PALETTE = 4096
EFFORT = 3
"""Of WebP's 0..6: beyond, files get 1 % smaller and take three times as long."""


def write_sog(path: Path, splats: Splats) -> None:
    """Write splats as one `.sog` file or, for a path named `meta.json`, as that file and images beside it.

    Same splats, same bytes. Kept are: positions to 16 bits of a logarithmic range, rotations to about 0.5°, sizes and
    colours to a codebook of 256, opacity to 1/255, higher harmonics to a palette of at most 65 536.

    Raises:
        InputError: more splats than a WebP image has pixels, or none.
    """
    if not 0 < len(splats) <= (MAX_SIDE_PX - 3) ** 2:
        raise InputError(f"{path}: expected 1 to {(MAX_SIDE_PX - 3) ** 2} splats, got {len(splats)}")
    images, meta = _encoded(splats)
    files = {name: _webp(pixels) for name, pixels in images.items()}
    text = (json.dumps(meta, indent=1, allow_nan=False) + "\n").encode()
    if path.name == META:
        for name, data in files.items():
            atomic.write_bytes(path.with_name(name), data)
        atomic.write_bytes(path, text)
        return
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {META: text, **files}.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # without a time, so that the same splats give the same bytes
    atomic.write_bytes(path, buffer.getvalue())


def _encoded(splats: Splats) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """Images by name, and what `meta.json` says."""
    squeezed = np.sign(splats.means) * np.log1p(np.abs(splats.means.astype(np.float64)))
    mins, maxs = squeezed.min(0), squeezed.max(0)
    steps = np.rint(65535 * (squeezed - mins) / np.where(maxs > mins, maxs - mins, 1)).astype(np.int64)
    order = np.argsort(_morton(steps), kind="stable")
    steps = steps[order]
    sizes, size_labels = codebook(splats.log_scales[order])
    colours, colour_labels = codebook(splats.sh[order, 0])
    alpha = bytes_of_logits(splats.opacity_logits[order])[:, None]
    images = {
        "means_l.webp": _picture((steps & 255).astype(np.uint8)),
        "means_u.webp": _picture((steps >> 8).astype(np.uint8)),
        "scales.webp": _picture(size_labels),
        "quats.webp": _picture(_quaternions(splats.quats[order])),
        "sh0.webp": _picture(np.concatenate([colour_labels, alpha], 1)),
    }
    meta: dict[str, object] = {
        "version": 2,
        "asset": {"generator": "sonoworld"},
        "count": len(splats),
        "means": {"mins": mins.tolist(), "maxs": maxs.tolist(), "files": ["means_l.webp", "means_u.webp"]},
        "scales": {"codebook": sizes.tolist(), "files": ["scales.webp"]},
        "quats": {"files": ["quats.webp"]},
        "sh0": {"codebook": colours.tolist(), "files": ["sh0.webp"]},
    }
    if splats.sh.shape[1] > 1:
        higher, meta["shN"] = _higher(splats.sh[order, 1:])
        images |= higher
    return images, meta


def _higher(rest: Float32[np.ndarray, "n k 3"]) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    n, each = rest.shape[:2]
    # As many entries as PlayCanvas' writer takes, 1024 for each doubling of the splats; more for very few splats.
    size = max(EXACT_PALETTE, min(64, 1 << max(0, (n // 1024).bit_length() - 1)) * 1024)
    entries, labels = palette(rest.reshape(n, 3 * each), size)
    values, coded = codebook(entries)
    rows = -(-len(entries) // PALETTE_COLUMNS)
    table = np.zeros((rows * PALETTE_COLUMNS, each, 3), np.uint8)
    table[: len(entries)] = coded.reshape(-1, each, 3)
    stored = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], 1).astype(np.uint8)
    images = {
        "shN_centroids.webp": table.reshape(rows, PALETTE_COLUMNS * each, 3),
        "shN_labels.webp": _picture(stored),
    }
    files = ["shN_centroids.webp", "shN_labels.webp"]
    bands = round((each + 1) ** 0.5) - 1
    return images, {"count": len(entries), "bands": bands, "codebook": values.tolist(), "files": files}


def _morton(steps: Int64[np.ndarray, "n 3"]) -> Int64[np.ndarray, "n"]:
    """Bits of the three 16-bit numbers in turn, the highest first."""
    code = np.zeros(len(steps), np.int64)
    for axis in range(3):
        spread = steps[:, axis].copy()
        for shift, mask in ((16, 0x0000FF0000FF), (8, 0x00F00F00F00F), (4, 0x0C30C30C30C3), (2, 0x249249249249)):
            spread = (spread | (spread << shift)) & mask
        code |= spread << axis
    return code


def _quaternions(quats: Float32[np.ndarray, "n 4"]) -> UInt8[np.ndarray, "n 4"]:
    q = quats / np.linalg.norm(quats, axis=1, keepdims=True)
    largest = np.abs(q).argmax(1)
    sign = np.where(np.take_along_axis(q, largest[:, None], 1) < 0, -1, 1)
    small = np.clip(np.rint(255 * (np.take_along_axis(q, OTHER_PARTS[largest], 1) * sign * np.sqrt(0.5) + 0.5)), 0, 255)
    return np.concatenate([small, FIRST_TAG + largest[:, None]], 1).astype(np.uint8)


def _picture(rows: UInt8[np.ndarray, "n c"]) -> UInt8[np.ndarray, "h w c"]:
    """One pixel a splat, row by row; the sides are multiples of 4, the rest stays 0."""
    width = 4 * -(-(int(np.ceil(np.sqrt(len(rows))))) // 4)
    height = 4 * -(-len(rows) // (4 * width))
    picture = np.zeros((height * width, rows.shape[1]), np.uint8)
    picture[: len(rows)] = rows
    return picture.reshape(height, width, rows.shape[1])


def _webp(pixels: UInt8[np.ndarray, "h w c"]) -> bytes:
    buffer = io.BytesIO()
    # `exact` keeps the colour of pixels whose alpha, here an opacity, is 0
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, exact=True, quality=75, method=EFFORT)
    return buffer.getvalue()
