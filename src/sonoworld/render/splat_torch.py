"""Splats as tensors, and their picture through a pinhole in torch: the definition with gradients, on any device.

Letters as in `render.splat`, whose plain twin this equals: p, z, t, S, C, a, T. Tiles bound the memory: a tile knows
only the splats whose boxes touch it, nearest first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sonoworld.frames import Pose
from sonoworld.render.splat import GUARD, LOW_PASS_PX2, MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, NEAR_M
from sonoworld.types import Splats

TILE_PX = 16
SH0 = 0.28209479177387814


@dataclass(frozen=True, slots=True)
class SplatTensors:
    """Fields of `Splats` as tensors of one dtype and device; `sh` of degree 0 alone."""

    means: Float[Tensor, "n 3"]
    log_scales: Float[Tensor, "n 3"]
    quats: Float[Tensor, "n 4"]
    opacity_logits: Float[Tensor, "n"]
    sh: Float[Tensor, "n 1 3"]

    @staticmethod
    def of(splats: Splats, device: str = "cpu", dtype: torch.dtype = torch.float32) -> "SplatTensors":
        """Copies of the arrays; harmonics above degree 0 are left out."""

        def tensor(array: np.ndarray) -> Tensor:
            return torch.tensor(array, dtype=dtype, device=device)

        return SplatTensors(
            tensor(splats.means),
            tensor(splats.log_scales),
            tensor(splats.quats),
            tensor(splats.opacity_logits),
            tensor(splats.sh[:, :1]),
        )

    def numpy(self) -> Splats:
        """The value that stages exchange."""
        fields = (self.means, self.log_scales, self.quats, self.opacity_logits, self.sh)
        return Splats(*(np.ascontiguousarray(field.detach().cpu().numpy(), np.float32) for field in fields))


@dataclass(frozen=True, slots=True)
class TensorImage:
    """As `SplatImage`, with gradients; where nothing is, `depth` is 0."""

    rgb: Float[Tensor, "h w 3"]
    depth: Float[Tensor, "h w"]
    alpha: Float[Tensor, "h w"]


def render_view_torch(
    splats: SplatTensors, K: Float[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> TensorImage:
    """See splats through a pinhole camera; gradients flow to every field of the splats.

    Args:
        splats: what is there, world axes, m.
        K: intrinsics in px, no skew.
        size_px: (width, height).
        world_from_camera: where the camera is; camera axes RDF.
    """
    like: dict[str, Any] = {"dtype": splats.means.dtype, "device": splats.means.device}
    width, height = size_px
    flat = _project(splats, torch.tensor(K, **like), size_px, world_from_camera)
    colours = torch.clamp(SH0 * splats.sh[:, 0] + 0.5, min=0.0)
    picture = torch.zeros((height, width, 5), **like)
    rows: list[Tensor] = []
    for top in range(0, height, TILE_PX):
        tiles = [
            _tile(flat, colours, (left, top, min(left + TILE_PX, width), min(top + TILE_PX, height)))
            for left in range(0, width, TILE_PX)
        ]
        rows.append(torch.cat(tiles, dim=1))
    picture = torch.cat(rows, dim=0)
    alpha = picture[..., 4]
    there = alpha > 0
    depth = torch.where(there, picture[..., 3] / torch.where(there, alpha, torch.ones_like(alpha)), alpha)
    return TensorImage(torch.clamp(picture[..., :3], max=1.0), depth, alpha)


@dataclass(frozen=True, slots=True)
class _Flat:
    """What is in front of the camera, nearest first: places in px, inverse C, opacity, depth, boxes, and whose."""

    centre: Tensor
    inverse: Tensor
    opacity: Tensor
    z: Tensor
    half: Tensor
    index: Tensor


def _project(splats: SplatTensors, K: Tensor, size_px: tuple[int, int], pose: Pose) -> _Flat:
    like: dict[str, Any] = {"dtype": splats.means.dtype, "device": splats.means.device}
    R, origin = torch.tensor(pose.rotation, **like), torch.tensor(pose.origin, **like)
    opacity = torch.sigmoid(splats.opacity_logits)
    p = (splats.means - origin) @ R
    index = torch.nonzero((p[:, 2] >= NEAR_M) & (opacity > MIN_ALPHA))[:, 0]
    index = index[torch.argsort(p[index, 2], stable=True)]
    p, opacity, z = p[index], opacity[index], p[index, 2]
    f, c, size = torch.stack([K[0, 0], K[1, 1]]), K[:2, 2], torch.tensor(size_px, **like)
    ratio = p[:, :2] / z[:, None]
    t = torch.minimum(torch.maximum(ratio, (-GUARD * size - c) / f), ((1 + GUARD) * size - c) / f)
    # Zwicker et al. 2001 eq. 29: C = J W S Wᵀ Jᵀ, J = f/z · [I | −t]
    scale = f / z[:, None]
    axes = R.T @ _rotations(splats.quats[index]) * torch.exp(splats.log_scales[index])[:, None, :]
    half = scale[..., None] * (axes[:, :2] - t[..., None] * axes[:, 2:])
    C = half @ half.transpose(1, 2) + LOW_PASS_PX2 * torch.eye(2, **like)
    reach = torch.sqrt(2 * torch.log(opacity.detach() / MIN_ALPHA))
    box = reach[:, None] * torch.sqrt(torch.diagonal(C.detach(), dim1=1, dim2=2))
    return _Flat(ratio * f + c, torch.linalg.inv(C), opacity, z, box, index)


def _rotations(quats: Tensor) -> Tensor:
    w, x, y, z = torch.unbind(quats / torch.linalg.norm(quats, dim=1, keepdim=True), dim=1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _tile(flat: _Flat, colours: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    """[h w 5] of a tile: Σ a·T·(colour, z), and 1 − T at the end."""
    left, top, right, bottom = box
    near, far = flat.centre.detach() - flat.half, flat.centre.detach() + flat.half
    hit = (far[:, 0] > left) & (near[:, 0] < right) & (far[:, 1] > top) & (near[:, 1] < bottom)
    i = torch.nonzero(hit)[:, 0]
    like: dict[str, Any] = {"dtype": flat.z.dtype, "device": flat.z.device}
    x, y = torch.arange(left, right, **like) + 0.5, torch.arange(top, bottom, **like) + 0.5
    if len(i) == 0:
        return torch.zeros((len(y), len(x), 5), **like)
    pixels = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    offset = pixels[None] - flat.centre[i, None, None]
    power = 0.5 * torch.einsum("nhwi,nij,nhwj->nhw", offset, flat.inverse[i], offset)
    alpha = torch.clamp(flat.opacity[i, None, None] * torch.exp(-power), max=MAX_ALPHA)
    alpha = torch.where(alpha >= MIN_ALPHA, alpha, torch.zeros_like(alpha))
    after = torch.cumprod(1 - alpha, dim=0)
    before = torch.cat([torch.ones_like(after[:1]), after[:-1]])
    open_ = before.detach() >= MIN_TRANSMITTANCE
    weight = torch.where(open_, alpha * before, torch.zeros_like(alpha))
    values = torch.cat([colours[flat.index[i]], flat.z[i, None]], dim=1)
    return torch.cat([torch.einsum("nhw,nc->hwc", weight, values), weight.sum(0)[..., None]], dim=-1)
