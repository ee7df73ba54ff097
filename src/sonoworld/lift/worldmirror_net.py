"""WorldMirror on this machine: views of a panorama with their cameras as priors, all through the net at once.

As its src/models/models/worldmirror.py (commit c61300e): `views` holds "img" [1 S 3 h w] in 0..1, "camera_poses"
[1 S 4 4] (camera to world, OpenCV axes, relative to the first view as its data sets give them) and "camera_intrs"
[1 S 3 3] in px. Flags say which priors count, in the order pose, depth, rays (visual_transformer.py; the docstring of
its `forward` names another order). "depth" is z, [1 S h w 1].
"""

import inspect
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.errors import BackendMissingError
from sonoworld.lift.model_world import Spoken, world
from sonoworld.lift.view_depth import Seen, seen, tile_view
from sonoworld.lift.view_merge import View, merge
from sonoworld.lift.worldmirror import HOW, WEIGHTS, WorldMirrorOptions, code_folder
from sonoworld.tiles import Tile, cut_all, sphere_tiles
from sonoworld.types import Panorama
from sonoworld.weights import Checkpoint, chosen_device, filled, hub_file, library, loading

WHO = "lift.worldmirror"
FLAGS = [1, 0, 1]
"""Poses and rays are known, depth is not."""

UNUSED = {"enable_cam": False, "enable_pts": False, "enable_norm": False, "enable_gs": False, "enable_depth": True}
"""Heads that are left out, with their weights: cameras are known, points and normals follow from depth."""


def lifter(options: WorldMirrorOptions) -> Lift:
    """The stage function of `lift.worldmirror`; the model is loaded now."""
    net = loaded(options)

    def lift(panorama: Panorama, run: Run) -> Lifted:
        height = panorama.rgb.shape[0]
        tiles = sphere_tiles(options.side_px, options.fov_deg, options.overlap)
        views: list[View] = []
        for pictures in cut_all(panorama.rgb, tiles, options.batch):
            first = len(views)
            run.tell(0.6 * first / len(tiles), f"views {first + 1} to {first + len(pictures)} of {len(tiles)}")
            some = tiles[first : first + len(pictures)]
            found = look(net, pictures, some)
            views += [tile_view(one, tile, height) for one, tile in zip(found, some, strict=True)]
        return Lifted(world(merge(views, height), panorama, options, run, Spoken(WHO, metric=False)))

    return lift


def loaded(options: WorldMirrorOptions) -> Any:
    """The net, with its depth head only.

    Raises:
        BackendMissingError: code, packages, weights or device are not here, or the file lacks tensors of the model.
    """
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    kind = _kind(options)
    with loading(checkpoint, WHO):
        config = json.loads(hub_file(checkpoint, "config.json").read_text("utf-8"))
        known = inspect.signature(kind.__init__).parameters  # as its from_pretrained: other entries are not for it
        net = kind(**{name: value for name, value in {**config, **UNUSED}.items() if name in known})
        net = filled(net, hub_file(checkpoint, "model.safetensors"), checkpoint, WHO)
        return net.to(chosen_device(options.device)).eval()


def _kind(options: WorldMirrorOptions) -> Any:
    """Its class, out of a checkout whose package has the name `src`, which others may have, too."""
    folder = code_folder(options)
    if folder is None:
        raise BackendMissingError(f"{WHO}: no HunyuanWorld-Mirror code in {options.code}\n{HOW}")
    other = sys.modules.get("src")
    if other is not None and str(folder / "src") not in map(str, map(Path, other.__path__)):
        raise BackendMissingError(f"{WHO}: another package `src` is loaded already, from {list(other.__path__)}")
    sys.path.insert(0, str(folder))
    try:
        return library("src.models.models.worldmirror").WorldMirror
    except BackendMissingError as error:
        raise BackendMissingError(f"{WHO}: {str(error).split(': pip install')[0]}\n{HOW}") from error
    finally:
        sys.path.remove(str(folder))


def look(net: Any, pictures: Sequence[UInt8[np.ndarray, "s s 3"]], tiles: Sequence[Tile]) -> list[Seen]:
    """Depths of tiles, all in one unit of its own; what is not finite is sky, as `seen` says."""
    torch = library("torch")
    device = next(net.parameters()).device
    views = {
        "img": torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2)[None] / 255,
        "camera_poses": torch.from_numpy(poses(tiles)).to(device)[None],
        "camera_intrs": torch.from_numpy(np.stack([t.K for t in tiles]).astype(np.float32)).to(device)[None],
    }
    with torch.inference_mode():
        said = net(views=views, cond_flags=FLAGS)
    depth = said["depth"][0, ..., 0].float().cpu().numpy()
    return [seen(one, np.zeros(one.shape, np.bool_)) for one in depth]


def poses(tiles: Sequence[Tile]) -> Float32[np.ndarray, "n 4 4"]:
    """Camera-to-world of each tile, where the world is the camera of the first; all have one eye."""
    found = np.tile(np.eye(4, dtype=np.float32), (len(tiles), 1, 1))
    found[:, :3, :3] = [tiles[0].pose.rotation.T @ tile.pose.rotation for tile in tiles]
    return found
