"""A world of six thousand splats made in code: a courtyard whose walls have one colour each, and four sounds.

Red wall ahead, blue to the left, yellow behind, magenta to the right, 5 m away; green ground 1.6 m below the eye; pale
sky. A point sounds 2 m to the left, a surface on the wall ahead, two winds everywhere.
"""

import numpy as np

from sonoworld.types import Clip, Geometry, Panorama, Photo, Scene, Source, Splats, Spread

WALL_M, EYE_M, HIGH_M = 5.0, 1.6, 4.0
AHEAD, LEFT, BEHIND, RIGHT = (200, 40, 40), (40, 60, 200), (210, 190, 40), (190, 50, 190)
GROUND, SKY = (50, 150, 60), (150, 200, 230)
POINT_LEFT = (0.0, 2.0, 0.0)
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>'


def small_world(label: str = "fountain") -> Scene:
    rgb = np.full((32, 64, 3), SKY, np.uint8)
    normal = np.tile(np.array([-1, 0, 0], np.float32), (32, 64, 1))
    sky = np.zeros((32, 64), bool)
    sky[:8] = True
    geometry = Geometry(np.full((32, 64), WALL_M, np.float32), normal, sky, ~sky, metric=True)
    panorama = Panorama(rgb, np.ones((32, 64), bool))
    return Scene(Photo(rgb), None, panorama, geometry, courtyard(), (), sources(label))


def courtyard() -> Splats:
    along = np.arange(-WALL_M, WALL_M, 0.25)
    high = np.arange(-EYE_M, HIGH_M, 0.25)
    a, z = (grid.ravel() for grid in np.meshgrid(along, high))
    far = np.full_like(a, WALL_M)
    x, y = (grid.ravel() for grid in np.meshgrid(along, along))
    parts = [
        (np.stack([far, a, z], -1), AHEAD, 0.17),
        (np.stack([a, far, z], -1), LEFT, 0.17),
        (np.stack([-far, a, z], -1), BEHIND, 0.17),
        (np.stack([a, -far, z], -1), RIGHT, 0.17),
        (np.stack([x, y, np.full_like(x, -EYE_M)], -1), GROUND, 0.17),
        (sphere(1500) * 60.0, SKY, 4.0),
    ]
    means = np.concatenate([points for points, _, _ in parts]).astype(np.float32)
    colours = np.concatenate([np.tile(np.array(colour) / 255, (len(points), 1)) for points, colour, _ in parts])
    sizes = np.concatenate([np.full(len(points), size) for points, _, size in parts])
    n = len(means)
    return Splats(
        means=means,
        log_scales=np.tile(np.log(sizes)[:, None], (1, 3)).astype(np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1)),
        opacity_logits=np.full(n, 5.0, np.float32),
        sh=((colours - 0.5) / 0.28209479).astype(np.float32)[:, None, :],
    )


def sphere(count: int) -> np.ndarray:
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    azimuth = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(azimuth), r * np.sin(azimuth), z], -1)


def sources(label: str) -> tuple[Source, ...]:
    wall = np.stack(np.meshgrid([WALL_M], np.linspace(-1, 1, 20), np.linspace(-1, 1, 20)), -1).reshape(-1, 3)
    return (
        source("s0", label, Spread.POINT, np.array([POINT_LEFT]), 70.0),
        source("s1", "ivy", Spread.AREA, wall, 60.0),
        source("s2", "wind", Spread.AMBIENT, np.empty((0, 3)), 45.0),
        source("s3", "wind", Spread.AMBIENT, np.empty((0, 3)), 30.0),
    )


def source(name: str, label: str, spread: Spread, points: np.ndarray, level_db: float) -> Source:
    m = len(points)
    normals = np.tile(np.array([-1, 0, 0], np.float32), (m, 1))
    return Source(
        id=name,
        label=label,
        prompt=f"the sound of {label}",
        spread=spread,
        level_db=level_db,
        confidence=0.8,
        backend="test",
        points=points.astype(np.float32),
        normals=normals,
        weights=np.full(m, 1 / max(m, 1), np.float32),
        solid_angle_sr=0.1,
        reason="made in code",
        clip=noise(int(name[1:])),
    )


def noise(seed: int, seconds: float = 1.0) -> Clip:
    samples = np.random.default_rng(seed).standard_normal(int(48000 * seconds))
    samples *= 10 ** (-23 / 20) / np.sqrt(np.mean(samples**2))
    return Clip(samples.astype(np.float32), 48000, loops=True, clip_gain_db=23.0, made_by="test", licence="CC0")
