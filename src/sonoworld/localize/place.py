"""Each sounding finds its place: a point, a weighted surface, or everywhere.

Letters: d unit direction of a pixel; r distance, m; Ω solid angle of a pixel, sr; n surface normal.
A pixel shows a piece of surface of area A = r² Ω / |n·d|, which is its weight.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import Field

from sonoworld import sphere
from sonoworld.backend import Options, nobody
from sonoworld.localize.names import unique_ids
from sonoworld.localize.sky import distance_m, is_weather
from sonoworld.localize.surface import Surface, thinned, visible_surface, weighted_median
from sonoworld.localize.things import things, without_specks
from sonoworld.types import Geometry, Sounding, Source, Spread

STATED_CAP_RAD = np.radians(3.0)
"""Around a stated direction, this cap's median distance is taken."""

UNPLACED_CONFIDENCE = 0.5
"""A point or area that was not found sounds from all around, at this share of its confidence."""

LEAST_TOLD = 0.01
"""Smaller parts of a mask that become no part of a source are not worth a word."""


class LocalizeOptions(Options):
    """How surfaces become sources."""

    max_points: int = Field(default=512, ge=1, le=20_000, description="surface points kept per area source")
    edge_ratio: float = Field(
        default=1.2, gt=1.0, description="pixels whose neighbours differ in distance by more than this are left out"
    )
    grazing: float = Field(
        default=0.1, gt=0.0, le=1.0, description="smallest |n·d| believed: bounds the area of surfaces seen edge-on"
    )
    gap_deg: float = Field(
        default=3.0, ge=0, le=45, description="patches of a point's mask closer together than this are one thing"
    )
    least_share: float = Field(
        default=0.1, gt=0, le=1, description="things smaller than this part of the largest in their mask are left out"
    )
    least_patch: float = Field(
        default=0.02, ge=0, le=1, description="patches of an area smaller than this part of its largest are left out"
    )
    most_things: int = Field(default=6, ge=1, le=64, description="things of one point sounding that become sources")
    never_imagined: tuple[str, ...] = Field(
        default=("embedded",), description="backends whose points are not placed in pixels that were filled in"
    )


def localize(
    soundings: tuple[Sounding, ...],
    geometry: Geometry,
    known: Bool[np.ndarray, "h w"],
    options: LocalizeOptions,
    leave_out: Callable[[str, str], None] = nobody,
) -> tuple[Source, ...]:
    """Sources without clips, in the order of the soundings, with unique ids.

    A point lies in its stated direction, or in the solid-angle-weighted mean direction of its mask, at the median
    distance of what is seen there. An area is up to `max_points` points with weights proportional to visible surface
    area. A point or area that was not found becomes ambient, and its `reason` says so.

    A point whose mask shows several things becomes as many sources, which share its power: −10 log10(n) dB each.
    `leave_out(what, why)` is told of patches of masks that are no part of a source.
    """
    soundings = tuple(part for sounding in soundings for part in _parted(_placeable(sounding), options, leave_out))
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


def _placeable(sounding: Sounding) -> Sounding:
    """What is said not to be in the picture is nowhere in the picture: no mask places it, a stated direction does."""
    return replace(sounding, mask=None) if sounding.visible is False and sounding.mask is not None else sounding


def _parted(
    sounding: Sounding, options: LocalizeOptions, leave_out: Callable[[str, str], None]
) -> tuple[Sounding, ...]:
    """A sounding for each thing in a point's mask, the power split evenly."""
    if sounding.mask is None or not sounding.mask.any() or sounding.direction is not None:
        return (sounding,)
    if sounding.spread is not Spread.POINT:
        if sounding.spread is Spread.AREA:
            kept = without_specks(sounding.mask, options.least_patch)
            _tell_rest(sounding, kept, f"patches under {options.least_patch:.0%} of its largest", leave_out)
        return (sounding,)
    gap = float(np.radians(options.gap_deg))
    masks = things(sounding.mask, gap=gap, least_share=options.least_share, most=options.most_things)
    kept = np.logical_or.reduce(masks)
    why = f"things under {options.least_share:.0%} of the largest of its kind, or beyond {options.most_things} of them"
    _tell_rest(sounding, kept, why, leave_out)
    level_db = sounding.level_db - 10 * float(np.log10(len(masks)))
    return tuple(replace(sounding, mask=mask, level_db=level_db) for mask in masks)


