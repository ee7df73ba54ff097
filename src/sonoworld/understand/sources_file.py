"""Reading a sources file:

[[source]]
label = "church bell"
prompt = "a church bell ringing slowly"    # default: the label
spread = "point"                           # point | area | ambient; default: area for shapes, else point
level_db = 95.0                            # dB SPL at 1 m; default by label and spread (levels.py)
direction_deg = [40.0, 10.0]               # azimuth (left +), elevation; or one of:
# box_px = [x0, y0, x1, y1]                # in pixels of the photo (of the panorama if there is no photo camera)
# polygon_px = [[x, y], [x, y], [x, y]]
# pixels = "photo"                         # or "panorama"
"""  # noqa: D415  an example ends the sentence

import math
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
from jaxtyping import Bool
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sonoworld import sphere
from sonoworld.errors import InputError
from sonoworld.frames import direction_from_angles
from sonoworld.types import Camera, Sounding, Spread
from sonoworld.understand.levels import default_level_db

MAX_BYTES = 2**20
MAX_SOURCES = 256

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Entry(BaseModel):
    """One [[source]] table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
    prompt: Text | None = None
    spread: Spread | None = None
    level_db: Annotated[float, Field(ge=-20, le=180)] | None = None
    direction_deg: tuple[Finite, Annotated[float, Field(ge=-90, le=90)]] | None = None
    box_px: tuple[Finite, Finite, Finite, Finite] | None = None
    polygon_px: Annotated[list[tuple[Finite, Finite]], Field(min_length=3, max_length=10_000)] | None = None
    pixels: Literal["photo", "panorama"] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "_Entry":
        places = [n for n in ("direction_deg", "box_px", "polygon_px") if getattr(self, n) is not None]
        if self.spread is Spread.AMBIENT:
            if places:
                raise ValueError(f"an ambient source has no place, got {', '.join(places)}")
        elif len(places) != 1:
            got = ", ".join(places) or "none"
            raise ValueError(f"expected exactly one of direction_deg, box_px, polygon_px; got {got}")
        if self.spread is Spread.AREA and self.direction_deg is not None:
            raise ValueError("an area needs box_px or polygon_px, got direction_deg")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[list[_Entry], Field(min_length=1, max_length=MAX_SOURCES)]


def read_soundings(path: str, height: int, camera: Camera | None) -> tuple[Sounding, ...]:
    """Soundings of a file, masks on a panorama of `height` rows.

    Raises:
        InputError: the file cannot be read or says something impossible; names file, source and key.
    """
    file = _parse(Path(path))
    return tuple(_sounding(path, i, entry, height, camera) for i, entry in enumerate(file.source, 1))


def _parse(path: Path) -> _File:
    if not path.is_file():
        raise InputError(f"{path}: expected a sources file (understand.path), found nothing")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: expected a sources file of at most {MAX_BYTES} bytes")
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: expected TOML: {error}") from error
    try:
        return _File.model_validate(document)
    except ValidationError as error:
        lines = [_explain(path, problem["loc"], problem["msg"], problem.get("input")) for problem in error.errors()]
        raise InputError("\n".join(lines)) from error


def _explain(path: Path, place: tuple[int | str, ...], message: str, got: object) -> str:
    parts = list(place)
    where = str(path)
    if len(parts) > 1 and parts[0] == "source" and isinstance(parts[1], int):
        where, parts = f"{path}: source {parts[1] + 1}", parts[2:]
    key = ".".join(str(part) for part in parts)
    shown = "" if isinstance(got, dict) else f", got {got!r}"
    return f"{where}: {key + ': ' if key else ''}{message}{shown}"[:400]


def _sounding(path: str, number: int, entry: _Entry, height: int, camera: Camera | None) -> Sounding:
    direction = mask = None
    if entry.direction_deg is not None:
        azimuth, elevation = (np.array(math.radians(angle)) for angle in entry.direction_deg)
        direction = direction_from_angles(azimuth, elevation)
    elif entry.box_px is not None or entry.polygon_px is not None:
        mask = _mask(path, number, entry, height, camera)
        if not mask.any():
            raise InputError(f"{path}: source {number}: the shape covers no pixel of the picture")
    spread = entry.spread or (Spread.AREA if mask is not None else Spread.POINT)
    label, prompt = entry.label.strip(), (entry.prompt or entry.label).strip()
    return Sounding(
        label,
        prompt,
        spread,
        default_level_db(label, prompt, spread) if entry.level_db is None else entry.level_db,
        1.0,
        "given",
        mask=mask,
        direction=direction,
        reason="said by hand",
    )


def _mask(path: str, number: int, entry: _Entry, height: int, camera: Camera | None) -> Bool[np.ndarray, "h w"]:
    pixels = entry.pixels or ("panorama" if camera is None else "photo")
    if pixels == "photo":
        if camera is None:
            raise InputError(f"{path}: source {number}: pixels = 'photo', but the picture is a panorama")
        return _through_camera(entry, height, camera)
    u, v = np.meshgrid(np.arange(2 * height) + 0.5, np.arange(height) + 0.5)
    if entry.box_px is None:
        return _inside_polygon(entry, u, v)
    x0, y0, x1, y1 = entry.box_px
    across = (u >= x0) & (u < x1) if x0 <= x1 else (u >= x0) | (u < x1)  # x0 > x1: the box crosses ±180°
    return across & (v >= min(y0, y1)) & (v < max(y0, y1))


def _through_camera(entry: _Entry, height: int, camera: Camera) -> Bool[np.ndarray, "h w"]:
    """A shape in photo pixels, decided exactly at every panorama pixel's direction."""
    directions = sphere.pixel_directions(height)
    x, y, ahead = sphere.camera_pixel_from_direction(directions, camera.K, camera.world_from_camera)
    width_px, height_px = camera.size_px
    seen = ahead & (x >= 0) & (x < width_px) & (y >= 0) & (y < height_px)
    if entry.box_px is None:
        return seen & _inside_polygon(entry, np.where(seen, x, -1.0), np.where(seen, y, -1.0))
    x0, y0, x1, y1 = entry.box_px
    return seen & (x >= min(x0, x1)) & (x < max(x0, x1)) & (y >= min(y0, y1)) & (y < max(y0, y1))


def _inside_polygon(entry: _Entry, x: np.ndarray, y: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """Drawn at 1/16 px in the shape's own plane, then looked up; the picture's plane may be any size."""
    assert entry.polygon_px is not None
    corners = np.array(entry.polygon_px)
    low = np.floor(corners.min(0)) - 1
    size = np.ceil(corners.max(0)) + 2 - low
    scale = min(1.0, 8192 / size.max())
    canvas = np.zeros((int(size[1] * scale) + 1, int(size[0] * scale) + 1), np.uint8)
    points = np.round((corners - low) * scale * 16 - 8).astype(np.int32)
    cv2.fillPoly(canvas, [points], 1, cv2.LINE_8, 4)
    column = np.floor((x - low[0]) * scale).astype(int)
    row = np.floor((y - low[1]) * scale).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < canvas.shape[1]) & (row < canvas.shape[0])
    return inside & (canvas[np.where(inside, row, 0), np.where(inside, column, 0)] > 0)
