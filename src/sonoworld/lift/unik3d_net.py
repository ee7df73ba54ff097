"""UniK3D as a model that looks at whole panoramas.

Its `Spherical` camera counts the middle of the picture as ahead, to the right and downwards as growing, and takes half
of the angles that the picture spans: π and π/2.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sonoworld.backend import Lift
from sonoworld.errors import BackendMissingError
from sonoworld.lift.model_world import Spoken, lift_by_turns
from sonoworld.lift.unik3d import HOW, WEIGHTS, Unik3dOptions
from sonoworld.lift.view_depth import Look, Seen, seen
from sonoworld.weights import Checkpoint, chosen_device, filled, hub_file, library, loading

WHO = "lift.unik3d"
ROWS = 546
"""As many pixels as it looks at, at most (600 000)."""


def lifter(options: Unik3dOptions) -> Lift:
    """The stage function of `lift.unik3d`; the model is loaded now."""
    return lift_by_turns(looker(loaded(options)), options, Spoken(WHO, metric=True), rows=ROWS, batch=1)


def loaded(options: Unik3dOptions) -> Any:
    """The model.

    Raises:
        BackendMissingError: package, weights or device are not here, or the file lacks tensors of the model.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    try:
        kind = library("unik3d.models").UniK3D
    except BackendMissingError as error:
        raise BackendMissingError(f"{WHO}: {str(error).split(': pip install')[0]}\n{HOW}") from error
    device = chosen_device(options.device)
    with loading(checkpoint, WHO):
        net = kind(json.loads(hub_file(checkpoint, "config.json").read_text("utf-8")))
        file = hub_file(checkpoint, "model.safetensors", "pytorch_model.bin")
        net = filled(net, file, checkpoint, WHO).to(device).eval()
    net.resolution_level = options.resolution_level
    return net


def looker(net: Any) -> Look:
    """Distances in metres; it takes one panorama at a time, and chooses 16 bits by itself on a GPU."""
    torch = library("torch")
    spherical = library("unik3d.utils.camera").Spherical

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        found: list[Seen] = []
        for picture in pictures:
            height, width = picture.shape[:2]
            params = torch.tensor(
                [1.0, 1.0, 1.0, 1.0, width, height, math.pi, math.pi / 2]
            )  # the first four are unused
            said = net.infer(torch.from_numpy(picture).permute(2, 0, 1), camera=spherical(params=params))
            distance = said["distance"][0, 0].float().cpu().numpy()
            found.append(seen(distance, np.zeros(distance.shape, np.bool_)))
        return found

    return look
