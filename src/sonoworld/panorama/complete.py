"""From photo and camera to the whole sphere: what is above, around and below, joined without a seam.

Letters: h w panorama rows and columns; S the layer above (sky dome or canopy), B the horizon band, G the ground.
The band goes around first; above it lies S, into which what the photo's top cut off still rises a little; below it
lies G. Rows where two layers meet are joined along a least cut. Last, a membrane makes the invented part agree with
the photo along its border. Known pixels are the photo's and nothing else.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32

from sonoworld.backend import MakePanorama, Run
from sonoworld.errors import InputError
from sonoworld.panorama.band import continue_around, core_extent
from sonoworld.panorama.cap import ground_cap
from sonoworld.panorama.cut import join_rows
from sonoworld.panorama.dome import sky_dome
from sonoworld.panorama.evidence import Evidence, look
from sonoworld.panorama.membrane import enlarge, membrane
from sonoworld.panorama.place import gather, project, resample_panorama
from sonoworld.panorama.rise import rise
from sonoworld.panorama.vary import quiet_seam, vary_heights
from sonoworld.types import Camera, Panorama, Photo, Projection

FILL_ROWS_MAX = 2048
"""The invented part is made at most this high and enlarged beyond: it holds no finer detail."""

WHOLE = 0.999
"""Coverage from which a pixel counts as known."""

HORIZON_REACH = np.radians(7.0)
"""The band reaches at least this far to both sides of the horizon."""

JOIN = np.radians(4.5)
"""Height of the rows in which two layers are joined."""

SUN = 249.0, 0.05
"""Brightness (0..255) from which a small part of the picture, at most this share, is taken for the sun."""


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows [top, top + len) all around: `rgb` 0..255, `sky` and `ground` shares; the first `over` are mirrored."""

    top: int
    over: int
    rgb: Float32[np.ndarray, "k w 3"]
    sky: Float32[np.ndarray, "k w"]
    ground: Float32[np.ndarray, "k w"]


def _mirror_rows(first: int, last: int, count: int) -> np.ndarray:
    """Indices of rows first..last (may be < 0 or >= count) reflected into 0..count−1."""
    rows = np.abs(np.arange(first, last))
    rows = rows % max(2 * count - 2, 1)
    return np.where(rows < count, rows, 2 * count - 2 - rows)


