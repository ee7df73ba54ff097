"""A panorama at a glance: which stuff stands where, how much of it the photo itself shows, indoors or out.

Letters: e elevation. Shares are of solid angle: `share` of the pixels the photo knows, `extent` of the whole sphere.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from sonoworld.perceive.learned import read_panorama, read_photo
from sonoworld.perceive.stuff import Parse, Stuff, parse
from sonoworld.sphere import pad_sphere, pixel_solid_angles, row_elevations
from sonoworld.types import Panorama

ELEVATION_SIGMA_RAD = np.radians(2.0)
OVERHEAD_RAD = np.radians(10.0)
"""Above this, a photo taken outdoors mostly shows sky, crowns or facades."""

WHOLE_COLUMNS = 0.6
"""A photo that fills more of the panorama's columns than this is parsed as the panorama it is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A parsed panorama. `share[k]`: part of the known sphere that shows stuff k (in the order of `Stuff`).

    `sky_overhead`: part of the known sphere more than 10° above the horizon that is sky; None where the photo shows
    too little there to say. `strongest[k]`: mean posterior of kind k where it is the most probable, else 0.
    """

    stuff: Parse
    labels: UInt8[np.ndarray, "h w"]
    known: Bool[np.ndarray, "h w"]
    share: Float64[np.ndarray, "7"]
    strongest: Float64[np.ndarray, "7"]
    sky_overhead: float | None

    @property
    def man_made(self) -> float:
        """0 (nature) .. 1 (town, room)."""
        return self.stuff.man_made


def survey(panorama: Panorama, *, elevation_sigma: float = float(ELEVATION_SIGMA_RAD), learned: bool = False) -> Survey:
    """Parse a panorama and count what its known pixels show. `elevation_sigma`: how unsure its horizon is, rad.

    `learned`: with the help of the detector's features, not by rules alone.

    Where the photo is a smaller picture, that picture is parsed by itself too: what was invented around it has its
    colours but not its lines and textures, and would drown it.
    """
    height, width = panorama.known.shape
    elevation = np.repeat(row_elevations(height).astype(np.float32)[:, None], width, axis=1)
    read = read_panorama(panorama.rgb) if learned else None
    whole = parse(panorama.rgb, elevation, elevation_sigma=elevation_sigma, wraps=True, learned=read)
    rows, columns = photo_window(panorama.known)
    if len(columns) < WHOLE_COLUMNS * width:
        window = np.ix_(rows, columns)
        photo, photo_elevation = np.ascontiguousarray(panorama.rgb[window]), elevation[window]
        read = read_photo(photo, photo_elevation) if learned else None
        inner = parse(photo, photo_elevation, elevation_sigma=elevation_sigma, learned=read)
        probability = whole.probability.copy()
        probability[window] = np.where(panorama.known[window][..., None], inner.probability, probability[window])
        whole = Parse(probability, inner.man_made, inner.open_sky)
    labels = whole.labels
    weight = np.where(panorama.known, pixel_solid_angles(height)[:, None], 0.0)
    total = max(float(weight.sum()), 1e-9)
    angle = np.array([float(weight[labels == kind].sum()) for kind in Stuff])
    belief = np.array([float((weight * whole.probability[..., k])[labels == k].sum()) for k in Stuff])
    strongest = np.divide(belief, angle, out=np.zeros(len(Stuff)), where=angle > 0)
    return Survey(whole, labels, panorama.known, angle / total, strongest, _sky_overhead(labels, weight, elevation))


def photo_window(known: Bool[np.ndarray, "h w"]) -> tuple[Int64[np.ndarray, "k"], Int64[np.ndarray, "l"]]:
    """Rows and columns (in order, across ±180° where needed) of the smallest window that holds all known pixels."""
    rows, seen = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
    width = known.shape[1]
    if not len(rows):
        return np.arange(known.shape[0]), np.arange(width)
    gaps = np.diff(np.r_[seen, seen[0] + width])
    first = int(np.roll(seen, -1)[int(gaps.argmax())])
    return np.arange(rows[0], rows[-1] + 1), np.mod(first + np.arange(width + 1 - int(gaps.max())), width)


def _sky_overhead(labels: np.ndarray, weight: np.ndarray, elevation: np.ndarray) -> float | None:
    overhead = np.where(elevation > OVERHEAD_RAD, weight, 0.0)
    total = float(overhead.sum())
    if total < 0.005 * 4 * np.pi:
        return None
    return float(overhead[labels == Stuff.SKY].sum()) / total


def extent(mask: Bool[np.ndarray, "h w"]) -> float:
    """Part of the whole sphere that a mask covers, 0..1."""
    return float(mask.sum(1) @ pixel_solid_angles(mask.shape[0])) / (4 * np.pi)


def region(view: Survey, kind: Stuff, *, least: float) -> Bool[np.ndarray, "h w"]:
    """Pixels of a kind, in patches that each cover at least `least` of the sphere and touch known pixels.

    Patches are joined across ±180°. Patches wholly in invented pixels are left out: nothing there was seen.
    """
    whole = (view.labels == kind).astype(np.uint8)
    patches = joined_patches(whole)
    height = whole.shape[0]
    omega = np.repeat(pixel_solid_angles(height)[:, None], whole.shape[1], axis=1)
    size = np.bincount(patches.ravel(), weights=omega.ravel()) / (4 * np.pi)
    seen = np.bincount(patches.ravel(), weights=(omega * view.known).ravel()) / (4 * np.pi)
    keep = (size >= least) & (seen >= 0.25 * least)
    keep[0] = False
    return keep[patches]


def joined_patches(mask: UInt8[np.ndarray, "h w"]) -> np.ndarray:
    """Numbers of connected patches, 0 outside; a patch goes on across ±180°."""
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    parent = np.arange(count)
    rows = np.flatnonzero((labels[:, 0] > 0) & (labels[:, -1] > 0))
    for a, b in zip(labels[rows, 0], labels[rows, -1], strict=True):
        low, high = sorted((int(parent[a]), int(parent[b])))
        parent[parent == high] = low
    return parent[np.asarray(labels, np.int64)]


def largest_part(mask: Bool[np.ndarray, "h w"]) -> float:
    """Share of a mask (by solid angle) that hangs together in its largest patch; 0 for an empty mask."""
    if not mask.any():
        return 0.0
    bridged = cv2.dilate(pad_sphere(mask.astype(np.uint8), 2), np.ones((3, 3), np.uint8))[2:-2, 2:-2]
    patches = joined_patches(bridged)
    omega = np.repeat(pixel_solid_angles(mask.shape[0])[:, None], mask.shape[1], axis=1)
    size = np.bincount(patches.ravel(), weights=(omega * mask).ravel())
    size[0] = 0.0
    return float(size.max() / (omega * mask).sum())
