"""Distances of a pop-up world from its layers.

Letters: h camera height over the ground (m); e elevation of a pixel (rad, up); rho horizontal distance (m), r distance
along the ray (m). The ground: r = h / sin(−e). What stands at the ground's point (rho_0, e_0): rho = rho_0 all the way
up, r = rho / cos(e). Plants: rho grows from rho_0 at the foot to where their top would be at an assumed height.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.errors import StageError
from sonoworld.lift import membrane
from sonoworld.lift.contact import Feet, find_feet
from sonoworld.lift.layers import Kind, Layers, layers
from sonoworld.lift.nearest import nearest_of
from sonoworld.lift.popup import PopupOptions
from sonoworld.lift.surface import surface_normals
from sonoworld.perceive.seen import look
from sonoworld.perceive.stuff import Parse, Stuff
from sonoworld.sphere import pixel_solid_angles, row_elevations
from sonoworld.types import Geometry, Panorama

ROOM_SKY_SHARE = 0.01
ROOM_MAN_MADE = 0.5
ROOM_FAR_M = 12.0
SMOOTHING = {Kind.LAND: 1 / 28, Kind.PLANT: 1 / 28, Kind.WALL: 1 / 12, Kind.THING: 1 / 100}
"""Window of the median along azimuth, part of the full turn: walls are long, things are small."""

LEAN, MOST_LEAN = 0.7, 8.0
"""Plants: how far the crown goes from upright (0) to lying (1), in log distance, and its most in foot distances."""

CROWN_SHARE = 0.75
"""A building behind trees is as far as this share of the crowns before it, so that it is one wall."""

FOOT_SIGMA_PER_M = 0.015
"""Scatter of inverse foot distance within one wall: about 1.5° of elevation seen from 1.6 m."""


def popup(options: PopupOptions) -> Lift:
    """The stage function of `lift.popup`."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        height = panorama.rgb.shape[0]
        elevation = row_elevations(height).astype(np.float32)
        run.tell(0.0, "ground, sky and what stands")
        parsed = look(panorama, detect=options.detect).view.stuff
        room = is_room(parsed, options)
        found = layers(parsed.labels, elevation, room=room)
        run.tell(0.6, "distances")
        distance, trust = distances(found, elevation, options, room=room)
        trust *= _certainty(parsed, found)
        run.tell(0.9, "normals")
        geometry = Geometry(
            distance=distance,
            normal=surface_normals(distance),
            sky=found.sky,
            valid=trust >= options.min_trust,
            metric=True,
        )
        return Lifted(geometry)

    return lift


def is_room(parsed: Parse, options: PopupOptions) -> bool:
    """Whether to close the world with a ceiling: as told, or where a built scene shows hardly any sky."""
    if options.enclosure != "auto":
        return options.enclosure == "room"
    solid = pixel_solid_angles(parsed.labels.shape[0])[:, None]
    sky_share = float(np.sum((parsed.labels == Stuff.SKY) * solid) / (4 * np.pi))
    return sky_share < ROOM_SKY_SHARE and parsed.man_made > ROOM_MAN_MADE


def _certainty(parsed: Parse, found: Layers) -> Float32[np.ndarray, "h w"]:
    """Probability that a pixel's layer is right, by the parser."""
    p = parsed.probability
    flat = p[..., Stuff.WATER] + p[..., Stuff.GROUND] + p[..., Stuff.ROAD]
    upright = p[..., Stuff.VEGETATION] + p[..., Stuff.BUILDING] + p[..., Stuff.OTHER]
    return np.where(found.floor, flat, np.where(found.sky, p[..., Stuff.SKY], upright)).astype(np.float32)


