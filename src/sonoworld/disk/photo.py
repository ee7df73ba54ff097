"""Reading a photo from a stranger: upright, flattened, 8-bit sRGB, with what the file says of its lens.

Formats: JPEG, PNG (8 and 16 bit, gray, palette, alpha), WebP, TIFF, and HEIC where `pillow-heif` is installed.
"""

import contextlib
import io
import math
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from sonoworld.errors import InputError
from sonoworld.types import Photo, Projection

FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "TIFF")
MIN_SIDE_PX = 64
MAX_PIXELS = 200_000_000
MAX_FILE_BYTES = 500 * 2**20
ROWS_AT_A_TIME = 512
WORKING_SIDE_PX = 4096
"""Longer photos are reduced to this: at 2048 panorama columns even 360° would not show more."""

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)
PANORAMA_RATIO_TOLERANCE = 0.005


def read_photo(path: Path, *, panorama: bool = False) -> Photo:
    """Read, check and normalise a photo; `panorama` says that it is a 2:1 equirectangular one.

    Without `panorama` a 2:1 picture counts as a panorama only if its XMP says so or its left and right edges
    continue each other and its pole rows are constant, as only a sphere's do.

    Raises:
        InputError: missing, unreadable, not an image, corrupt, too small, too large, or not 2:1 with `panorama`.
    """
    image, raw = _open(path)
    with image:
        _check_size(path, image)
        exif_focal = _focal_in_widths(image)
        taken_with = _camera_name(image)
        says_equirectangular = b"equirectangular" in _xmp(image, raw)
        upright = _decode(path, image)
    del image, raw  # of 180 megapixels nothing is held three times
    rgb = _rgb8(upright)
    del upright
    equirectangular = panorama or says_equirectangular or edges_continue(rgb)
    if equirectangular and abs(rgb.shape[1] / rgb.shape[0] - 2) > 2 * PANORAMA_RATIO_TOLERANCE:
        if panorama:
            raise InputError(f"{path}: --panorama expects a 2:1 picture, got {rgb.shape[1]}×{rgb.shape[0]}")
        equirectangular = False  # XMP also marks partial panoramas; those are not a whole sphere
    rgb = _working_size(rgb, whole_sphere=equirectangular)
    if equirectangular:
        return Photo(rgb, taken_with=taken_with, projection=Projection.EQUIRECTANGULAR)
    focal_px = exif_focal * math.hypot(*rgb.shape[:2]) if exif_focal else None
    return Photo(rgb, focal_px=focal_px, taken_with=taken_with)