def _dislike(seen: Evidence) -> Float32[np.ndarray, "h w"]:
    """How little each pixel should be shown again, 0..1: clutter, the sun, and whatever stands out of its row.

    A thing that occurs once in the photo is what a repeat is recognised by.
    """
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    bright = cv2.GaussianBlur(seen.rgb.min(-1), (0, 0), height / 200)
    sun = (bright > SUN[0]) & known
    if sun.sum() > SUN[1] * known.sum():
        sun &= False
    fine, broad = (cv2.GaussianBlur(seen.rgb, (0, 0), height / s) for s in (300, 60))
    apart = np.abs(fine - broad).mean(-1) * known
    count = known.sum(1)
    usual = apart.sum(1) / np.maximum(count, 1)
    inner = cv2.erode(known.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    rare = np.clip(apart / (usual[:, None] + 3) / 4 - 1, 0, 1) * inner
    clutter = cv2.GaussianBlur(seen.clutter * known, (0, 0), height / 200)
    return np.maximum(np.maximum(sun, rare), np.clip(2 * clutter, 0, 1)).astype(np.float32)


def _join_rows(height: int) -> int:
    return max(3, round(JOIN / np.pi * height))


def _band(seen: Evidence, rng: np.random.Generator) -> _Band:
    """The photo's rows continued all around; above and below mirrored by one join, and to both sides of the horizon."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    at = core_extent(known)
    layers = np.concatenate([seen.rgb, 255 * seen.sky[..., None], 255 * seen.ground[..., None]], -1)
    around = continue_around(layers, known, _dislike(seen)[at.top : at.bottom].max(0), at, rng)
    reach, join = int(np.ceil(HORIZON_REACH / np.pi * height)), _join_rows(height)
    top = max(min(at.top - join, height // 2 - reach), 0)
    bottom = min(max(at.bottom + join, height // 2 + reach), height)
    rows = _mirror_rows(top - at.top, bottom - at.top, at.bottom - at.top)
    whole = around[rows]
    return _Band(top=top, over=at.top - top, rgb=whole[..., :3], sky=whole[..., 3] / 255, ground=whole[..., 4] / 255)


def _without_floating(band: _Band, dome: Float32[np.ndarray, "h w 3"]) -> _Band:
    """The band with sky where its mirrored rows hold things that do not stand on anything."""
    if band.over == 0:
        return band
    solid = 1 - band.sky[: band.over + 1]
    standing = np.minimum.accumulate(solid[::-1], axis=0)[::-1]
    floating = np.clip(2 * cv2.dilate(solid - standing, np.ones((5, 5), np.uint8)), 0, 1)[: band.over]
    share = cv2.GaussianBlur(floating, (0, 0), 1.5)[..., None]
    rgb, sky = band.rgb.copy(), band.sky.copy()
    rgb[: band.over] = rgb[: band.over] * (1 - share) + dome[band.top : band.top + band.over] * share
    sky[: band.over] = np.maximum(sky[: band.over], floating)
    return replace(band, rgb=rgb, sky=sky)


def _above(
    seen: Evidence, band: _Band, dome: Float32[np.ndarray, "h w 3"], end: int, rng: np.random.Generator
) -> Float32[np.ndarray, "k w 3"]:
    """Everything from the zenith to row `end`, in the band: the sky, and what rises into it."""
    upright = np.clip(1 - band.sky - band.ground, 0, 1)
    over = rise(band.rgb, upright, band.top, seen.man_made > 0.5, rng)
    inside = end - band.top
    share = np.concatenate([over.share, 1 - band.sky[:inside]])[..., None]
    return dome[:end] * (1 - share) + np.concatenate([over.rgb, band.rgb[:inside]]) * share


def _canopy(seen: Evidence, band: _Band, end: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Without a visible sky: texture of the photo's top where it looks up, else a plain overcast sky."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    if band.top < 0.44 * height:
        source = np.ascontiguousarray((known & (seen.ground < 0.5))[::-1])
        rim = band.rgb[: end - band.top]
        return ground_cap(np.ascontiguousarray(seen.rgb[::-1]), source, rim, height - end, seen.man_made > 0.5, rng)[
            ::-1
        ]
    grey = float(np.clip(seen.rgb[known].mean() * 1.6, 60, 235))
    return np.full((end, 2 * height, 3), (0.96 * grey, grey, 1.05 * grey), np.float32)


def _below(seen: Evidence, band: _Band, first: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Everything from row `first` down to the nadir."""
    height = len(seen.sky)
    known = (seen.coverage >= WHOLE) & (np.arange(height)[:, None] > 0.5 * height)
    source = known & (seen.ground > 0.5) & (seen.clutter < 0.3)
    if source.mean() < 1e-3:
        source = (seen.coverage >= WHOLE) & (seen.sky < 0.5)
    return ground_cap(seen.rgb, source, band.rgb[first - band.top :], first, seen.man_made > 0.5, rng)


def _fill(seen: Evidence, run: Run) -> Float32[np.ndarray, "h w 3"]:
    """The whole sphere invented from the photo, before it is fitted to the photo's border."""
    height = len(seen.sky)
    overlap = _join_rows(height)
    band = _band(seen, run.rng)
    run.tell(0.45, "above and below")
    dome = sky_dome(seen.rgb, (seen.coverage >= WHOLE) & (seen.sky > 0.6), run.rng)
    join = band.top + overlap
    if dome is None:
        above = _canopy(seen, band, join, run.rng)
    else:
        band = _without_floating(band, dome)
        above = _above(seen, band, dome, join, run.rng)
    end = band.top + len(band.rgb)
    below = _below(seen, band, end - overlap, run.rng)
    out = np.empty((height, 2 * height, 3), np.float32)
    out[band.top : end] = band.rgb
    out[: band.top] = above[: band.top]
    out[band.top : join] = join_rows(above[band.top :], band.rgb[:overlap])
    out[end:] = below[overlap:]
    out[end - overlap : end] = join_rows(band.rgb[-overlap:], below[:overlap])
    natural = 1 - 0.8 * min(1.0, seen.man_made)
    varied = vary_heights(out, seen.coverage > 0, natural, run.rng)
    return quiet_seam(varied, seen.coverage > 0)


def _fit(seen: Evidence, fill: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The fill with a correction that makes it continue the photo's colours at its border."""
    inside = (seen.coverage >= WHOLE).astype(np.uint8)
    px = max(2, round(len(fill) / 170))
    ring = inside - cv2.erode(inside, np.ones((2 * px + 1, 2 * px + 1), np.uint8))
    return fill + membrane(seen.rgb - fill, ring.astype(np.float32))


def complete(photo: Photo, camera: Camera, height: int, run: Run) -> Panorama:
    """A panorama [height, 2·height]: the photo placed at its camera, the rest invented.

    Raises:
        InputError: the camera belongs to a photo of another size.
    """
    if camera.size_px != photo.size_px:
        raise InputError(
            f"panorama: expected a camera for a photo of {photo.size_px} px, got one for {camera.size_px} px"
        )
    seen = look(photo, camera, min(height, FILL_ROWS_MAX))
    run.tell(0.2, "around the horizon")
    fill = _fit(seen, _fill(seen, run))
    run.tell(0.9, "photo in place")
    rgb, coverage = seen.rgb, seen.coverage
    if height > FILL_ROWS_MAX:
        at = project(camera, height)
        rgb, coverage, fill = gather(photo.rgb.astype(np.float32), at), at.coverage, enlarge(fill, height)
    alpha = coverage[..., None]
    out = np.clip(np.rint(rgb * alpha + fill * (1 - alpha)), 0, 255).astype(np.uint8)
    return Panorama(rgb=out, known=coverage >= WHOLE)


def completer(height: int) -> MakePanorama:
    """The stage function for panoramas of that height.

    Raises (when called):
        InputError: a perspective photo came without a camera, or a panorama with one.
    """

    def make_panorama(photo: Photo, camera: Camera | None, run: Run) -> Panorama:
        panoramic = photo.projection is Projection.EQUIRECTANGULAR
        if panoramic != (camera is None):
            got = "a panorama with a camera" if panoramic else "a perspective photo without a camera"
            raise InputError(f"panorama: expected a camera for a perspective photo and none for a panorama, got {got}")
        if camera is None:
            rgb = resample_panorama(photo.rgb, height)
            return Panorama(rgb=rgb, known=np.ones(rgb.shape[:2], bool))
        return complete(photo, camera, height, run)

    return make_panorama
