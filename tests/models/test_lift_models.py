"""MoGe in the official format, tiny and random: loaded from a folder, looked around with, merged into a world."""

from pathlib import Path

import numpy as np
import pytest
from tiny_depth import moge_1, moge_2, save_moge

from sonoworld import testing
from sonoworld.backend import Run, require_available
from sonoworld.errors import BackendMissingError
from sonoworld.lift.moge import MOGE, MogeLiftOptions
from sonoworld.lift.moge_net import looker
from sonoworld.perceive import moge_net
from sonoworld.perceive.moge_shift import shifts

pytest.importorskip("moge", reason="pip install --no-deps dlr-moge dlr-utils3d")
pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save_moge(tmp_path_factory.mktemp("moge2"), moge_2())


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save_moge(tmp_path_factory.mktemp("moge1"), moge_1())


def options(folder: Path, **changes: object) -> MogeLiftOptions:
    return MogeLiftOptions.model_validate(
        {"model": str(folder), "offline": True, "device": "cpu", "side_px": 112, **changes}
    )


def test_it_keeps_the_contract(second: Path) -> None:
    testing.check_backend(MOGE, options(second))
    require_available(MOGE, options(second))


def test_any_batch_gives_the_same_world_and_says_how_far_views_agree(second: Path) -> None:
    notes: list[str] = []
    run = Run(np.random.default_rng(0), lambda _, note="": notes.append(note))
    panorama = testing.tiny_panorama(64)
    one, four = (MOGE.make(options(second, batch=b))(panorama, run).geometry for b in (1, 4))
    np.testing.assert_allclose(one.distance, four.distance, rtol=1e-3)
    assert one.metric
    assert any(n.startswith("lift.moge: 14 views: distances differ by ") for n in notes)


def test_metres_of_the_model_are_those_of_the_world(second: Path, tmp_path: Path) -> None:
    """Twice the metres in the checkpoint, twice the distances."""
    panorama = testing.tiny_panorama(64)
    double = save_moge(tmp_path, moge_2(), factor=0.1)
    near, far = (MOGE.make(options(f, sky="none"))(panorama, RUN).geometry for f in (second, double))
    np.testing.assert_allclose(far.distance, 2 * near.distance, rtol=1e-3)


def test_a_view_is_what_the_package_itself_says_of_it(second: Path) -> None:
    """But for its shift, which the views of a random model do not settle."""
    import torch  # noqa: PLC0415
    from moge.model.v2 import MoGeModel  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    pictures = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    found = looker(moge_net.loaded(options(second), "t"), 90.0)(list(pictures))
    net = MoGeModel.from_pretrained(str(second / "model.pt")).eval()
    for picture, ours in zip(pictures, found, strict=True):
        theirs = net.infer(torch.from_numpy(picture).permute(2, 0, 1) / 255, fov_x=90.0, use_fp16=False)
        depth = theirs["depth"].numpy()
        assert (np.isfinite(depth) == ours.solid).mean() > 0.99
        apart = (depth - ours.depth)[ours.solid]
        np.testing.assert_allclose(apart, np.median(apart), rtol=1e-3, atol=1e-3 * float(np.ptp(depth[ours.solid])))
        ray = theirs["points"].norm(dim=-1).numpy() / depth  # distance over depth: what the merge multiplies by
        x = (np.arange(112) + 0.5) / 56 - 1
        np.testing.assert_allclose(ray[ours.solid], np.sqrt(1 + x**2 + x[:, None] ** 2)[ours.solid], rtol=1e-3)


@pytest.mark.parametrize(("wide", "high"), [(96, 96), (160, 90)])
def test_shifts_are_those_of_the_package(wide: int, high: int) -> None:
    """Three rough floors at once, seen with noise; of the last nothing is there."""
    import torch  # noqa: PLC0415
    from moge.utils.geometry_torch import (  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
        normalized_view_plane_uv,
        recover_focal_shift,
    )

    rng = np.random.default_rng(1)
    uv = normalized_view_plane_uv(wide, high, dtype=torch.float32)
    focal, true = 0.8, torch.tensor([0.7, -0.4, 0.0])
    z = torch.from_numpy(rng.uniform(2, 6, (3, high, wide)).astype(np.float32))
    xy = uv * z[..., None] / focal * torch.from_numpy(rng.normal(1, 0.02, (3, high, wide, 1)).astype(np.float32))
    points = torch.cat([xy, (z - true[:, None, None])[..., None]], -1)
    mask = torch.from_numpy(rng.random((3, high, wide)) < 0.8)
    mask[2] = False
    found = shifts(points, mask, uv, focal)
    _, theirs = recover_focal_shift(points, mask, focal=torch.full((3,), focal))
    np.testing.assert_allclose(found[:2], true[:2], atol=0.02)
    np.testing.assert_allclose(found, theirs, atol=2e-3)


def test_moge_1_knows_no_metres_and_is_scaled_by_the_ground(first: Path) -> None:
    model = moge_net.loaded(options(first), "t")
    assert not model.metric
    low, high = (
        MOGE.make(options(first, camera_height_m=h, sky="none"))(testing.tiny_panorama(64), RUN).geometry
        for h in (1.5, 3.0)
    )
    np.testing.assert_allclose(np.median(high.distance), 2 * np.median(low.distance), rtol=1e-3)
    assert not MOGE.make(options(first))(testing.tiny_panorama(64), RUN).geometry.metric


def test_a_model_without_a_mask_sees_things_everywhere(tmp_path: Path, torchvision_imports: object) -> None:
    folder = save_moge(tmp_path, moge_2(mask=False))
    found = looker(moge_net.loaded(options(folder), "t"), 90.0)([np.zeros((112, 112, 3), np.uint8)])
    assert not found[0].far.any()


def test_a_field_of_view_of_its_own(second: Path) -> None:
    model = moge_net.loaded(options(second), "t")
    picture = testing.tiny_photo().rgb
    (given,) = moge_net.shapes(model, [picture], 1.0)
    assert abs(given.fov - 1.0) < 1e-4
    assert given.depth.shape == picture.shape[:2]


def test_weights_that_lack_tensors_are_refused(second: Path, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    saved = torch.load(second / "model.pt", weights_only=True)
    saved["model"] = {k: v for k, v in saved["model"].items() if not k.startswith("scale_head")}
    torch.save(saved, tmp_path / "model.pt")
    with pytest.raises(BackendMissingError, match=r"lift\.moge: .* lacks 4 tensors of the model, such as scale_head"):
        MOGE.make(options(tmp_path))


def test_what_is_missing_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(BackendMissingError, match=r"expected a folder with a model"):
        MOGE.make(options(tmp_path / "nothing"))
    with pytest.raises(BackendMissingError, match=r"expected model\.pt in .*, got none"):
        MOGE.make(options(tmp_path))
    with pytest.raises(BackendMissingError) as error:
        MOGE.make(MogeLiftOptions(offline=True, device="cpu"))
    for part in ("Ruicheng/moge-2-vitl-normal", "1.32 GB, licence MIT", "hf download", "offline = true"):
        assert part in str(error.value)
    with pytest.raises(ValueError, match="expected auto, float32 or float16"):
        MogeLiftOptions(dtype="bfloat16")
