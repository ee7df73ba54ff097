"""The listener: what it sees is what the renderer draws, nearer is louder, and the same seed gives the same arrays."""

import math
from pathlib import Path

import numpy as np
import pytest
import small_world

from sonoworld import testing
from sonoworld.disk.scene import load_ground, load_lite, load_sources
from sonoworld.env import Listener, as_pose
from sonoworld.errors import BackendMissingError, InputError, ShapeError
from sonoworld.flow import make_scene
from sonoworld.frames import Pose
from sonoworld.render import render_walk, still_walk
from sonoworld.render.live import HeadPose
from sonoworld.types import Spread


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "scene"
    make_scene(testing.tiny_photo(), small_world.recipe(), folder)
    return folder


def same(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_shapes_and_kinds(scene: Path) -> None:
    seen = Listener(scene, size_px=(48, 32), step_s=0.05).reset()
    assert (seen.rgb.shape, seen.rgb.dtype) == ((32, 48, 3), np.uint8)
    assert (seen.depth.shape, seen.depth.dtype) == ((32, 48), np.float32)
    assert (seen.binaural.shape, seen.binaural.dtype) == ((2, 2400), np.float32)
    assert (seen.depth > 0).all()


def test_the_same_seed_and_poses_give_the_same_arrays(scene: Path) -> None:
    poses = [HeadPose((0.1 * i, 0.0, 0.0), 0.2 * i) for i in range(4)]
    one, two = Listener(scene, step_s=0.03), Listener(scene, step_s=0.03)
    first = [one.reset(5), *(one.step(pose) for pose in poses)]
    second = [two.reset(5), *(two.step(pose) for pose in poses)]
    again = [one.reset(5), *(one.step(pose) for pose in poses)]
    assert all(same(a, b) and same(a, c) for a, b, c in zip(first, second, again, strict=True))
    assert one.reset(5) is not None
    start = one.pose
    one.reset(6)
    assert one.pose != start
    one.reset()
    assert one.pose == HeadPose()


def test_starts_are_where_one_can_stand(scene: Path) -> None:
    ground = load_ground(scene)
    assert ground is not None
    listener = Listener(scene, size_px=(4, 4), step_s=0.001)
    for seed in range(10):
        listener.reset(seed)
        x, y, _ = listener.pose.position
        m = (len(ground.walkable) - 1) // 2
        assert ground.walkable[round(x / ground.cell_m) + m, round(y / ground.cell_m) + m]


def test_nearer_is_louder_and_sides_are_sides(scene: Path) -> None:
    area = next(s for s in load_sources(scene) if s.spread is not Spread.AMBIENT)
    centre = np.asarray(area.centroid)
    ahead = centre / np.linalg.norm(centre)
    listener = Listener(scene, size_px=(4, 4), step_s=0.2)
    listener._sources = (area,)  # without the wind, which is as loud everywhere

    def level(share: float, turn: float) -> np.ndarray:
        listener.reset()
        x, y, z = (share * centre).tolist()
        listener.step(HeadPose((x, y, z), math.atan2(ahead[1], ahead[0]) + turn))
        heard = listener.step(listener.pose).binaural.astype(np.float64)
        return np.sqrt((heard**2).mean(1))

    far, near = level(0.0, 0.0), level(0.7, 0.0)
    assert near.sum() > 1.5 * far.sum()
    left, right = level(0.0, math.pi / 2)  # the head turns left: the source is on its right
    assert right > 1.2 * left


def test_it_hears_what_the_offline_renderer_writes(scene: Path) -> None:
    listener = Listener(scene, size_px=(4, 4), step_s=0.256)
    listener.reset()
    # the limiter of the player looks 255 samples ahead and lets this much through unchanged
    added = 255
    heard = np.concatenate([listener.reset().binaural, listener.step(HeadPose()).binaural], 1)
    offline = render_walk(load_sources(scene), still_walk(Pose.identity(), 1.0), seconds=0.4)
    n = 16000
    difference = heard[:, added : added + n] - offline[:, :n]
    assert np.abs(difference).max() < 1e-3 * np.abs(offline).max()


def test_it_sees_what_is_there(scene: Path) -> None:
    splats = load_lite(scene)
    listener = Listener(scene, size_px=(64, 64), fov=math.radians(60), step_s=0.001)
    listener.reset()
    x, y, z = (splats.means.mean(0) - [3.0, 0, 0]).tolist()
    towards = listener.step(HeadPose((x, y, z)))
    away = listener.step(HeadPose((x, y, z), math.pi))
    assert np.isfinite(towards.depth).mean() > np.isfinite(away.depth).mean()
    back = listener.step(HeadPose((x - 1.0, y, z)))
    assert np.median(back.depth[np.isfinite(back.depth)]) > np.median(towards.depth[np.isfinite(towards.depth)])


def test_refusals(scene: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a scene folder"):
        Listener(tmp_path)
    with pytest.raises(ShapeError, match="reset before"):
        Listener(scene).step(HeadPose())
    for wrong in ({"size_px": (0, 4)}, {"fov": math.pi}, {"step_s": 0.0}):
        with pytest.raises(ShapeError, match="Listener"):
            Listener(scene, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="six numbers"):
        as_pose(np.zeros(5))
    with pytest.raises(ShapeError, match="finite"):
        as_pose(np.full(6, np.nan))
    assert as_pose(np.arange(6.0)) == HeadPose((0.0, 1.0, 2.0), 3.0, 4.0, 5.0)


def test_spaces_need_gymnasium_and_nothing_else_does(scene: Path) -> None:
    listener = Listener(scene, step_s=0.01)
    try:
        import gymnasium  # noqa: F401, PLC0415
    except ImportError:
        with pytest.raises(BackendMissingError, match="pip install gymnasium"):
            _ = listener.observation_space
        return
    assert listener.observation_space.contains(tuple(listener.reset(1)))
    assert listener.action_space.contains(np.zeros(6))
