"""Pictures for people: how far things are, and how the world looks from where one may walk.

All pictures are sRGB uint8 [h w 3].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.render.splat import SplatImage, render_view
from sonoworld.sphere import pinhole
from sonoworld.types import Geometry, Splats

TICKS_M = (0.5, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
BAR_PX, MARGIN_PX = 26, 76
INK = (25, 25, 25)
PAPER = (250, 250, 250)
SKY = (205, 210, 215)
HOLE = (255, 0, 255)
"""Colour of what no splat covers, chosen to be seen."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a preview stands: `position` (x ahead, y left, z up; m) and where it looks, yaw to the left (rad)."""

    caption: str
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw: float = 0.0


def default_stops() -> tuple[Stop, ...]:
    """All around at the eye, then steps of 0.5 m and 1 m ahead and aside, looking ahead and aside."""
    turns = (("ahead", 0.0), ("left", np.pi / 2), ("behind", np.pi), ("right", -np.pi / 2))
    eye = [Stop(f"at the eye, {name}", yaw=yaw) for name, yaw in turns]
    steps = [
        Stop(f"{step:g} m {way}, looking {look}", position, yaw)
        for step in (0.5, 1.0)
        for way, position, look, yaw in (
            ("ahead", (step, 0.0, 0.0), "ahead", 0.0),
            ("left", (0.0, step, 0.0), "ahead", 0.0),
            ("left", (0.0, step, 0.0), "left", np.pi / 2),
            ("back", (-step, 0.0, 0.0), "right", -np.pi / 2),
        )
    ]
    return (*eye, *steps)


def splat_views(
    splats: Splats,
    stops: Sequence[Stop] | None = None,
    *,
    size_px: tuple[int, int] = (480, 320),
    fov: float = np.pi / 2,
    columns: int = 4,
) -> UInt8[np.ndarray, "H W 3"]:
    """A contact sheet of views with captions; what no splat covers is magenta.

    `size_px` (width, height) of one view; `fov` its horizontal field of view in radians.
    """
    chosen = default_stops() if stops is None else tuple(stops)
    tiles = [_captioned(view_from(splats, stop, size_px, fov), stop.caption) for stop in chosen]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
    return np.concatenate(rows, 0)


def view_from(splats: Splats, stop: Stop, size_px: tuple[int, int], fov: float) -> UInt8[np.ndarray, "h w 3"]:
    """One level view."""
    pose = Pose(world_from_camera_rotation(0.0, 0.0, stop.yaw), np.array(stop.position, np.float64))
    return _over_magenta(render_view(splats, pinhole(fov, size_px), size_px, pose))


def depth_picture(
    geometry: Geometry, *, rgb: UInt8[np.ndarray, "h w 3"] | None = None, width_px: int = 1024
) -> UInt8[np.ndarray, "H W 3"]:
    """Distances of a panorama in colour on a log scale, with a bar in metres; near is warm, far is cold, sky is grey.

    Pixels whose distance is not trusted are hatched. With `rgb`, the panorama is put above for comparison.
    """
    distance = _shrunk(geometry.distance, width_px)
    sky, doubtful = _shrunk(geometry.sky, width_px), ~_shrunk(geometry.valid, width_px)
    low, high = _log_range(geometry)
    picture = _coloured(np.log(distance), low, high)
    picture[sky] = SKY
    picture = _hatched(picture, doubtful)
    parts = [picture] if rgb is None else [cv2.resize(rgb, picture.shape[1::-1], interpolation=cv2.INTER_AREA), picture]
    whole = np.concatenate(parts, 0)
    return np.concatenate([whole, _scale_bar(whole.shape[0], low, high, metric=geometry.metric)], 1)


def normal_picture(geometry: Geometry, *, width_px: int = 1024) -> UInt8[np.ndarray, "H W 3"]:
    """Which way surfaces face: red ahead, green left, blue up, each −1..1 as 0..255 (level ground is light blue).

    Sky is grey; pixels whose distance is not trusted are hatched.
    """
    picture = np.rint(127.5 * (1 + np.clip(_shrunk(geometry.normal, width_px), -1, 1))).astype(np.uint8)
    picture[_shrunk(geometry.sky, width_px)] = SKY
    return _hatched(picture, ~_shrunk(geometry.valid, width_px))


def _over_magenta(image: SplatImage) -> UInt8[np.ndarray, "h w 3"]:
    hole = np.array(HOLE, np.float32) / np.float32(255)
    rgb = image.rgb + (1 - image.alpha)[..., None] * hole
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


def _captioned(picture: UInt8[np.ndarray, "h w 3"], caption: str) -> UInt8[np.ndarray, "H W 3"]:
    out = np.ascontiguousarray(np.pad(picture, ((22, 4), (2, 2), (0, 0)), constant_values=255))
    return _text(out, caption, (5, 15))


def _text(picture: np.ndarray, text: str, corner: tuple[int, int]) -> np.ndarray:
    return cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)


def _shrunk(image: np.ndarray, width_px: int) -> np.ndarray:
    size = (width_px, width_px // 2)
    small = cv2.resize(image.astype(np.uint8) if image.dtype == bool else image, size, interpolation=cv2.INTER_NEAREST)
    return small.astype(image.dtype)


def _log_range(geometry: Geometry) -> tuple[float, float]:
    """Natural logs of the nearest and farthest distance that is not sky, at least an octave apart."""
    land = geometry.distance[~geometry.sky] if not geometry.sky.all() else geometry.distance
    low, high = (float(np.log(np.quantile(land, q))) for q in (0.001, 0.999))
    return low, max(high, low + float(np.log(2)))


def _coloured(log: Float32[np.ndarray, "h w"], low: float, high: float) -> UInt8[np.ndarray, "h w 3"]:
    part = np.clip((log - low) / (high - low), 0, 1)
    grey = np.rint(255 * (1 - part)).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(grey, cv2.COLORMAP_TURBO)[..., ::-1])


def _hatched(picture: UInt8[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    y, x = np.indices(where.shape)
    lines = where & ((x + y) % 10 < 1)
    return np.where(lines[..., None], np.uint8(255), picture)


def _scale_bar(height: int, low: float, high: float, *, metric: bool) -> UInt8[np.ndarray, "h m 3"]:
    top, bottom = 34, height - 14
    bar = np.full((height, MARGIN_PX, 3), PAPER, np.uint8)
    ramp = np.linspace(high, low, bottom - top).astype(np.float32)[:, None].repeat(BAR_PX, 1)
    bar[top:bottom, 8 : 8 + BAR_PX] = _coloured(ramp, low, high)
    _text(bar, "m" if metric else "units", (8, 20))
    for tick in TICKS_M:
        at = (high - float(np.log(tick))) / (high - low)
        if 0 <= at <= 1:
            y = top + round(at * (bottom - top - 1))
            cv2.line(bar, (8 + BAR_PX, y), (8 + BAR_PX + 5, y), INK, 1)
            _text(bar, f"{tick:g}", (8 + BAR_PX + 8, y + 4))
    return bar