def distances(
    found: Layers, elevation: Float32[np.ndarray, "h"], options: PopupOptions, *, room: bool
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Distance along the ray (m) and trust 0..1 of every pixel.

    Raises:
        StageError: the far cap lies within the camera's height, so that there is no ground to stand on.
    """
    h, far = options.camera_height_m, min(options.far_m, ROOM_FAR_M) if room else options.far_m
    if far < 2 * h:
        raise StageError(f"lift.popup: expected far_m of at least twice camera_height_m = {h} m, got {far} m")
    feet = find_feet(found, elevation, h, far)
    rows = elevation[:, None]
    rho = _standing(found, feet, elevation, options, far)
    before_walls = _nothing_behind(found, rho) / np.cos(rows)
    ground = np.minimum(np.minimum(h / np.maximum(np.sin(-rows), 1e-6), far), before_walls)
    upright = np.minimum(rho / np.cos(rows), before_walls)
    roof = (options.ceiling_height_m - h) if room else options.tallest_m - h
    upright = np.minimum(upright, max(roof, 0.5) / np.maximum(np.sin(rows), 1e-6))
    out = np.where(found.floor, ground, np.where(found.sky, options.sky_radius_m, upright)).astype(np.float32)
    near_horizon = np.clip(np.abs(rows) / np.radians(4.0), 0.3, 1.0)
    trust = np.where(found.floor, near_horizon, np.where(found.sky, 0.9, np.where(feet.seen, 0.7, 0.4)))
    return out, trust.astype(np.float32)


def _standing(
    found: Layers, feet: Feet, elevation: np.ndarray, options: PopupOptions, far: float
) -> Float32[np.ndarray, "h w"]:
    """Horizontal distance (m) of what stands; anything elsewhere."""
    rho = feet.rho.copy()
    over_eye = max(options.tallest_m - options.camera_height_m, 0.5)
    tallest_rho = np.where(feet.top > 0, over_eye / np.tan(np.clip(feet.top, 1e-3, 1.4)), np.inf).astype(np.float32)
    for kind, window in SMOOTHING.items():
        where = found.kind == kind
        if where.any():
            rho[where] = _inverted(_smooth(1 / _settled(feet, where, tallest_rho), where, window), far)[where]
    plants = found.kind == Kind.PLANT
    if not plants.any():
        return rho
    crown = _inverted(_smooth(1 / _crown(feet, rho, options, far), plants, SMOOTHING[Kind.PLANT]), far)
    up = np.clip((elevation[:, None] - feet.bottom) / np.maximum(feet.top - feet.bottom, 1e-3), 0, 1)
    leaning = rho * (np.maximum(crown, rho) / rho) ** up
    return _behind_crowns(found, feet, np.where(plants, leaning, rho).astype(np.float32))


def _behind_crowns(found: Layers, feet: Feet, rho: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """The same, where walls that rise over plants, their feet hidden, are no nearer than the crowns before them."""
    plants, hidden = found.kind == Kind.PLANT, (found.kind == Kind.WALL) & ~feet.seen
    crown, before = np.zeros(rho.shape, np.float32), np.zeros(rho.shape[1], np.float32)
    for y in range(len(rho) - 1, -1, -1):
        before = np.where(plants[y], rho[y], np.where(hidden[y], before, np.float32(0)))
        crown[y] = before
    count, parts = cv2.connectedComponents(hidden.astype(np.uint8), connectivity=8)
    out = rho.copy()
    for part in range(1, count):
        where = parts == part
        out[where] = np.maximum(rho[where], np.quantile(crown[where], CROWN_SHARE))
    return out


def _nothing_behind(found: Layers, rho: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Farthest horizontal distance (m) that ground and land may have: they end where what stands above them does.

    A wall's foot is smoothed along the wall; where the ground was seen to reach beyond, it now climbs the wall.
    """
    limit = np.full(rho.shape, np.inf, np.float32)
    above = limit[0].copy()
    upright, sky = found.kind > Kind.LAND, found.sky
    for y in range(rho.shape[0]):
        above = np.where(upright[y], rho[y], np.where(sky[y], np.float32(np.inf), above))
        limit[y] = np.where(upright[y], np.float32(np.inf), above)
    return limit


def _inverted(inverse: Float32[np.ndarray, "h w"], far: float) -> Float32[np.ndarray, "h w"]:
    return 1 / np.maximum(inverse, np.float32(1 / far))


def _crown(feet: Feet, foot: np.ndarray, options: PopupOptions, far: float) -> Float32[np.ndarray, "h w"]:
    """Horizontal distance (m) of the upper end of plants.

    A crown seen at e_t is at (H − h) / tan(e_t) if the plant is H high, and a lawn that ends at e_t < 0 does so at
    h / tan(−e_t). Between a hedge (upright) and a meadow or ridge (lying) the truth is not seen: part of the way.
    """
    over_eye = max(options.plant_height_m - options.camera_height_m, 0.5)
    slope = np.tan(np.clip(np.abs(feet.top), 1e-3, 1.4))
    reach = np.minimum(np.where(feet.top > 0, over_eye, options.camera_height_m) / slope, far)
    lying = foot * (np.maximum(reach, foot) / foot) ** LEAN
    return np.minimum(lying, MOST_LEAN * foot).astype(np.float32)


def _settled(feet: Feet, where: Bool[np.ndarray, "h w"], tallest_rho: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Foot distances (m) of one kind of thing; where the foot is not seen, continued from where it is.

    Never nearer than what hides the foot. A foot beyond `tallest_rho` is not believed: the thing would be a tower.
    """
    tower = feet.rho > tallest_rho
    known = where & feet.seen & ~tower
    if not known.any():
        return np.minimum(feet.rho, tallest_rho).astype(np.float32)
    state = np.where(known, membrane.KNOWN, np.where(where, membrane.MISSING, membrane.OUTSIDE)).astype(np.uint8)
    inverse = membrane.fill((1 / feet.rho)[..., None], state)[..., 0]
    filled = np.minimum(1 / np.maximum(inverse, 1e-6), tallest_rho)
    return np.where(tower, filled, np.maximum(filled, feet.rho)).astype(np.float32)


def _smooth(
    inverse: Float32[np.ndarray, "h w"], where: Bool[np.ndarray, "h w"], window_part: float
) -> Float32[np.ndarray, "h w"]:
    """Wide median over the pixels of one kind, then a bilateral filter: steps between things stay, jitter goes.

    Of inverse distance, 1/m: there a foot misjudged by an angle counts alike near and far.
    """
    width = where.shape[1]
    window = max(3, round(width * window_part)) | 1
    pad = window
    _, nearest = nearest_of(where, pad)
    whole = np.pad(inverse.ravel()[nearest], ((0, 0), (pad, pad)), mode="wrap")
    low, high = float(whole.min()), float(whole.max())
    step = np.float32(max((high - low) / 255, 1e-6))  # OpenCV's wide medians are of bytes
    median = cv2.medianBlur(np.rint((whole - low) / step).astype(np.uint8), window) * step + np.float32(low)
    smooth = cv2.bilateralFilter(median.astype(np.float32), 9, max(FOOT_SIGMA_PER_M, 2 * float(step)), width / 400)
    return np.asarray(smooth, np.float32)[:, pad:-pad]
