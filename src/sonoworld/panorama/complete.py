"""From photo and camera to the whole sphere: what is above, around and below, joined without a seam.

Letters: h w panorama rows and columns; S the layer above (sky dome or canopy), B the horizon band, G the ground.
The band goes around first; above it lies S, into which what the photo's top cut off still rises a little; below it
lies G. Rows where two layers meet are joined along a least cut. Last, a membrane makes the invented part agree with
the photo along its border. Known pixels are the photo's and nothing else.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32
from scipy.ndimage import gaussian_filter1d

from sonoworld.backend import MakePanorama, Run
from sonoworld.errors import InputError
from sonoworld.panorama.band import continue_around, core_extent
from sonoworld.panorama.cap import ground_cap
from sonoworld.panorama.cut import join_rows
from sonoworld.panorama.dome import sky_dome
from sonoworld.panorama.evidence import Evidence, look
from sonoworld.panorama.membrane import enlarge, membrane
from sonoworld.panorama.place import gather, project, resample_panorama
from sonoworld.types import Camera, Panorama, Photo, Projection

FILL_ROWS_MAX = 2048
"""The invented part is made at most this high and enlarged beyond: it holds no finer detail."""

WHOLE = 0.999
"""Coverage from which a pixel counts as known."""

HORIZON_REACH = np.radians(7.0)
"""The band reaches at least this far to both sides of the horizon."""

JOIN = np.radians(6.0)
"""Height of the rows in which two layers are joined."""

RISE = np.radians(9.0), np.radians(26.0)
"""How far what the photo's top cuts off still rises, radians: least and most, varying along the band."""


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows [top, top + len) all around: `rgb` 0..255, `sky` and `ground` shares."""

    top: int
    rgb: Float32[np.ndarray, "k w 3"]
    sky: Float32[np.ndarray, "k w"]
    ground: Float32[np.ndarray, "k w"]


def _mirror_rows(first: int, last: int, count: int) -> np.ndarray:
    """Indices of rows first..last (may be < 0 or >= count) reflected into 0..count−1."""
    rows = np.abs(np.arange(first, last))
    rows = rows % max(2 * count - 2, 1)
    return np.where(rows < count, rows, 2 * count - 2 - rows)


def _band(seen: Evidence, rng: np.random.Generator) -> _Band:
    """The photo's rows continued all around, and up and down to both sides of the horizon."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    at = core_extent(known)
    layers = np.concatenate([seen.rgb, 255 * seen.sky[..., None], 255 * seen.ground[..., None]], -1)
    clutter = (seen.clutter * known)[at.top : at.bottom].mean(0) * 8
    around = continue_around(layers, known, clutter.astype(np.float32), at, rng)
    reach = int(np.ceil(HORIZON_REACH / np.pi * height))
    top, bottom = min(at.top, height // 2 - reach), max(at.bottom, height // 2 + reach)
    rows = _mirror_rows(top - at.top, bottom - at.top, at.bottom - at.top)
    whole = around[rows]
    return _Band(top=top, rgb=whole[..., :3], sky=whole[..., 3] / 255, ground=whole[..., 4] / 255)


def _heights(width: int, height: int, rng: np.random.Generator) -> Float32[np.ndarray, "w"]:
    """How many rows what is cut off rises above the photo's top: smooth noise around the circle."""
    noise = gaussian_filter1d(rng.standard_normal(width), width / 90, mode="wrap")
    noise = (noise - noise.min()) / max(float(np.ptp(noise)), 1e-9)
    low, high = (a / np.pi * height for a in RISE)
    return (low + (high - low) * noise).astype(np.float32)


def _rising(band: _Band, height: int, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(rgb, share) of upright things going on above the band, for `rows` rows over it and then the band's own."""
    upright = np.clip(1 - band.sky - band.ground, 0, 1)
    reach = min(rows, len(band.sky) - 1)
    share = np.minimum.accumulate(upright[1 : reach + 1], axis=0)
    limit = _heights(share.shape[1], height, rng)[None]
    share = share * np.clip((limit - np.arange(1, reach + 1)[:, None]) / 3, 0, 1)
    rgb = np.zeros((rows, *band.rgb.shape[1:]), np.float32)
    above = np.zeros(rgb.shape[:2], np.float32)
    rgb[rows - reach :], above[rows - reach :] = band.rgb[1 : reach + 1][::-1], share[::-1]
    return rgb, above


def _above(seen: Evidence, band: _Band, overlap: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Everything from the zenith to `overlap` rows into the band."""
    height = len(seen.sky)
    end = band.top + overlap
    known = seen.coverage >= WHOLE
    dome = sky_dome(seen.rgb, known & (seen.sky > 0.6), rng)
    if dome is None:
        return _canopy(seen, band, end, rng)
    rgb, share = _rising(band, height, band.top, rng)
    upright = np.concatenate([share, 1 - band.sky[:overlap]])[..., None]
    return dome[:end] * (1 - upright) + np.concatenate([rgb, band.rgb[:overlap]]) * upright


def _canopy(seen: Evidence, band: _Band, end: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Without a visible sky: texture of the photo's top where it looks up, else a plain overcast sky."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    turned = np.ascontiguousarray(seen.rgb[::-1])
    source = known & (seen.ground < 0.5)
    if band.top < 0.44 * height:
        cap = ground_cap(turned, np.ascontiguousarray(source[::-1]), height - end, rng)
        if cap is not None:
            return np.ascontiguousarray(cap[::-1])
    grey = float(np.clip(seen.rgb[known].mean() * 1.6, 60, 235))
    return np.full((end, 2 * height, 3), (0.96 * grey, grey, 1.05 * grey), np.float32)


def _below(seen: Evidence, first: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Everything from row `first` down to the nadir."""
    height = len(seen.sky)
    known = seen.coverage >= WHOLE
    low = np.arange(height)[:, None] > 0.5 * height
    for source in (
        known & low & (seen.ground > 0.5) & (seen.clutter < 0.3),
        known & low & (seen.sky < 0.5),
        known & (seen.sky < 0.5),
    ):
        cap = ground_cap(seen.rgb, source, first, rng) if source.mean() > 1e-3 else None
        if cap is not None:
            return cap
    earth = 0.42 * float(seen.rgb[known].mean()) * np.array([1.05, 1.0, 0.9], np.float32)
    return np.broadcast_to(earth, (height - first, 2 * height, 3)).astype(np.float32)


def _fill(seen: Evidence, run: Run) -> Float32[np.ndarray, "h w 3"]:
    """The whole sphere invented from the photo, before it is fitted to the photo's border."""
    height = len(seen.sky)
    overlap = max(3, round(JOIN / np.pi * height))
    band = _band(seen, run.rng)
    run.tell(0.45, "above and below")
    end = band.top + len(band.rgb)
    out = np.empty((height, 2 * height, 3), np.float32)
    out[band.top : end] = band.rgb
    above = _above(seen, band, overlap, run.rng)
    out[: band.top] = above[: band.top]
    out[band.top : band.top + overlap] = join_rows(above[band.top :], band.rgb[:overlap])
    below = _below(seen, end - overlap, run.rng)
    out[end:] = below[overlap:]
    out[end - overlap : end] = join_rows(band.rgb[-overlap:], below[:overlap])
    return out


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
        raise InputError(f"panorama: camera for a photo of {photo.size_px} px: expected, got {camera.size_px} px")
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
