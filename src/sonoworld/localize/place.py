"""Each sounding finds its place: a point, a weighted surface, or everywhere.

Letters: d unit direction of a pixel; r distance, m; Ω solid angle of a pixel, sr; n surface normal.
A pixel shows a piece of surface of area A = r² Ω / |n·d|, which is its weight.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import Field

from sonoworld import sphere
from sonoworld.backend import Options
from sonoworld.localize.names import unique_ids
from sonoworld.localize.surface import Surface, thinned, visible_surface
from sonoworld.types import Geometry, Sounding, Source, Spread

STATED_CAP_RAD = np.radians(3.0)
"""Around a stated direction, this cap's median distance is taken."""

UNPLACED_CONFIDENCE = 0.5
"""A point or area that was not found sounds from all around, at this share of its confidence."""


class LocalizeOptions(Options):
    """How surfaces become sources."""

    max_points: int = Field(default=512, ge=1, le=20_000, description="surface points kept per area source")
    edge_ratio: float = Field(
        default=1.2, gt=1.0, description="pixels whose neighbours differ in distance by more than this are left out"
    )
    grazing: float = Field(
        default=0.1, gt=0.0, le=1.0, description="smallest |n·d| believed: bounds the area of surfaces seen edge-on"
    )


def localize(
    soundings: tuple[Sounding, ...], geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> tuple[Source, ...]:
    """Sources without clips, in the order of the soundings, with unique ids.

    A point lies in its stated direction, or in the solid-angle-weighted mean direction of its mask, at the median
    distance of what is seen there. An area is up to `max_points` points with weights proportional to visible surface
    area. A point or area that was not found becomes ambient, and its `reason` says so.
    """
    ids = unique_ids([sounding.label for sounding in soundings])
    return tuple(
        replace(
            _place(i, s, geometry, known, options),
            negative_prompt=s.negative_prompt,
            tone_db=s.tone_db,
            movement=s.movement,
        )
        for i, s in zip(ids, soundings, strict=True)
    )


def _place(
    id_: str, sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> Source:
    found = sounding.direction is not None or (sounding.mask is not None and bool(sounding.mask.any()))
    if sounding.spread is Spread.AMBIENT or not found:
        return _around(id_, sounding)
    if sounding.spread is Spread.AREA and sounding.mask is not None:
        return _area(id_, sounding, geometry, known, options)
    return _point(id_, sounding, geometry, known, options)


def _around(id_: str, sounding: Sounding) -> Source:
    none = np.zeros((0, 3), np.float32)
    reason, confidence = sounding.reason, sounding.confidence
    if sounding.spread is not Spread.AMBIENT:
        reason = f"{reason}; not found in the panorama, so it sounds from all around".lstrip("; ")
        confidence *= UNPLACED_CONFIDENCE
    return Source(
        id_, sounding.label, sounding.prompt, Spread.AMBIENT, sounding.level_db, confidence, sounding.backend,
        none, none, none[:, 0], 4 * np.pi, reason=reason,
    )  # fmt: skip


def _point(
    id_: str, sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> Source:
    height = geometry.distance.shape[0]
    if sounding.mask is not None and sounding.mask.any():
        mask = sounding.mask
        direction = _mean_direction(mask) if sounding.direction is None else sounding.direction
        solid_angle = float(_solid_angles(mask))
    else:
        assert sounding.direction is not None
        direction, solid_angle = sounding.direction, 0.0
        mask = _cap(direction, height)
    surface = visible_surface(mask, geometry, options.edge_ratio, options.grazing)
    distance = float(np.median(np.linalg.norm(surface.points, axis=1)))
    row, column = sphere.nearest_pixel(direction, height)
    return Source(
        id_, sounding.label, sounding.prompt, Spread.POINT, sounding.level_db, sounding.confidence, sounding.backend,
        (direction * distance)[None].astype(np.float32), -direction[None].astype(np.float32), np.ones(1, np.float32),
        solid_angle, imagined=not bool(known[row, column]), reason=sounding.reason,
    )  # fmt: skip


def _area(
    id_: str, sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> Source:
    assert sounding.mask is not None
    whole = visible_surface(sounding.mask, geometry, options.edge_ratio, options.grazing)
    kept: Surface = thinned(whole, options.max_points)
    solid_angle = _solid_angles(sounding.mask)
    return Source(
        id_, sounding.label, sounding.prompt, Spread.AREA, sounding.level_db, sounding.confidence, sounding.backend,
        kept.points.astype(np.float32), kept.normals.astype(np.float32), kept.weights.astype(np.float32),
        float(solid_angle), imagined=bool(_solid_angles(sounding.mask & known) < 0.5 * solid_angle),
        reason=sounding.reason,
    )  # fmt: skip


def _solid_angles(mask: Bool[np.ndarray, "h w"]) -> float:
    """Solid angle of a mask, sr."""
    return float(mask.sum(1) @ sphere.pixel_solid_angles(mask.shape[0]))


def _mean_direction(mask: Bool[np.ndarray, "h w"]) -> Float64[np.ndarray, "3"]:
    """Unit mean direction over the mask, each pixel counted by its solid angle: the same however the sphere turns."""
    rows, columns = np.nonzero(mask)
    weight = sphere.pixel_solid_angles(mask.shape[0])[rows]
    total = weight @ sphere.pixel_directions(mask.shape[0])[rows, columns]
    length = float(np.linalg.norm(total))
    if length < 1e-9 * weight.sum():  # spread evenly around: any direction is as good, take straight ahead
        return np.array([1.0, 0.0, 0.0])
    return total / length


def _cap(direction: Float64[np.ndarray, "3"], height: int) -> Bool[np.ndarray, "h w"]:
    cap = sphere.pixel_directions(height) @ direction > np.cos(max(STATED_CAP_RAD, np.pi / height))
    cap[sphere.nearest_pixel(direction, height)] = True
    return cap
