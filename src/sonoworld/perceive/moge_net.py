"""MoGe on this machine: loaded strictly, and asked for several pictures at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from sonoworld.errors import BackendMissingError, StageError
from sonoworld.perceive.moge import FILE, HOW, WEIGHTS, MogeOptions
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
    return Moge(net, second and hasattr(net, "scale_head"), half and device != "cpu", options.resolution_level)


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
    said = model.net.infer(
        stack,
        resolution_level=model.resolution_level,
        apply_mask=False,
        fov_x=None if fov is None else math.degrees(fov),
        use_fp16=model.half,
    )
    depth = said["depth"].float().cpu().numpy()
    mask = said["mask"].cpu().numpy() if "mask" in said else np.ones(depth.shape, np.bool_)
    focal = said["intrinsics"][:, 0, 0].float().cpu().numpy()  # in widths of the picture
    if not (np.isfinite(focal) & (focal > 0)).all():
        raise StageError("MoGe finds no field of view: is this a perspective photo of a place?")
    return [Shape(depth[i], mask[i], 2 * math.atan(0.5 / float(f))) for i, f in enumerate(focal)]
