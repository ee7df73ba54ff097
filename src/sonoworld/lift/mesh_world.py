"""From meshes to geometry and splats."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.disk.mesh import Mesh
from sonoworld.disk.mesh_files import read_meshes
from sonoworld.frames import world_from_axes, world_from_head_rotation
from sonoworld.lift.imported import Placing, lifted
from sonoworld.lift.mesh_file import MeshFileOptions
from sonoworld.lift.mesh_samples import Covering, cover
from sonoworld.types import Panorama

AXES = {".ply": "BRU", ".glb": "RUB", ".obj": "RUB"}
"""HunyuanWorld's PLY layers have the axes of MoGe's panoramas: the middle looks along −x, z is up."""


def mesh_world(options: MeshFileOptions) -> Lift:
    """The stage function of `lift.mesh_file`."""

    def lift(panorama: Panorama, run: Run) -> Lifted:
        run.tell(0.0, "reading")
        meshes = tuple(mesh for path in options.paths for mesh in _placed(Path(path), options))
        height = panorama.known.shape[0]
        run.tell(0.1, "splats over triangles")
        splats = cover(meshes, Covering(math.pi / height, options.max_splats, options.size, options.opacity))
        placing = Placing(options.metres_per_unit, options.camera_height_m, None, options.sky_radius_m)
        return lifted(splats, height, placing, run)

    return lift


def _placed(path: Path, options: MeshFileOptions) -> list[Mesh]:
    """Meshes of one file in world axes, in its unit."""
    axes = options.axes or AXES.get(path.suffix.lower(), "RUB")
    rotation = world_from_head_rotation(math.radians(options.yaw_deg), 0.0) @ world_from_axes(axes)
    return [
        dataclasses.replace(mesh, vertices=mesh.vertices @ rotation.T.astype(np.float32)) for mesh in read_meshes(path)
    ]
