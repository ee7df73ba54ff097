"""The vote: regions give the shape, the tiles' semantics give the class.

Letters: S_k score map of label k, 0..1; R_j region; Ω solid angle. Source: SonoWorld (arXiv 2603.28757), region-wise
vote of tile semantics over class-less regions; the shares and their order here are ours.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64
from pydantic import Field

from sonoworld.backend import Options
from sonoworld.perceive.survey import joined_patches
from sonoworld.segment.regions import Attention
from sonoworld.sphere import pad_sphere
from sonoworld.tiles import solid_angles

REACH_RAD = float(np.radians(3))
GAP = 0.01
"""Of the sphere: a smaller gap in a label may be a thing that is cut out of it."""


class VoteOptions(Options):
    """When a region takes a class."""

    least_score: float = Field(default=0.5, ge=0, le=1, description="a pixel has a label when its score is above this")
    least_share: float = Field(default=0.5, gt=0, le=1, description="share of a region that must have the label")
    keep_outside: bool = Field(default=False, description="keep labelled pixels that lie in no region")


def labelled(scores: Float32[np.ndarray, "k h w"], least_score: float) -> Int64[np.ndarray, "h w"]:
    """Per pixel the number of the label with the highest score, −1 where none is above `least_score`."""
    best = scores.argmax(0)
    return np.where(scores.max(0) > least_score, best, -1)


def vote(
    scores: Float32[np.ndarray, "k h w"], regions: Sequence[Bool[np.ndarray, "h w"]], options: VoteOptions
) -> Bool[np.ndarray, "k h w"]:
    """Masks of k labels on the panorama.

    Every region goes whole to the label that most of it has, or to none. Regions inside regions: the smaller one
    decides, so that a boat is cut out of its river.
    """
    labels = labelled(scores, options.least_score)
    omega = solid_angles(labels.shape[0])
    decided = np.full(labels.shape, -1)
    inside = np.zeros(labels.shape, np.bool_)
    for region in sorted(regions, key=lambda r: -float(omega[r].sum())):
        decided[region] = _winner(labels[region], omega[region], len(scores), options.least_share)
        inside |= region
    if options.keep_outside:
        decided = np.where(inside, decided, labels)
    return decided[None] == np.arange(len(scores))[:, None, None]


def attention(scores: Float32[np.ndarray, "k h w"], options: VoteOptions, count: int) -> Attention:
    """Where regions can matter to the first `count` labels: on their pixels, around them, and in gaps among them."""
    labels = labelled(scores, options.least_score)
    things = (labels >= 0) & (labels < count)
    mask = things.astype(np.uint8)
    pad = max(1, round(REACH_RAD / np.pi * len(mask)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pad + 1, 2 * pad + 1))
    near = cv2.dilate(pad_sphere(mask, pad), disc)[pad:-pad, pad:-pad] > 0
    gaps, omega = joined_patches((~near).astype(np.uint8)), solid_angles(len(mask))
    size = np.bincount(gaps.ravel(), weights=omega.ravel())
    return Attention(near | (gaps > 0) & (size <= 4 * np.pi * GAP)[gaps], things)


def _winner(labels: Int64[np.ndarray, "n"], omega: np.ndarray, count: int, least_share: float) -> int:
    if not len(labels):
        return -1
    share = np.bincount(labels + 1, weights=omega, minlength=count + 1)[1:] / omega.sum()
    best = int(share.argmax())
    return best if share[best] >= least_share else -1
