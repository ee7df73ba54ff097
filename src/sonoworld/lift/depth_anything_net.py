"""Depth Anything V2 (transformers) as a model that looks around."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonoworld.backend import Lift
from sonoworld.lift.depth_anything import WEIGHTS, DepthAnythingOptions
from sonoworld.lift.model_world import lift_by_disparity, lift_by_views
from sonoworld.lift.view_depth import Look, Seen, seen
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, library, loading

WHO = "lift.depth_anything"


def lifter(options: DepthAnythingOptions) -> Lift:
    """The stage function of `lift.depth_anything`; the model is loaded now."""
    net, processor = loaded(options)
    look = looker(net, processor)
    if net.config.depth_estimation_type == "metric":
        return lift_by_views(look, options, who=WHO, metric=True)
    return lift_by_disparity(look, options, who=WHO)


def loaded(options: DepthAnythingOptions) -> tuple[Any, Any]:
    """The model and its processor.

    Raises:
        BackendMissingError: package, weights or device are not here, or it is another kind of model.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    library("transformers")
    with loading(checkpoint, WHO):
        from transformers import (  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra
            AutoImageProcessor,
            DepthAnythingForDepthEstimation,
        )

        device = chosen_device(options.device)
        dtype = chosen_dtype(options.dtype, device, on_gpu="float16")
        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        processor = AutoImageProcessor.from_pretrained(checkpoint.place, **where)
        pair: Any = DepthAnythingForDepthEstimation.from_pretrained(
            checkpoint.place, dtype=dtype, output_loading_info=True, **where
        )
        return complete(pair, checkpoint, WHO).to(device).eval(), processor


def looker(net: Any, processor: Any) -> Look:
    """What it says at its own size: metres, or disparity, of which 0 is no depth."""
    torch = library("torch")

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        with torch.inference_mode():
            pixels = processor(images=list(pictures), return_tensors="pt")["pixel_values"]
            said = net(pixel_values=pixels.to(net.device, net.dtype)).predicted_depth.float().cpu().numpy()
        return [seen(one, np.zeros(one.shape, np.bool_)) for one in said]

    return look
