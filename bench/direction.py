"""Direction of a rendered point source in first-order Ambisonics, and how it turns with the head.

    python bench/direction.py [N]

Claims: the intensity vector of the rendered signal points to the source within 0.01°, wherever it is; turning the
listener by φ turns it by −φ.
"""

import sys

import numpy as np

from sonoworld.frames import Pose, direction_from_angles, world_from_head_rotation
from sonoworld.render import render_walk, still_walk
from sonoworld.types import Clip, Source, Spread

LIMIT_DEG = 0.01


def source(position: np.ndarray) -> Source:
    samples = np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32)
    clip = Clip(samples, 48_000, True, 23.0, "bench", "CC0-1.0")
    point = position[None].astype(np.float32)
    return Source(
        "s", "s", "s", Spread.POINT, 70.0, 1.0, "bench", point, -point / np.linalg.norm(point),
        np.ones(1, np.float32), 0.0, clip=clip,
    )  # fmt: skip


def heard(position: np.ndarray, listener: Pose) -> np.ndarray:
    """Unit intensity vector of the rendered field, head axes."""
    field = render_walk([source(position)], still_walk(listener, 0.1), "ambix", 1)
    w, y, z, x = field.signal.astype(np.float64)
    intensity = np.array([(w * x).sum(), (w * y).sum(), (w * z).sum()])
    return intensity / np.linalg.norm(intensity)


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(2 * np.arcsin(min(1.0, np.linalg.norm(a - b) / 2))))


def main(count: int) -> None:
    rng = np.random.default_rng(1)
    worst = worst_turned = 0.0
    for _ in range(count):
        azimuth, elevation = rng.uniform(-np.pi, np.pi), np.arcsin(rng.uniform(-1, 1))
        direction = direction_from_angles(np.array(azimuth), np.array(elevation))
        position = direction * np.exp(rng.uniform(np.log(0.3), np.log(100)))
        worst = max(worst, angle_deg(heard(position, Pose.identity()), direction))
        phi = rng.uniform(-np.pi, np.pi)
        turned = Pose(world_from_head_rotation(phi, 0.0, 0.0), np.zeros(3))
        expected = direction_from_angles(np.array(azimuth - phi), np.array(elevation))
        worst_turned = max(worst_turned, angle_deg(heard(position, turned), expected))
    print(f"{count} directions over the whole sphere, 0.3 to 100 m, first order, float32")
    print(f"  worst direction error:               {worst:.2e}° (claim < {LIMIT_DEG}°)")
    print(f"  worst after the head turned by φ:    {worst_turned:.2e}° from azimuth − φ")
    sys.exit(0 if max(worst, worst_turned) < LIMIT_DEG else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
