"""One picture of a whole world: panorama with what sounds where, depth, normals, views at the eye and a step beside."""

import cv2
import numpy as np
from jaxtyping import UInt8

from sonoworld.render.preview import Stop, depth_picture, normal_picture, splat_views
from sonoworld.sphere import pixel_from_direction
from sonoworld.types import Scene, Source, Spread

WIDTH_PX = 1280
DOTS = 120
"""About so many points of an area are drawn, so that the picture behind them is seen."""
COLOURS: dict[Spread, tuple[int, int, int]] = {Spread.POINT: (255, 90, 60), Spread.AREA: (40, 200, 255)}
AROUND = tuple(
    Stop(f"{name}", yaw=yaw) for name, yaw in (("ahead", 0.0), ("left", 1.5708), ("behind", 3.1416), ("right", -1.5708))
)
STEP_M = 0.5
ASIDE = tuple(Stop(f"{STEP_M:g} m to the left, {at.caption}", (0.0, STEP_M, 0.0), at.yaw) for at in AROUND)


def world_preview(scene: Scene) -> UInt8[np.ndarray, "h w 3"]:
    """Panorama with sources and the photo's outline, depth beside normals, views at the eye and a step to its side.

    sRGB, `WIDTH_PX` wide.
    """
    size = (WIDTH_PX // 4, WIDTH_PX // 5)
    half = WIDTH_PX // 2
    rows = (
        sources_on_panorama(scene),
        np.concatenate(
            [depth_picture(scene.geometry, width_px=half), normal_picture(scene.geometry, width_px=half)], 1
        ),
        splat_views(scene.splats, (*AROUND, *ASIDE), size_px=size),
    )
    return np.concatenate([_as_wide(row) for row in rows])


def sources_on_panorama(scene: Scene) -> UInt8[np.ndarray, "h w 3"]:
    """The panorama with the photo outlined, points ringed and areas dotted, each with its label and level."""
    picture = cv2.resize(scene.panorama.rgb, (WIDTH_PX, WIDTH_PX // 2), interpolation=cv2.INTER_AREA)
    known = cv2.resize(
        scene.panorama.known.astype(np.uint8), (WIDTH_PX, WIDTH_PX // 2), interpolation=cv2.INTER_NEAREST
    )
    if not scene.panorama.known.all():
        outline = cv2.morphologyEx(known, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        picture[outline] = (255, 255, 255)
    for source in scene.sources:
        _mark(picture, source)
    around = [f"{s.label} {s.level_db:.0f} dB" for s in scene.sources if s.spread is Spread.AMBIENT]
    if around:
        _label(picture, "all around: " + ", ".join(around), (12, WIDTH_PX // 2 - 14), (255, 255, 255))
    return picture


def _mark(picture: UInt8[np.ndarray, "h w 3"], source: Source) -> None:
    centroid = source.centroid
    if centroid is None:
        return
    colour = COLOURS[source.spread]
    if source.spread is Spread.AREA:
        shown = source.points[:: max(1, len(source.points) // DOTS)]
        for column, row in zip(*_pixels(shown, picture.shape[0]), strict=True):
            cv2.circle(picture, (int(column), int(row)), 1, colour, -1, cv2.LINE_AA)
    columns, rows = _pixels(centroid[None], picture.shape[0])
    at = int(columns[0]), int(rows[0])
    cv2.circle(picture, at, 9, colour, 2, cv2.LINE_AA)
    _label(picture, f"{source.label} {source.level_db:.0f} dB", (at[0] + 13, at[1] + 5), colour)


def _pixels(points: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    u, v = pixel_from_direction(np.asarray(points, np.float64), height)
    return u.astype(int), v.astype(int)


def _label(picture: UInt8[np.ndarray, "h w 3"], text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    plain = text.encode("ascii", "replace").decode()  # Hershey fonts have no other letters
    (width, _), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    at = min(at[0], picture.shape[1] - width - 4), at[1]
    around = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
    for dx, dy in around:  # a thicker pen would set wider letters
        cv2.putText(picture, plain, (at[0] + dx, at[1] + dy), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(picture, plain, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)


def _as_wide(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "H W 3"]:
    height = round(picture.shape[0] * WIDTH_PX / picture.shape[1])
    return cv2.resize(picture, (WIDTH_PX, height), interpolation=cv2.INTER_AREA)
