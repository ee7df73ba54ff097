"""The distance that MoGe leaves open: it sees shapes up to a shift along the axis, which a known focal length settles.

Letters: (x, y, z) a point as it says it, before the shift; (u, v) where its pixel lies on the view plane; `f` the focal
length in the same unit; `s` the shift: f (x, y) / (z + s) ≈ (u, v) (Wang et al., CVPR 2025, section 3.1). All views are
solved at once, where they are, so that no view waits for another.
"""

from typing import TYPE_CHECKING

from jaxtyping import Bool, Float

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 64
"""Points are thinned to so many a side, as MoGe's own solver does."""

TURNS = 30
DAMPING = 1e-6
ENOUGH = 1e-3
"""A step that lessens what is left by a smaller share is the last, as there."""

STILL = 1e-7


def shifts(
    points: "Float[Tensor, 'b h w 3']", mask: "Bool[Tensor, 'b h w']", uv: "Float[Tensor, 'h w 2']", focal: float
) -> "Float[Tensor, 'b']":
    """`s` of every view, by least squares over where `mask` holds; 0 where that is nowhere.

    Levenberg and Marquardt from s = 0: a step is kept where it lessens what is left, otherwise damped more.
    """
    import torch  # noqa: PLC0415

    rows = torch.arange(SIDE, device=points.device) * points.shape[1] // SIDE
    columns = torch.arange(SIDE, device=points.device) * points.shape[2] // SIDE
    thin = points[:, rows][:, :, columns].flatten(1, 2).double()
    there = mask[:, rows][:, :, columns].flatten(1, 2)
    at = uv[rows][:, columns].flatten(0, 1).double()
    aimed, z = focal * thin[..., :2], thin[..., 2]
    s = torch.zeros(len(points), dtype=torch.float64, device=points.device)
    damping = torch.full_like(s, DAMPING)
    going = torch.ones_like(s, dtype=torch.bool)

    def left(shift: "Float[Tensor, 'b']") -> "tuple[Float[Tensor, 'b'], Float[Tensor, 'b n 2'], Float[Tensor, 'b n']]":
        depth = z + shift[:, None]
        r = (aimed / depth[..., None] - at) * there[..., None]
        cost = r.square().sum((1, 2))
        return torch.where(cost.isfinite(), cost, torch.inf), r, depth

    cost, r, depth = left(s)
    for _ in range(TURNS):
        slope = torch.where(there[..., None], -aimed / depth[..., None] ** 2, 0.0)
        square = slope.square().sum((1, 2)).clamp_min(1e-30)
        step = -(slope * r).sum((1, 2)) / (square * (1 + damping))
        tried = s + torch.where(step.isfinite(), step, 0.0)
        new_cost, new_r, new_depth = left(tried)
        better = going & (new_cost < cost)
        going &= ~(better & (cost - new_cost < ENOUGH * cost))
        s, cost = torch.where(better, tried, s), torch.where(better, new_cost, cost)
        r, depth = torch.where(better[:, None, None], new_r, r), torch.where(better[:, None], new_depth, depth)
        going &= step.abs() > STILL * (1 + s.abs())
        damping = torch.where(better, damping / 3, damping * 4).clamp(1e-9, 1e9)
        if not going.any():
            break
    return s.to(points.dtype)
