"""A given map of part of the sphere, and a pop-up of all of it, become one world.

Letters: s inverse distance (1/m); q log of given over popped-up distance.
Small gaps of the map are continued from what surrounds them; large ones, and what it does not show, take the pop-up's
distances times e^q: q is the map's at the gap's rim, a membrane beyond, and fades out.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.errors import InputError
from sonoworld.lift import membrane
from sonoworld.lift.given import GivenDepthOptions
from sonoworld.lift.given_map import InverseMap
from sonoworld.lift.surface import surface_normals
from sonoworld.sphere import row_elevations
from sonoworld.types import Geometry

NEAREST_SKY_M = 20.0
"""A ceiling may look like sky; where the file says something nearer than this, it is not."""

SPECK_RAD = np.radians(0.6)
"""Patches of infinity narrower than this, that do not look like sky, are faults of the map, as at depth edges."""

HORIZON_RAD = np.radians(3.0)
"""Ground ends, for a renderer, somewhat below the horizon; infinity lower than this that is no sky is a fault."""

GAP_RAD = np.radians(4.0)
"""What is unknown in a patch narrower than this is continued from around it."""

RIM_RAD, FADE_RAD = np.radians(1.0), np.radians(30.0)
"""What stands in a rim so wide is compared, and carried on beyond the border until it has faded over the second."""

LEVEL, LEAST_GROUND = 0.9, 0.01
PLANE = 0.9
"""Pop-up's ground is one plane, cut off here and there: this share of its heights lies below it, or in it."""

MOST_LOG = 1.5
"""Differences beyond are one thing beside another, not one surface continued."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What every pixel gets: `solid` the map's distance, `sky` (in `gaps`: the pop-up's), `gaps` a pop-up's distance.

    Where it is none of these, the map is continued.
    """

    seen: InverseMap
    solid: Bool[np.ndarray, "h w"]
    sky: Bool[np.ndarray, "h w"]
    gaps: Bool[np.ndarray, "h w"]


def asks_for_looks(seen: InverseMap, options: GivenDepthOptions) -> bool:
    """Whether what is sky depends on what looks like sky."""
    complete = bool(seen.known.all() and seen.far.any())
    return options.sky == "parse" or (options.sky == "auto" and not complete)


def place(seen: InverseMap, looks: Bool[np.ndarray, "h w"] | None, options: GivenDepthOptions) -> Placed:
    """Sort pixels of a map in metres; `looks`: what looks like sky, None: not asked."""
    sky = _sky(seen, np.zeros(seen.far.shape, bool) if looks is None else looks, options)
    solid = seen.solid & ~sky
    sky |= solid & (seen.s * options.sky_radius_m <= 1)
    solid &= ~sky
    gaps = _wide(~solid & ~sky, GAP_RAD)
    return Placed(seen, solid, sky, gaps)


def _sky(seen: InverseMap, looks: Bool[np.ndarray, "h w"], options: GivenDepthOptions) -> Bool[np.ndarray, "h w"]:
    match options.sky:
        case "none":
            return np.zeros(looks.shape, bool)
        case "file":
            return seen.far.copy()
        case "parse":
            return looks.copy()
        case "auto":
            above = row_elevations(len(looks))[:, None] > -HORIZON_RAD
            trusted = seen.far & (looks | (above & _wide(seen.far, SPECK_RAD)))
            beyond = seen.solid & (seen.s * NEAREST_SKY_M < 1) & (not seen.far.any())
            return trusted | (looks & (beyond | _wide(~seen.known, GAP_RAD)))


