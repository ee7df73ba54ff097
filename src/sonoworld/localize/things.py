"""How many things a mask shows: patches on the sphere, specks left out, patches with a small gap taken as one."""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64

from sonoworld import sphere

_SAMPLES = 300


def things(
    mask: Bool[np.ndarray, "h w"], *, gap: float, least_share: float, most: int
) -> tuple[Bool[np.ndarray, "h w"], ...]:
    """Masks of the things in a (non-empty) mask, largest first.

    Patches (joined across ±180° and over the poles) closer together than `gap` (rad) are one thing, such as somebody
    behind a lamp post. Things smaller than `least_share` of the largest, and those beyond the `most`
    largest, are left out.
    """
    height = len(mask)
    labels, size = _patches(mask)
    kept = [k for k in np.argsort(-size, kind="stable") if size[k] >= least_share**2 * size.max()][:64]
    groups: list[list[int]] = []
    spots = {k: _spots(labels == k) for k in kept}
    limit = np.cos(max(gap, 1.5 * np.pi / height))
    for k in kept:
        near = [g for g in groups if any(float((spots[k] @ spots[j].T).max()) >= limit for j in g)]
        groups = [g for g in groups if g not in near] + [[k, *(j for g in near for j in g)]]
    total = {id(g): float(size[g].sum()) for g in groups}
    ranked = sorted(groups, key=lambda g: (-total[id(g)], min(g)))
    large = [g for g in ranked if total[id(g)] >= least_share * total[id(ranked[0])]]
    return tuple(np.isin(labels, g) for g in large[:most])


def without_specks(mask: Bool[np.ndarray, "h w"], least_share: float) -> Bool[np.ndarray, "h w"]:
    """A (non-empty) mask less its patches smaller than `least_share` of its largest: far specks weigh a lot of area."""
    labels, size = _patches(mask)
    keep = size >= least_share * size.max()
    keep[0] = False
    return keep[labels]


def _patches(mask: Bool[np.ndarray, "h w"]) -> tuple[Int64[np.ndarray, "h w"], Float64[np.ndarray, "k"]]:
    """Number of the patch of every pixel, 0 outside (not joined across ±180°), and their solid angles, sr."""
    count, patches = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    labels = np.asarray(patches, np.int64)
    omega = np.repeat(sphere.pixel_solid_angles(len(mask))[:, None], mask.shape[1], axis=1)
    size = np.bincount(labels.ravel(), weights=omega.ravel(), minlength=count)
    size[0] = 0.0
    return labels, size


def _spots(patch: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """Directions along the border of a patch, a few hundred at most."""
    inner = cv2.erode(sphere.pad_sphere(patch.astype(np.uint8), 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    rows, columns = np.nonzero(patch & ~inner)
    if not len(rows):
        rows, columns = np.nonzero(patch)
    step = max(1, len(rows) // _SAMPLES)
    return sphere.pixel_directions(patch.shape[0])[rows[::step], columns[::step]]
