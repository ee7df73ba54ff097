"""From photo and camera to the whole sphere: what is above, around and below, joined without a seam.

Letters: h w panorama rows and columns; S the layer above (sky dome or canopy), B the horizon band, G the ground.
The band goes around first; above it lies S, into which what the photo's top cut off still rises a little; below it
lies G. Rows where two layers meet are joined along a least cut. Last, a membrane makes the invented part agree with
the photo along its border. Known pixels are the photo's and nothing else.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.backend import MakePanorama, Run
from sonoworld.panorama.band import Beside, Extent, continue_around, core_extent
from sonoworld.panorama.cap import ground_cap
from sonoworld.panorama.cut import join_rows
from sonoworld.panorama.dislike import WHOLE, dislike
from sonoworld.panorama.dome import low_sky, plain_sky, sky_dome
from sonoworld.panorama.edge import quiet_seam
from sonoworld.panorama.evidence import Evidence, look
from sonoworld.panorama.floating import floating
from sonoworld.panorama.keep import lip, pasted
from sonoworld.panorama.membrane import enlarge, membrane
from sonoworld.panorama.place import gather, project
from sonoworld.panorama.rise import rise
from sonoworld.panorama.whole import whole
from sonoworld.types import Camera, Panorama, Photo

FILL_ROWS_MAX = 2048
"""The invented part is made at most this high and enlarged beyond: it holds no finer detail."""

HORIZON_REACH = np.radians(7.0)
"""The band reaches at least this far to both sides of the horizon."""

JOIN = np.radians(4.0)
"""Height of the rows in which two layers are joined."""

TOWERS = np.radians(32.0)
"""Houses beside the photo may rise so far above its top."""

LOOKS_UP = np.radians(22.0)
"""A photo that reaches this high and shows no sky is taken to have a roof or leaves overhead."""

EARTH = np.array([0.46, 0.44, 0.38], np.float32)
"""Colour of ground that was never seen, as a share of the photo's mean brightness."""


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows [top, top + len) all around: `rgb` 0..255, `sky` and `ground` shares.

    The first `over` and the last `under` rows are not the photo's but mirrored from it.
    """

    top: int
    over: int
    under: int
    rgb: Float32[np.ndarray, "k w 3"]
    sky: Float32[np.ndarray, "k w"]
    ground: Float32[np.ndarray, "k w"]


def _mirror_rows(first: int, last: int, count: int) -> np.ndarray:
    """Indices of rows first..last (may be < 0 or >= count) reflected into 0..count−1."""
    rows = np.abs(np.arange(first, last))
    rows = rows % max(2 * count - 2, 1)
    return np.where(rows < count, rows, 2 * count - 2 - rows)


def _sources(seen: Evidence) -> Bool[np.ndarray, "h w"]:
    """Known pixels from which more is made: not the photo's very edge, which is often dark or ringing."""
    px = 2 * max(1, round(len(seen.sky) / 1024)) + 1
    return cv2.erode((seen.coverage >= WHOLE).astype(np.uint8), np.ones((px, px), np.uint8)) > 0


def _join_rows(height: int) -> int:
    return max(3, round(JOIN / np.pi * height))


def _skies(
    seen: Evidence, dome: Float32[np.ndarray, "h w 3"], at: Extent, rng: np.random.Generator
) -> Float32[np.ndarray, "h w 3"]:
    """The dome, low down with the colours and the small clouds of the photo's own sky."""
    known = _sources(seen)
    rows = np.arange(len(dome))[:, None]
    inside = known & (rows >= at.top) & (rows < at.bottom)
    return low_sky(dome, seen.empty, inside & (seen.sky > 0.6), rng)