def scale_ratio(seen: InverseMap, popped: Geometry, path: str) -> float:
    """Given over popped-up distance: of the eye's heights over what both say is ground, else of all that both know.

    Heights and not distances, since pop-up ends its ground before what it believes to stand there.

    Raises:
        InputError: there is nothing that both know.
    """
    both = seen.solid & (seen.s > 0) & popped.valid & ~popped.sky
    if not both.any():
        raise InputError(f"{path}: expected distances of more than sky, to set the scale by; got none")
    own = 1 / np.where(seen.solid & (seen.s > 0), seen.s, np.float32(1))
    flat = popped.valid & ~popped.sky & (popped.normal[..., 2] > LEVEL)
    ground = both & flat & (surface_normals(own)[..., 2] > LEVEL)
    if ground.sum() <= LEAST_GROUND * both.sum():
        return float(np.exp(np.median(np.log(own[both]) - np.log(popped.distance[both]))))
    down = np.broadcast_to(np.sin(-row_elevations(len(own)))[:, None], own.shape)
    level = np.quantile((popped.distance * down)[flat], PLANE)
    return float(np.median((own * down)[ground]) / level)


def merged(placed: Placed, popped: Geometry | None, options: GivenDepthOptions, *, metric: bool) -> Geometry:
    """One world of the map and a pop-up in the same scale, which may be None where the map has no gaps."""
    missing = ~placed.solid & ~placed.sky & ~placed.gaps
    s = _continued(placed.seen.s, placed.solid, missing)
    radius = np.float32(options.sky_radius_m)
    distance = 1 / np.maximum(s, 1 / radius)
    sky, valid = placed.sky.copy(), placed.solid | placed.sky
    if popped is not None and placed.gaps.any():
        distance = np.where(placed.gaps, _fitted(distance, popped, placed), distance)
        sky |= placed.gaps & popped.sky
        valid |= placed.gaps & popped.valid
    sky |= distance >= radius
    distance = np.where(sky, radius, distance).astype(np.float32)
    return Geometry(distance, surface_normals(distance), sky, valid, metric)


def _fitted(own: Float32[np.ndarray, "h w"], popped: Geometry, placed: Placed) -> Float32[np.ndarray, "h w"]:
    px = np.pi / len(own)
    q = np.log(own / popped.distance)
    land = ~popped.sky
    rim = placed.solid & (_away(placed.gaps) * px < RIM_RAD) & land & (np.abs(q) < MOST_LOG)
    fading = placed.gaps & (_away(~placed.gaps) * px < FADE_RAD) & land
    still = placed.gaps & ~fading & land
    kind = np.where(rim | still, membrane.KNOWN, np.where(fading, membrane.MISSING, membrane.OUTSIDE)).astype(np.uint8)
    carried = membrane.fill(np.where(rim, q, 0).astype(np.float32)[..., None], kind)[..., 0]
    return popped.distance * np.where(land, np.exp(carried), np.float32(1))


def _continued(
    s: Float32[np.ndarray, "h w"], known: Bool[np.ndarray, "h w"], where: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    kind = np.where(known, membrane.KNOWN, np.where(where, membrane.MISSING, membrane.OUTSIDE)).astype(np.uint8)
    return membrane.fill(s[..., None], kind)[..., 0]


def _wide(these: Bool[np.ndarray, "h w"], angle: float) -> Bool[np.ndarray, "h w"]:
    """Without what is narrower than `angle` (at the horizon), but for corners of what is not; columns wrap."""
    size = max(3, round(angle * len(these) / np.pi)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    wide = np.pad(these, ((size, size), (0, 0)), mode="edge")
    wide = np.pad(wide, ((0, 0), (size, size)), mode="wrap").astype(np.uint8)
    near = cv2.dilate(cv2.morphologyEx(wide, cv2.MORPH_OPEN, disc), disc)
    return these & (near[size:-size, size:-size] > 0)


def _away(these: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Distance to the nearest of these pixels, px; columns wrap."""
    quarter = these.shape[1] // 4
    wide = np.pad(~these, ((0, 0), (quarter, quarter)), mode="wrap").astype(np.uint8)
    away = cv2.distanceTransform(wide, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(away, np.float32)[:, quarter:-quarter]
