"""Fewer splats that still cover."""

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift.lite import lite
from sonoworld.lift.surface import surface_normals
from sonoworld.lift.surfels import Footprint, Layer, surfels
from sonoworld.render.splat import render_view
from sonoworld.sphere import pinhole, row_elevations
from sonoworld.types import Splats

H = 160


def court() -> Splats:
    """A floor and a round wall, grey with a lighter wall."""
    e = row_elevations(H)[:, None] * np.ones((1, 2 * H))
    wall = e > np.arctan(-1.6 / 6)
    distance = np.where(wall, 6 / np.cos(np.clip(e, -1, 1.2)), 1.6 / np.sin(np.maximum(-e, 0.1))).astype(np.float32)
    rgb = np.where(wall[..., None], np.uint8(200), np.uint8(90)).repeat(3, -1).astype(np.uint8)
    return surfels(
        Layer(distance, surface_normals(distance), rgb, np.ones(wall.shape, bool)), Footprint(0.7, 0.99, 4.0)
    )


@pytest.mark.parametrize("part", [0.6, 0.3])
def test_fewer_and_still_closed(part: float):
    full = court()
    limit = round(part * len(full))
    few = lite(full, limit)
    assert 0.8 * limit < len(few) <= limit
    K = pinhole(np.pi / 2, (96, 72))
    for eye in ((0.0, 0.0, 0.0), (0.5, -0.4, 0.1)):
        for yaw, pitch in ((0.0, 0.0), (3.0, -0.6), (1.0, 1.2)):
            pose = Pose(world_from_camera_rotation(pitch, 0.0, yaw), np.array(eye))
            a, b = render_view(full, K, (96, 72), pose), render_view(few, K, (96, 72), pose)
            assert np.mean(b.alpha < 0.9) < 0.01
            assert np.sqrt(np.mean((a.rgb - b.rgb) ** 2)) < 0.03
            covered = np.isfinite(a.depth) & np.isfinite(b.depth)
            assert np.median(np.abs(b.depth[covered] / a.depth[covered] - 1)) < 0.03


def test_moments_are_kept():
    """Centre of mass and mean colour, weighted by area and opacity, do not change (law of total expectation)."""
    full = court()
    few = lite(full, 5000)
    colour = [np.average(s.sh[:, 0, 0], weights=np.exp(np.sort(s.log_scales, 1)[:, 1:].sum(1))) for s in (full, few)]
    assert abs(colour[0] - colour[1]) < 0.02
    assert np.isfinite(few.log_scales).all()
    np.testing.assert_allclose(np.linalg.norm(few.quats, axis=1), 1, atol=1e-5)


def test_small_sets_stay_and_the_result_is_the_same_each_time():
    full = court()
    assert lite(full, len(full)) is full
    a, b = lite(full, 9000), lite(full, 9000)
    for name in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()


def test_limits_that_cannot_be_met_are_refused():
    with pytest.raises(InputError, match="at least"):
        lite(court(), 10)
