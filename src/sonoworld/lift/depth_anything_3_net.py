"""Depth Anything 3's net, without its interface, which needs packages for films and for servers.

As its `api.DepthAnything3` and `utils/io/input_processor.py` do: pictures as ImageNet's mean and deviation have them,
[views, 1, 3, h, w], the net in 16 bits on a GPU, its head in float32. In metres, as its README says:
depth = focal length in px · what the metric net says / 300.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sonoworld.backend import Lift
from sonoworld.errors import BackendMissingError
from sonoworld.lift.depth_anything_3 import HOW, WEIGHTS, DepthAnything3Options
from sonoworld.lift.model_world import lift_by_views
from sonoworld.lift.view_depth import Look, Seen, seen
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, filled, hub_file, library, loading

WHO = "lift.depth_anything_3"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CANONICAL_FOCAL_PX = 300.0
SKY = 0.3
"""From this on, what its sky head says is sky (its `compute_sky_mask`)."""


def lifter(options: DepthAnything3Options) -> Lift:
    """The stage function of `lift.depth_anything_3`; the model is loaded now."""
    net, metric = loaded(options)
    return lift_by_views(looker(net, options, metric=metric), options, who=WHO, metric=metric)


def loaded(options: DepthAnything3Options) -> tuple[Any, bool]:
    """The net, and whether it is the metric one.

    Raises:
        BackendMissingError: package, weights or device are not here, or the model is a nested one.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    try:
        parts, registry = library("depth_anything_3.cfg"), library("depth_anything_3.registry")
    except BackendMissingError as error:
        raise BackendMissingError(f"{WHO}: {str(error).split(': pip install')[0]}: {HOW}") from error
    with loading(checkpoint, WHO):
        name = json.loads(hub_file(checkpoint, "config.json").read_text("utf-8")).get("model_name", "da3-large")
        if name.startswith("da3nested"):
            raise BackendMissingError(f"{WHO}: {options.model} is two models in one: name {WEIGHTS[0].model} instead")
        device = chosen_device(options.device)
        net = parts.create_object(parts.load_config(registry.MODEL_REGISTRY[name]))
        net = filled(net, hub_file(checkpoint, "model.safetensors"), checkpoint, WHO, prefix="model.")
    return net.to(device).eval(), name.startswith("da3metric")


def looker(net: Any, options: DepthAnything3Options, *, metric: bool) -> Look:
    """Views one by one to the net, many at once to the device."""
    torch = library("torch")
    device = next(net.parameters()).device
    dtype = chosen_dtype(options.dtype, device.type, on_gpu="bfloat16")
    mean, deviation = (torch.tensor(v, device=device)[:, None, None] for v in (MEAN, DEVIATION))
    focal_px = options.side_px / (2 * math.tan(math.radians(options.fov_deg) / 2))
    unit_m = focal_px / CANONICAL_FOCAL_PX if metric else 1.0

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        pixels = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2) / 255
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            said = net(((pixels - mean) / deviation)[:, None])
        shape = (len(pictures), *said["depth"].shape[-2:])
        depth = said["depth"].float().reshape(shape).cpu().numpy() * np.float32(unit_m)
        none = np.zeros(shape[1:], np.bool_)
        if "sky" not in said:
            return [seen(one, none) for one in depth]
        sky = said["sky"].float().reshape(shape).cpu().numpy() >= SKY
        return [seen(depth[i], sky[i]) for i in range(len(pictures))]

    return look
