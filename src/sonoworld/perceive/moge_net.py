"""MoGe on this machine: loaded strictly, and asked for several pictures at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.errors import BackendMissingError, StageError
from sonoworld.perceive.moge import FILE, HOW, WEIGHTS, MogeOptions
from sonoworld.perceive.moge_shift import shifts
from sonoworld.weights import Checkpoint, chosen_device, complete, hub_file, library, loading


@dataclass(frozen=True, slots=True)
class Moge:
    """A loaded model. `metric`: it knows metres."""

    net: Any
    metric: bool
    half: bool
    resolution_level: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What it says of a picture: z-depth (where `mask`), and the horizontal field of view, rad."""

    depth: Float32[np.ndarray, "h w"]
    mask: Bool[np.ndarray, "h w"]
    fov: float


def loaded(options: MogeOptions, who: str) -> Moge:
    """The model of these options.

    Raises:
        BackendMissingError: package, weights or device are not here, or the file lacks tensors of the model.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    torch = library("torch")
    with loading(checkpoint, who):
        saved = torch.load(hub_file(checkpoint, FILE), map_location="cpu", weights_only=True)
        config = saved["model_config"]
        second = isinstance(config["encoder"], dict)  # MoGe-1 names its encoder, MoGe-2 describes it
        device = chosen_device(options.device)
        net = _kind("moge.model.v2" if second else "moge.model.v1")(**config)
        info = net.load_state_dict(saved["model"], strict=False)  # its own loader leaves out silently what is missing
        lacking = {"missing_keys": info.missing_keys, "mismatched_keys": ()}
        net = complete((net, lacking), checkpoint, who).to(device).eval()
    half = options.dtype == "float16" or (options.dtype == "auto" and device != "cpu")
    half = half and device != "cpu"
    return Moge(trimmed(net, half=half), second and hasattr(net, "scale_head"), half, options.resolution_level)


def trimmed(net: Any, *, half: bool) -> Any:
    """Without its normals, which follow from depth here and cost as much as the points; laid out for convolutions.

    `half`: MoGe-2 is held in 16 bits, which moves half as much as casting around every norm does; its exponentials,
    which 16 bits may not hold, are taken in 32.
    """
    if hasattr(net, "normal_head"):
        del net.normal_head
    if half and hasattr(net, "_remap_points"):
        net = net.half()
        remap = net._remap_points
        net._remap_points = lambda points: remap(points.float())
    return net.to(memory_format=library("torch").channels_last)


def _kind(module: str) -> Any:
    try:
        found = library(module)
    except BackendMissingError as error:
        raise BackendMissingError(f"{str(error).split(': pip install')[0]}: {HOW}") from error
    return found.MoGeModel


def shapes(model: Moge, pictures: Sequence[UInt8[np.ndarray, "h w 3"]], fov: float | None) -> list[Shape]:
    """What it says of pictures of one size, all at once. `fov`: their horizontal field of view, rad; None: it guesses.

    Raises:
        StageError: it finds no field of view.
    """
    torch = library("torch")
    stack = torch.from_numpy(np.stack(pictures)).to(model.net.device).permute(0, 3, 1, 2) / 255
    if fov is not None:
        return shapes_at(model, stack, fov)
    said = model.net.infer(
        stack, resolution_level=model.resolution_level, apply_mask=False, fov_x=None, use_fp16=model.half
    )
    depth = said["depth"].float().cpu().numpy()
    mask = said["mask"].cpu().numpy() if "mask" in said else np.ones(depth.shape, np.bool_)
    focal = said["intrinsics"][:, 0, 0].float().cpu().numpy()  # in widths of the picture
    if not (np.isfinite(focal) & (focal > 0)).all():
        raise StageError("MoGe finds no field of view: is this a perspective photo of a place?")
    return [Shape(depth[i], mask[i], 2 * math.atan(0.5 / float(f))) for i, f in enumerate(focal)]


def shapes_at(model: Moge, stack: Any, fov: float) -> list[Shape]:
    """With a field of view that is known: one turn of the net, and the shifts of all views at once."""
    torch = library("torch")
    net, (high, wide) = model.net, stack.shape[-2:]
    least, most = net.num_tokens_range
    tokens = int(least + model.resolution_level / 9 * (most - least))
    with torch.inference_mode():
        cast = model.half and net.dtype != torch.float16
        with torch.autocast(net.device.type, dtype=torch.float16, enabled=cast):
            said = net.forward(stack.to(net.dtype), tokens)
        points = said["points"].float()
        mask = (
            said["mask"].float() > getattr(net, "mask_threshold", 0.5)
            if "mask" in said
            else torch.ones_like(points[..., 0], dtype=torch.bool)
        )
        diagonal = math.hypot(wide, high)  # its view plane is measured in half diagonals
        u = (2 * torch.arange(wide, device=net.device) + 1 - wide) / diagonal
        v = (2 * torch.arange(high, device=net.device) + 1 - high) / diagonal
        uv = torch.stack(torch.meshgrid(u, v, indexing="xy"), -1)
        focal = wide / diagonal / math.tan(fov / 2)
        depth = points[..., 2] + shifts(points, mask, uv, focal)[:, None, None]
        if "metric_scale" in said:
            depth = depth * said["metric_scale"].float()[:, None, None]
        mask &= depth > 0
    return [Shape(d, m, fov) for d, m in zip(depth.cpu().numpy(), mask.cpu().numpy(), strict=True)]
