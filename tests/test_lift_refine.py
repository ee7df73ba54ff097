"""Refined splats: nearer to the panorama from the eye, no worse from aside, on their surfaces, the same bytes again."""

import builtins
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift.footprint import FOOTPRINT, FootprintOptions
from sonoworld.lift.refine import MOST_LOG_DISTANCE, MOST_LOG_SCALE, Fit, Settings, refined
from sonoworld.lift.refine_views import pairs
from sonoworld.lift.refining import renderer
from sonoworld.lift.surface import surface_normals
from sonoworld.render import splat_gpu, splat_gpu_tensors
from sonoworld.render.splat import render_view
from sonoworld.render.splat_torch import SplatTensors, render_view_torch
from sonoworld.sphere import camera_pixel_directions, pinhole, pixel_directions
from sonoworld.types import Geometry, Panorama, Splats

HEIGHT, SIZE = 24, (40, 28)
BALL, BALL_M, ROOM_M = np.array([2.5, 0.6, -0.2]), 0.7, 6.0


def cast(eye: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distance, rgb 0..1) of a textured ball in a textured room, exact."""

    def along(centre: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
        b = d @ (eye - centre)
        return b, b * b - ((eye - centre) @ (eye - centre) - radius**2)

    b, disc = along(np.zeros(3), ROOM_M)
    far = -b + np.sqrt(disc)
    b, disc = along(BALL, BALL_M)
    near = np.where((disc > 0) & (b < 0), -b - np.sqrt(np.maximum(disc, 0)), np.inf)
    hit, t = near < far, np.minimum(near, far)
    p = eye + t[..., None] * d
    room = 0.5 + 0.3 * np.stack([np.sin(2 * p[..., 0]), np.cos(1.7 * p[..., 1]), np.sin(1.9 * p[..., 2])], -1)
    ball = np.stack([0.7 + 0.2 * np.sin(9 * p[..., 2]), 0.2 + 0 * t, 0.15 + 0 * t], -1)
    return t, np.where(hit[..., None], ball, room)


def world() -> tuple[Panorama, Geometry, Splats]:
    t, rgb = cast(np.zeros(3), pixel_directions(HEIGHT))
    distance, none = t.astype(np.float32), np.zeros(t.shape, bool)
    panorama = Panorama(np.rint(rgb * 255).astype(np.uint8), ~none)
    geometry = Geometry(distance, surface_normals(distance), none, ~none, metric=True)
    seed = FOOTPRINT.make(FootprintOptions())  # type: ignore[call-arg]
    return panorama, geometry, seed(panorama, geometry, Run(np.random.default_rng(0)))


def fitted(steps: int, run: Run | None = None) -> tuple[Splats, Fit]:
    panorama, geometry, seeded = world()
    settings = Settings(steps, walk_m=1.0, most_px=32)
    return seeded, refined(
        seeded, panorama, geometry, settings, render_view_torch, run or Run(np.random.default_rng(0))
    )


@pytest.fixture(scope="module")
def refined_world() -> tuple[Splats, Fit]:
    return fitted(60)


def level_db(splats: Splats, metres: float) -> float:
    """PSNR of views around, from four places `metres` from the eye."""
    K, errors = pinhole(np.pi / 2, SIZE), []
    for bearing in (0.4, 1.97, 3.54, 5.11):
        eye = metres * np.array([np.cos(bearing), np.sin(bearing), 0.0])
        for yaw in (0.0, 1.57, 3.14, 4.71):
            pose = Pose(world_from_camera_rotation(0.0, 0.0, yaw), eye)
            _, truth = cast(eye, camera_pixel_directions(K, SIZE, pose))
            errors.append(np.mean((render_view(splats, K, SIZE, pose).rgb - truth) ** 2))
    return float(-10 * np.log10(np.mean(errors)))


def test_sharper_from_the_eye_and_no_worse_from_aside(refined_world: tuple[Splats, Fit]) -> None:
    seeded, fit = refined_world
    assert fit.after < 0.8 * fit.before
    assert level_db(fit.splats, 0.0) > level_db(seeded, 0.0) + 0.5
    assert level_db(fit.splats, 1.0) >= level_db(seeded, 1.0)


def test_splats_stay_on_their_rays_and_surfaces(refined_world: tuple[Splats, Fit]) -> None:
    seeded, fit = refined_world
    ratio = fit.splats.means / np.where(np.abs(seeded.means) > 1e-3, seeded.means, np.nan)
    assert np.nanmax(np.abs(np.log(ratio))) < MOST_LOG_DISTANCE + 1e-4
    assert np.nanmax(ratio.max(1) - ratio.min(1)) < 1e-4  # one factor for x, y and z
    assert np.abs(fit.splats.log_scales - seeded.log_scales).max() <= MOST_LOG_SCALE + 1e-6
    assert np.array_equal(fit.splats.quats, seeded.quats)
    assert not np.array_equal(fit.splats.means, seeded.means)


def test_the_same_bytes_again_however_many_cores() -> None:
    threads = torch.get_num_threads()
    _, first = fitted(3)
    try:
        torch.set_num_threads(2)
        torch.manual_seed(5)
        _, second = fitted(3)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    for name in Splats.__dataclass_fields__:
        assert getattr(first.splats, name).tobytes() == getattr(second.splats, name).tobytes()
    assert not torch.are_deterministic_algorithms_enabled()


def test_it_tells_and_may_be_stopped() -> None:
    told: list[float] = []

    def stop(fraction: float, note: str = "") -> None:
        told.append(fraction)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(400, Run(np.random.default_rng(0), stop))
    assert told[0] < 0.1
    assert not torch.are_deterministic_algorithms_enabled()


def test_it_stops_where_nothing_is_gained() -> None:
    panorama, geometry, seeded = world()
    grey = Panorama(np.full_like(panorama.rgb, 128), panorama.known)
    flat = Splats(seeded.means, seeded.log_scales, seeded.quats, seeded.opacity_logits, np.full_like(seeded.sh, 0.007))
    settings = Settings(4000, walk_m=0.0, most_px=8)
    fit = refined(flat, grey, geometry, settings, render_view_torch, Run(np.random.default_rng(0)))
    assert fit.steps < 4000
    assert fit.after <= fit.before


def test_views_from_aside_are_what_is_there() -> None:
    panorama, geometry, seeded = world()
    views = pairs(seeded, panorama, geometry, (1.0, 32), np.random.default_rng(0))
    sure, errors, others = [], [], []
    for _, view in (next(views) for _ in range(12)):
        assert 0.19 < np.linalg.norm(view.pose.origin) <= 1.0
        _, truth = cast(view.pose.origin, camera_pixel_directions(view.K, view.size_px, view.pose))
        now = render_view(seeded, view.K, view.size_px, view.pose)
        sure.append(view.sure.mean())
        errors.append(np.mean((view.rgb - truth)[view.sure] ** 2))
        others.append(np.mean((now.rgb - truth)[view.sure] ** 2))
    assert np.mean(sure) > 0.5
    assert np.mean(errors) < 0.6 * np.mean(others)  # nearer to the truth than the seeded splats are


def test_as_an_option_of_seeding() -> None:
    panorama, geometry, seeded = world()
    seed = FOOTPRINT.make(FOOTPRINT.options.model_validate({"refine_steps": 20}))
    found = seed(panorama, geometry, Run(np.random.default_rng(0)))
    assert len(found) == len(seeded)
    assert not np.array_equal(found.sh, seeded.sh)


def test_without_torch_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "torch":
            raise ImportError("no torch here")
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendMissingError, match=r"sonoworld\[learn\]"):
        FOOTPRINT.make(FOOTPRINT.options.model_validate({"refine_steps": 1}))
    FOOTPRINT.make(FOOTPRINT.options())  # refining is off: nothing is asked for


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BackendMissingError, match="gsplat"):
        renderer("cuda")


def test_gsplat_gets_tensors_with_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, seeded = world()
    own = SplatTensors.of(seeded)
    own.sh.requires_grad_()
    pose = Pose(world_from_camera_rotation(0.1, 0.0, 0.5), np.array([0.1, 0.2, 0.0]))
    K, size = pinhole(1.0, (24, 16)), (24, 16)

    def rasterization(**told: Any) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
        assert (told["render_mode"], told["near_plane"], told["eps2d"]) == ("RGB+ED", 0.05, 0.3)
        view = told["viewmats"][0].numpy()
        np.testing.assert_allclose(view[:3, :3], pose.rotation.T, atol=1e-6)
        np.testing.assert_allclose(view[:3, 3], -pose.rotation.T @ pose.origin, atol=1e-6)
        logits = torch.logit(told["opacities"])
        sh = ((told["colors"] - 0.5) / 0.28209479177387814)[:, None]
        drawn = SplatTensors(told["means"], torch.log(told["scales"]), told["quats"], logits, sh)
        image = render_view_torch(drawn, K, (told["width"], told["height"]), pose)
        return torch.cat([image.rgb, image.depth[..., None]], -1)[None], image.alpha[None, ..., None], {}

    module = ModuleType("gsplat")
    module.rasterization = rasterization  # type: ignore[attr-defined]
    monkeypatch.setattr(splat_gpu_tensors, "require_gsplat", lambda: module)
    assert splat_gpu.require_gsplat is not splat_gpu_tensors.require_gsplat
    ours = splat_gpu_tensors.render_tensors_gpu(own, K, size, pose)
    expected = render_view_torch(own, K, size, pose)
    for name in ("rgb", "depth", "alpha"):
        torch.testing.assert_close(getattr(ours, name), getattr(expected, name), atol=2e-4, rtol=1e-4)
    ours.rgb.sum().backward()
    assert own.sh.grad is not None
    assert float(own.sh.grad.abs().sum()) > 0
