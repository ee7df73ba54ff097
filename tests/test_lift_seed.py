"""Pixels to splats: footprints against solid geometry, coverage against a ray-cast world seen from a step aside."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sonoworld.backend import Run, find
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift.edges import edges_are_soft, snap_edges, unmixed
from sonoworld.lift.footprint import FOOTPRINT, FootprintOptions
from sonoworld.lift.hidden import hidden_layer, sky_dome
from sonoworld.lift.surface import surface_normals
from sonoworld.lift.surfels import Footprint, Layer, kept_in_row, quaternions, surfels
from sonoworld.render.splat import render_view
from sonoworld.sphere import camera_pixel_directions, pinhole, pixel_directions, row_elevations
from sonoworld.types import Geometry, Panorama, Splats

H = 192
BALL, BALL_RADIUS, ROOM_RADIUS = np.array([2.5, 0.6, -0.2]), 0.6, 7.0
SIZE = (96, 64)


def cast(eye: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distance, rgb 0..1) of a textured ball inside a textured sphere, exact."""

    def along(centre: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
        b = d @ (eye - centre)
        return b, b * b - ((eye - centre) @ (eye - centre) - radius**2)

    b, disc = along(np.zeros(3), ROOM_RADIUS)
    far = -b + np.sqrt(disc)
    b, disc = along(BALL, BALL_RADIUS)
    near = np.where((disc > 0) & (b < 0), -b - np.sqrt(np.maximum(disc, 0)), np.inf)
    hit = near < far
    t = np.where(hit, near, far)
    p = eye + t[..., None] * d
    room = 0.5 + 0.2 * np.stack([np.sin(p[..., 0]), np.cos(1.3 * p[..., 1]), np.sin(0.7 * p[..., 2])], -1)
    ball = np.stack([0.8 + 0.1 * np.sin(9 * p[..., 2]), 0.2 + 0 * t, 0.15 + 0 * t], -1)
    return t, np.where(hit[..., None], ball, room)


def seen(height: int = H) -> tuple[Panorama, Geometry]:
    t, rgb = cast(np.zeros(3), pixel_directions(height))
    distance = t.astype(np.float32)
    none = np.zeros(t.shape, bool)
    geometry = Geometry(distance, surface_normals(distance), none, ~none, metric=True)
    return Panorama(np.rint(rgb * 255).astype(np.uint8), ~none), geometry


def seeded(panorama: Panorama, geometry: Geometry, **options: object) -> Splats:
    return FOOTPRINT.make(FootprintOptions(**options))(panorama, geometry, Run(np.random.default_rng(0)))  # type: ignore[arg-type]


def compared(splats: Splats, eye: tuple[float, float, float], pitch: float = 0.0) -> tuple[float, float]:
    """(PSNR in dB, share of pixels with alpha below 0.9), mean over four views around."""
    K = pinhole(np.pi / 2, SIZE)
    errors, holes = [], []
    for yaw in (0.0, 1.6, 3.1, 4.7):
        pose = Pose(world_from_camera_rotation(pitch, 0.0, yaw), np.array(eye, float))
        image = render_view(splats, K, SIZE, pose)
        _, truth = cast(np.array(eye, float), camera_pixel_directions(K, SIZE, pose))
        errors.append(np.mean((image.rgb - truth) ** 2))
        holes.append(np.mean(image.alpha < 0.9))
    return float(-10 * np.log10(np.mean(errors))), float(np.mean(holes))


def covariances(splats: Splats) -> np.ndarray:
    axes = Rotation.from_quat(splats.quats[:, [1, 2, 3, 0]].astype(np.float64)).as_matrix()
    half = axes * np.exp(splats.log_scales.astype(np.float64))[:, None]
    return half @ half.transpose(0, 2, 1)


def everywhere(distance: np.ndarray) -> Layer:
    rgb = np.full((*distance.shape, 3), 128, np.uint8)
    return Layer(distance, surface_normals(distance), rgb, np.ones(distance.shape, bool))


def test_normals_of_a_sphere_and_of_planes():
    d = pixel_directions(64)
    np.testing.assert_allclose(surface_normals(np.full((64, 128), 3, np.float32)), -d, atol=2e-3)
    for normal in ([0, 0, 1.0], [0.6, 0, 0.8], [-1, 0, 0]):
        n = np.array(normal)
        facing = d @ n
        inside = facing < -0.3
        distance = np.where(inside, 1.6 / np.maximum(-facing, 0.3), 50).astype(np.float32)
        out = surface_normals(distance)
        angle = np.arccos(np.clip(out[inside] @ n, -1, 1))
        assert np.quantile(angle, 0.9) < 0.01  # the rim of `inside` sees one side only


def test_areas_of_all_footprints_make_up_the_sphere():
    r = 2.5
    splats = surfels(everywhere(np.full((H, 2 * H), r, np.float32)), Footprint(0.7, 0.99, 4.0))
    larger = np.sort(splats.log_scales, 1)[:, 1:].sum(1)
    # sigma = k · spacing on each axis: the product over k² is the patch; patches tile the sphere (midpoint rule)
    assert abs(np.exp(larger).sum() / 0.49 / (4 * np.pi * r * r) - 1) < 1e-3
    np.testing.assert_allclose(np.linalg.norm(splats.means, axis=1), r, rtol=1e-4)


def test_footprints_are_finite_differences_on_a_floor():
    height = 256
    e = row_elevations(height)[:, None]
    distance = np.where(e < -0.2, 1.6 / np.sin(np.maximum(-e, 0.2)), 8.0) * np.ones((1, 2 * height))
    floor = np.broadcast_to((e < -0.5) & (e > -1.0), distance.shape)
    layer = everywhere(distance.astype(np.float32))
    splats = surfels(Layer(layer.distance, layer.normal, layer.rgb, floor), Footprint(0.7, 0.99, 20.0))
    rho = np.hypot(splats.means[:, 0], splats.means[:, 1])
    e_m = np.arctan2(-1.6, rho)
    # On the floor: one step across is rho·(2π / kept in the row), one step outwards is d rho / d e = h / sin² e
    row = np.clip(((np.pi / 2 - e_m) * height / np.pi).astype(int), 0, height - 1)
    across, outwards = rho * 2 * np.pi / kept_in_row(height)[row], 1.6 / np.sin(e_m) ** 2 * np.pi / height
    out = splats.means * [1, 1, 0] / rho[:, None]
    side = np.cross([0, 0, 1.0], out)
    c = covariances(splats)
    np.testing.assert_allclose(splats.means[:, 2], -1.6, atol=1e-3)
    np.testing.assert_allclose(np.einsum("ni,nij,nj->n", out, c, out), (0.7 * outwards) ** 2, rtol=0.03)
    np.testing.assert_allclose(np.einsum("ni,nij,nj->n", side, c, side), (0.7 * across) ** 2, rtol=0.03)
    assert np.sqrt(c[:, 2, 2]).max() < 0.1 * (0.7 * np.maximum(across, outwards)).max()


def test_quaternions_are_scipys_rotations():
    axes = Rotation.random(200, random_state=1).as_matrix()
    half_turns = Rotation.from_rotvec(np.pi * np.eye(3)).as_matrix()
    matrices = np.concatenate([axes, half_turns, np.eye(3)[None]])
    q = quaternions(matrices.astype(np.float32))
    np.testing.assert_allclose(Rotation.from_quat(q[:, [1, 2, 3, 0]]).as_matrix(), matrices, atol=2e-6)


@pytest.mark.parametrize("pitch", [-1.5, 0.0, 1.5])
def test_the_sphere_is_closed_seam_and_poles_too(pitch: float):
    splats = surfels(everywhere(np.full((H, 2 * H), 3.0, np.float32)), Footprint(0.7, 0.99, 4.0))
    K = pinhole(np.pi / 2, (80, 80))
    for yaw in (0.0, np.pi):
        image = render_view(splats, K, (80, 80), Pose(world_from_camera_rotation(pitch, 0.0, yaw), np.zeros(3)))
        assert image.alpha.min() > 0.95


def test_a_world_stays_whole_a_step_aside():
    panorama, geometry = seen()
    splats, bare = seeded(panorama, geometry), seeded(panorama, geometry, hidden=False)
    at_eye, _ = compared(splats, (0, 0, 0))
    assert at_eye > 33
    aside, holes = compared(splats, (0.2, 0.45, 0.1))
    bare_aside, bare_holes = compared(bare, (0.2, 0.45, 0.1))
    assert holes < 0.002
    assert bare_holes > 5 * max(holes, 0.001)
    assert aside > max(30, bare_aside + 3)


def test_the_hidden_layer_continues_the_far_surface():
    panorama, geometry = seen()
    layer = hidden_layer(geometry.distance, panorama.rgb, 1.0)
    assert 0.001 < layer.where.mean() < 0.05
    assert np.all(geometry.distance[layer.where] < 4)  # only behind the ball
    np.testing.assert_allclose(layer.distance[layer.where], ROOM_RADIUS, rtol=0.02)
    truth, _ = cast(np.zeros(3), pixel_directions(H))
    np.testing.assert_allclose(layer.distance[~layer.where], truth[~layer.where], rtol=1e-5)
    red = layer.rgb[layer.where].astype(int)
    assert np.mean(red[:, 0] > red[:, 1] + 60) < 0.05  # the ball's own red does not bleed through


def test_nothing_is_hidden_in_a_round_room_or_on_a_floor():
    rgb = np.zeros((H, 2 * H, 3), np.uint8)
    e = row_elevations(H)[:, None] * np.ones((1, 2 * H))
    floor = np.where(e < -0.02, 1.6 / np.sin(np.maximum(-e, 0.02)), 80).astype(np.float32)
    for distance in (np.full((H, 2 * H), 5, np.float32), floor):
        assert not hidden_layer(distance, rgb, 1.0).where.any()


def test_the_dome_continues_the_sky_behind_things():
    sky = np.broadcast_to(row_elevations(H)[:, None] > 0, (H, 2 * H)).copy()
    sky[:, 100:200] = False
    rgb = np.where(sky[..., None], np.array([90, 140, 220]), np.array([20, 20, 20])).astype(np.uint8)
    dome = sky_dome(np.where(sky, 200, 9).astype(np.float32), rgb, sky)
    assert dome.where[: dome.where.shape[0] // 2].all()
    assert not dome.where[-dome.where.shape[0] // 3 :].any()
    assert np.all(dome.rgb[dome.where] == [90, 140, 220])
    assert dome.distance.min() > 200


def test_soft_edges_are_found_and_snapped():
    distance = np.full((H, 2 * H), 9, np.float32)
    distance[60:130, 100:200] = 3
    import cv2  # noqa: PLC0415

    soft = np.exp(cv2.GaussianBlur(np.log(distance), (0, 0), 1.5))
    e = row_elevations(H)[:, None] * np.ones((1, 2 * H))
    floor = np.where(e < -0.02, 1.6 / np.sin(np.maximum(-e, 0.02)), 80).astype(np.float32)
    assert edges_are_soft(soft)
    assert not edges_are_soft(distance)
    assert not edges_are_soft(floor)
    snapped = snap_edges(soft)
    between = (snapped > 3.3) & (snapped < 8.2)
    assert between.mean() < 0.02 * ((soft > 3.3) & (soft < 8.2)).mean() + 1e-4
    assert np.mean(np.abs(snapped - distance) > 0.5) < 0.002


def test_fringes_take_the_colour_of_their_own_side():
    distance = np.full((H, 2 * H), 9, np.float32)
    distance[60:130, 300:] = distance[60:130, :20] = 3  # across ±180°
    rgb = np.where((distance < 5)[..., None], np.array([200, 30, 30]), np.array([20, 90, 160])).astype(np.uint8)
    mixed = rgb.copy()
    mixed[59:61, 330:350] = mixed[70:80, 19:21] = mixed[90, 299:301] = (110, 60, 95)
    np.testing.assert_array_equal(unmixed(distance, mixed), rgb)
    thin = distance.copy()
    thin[10, 100] = 2  # one pixel: there is nothing else of its kind
    np.testing.assert_array_equal(unmixed(thin, rgb)[10, 100], rgb[10, 100])


def test_the_backend_keeps_its_contract():
    assert find("seed", "footprint") is FOOTPRINT
    panorama, geometry = seen(64)
    a, b = seeded(panorama, geometry), seeded(panorama, geometry)
    for name in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
        assert np.isfinite(getattr(a, name)).all()
    visible = int(kept_in_row(64).sum())
    assert len(seeded(panorama, geometry, hidden=False)) == visible
    np.testing.assert_allclose(1 / (1 + np.exp(-a.opacity_logits)), 0.99, rtol=1e-5)
