"""DA² as a model that looks at whole panoramas.

It is asked at 1092×546 only: at any other size its directions of pixels (`SphereViT.forward` scales the width of its
sphere from 1092, not from the picture's) are those of another panorama.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonoworld.backend import Lift
from sonoworld.errors import BackendMissingError
from sonoworld.lift.da2 import HOW, WEIGHTS, Da2Options
from sonoworld.lift.model_world import Spoken, lift_by_turns
from sonoworld.lift.view_depth import Look, Seen, seen
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, filled, hub_file, library, loading

WHO = "lift.da2"
ROWS = 546
CONFIG: dict[str, Any] = {
    "inference": {"min_pixels": 580000, "max_pixels": 620000},
    "spherevit": {
        "vit_w_esphere": {
            "input_dims": [1024, 1024, 1024, 1024],
            "hidden_dim": 512,
            "num_heads": 8,
            "expansion": 4,
            "num_layers_head": [2, 2, 2],
            "dropout": 0.0,
            "layer_scale": 0.0001,
            "out_dim": 64,
            "kernel_size": 3,
            "num_prompt_blocks": 1,
            "use_norm": False,
        },
        "sphere": {"width": 2 * ROWS, "height": ROWS, "hfov": 6.2832, "vfov": 3.1416},
    },
}
"""What its `configs/infer.json` says of the model."""


def lifter(options: Da2Options) -> Lift:
    """The stage function of `lift.da2`; the model is loaded now."""
    look = looker(loaded(options), options)
    return lift_by_turns(look, options, Spoken(WHO, metric=False), rows=ROWS, batch=options.batch)


def loaded(options: Da2Options) -> Any:
    """The model.

    Raises:
        BackendMissingError: package, weights or device are not here, or the file lacks tensors of the model.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    try:
        kind = library("da2.model.spherevit").SphereViT
    except BackendMissingError as error:
        raise BackendMissingError(f"{WHO}: {str(error).split(': pip install')[0]}\n{HOW}") from error
    device = chosen_device(options.device)
    with loading(checkpoint, WHO):
        net = filled(kind(CONFIG), hub_file(checkpoint, "model.safetensors", "pytorch_model.bin"), checkpoint, WHO)
        return net.eval().to(library("torch").device(device))  # its `to` remembers its first argument


def looker(net: Any, options: Da2Options) -> Look:
    """Distances, up to one factor."""
    torch = library("torch")
    device = next(net.parameters()).device
    dtype = chosen_dtype(options.dtype, device.type, on_gpu="float16")

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        pixels = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2) / 255
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            said = net(pixels).float().cpu().numpy()
        return [seen(one, np.zeros(one.shape, np.bool_)) for one in said]

    return look