def _tell_rest(
    sounding: Sounding, kept: Bool[np.ndarray, "h w"], why: str, leave_out: Callable[[str, str], None]
) -> None:
    """Say which part of a (non-empty) mask is no part of a source, where it is a percent or more."""
    assert sounding.mask is not None
    rest = 1 - _share(sounding.mask, kept)
    if rest >= LEAST_TOLD:
        leave_out(f"{rest:.0%} of what was found for {sounding.label}", why)


def _refusal(sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions) -> str:
    """Why something with a mask has no place all the same; "" where it has one."""
    if sounding.mask is None or sounding.direction is not None or not sounding.mask.any():
        return ""
    if is_weather(sounding.label) and _share(sounding.mask, geometry.sky) > 0.5:
        return "in the sky: weather is all around"
    guessed = sounding.spread is Spread.POINT and sounding.backend in options.never_imagined
    if guessed and _share(sounding.mask, known) < 0.5:
        return "in pixels that were filled in: nothing is placed there"
    return ""


def _place(
    id_: str, sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> Source:
    refusal = _refusal(sounding, geometry, known, options)
    if refusal:
        return replace(_around(id_, replace(sounding, spread=Spread.AMBIENT)), reason=_joined(sounding.reason, refusal))
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
        unseen = sounding.visible is False
        where = "not to be seen, and in no stated direction" if unseen else "not found in the panorama"
        reason = _joined(reason, f"{where}, so it sounds from all around")
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
    omega = sphere.pixel_solid_angles(height)[surface.rows]
    distance, reason = weighted_median(np.linalg.norm(surface.points, axis=1), omega), sounding.reason
    flies_m = distance_m(sounding.label, float(direction[2])) if _share(mask, geometry.sky) > 0.5 else None
    if flies_m is not None:
        distance, reason = flies_m, _joined(reason, f"in the sky, taken to be {flies_m:.0f} m away")
    return Source(
        id_, sounding.label, sounding.prompt, Spread.POINT, sounding.level_db, sounding.confidence, sounding.backend,
        (direction * distance)[None].astype(np.float32), -direction[None].astype(np.float32), np.ones(1, np.float32),
        solid_angle, imagined=_share(mask, known) < 0.5, reason=reason,
    )  # fmt: skip


def _area(
    id_: str, sounding: Sounding, geometry: Geometry, known: Bool[np.ndarray, "h w"], options: LocalizeOptions
) -> Source:
    assert sounding.mask is not None
    mask = without_specks(sounding.mask, options.least_patch)
    whole = visible_surface(mask, geometry, options.edge_ratio, options.grazing)
    kept: Surface = thinned(whole, options.max_points)
    solid_angle = _solid_angles(mask)
    return Source(
        id_, sounding.label, sounding.prompt, Spread.AREA, sounding.level_db, sounding.confidence, sounding.backend,
        kept.points.astype(np.float32), kept.normals.astype(np.float32), kept.weights.astype(np.float32),
        float(solid_angle), imagined=_share(mask, known) < 0.5,
        reason=sounding.reason,
    )  # fmt: skip


def _joined(reason: str, more: str) -> str:
    return f"{reason}; {more}".lstrip("; ")


def _share(mask: Bool[np.ndarray, "h w"], there: Bool[np.ndarray, "h w"]) -> float:
    """Part of a (non-empty) mask, by solid angle, that lies there."""
    return _solid_angles(mask & there) / _solid_angles(mask)


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
