"""gsplat on a GPU against our rasteriser on the CPU: how far apart the pictures are, and milliseconds a picture.

python bench/splat_gpu.py          (a machine with CUDA, torch and gsplat)
"""

import math
import time

import numpy as np

import street
from sonoworld.backend import Run
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift.footprint import FootprintOptions
from sonoworld.lift.seeding import seeding
from sonoworld.render.splat import render_view
from sonoworld.render.splat_gpu import render_view_gpu
from sonoworld.sphere import pinhole, pixel_directions
from sonoworld.types import Geometry, Panorama


def main() -> None:
    rgb, distance = street.look(np.zeros(3), pixel_directions(590))
    sky = ~np.isfinite(distance)
    d = np.where(sky, 200.0, distance).astype(np.float32)
    geometry = Geometry(d, -pixel_directions(590).astype(np.float32), sky, ~sky, True)
    panorama = Panorama(np.rint(255 * rgb).astype(np.uint8), np.ones(d.shape, bool))
    splats = seeding(FootprintOptions())(panorama, geometry, Run(np.random.default_rng(0)))
    size = (640, 360)
    K = pinhole(math.radians(90), size)
    for offset in (0.0, 1.0):
        pose = Pose(world_from_camera_rotation(0.0, 0.0, 0.4), np.array([offset, 0.0, 0.0]))
        gpu, cpu = render_view_gpu(splats, K, size, pose), render_view(splats, K, size, pose)
        apart = np.abs(gpu.rgb - cpu.rgb).max(-1)
        level = -10 * math.log10(float(np.mean((gpu.rgb - cpu.rgb) ** 2)))
        print(
            f"{offset:.0f} m: {len(splats):,} splats, GPU against CPU {level:.1f} dB PSNR, "
            f"{100 * np.mean(apart > 4 / 255):.2f} % of pixels apart by more than 4/255"
        )
    for name, view in (("gsplat on the GPU, arrays carried over each time", render_view_gpu), ("CPU", render_view)):
        times = []
        for i in range(12):
            pose = Pose(world_from_camera_rotation(0.0, 0.0, 0.5 * i), np.zeros(3))
            began = time.perf_counter()
            view(splats, K, size, pose)
            times.append(time.perf_counter() - began)
        print(f"{name}: {1e3 * float(np.median(times[2:])):.1f} ms a picture at 640×360")


if __name__ == "__main__":
    main()