def _band(seen: Evidence, dome: Float32[np.ndarray, "h w 3"] | None, rng: np.random.Generator) -> _Band:
    """The photo's rows continued all around; above and below mirrored by one join, and to both sides of the horizon."""
    height = len(seen.sky)
    known = _sources(seen)
    at = core_extent(known)
    layers = np.concatenate([seen.empty, 255 * seen.sky[..., None], 255 * seen.ground[..., None]], -1)
    reach, join = int(np.ceil(HORIZON_REACH / np.pi * height)), _join_rows(height)
    built = seen.man_made > 0.5
    towers = min(round(TOWERS / np.pi * height), at.top - join) if built and dome is not None else 0
    towers = towers if towers >= join else 0
    around = continue_around(layers, known, Beside(dislike(seen), dome, built, towers), at, rng)
    at = replace(at, top=at.top - towers)
    top = max(min(at.top, height // 2 - reach), 0)
    bottom = min(max(at.bottom, height // 2 + reach), height)
    rows = _mirror_rows(top - at.top, bottom - at.top, at.bottom - at.top)
    all_around = around[rows]
    band = _Band(
        top=top,
        over=at.top - top,
        under=bottom - at.bottom,
        rgb=all_around[..., :3],
        sky=all_around[..., 3] / 255,
        ground=all_around[..., 4] / 255,
    )
    if not towers:
        return band
    eaves = band.over + towers
    free = (band.sky[eaves - 1] > 0.5)[None]
    upright = np.clip(1 - band.sky - band.ground, 0, 1)[eaves:] * free
    plant = seen.plant[top + eaves : bottom] > 0.5
    return _risen(_risen(band, upright * ~plant, eaves, True, rng), upright * plant, eaves, False, rng)


def _risen(
    band: _Band, upright: Float32[np.ndarray, "l w"], eaves: int, built: bool, rng: np.random.Generator
) -> _Band:
    """The band with roofs or crowns on those of its upright things that the photo cut off at row `eaves`."""
    over = rise(band.rgb[eaves:], upright, (eaves, 0), built, rng)
    share = over.share[..., None]
    rgb = np.concatenate([band.rgb[:eaves] * (1 - share) + over.rgb * share, band.rgb[eaves:]])
    sky = np.concatenate([np.minimum(band.sky[:eaves], 1 - over.share), band.sky[eaves:]])
    return replace(band, rgb=rgb, sky=sky)


def _settled(band: _Band, dome: Float32[np.ndarray, "h w 3"]) -> _Band:
    """The band with the dome's sky in place of what floats, and where mirrored rows hold sky under things."""
    solid = 1 - band.sky
    standing = np.minimum.accumulate(solid[band.over :: -1], axis=0)[::-1]
    wrong = np.zeros_like(band.sky)
    wrong[: band.over + 1] = solid[: band.over + 1] - standing
    alone = floating(solid, len(dome) // 2 - band.top).astype(np.uint8)
    wrong = np.maximum(wrong, cv2.dilate(alone, np.ones((9, 9), np.uint8)))  # their rims too, which count as sky
    if band.under > _join_rows(len(dome)):
        wrong[-band.under :] = band.sky[-band.under :]
    wrong = np.clip(2 * cv2.dilate(wrong, np.ones((5, 5), np.uint8)), 0, 1)
    share = cv2.GaussianBlur(wrong, (0, 0), len(dome) / 200)[..., None]
    rgb = band.rgb * (1 - share) + dome[band.top : band.top + len(wrong)] * share
    return replace(band, rgb=rgb, sky=np.maximum(band.sky, wrong))


def _above(
    seen: Evidence, band: _Band, dome: Float32[np.ndarray, "h w 3"], end: int, rng: np.random.Generator
) -> Float32[np.ndarray, "k w 3"]:
    """Everything from the zenith to row `end`, in the band: the sky, and what rises into it."""
    upright = np.clip(1 - band.sky - band.ground, 0, 1)
    over = rise(band.rgb, upright, (band.top, end - band.top), seen.man_made > 0.5, rng)
    share = over.share[..., None]
    return dome[:end] * (1 - share) + over.rgb * share


def _canopy(seen: Evidence, band: _Band, end: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Everything from the zenith to row `end` where the photo looks up and sees no sky: texture of its top."""
    source = np.ascontiguousarray((_sources(seen) & (seen.ground < 0.5))[::-1])
    turned, rim = np.ascontiguousarray(seen.empty[::-1]), band.rgb[: end - band.top]
    return ground_cap(turned, source, rim, len(turned) - end, seen.man_made > 0.5, rng)[::-1]


def _dome(seen: Evidence, rng: np.random.Generator) -> Float32[np.ndarray, "h w 3"] | None:
    """The sky everywhere; None where the photo looks up and sees none."""
    dome = sky_dome(seen.empty, _sources(seen) & (seen.sky > 0.6), rng)
    height = len(seen.sky)
    if dome is None and core_extent(_sources(seen)).top > (0.5 - LOOKS_UP / np.pi) * height:
        brightness = float(np.clip(np.percentile(seen.empty[_sources(seen)], 90) * 1.3, 70, 235))
        return plain_sky(height, brightness, rng)
    return dome


def _below(seen: Evidence, band: _Band, first: int, rng: np.random.Generator) -> Float32[np.ndarray, "k w 3"]:
    """Everything from row `first` down to the nadir."""
    height = len(seen.sky)
    low = _sources(seen) & (np.arange(height)[:, None] > 0.5 * height)
    source = low & (seen.ground > 0.5) & (seen.clutter < 0.3)
    rim, sky = band.rgb[first - band.top :], float(band.sky[first - band.top :].mean())
    earth = EARTH * float(seen.empty[_sources(seen)].mean())
    rim = rim * (1 - sky) + earth * sky  # under nothing but sky there is earth, not sky
    return ground_cap(seen.empty, source, rim.astype(np.float32), first, seen.man_made > 0.5, rng)


def _fill(seen: Evidence, run: Run) -> Float32[np.ndarray, "h w 3"]:
    """The whole sphere invented from the photo, before it is fitted to the photo's border."""
    height = len(seen.sky)
    overlap = _join_rows(height)
    dome = _dome(seen, run.rng)
    if dome is not None:
        dome = _skies(seen, dome, core_extent(_sources(seen)), run.rng)
    band = _band(seen, dome, run.rng)
    run.tell(0.45, "above and below")
    join = band.top + overlap
    if dome is None:
        above = _canopy(seen, band, join, run.rng)
    else:
        band = _settled(band, dome)
        above = _above(seen, band, dome, join, run.rng)
    end = band.top + len(band.rgb)
    below = _below(seen, band, end - overlap, run.rng)
    out = np.empty((height, 2 * height, 3), np.float32)
    out[band.top : end] = band.rgb
    out[: band.top] = above[: band.top]
    out[band.top : join] = join_rows(above[band.top :], band.rgb[:overlap])
    out[end:] = below[overlap:]
    out[end - overlap : end] = join_rows(band.rgb[-overlap:], below[:overlap])
    return quiet_seam(out, seen.coverage > 0)


def _fit(seen: Evidence, fill: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The fill with a correction that makes it continue the photo's colours at its border."""
    inside = (seen.coverage >= WHOLE).astype(np.uint8)
    px = max(2, round(len(fill) / 170))
    ring = inside - cv2.erode(inside, np.ones((2 * px + 1, 2 * px + 1), np.uint8))
    weight = ring * (1 - np.clip(2 * seen.clutter, 0, 1))  # a person cut by the border does not colour what is beside
    fitted = fill + membrane(seen.empty - fill, weight.astype(np.float32))
    return fitted + lip(seen.rgb, seen.coverage, fitted)


def complete(photo: Photo, camera: Camera, height: int, run: Run, *, detect: bool) -> Panorama:
    """A panorama [height, 2·height]: the photo placed at its camera, the rest invented.

    `detect`: find people, vehicles and animals, so that they are not repeated.

    Raises:
        BackendMissingError: `detect` is asked for and the install lacks the detector.
    """
    seen = look(photo, camera, min(height, FILL_ROWS_MAX), detect=detect)
    run.tell(0.2, "around the horizon")
    fill = _fit(seen, _fill(seen, run))
    run.tell(0.9, "photo in place")
    rgb, coverage = seen.rgb, seen.coverage
    if height > FILL_ROWS_MAX:
        at = project(camera, height)
        rgb, coverage, fill = gather(photo.rgb.astype(np.float32), at), at.coverage, enlarge(fill, height)
    return Panorama(rgb=pasted(rgb, coverage, fill), known=coverage >= WHOLE)


def completer(height: int, *, detect: bool) -> MakePanorama:
    """The stage function for panoramas of that height; `detect` as in `complete`.

    Raises (when called):
        InputError: a perspective photo came without a camera, or a panorama with one, or with another photo's.
        BackendMissingError: `detect` is asked for and the install lacks the detector.
    """

    def make(photo: Photo, camera: Camera, run: Run) -> Panorama:
        return complete(photo, camera, height, run, detect=detect)

    return whole(height, make)