def _open(path: Path) -> tuple[Image.Image, bytes]:
    if not path.is_file():
        raise InputError(f"{path}: expected a photo file, found {'a folder' if path.is_dir() else 'nothing'}")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(f"{path}: expected at most {MAX_FILE_BYTES >> 20} MiB, got {size >> 20} MiB")
    formats = list(FORMATS)
    with contextlib.suppress(ImportError):
        import pillow_heif  # noqa: PLC0415  optional: the `heic` extra

        pillow_heif.register_heif_opener()
        formats.append("HEIF")
    raw = path.read_bytes()
    Image.init()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # broken tags are common; the size is judged by _check_size, with our limit
            return Image.open(io.BytesIO(raw), formats=formats), raw
    except UnidentifiedImageError as error:
        hint = ""
        if raw[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
            hint = "; it is HEIC: pip install 'sonoworld[heic]'"
        raise InputError(f"{path}: expected an image ({', '.join(formats)}), got something else{hint}") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: the image cannot be read: {error}") from error


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(f"{path}: expected at least {MIN_SIDE_PX} px on each side, got {width}×{height}")
    if width * height > MAX_PIXELS:
        raise InputError(f"{path}: expected at most {MAX_PIXELS // 10**6} megapixels, got {width}×{height}")
    if max(width, height) > 20 * min(width, height):
        raise InputError(f"{path}: expected a photo, got a strip of {width}×{height}")


def _decode(path: Path, image: Image.Image) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", message=".*(EXIF|Truncated File Read|Palette).*")
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS
            try:
                image.load()
                upright = ImageOps.exif_transpose(image)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except Exception as error:  # decoders fail in many ways on corrupt files; all mean the same
        raise InputError(f"{path}: the image is corrupt or incomplete: {error}") from error
    return _to_srgb(upright)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Apply an embedded RGB colour profile; a profile that cannot be applied is taken for sRGB, as browsers do."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=image.mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if turned is None else turned


def _rgb8(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """Any Pillow mode to 8-bit RGB, alpha over white."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image).astype(np.float64)
        full = 65535.0 if image.mode != "F" else max(float(values.max()), 1e-9)
        gray = np.clip(np.round(values * (255.0 / full)), 0, 255).astype(np.uint8)
        return np.repeat(gray[..., None], 3, axis=2)
    width, height = image.size
    rgb = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS_AT_A_TIME):
        bottom = min(top + ROWS_AT_A_TIME, height)
        rgb[top:bottom] = np.asarray(_on_white(image.crop((0, top, width, bottom))))
    return rgb


def _on_white(image: Image.Image) -> Image.Image:
    if not (image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info):
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def _working_size(rgb: np.ndarray, *, whole_sphere: bool) -> UInt8[np.ndarray, "h w 3"]:
    height, width = rgb.shape[:2]
    scale = min(1.0, WORKING_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if whole_sphere:
        half = round(width * scale / 2)
        size = (2 * half, half)
    if size == (width, height):
        return rgb
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)).copy()


def edges_continue(rgb: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether a 2:1 picture closes like a sphere: the ±180° edges continue each other and each pole is one colour."""
    height, width = rgb.shape[:2]
    if abs(width / height - 2) > 2 * PANORAMA_RATIO_TOLERANCE:
        return False
    columns = rgb[:, [0, 1, 2, -3, -2, -1]].astype(np.float64)
    inside = max(np.abs(np.diff(columns[:, i : i + 3], axis=1)).mean() for i in (0, 3))
    across = np.abs(columns[:, 0] - columns[:, -1]).mean()
    closes = across < 2.0 * inside + 1.0
    # At a pole neighbouring columns are almost the same direction: the row varies far less than the picture.
    usual = rgb.std(axis=1).mean() + 1e-9
    poles = np.mean([rgb[row].std(axis=0).mean() for row in (0, -1)])  # a tripod may spoil one of them
    return bool(closes and poles < 0.5 * usual)


def _focal_in_widths(image: Image.Image) -> float | None:
    """EXIF focal length as a fraction of the picture's diagonal, None where the file does not say.

    The 35 mm equivalent is defined on the diagonal of a 36×24 mm frame (CIPA DCG-001).
    """
    exif = _exif(image)
    equivalent = _positive(exif.get(ExifTags.Base.FocalLengthIn35mmFilm))
    if equivalent:
        return equivalent / FULL_FRAME_DIAGONAL_MM
    focal_mm = _positive(exif.get(ExifTags.Base.FocalLength))
    per_unit = _positive(exif.get(ExifTags.Base.FocalPlaneXResolution))
    unit_mm = {2: 25.4, 3: 10.0, 4: 1.0}.get(round(_positive(exif.get(ExifTags.Base.FocalPlaneResolutionUnit)) or 2))
    columns = _positive(exif.get(ExifTags.Base.ExifImageWidth)) or float(image.size[0])
    if not (focal_mm and per_unit and unit_mm):
        return None
    sensor_width_mm = columns / per_unit * unit_mm
    return focal_mm / (sensor_width_mm * math.hypot(*image.size) / image.size[0])


def _positive(value: object) -> float | None:
    """A finite number > 0, or None: EXIF is full of zeros and broken rationals."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _exif(image: Image.Image) -> dict[int, object]:
    try:
        whole = image.getexif()
        return {**dict(whole), **dict(whole.get_ifd(ExifTags.IFD.Exif))}
    except Exception:  # noqa: BLE001  broken EXIF is common and only costs the focal length
        return {}


def _camera_name(image: Image.Image) -> str | None:
    exif = _exif(image)
    words = [str(exif[tag]).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model) if exif.get(tag)]
    name = " ".join(dict.fromkeys(" ".join(words).split()))
    printable = "".join(c for c in name if c.isprintable())[:80]
    return printable or None


def _xmp(image: Image.Image, raw: bytes) -> bytes:
    """The XMP packet around a GPano projection tag, empty when there is none."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    data = packet.encode() if isinstance(packet, str) else bytes(packet)
    if not data:
        start = raw.find(b"<x:xmpmeta", 0, 2**20)
        data = raw[start : start + 65536] if start >= 0 else b""
    at = data.find(b"ProjectionType")
    return data[at : at + 80].lower() if at >= 0 else b""
