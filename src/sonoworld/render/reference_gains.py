"""Gains of sources at the end of every block, in torch: the laws of `encode` with all of their gradients.

Letters: x offset from listener to point, u its direction, d distance; σ fade; w weights; b directivity; y SN3D
harmonics; L level. g = 10^((L − 100)/20) · cap_n · Σ_m w_m σ(d_m) b(θ_m) y(u_m).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from sonoworld.encode.area import cap_gains
from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import distance, fade
from sonoworld.errors import ShapeError
from sonoworld.render.reference_scene import Around, Sources
from sonoworld.types import FULL_SCALE_DB


def gains_reference(around: Around, law: EncodeOptions) -> Float[Tensor, "*b k c q"]:
    """What each source puts on each channel, head axes, at the end of each block (k = 1 where nothing moves)."""
    sources, head = around.sources, around.head
    offset = _offsets(around)
    strength = _weights(sources) * fade_reference(offset, law, around.alpha)
    if sources.aim is not None:
        aim = sources.aim
        strength = strength * directivity_gain(
            offset, aim.facing[..., None, :], aim.pattern[..., None], aim.sharpness[..., None], _near_m(law)
        )
    R = head.rotations[..., None, :, :].to(offset.dtype)
    Y = harmonics(offset @ R, law.order)  # R^T x, vectors as rows
    gains = (strength[..., None, :].to(offset.dtype) @ Y)[..., 0, :]
    if sources.half_angle is not None:
        gains = gains * cap_gains(sources.half_angle, law.order)
    level = 10.0 ** ((sources.level_db - FULL_SCALE_DB) / 20)
    return (gains * level[..., None]).movedim(-1, -2)


def distances_reference(around: Around, law: EncodeOptions) -> Float[Tensor, "*b k q"]:
    """D from the listener to the weighted middle of every source, m: its delay and its air."""
    weights = _weights(around.sources)
    middle = (weights[..., None] * around.sources.points).sum(-2) / weights.sum(-1, keepdim=True)
    return distance(middle - around.head.origins[..., None, :], _near_m(law))


def fade_reference(
    offset: Float[Tensor, "*#b k q m 3"], law: EncodeOptions, alpha: Float[Tensor, "*#b"] | None
) -> Float[Tensor, "*b k q m"]:
    """σ of `encode.propagate.fade`, with α that may be learnt: exp(−α(d − 1))/d, in paper mode exp(−αd)/d."""
    plain = fade(offset, law)
    if alpha is None:
        return plain
    if law.air != "alpha" or law.alpha != 0:
        raise ShapeError("alpha", expected="a law with air = 'alpha' and alpha = 0 beside it", got=f"{law.air}")
    start = 0.0 if law.mode == "paper" else 1.0
    return plain * torch.exp(-alpha[..., None, None, None] * (distance(offset, _near_m(law)) - start))


def _offsets(around: Around) -> Float[Tensor, "*b k q m 3"]:
    return around.sources.points - around.head.origins[..., None, None, :]


def _weights(sources: Sources) -> Float[Tensor, "*b 1 q m"]:
    return sources.weights.unsqueeze(-3)


def _near_m(law: EncodeOptions) -> float:
    return 0.0 if law.mode == "paper" else law.near_m
