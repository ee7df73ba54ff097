"""Depth Anything V2 in the official format, tiny and random: metric and relative, from a folder to a world."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tiny_depth_anything as tiny

from sonoworld import sphere, testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.lift import depth_anything_net
from sonoworld.lift.depth_anything import BASE, DEPTH_ANYTHING, LARGE, SMALL, WEIGHTS, DepthAnythingOptions
from sonoworld.lift.view_depth import Seen, seen
from sonoworld.types import Panorama

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))


@pytest.fixture(scope="session")
def metric(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return tiny.save(tmp_path_factory.mktemp("metric"), "metric")


@pytest.fixture(scope="session")
def relative(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return tiny.save(tmp_path_factory.mktemp("relative"), "relative")


def options(folder: Path, **changes: object) -> DepthAnythingOptions:
    return DepthAnythingOptions.model_validate(
        {"model": str(folder), "offline": True, "device": "cpu", "side_px": 98, **changes}
    )


def test_it_keeps_the_contract(metric: Path) -> None:
    testing.check_backend(DEPTH_ANYTHING, options(metric))


def test_any_batch_gives_the_same_world(metric: Path) -> None:
    one, five = (
        DEPTH_ANYTHING.make(options(metric, batch=b, sky="none"))(testing.tiny_panorama(64), RUN).geometry
        for b in (1, 5)
    )
    np.testing.assert_allclose(one.distance, five.distance, rtol=1e-3)
    assert one.metric
    assert one.distance.max() < 20 * np.sqrt(3) * 1.2  # of a metric model of rooms, at the corner of a view


def painted() -> Panorama:
    """A room 3 m high, whose walls are 3 to 5 m away, painted as bright as it is near: 255 is 1 m."""
    d = sphere.pixel_directions(64)
    with np.errstate(divide="ignore"):
        distance = np.where(d > 0, np.array([5.0, 3.0, 1.4]) / d, np.array([-4.0, -3.5, -1.6]) / d).min(-1)
    return Panorama(np.repeat(np.round(255 / distance).astype(np.uint8)[..., None], 3, 2), distance > 0)


def test_a_relative_model_is_scaled_by_the_ground(relative: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights say one disparity everywhere, which is no world; in their place, one that reads the paint."""
    x = (np.arange(98) + 0.5) / 49 - 1
    secant = np.sqrt(1 + x**2 + x[:, None] ** 2)

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        inverse_depth = [picture[..., 0] / 255 * secant for picture in pictures]
        return [seen((7 * s + 0.5).astype(np.float32), np.zeros(s.shape, np.bool_)) for s in inverse_depth]

    assert depth_anything_net.loaded(options(relative))[0].config.depth_estimation_type == "relative"
    monkeypatch.setattr(depth_anything_net, "looker", lambda *_: look)
    low, high = (
        DEPTH_ANYTHING.make(options(relative, camera_height_m=h, sky="none"))(painted(), RUN).geometry
        for h in (1.6, 3.2)
    )
    np.testing.assert_allclose(np.median(high.distance / low.distance), 2, rtol=0.02)
    assert high.metric
    ratio = np.log(low.distance * painted().rgb[..., 0] / 255)
    assert float(np.quantile(np.abs(ratio - np.median(ratio)), 0.9)) < 0.1
    assert not DEPTH_ANYTHING.make(options(relative, sky="none"))(painted(), RUN).geometry.metric


def test_a_view_is_what_the_models_own_pipeline_says_of_it(metric: Path) -> None:
    from PIL import Image  # noqa: PLC0415
    from transformers import pipeline  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    picture = np.random.default_rng(0).integers(0, 256, (98, 98, 3), np.uint8)
    (ours,) = depth_anything_net.looker(*depth_anything_net.loaded(options(metric)))([picture])
    said = pipeline("depth-estimation", model=str(metric))(Image.fromarray(picture))["predicted_depth"].numpy()
    assert ours.solid.all()
    rows = said.shape[0] // 2  # the pipeline enlarges what we do not
    np.testing.assert_allclose(np.median(ours.depth), np.median(said), rtol=1e-3)
    assert abs(said[rows, rows] / ours.depth[ours.depth.shape[0] // 2, ours.depth.shape[1] // 2] - 1) < 0.02


def test_sizes_are_those_of_the_published_files() -> None:
    import torch  # noqa: PLC0415
    from transformers import DepthAnythingForDepthEstimation  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    with torch.device("meta"):
        for size, expected in (("small", SMALL), ("base", BASE), ("large", LARGE)):
            net = DepthAnythingForDepthEstimation(tiny.full(size, "metric"))
            assert sum(p.numel() for p in net.parameters()) == expected
    assert [w.size_gb for w in WEIGHTS[:3]] == [0.1, 0.39, 1.34]


def test_what_is_missing_or_of_another_kind_is_one_message(metric: Path, tmp_path: Path) -> None:
    from transformers import Dinov2Config, Dinov2Model  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    with pytest.raises(BackendMissingError) as error:
        DEPTH_ANYTHING.make(DepthAnythingOptions(offline=True, device="cpu"))
    for part in ("Depth-Anything-V2-Metric-Outdoor-Small-hf", "0.1 GB, licence Apache-2.0", "hf download"):
        assert part in str(error.value)
    small = Dinov2Config(hidden_size=32, num_attention_heads=2, num_hidden_layers=1, image_size=28)
    Dinov2Model(small).save_pretrained(tmp_path)
    tiny.processor().save_pretrained(tmp_path)
    with pytest.raises(BackendMissingError, match="cannot be loaded"):
        DEPTH_ANYTHING.make(options(tmp_path))
