"""Depth Anything 3 by its own package, small and random, in its format: a metric model with sky, and a relative one."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.lift import depth_anything_3_net
from sonoworld.lift.depth_anything_3 import DEPTH_ANYTHING_3, WEIGHTS, DepthAnything3Options

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))
NET = """
__object__: {{path: depth_anything_3.model.da3, name: DepthAnything3Net, args: as_params}}
net:
  __object__: {{path: depth_anything_3.model.dinov2.dinov2, name: DinoV2, args: as_params}}
  name: vits
  out_layers: [2, 5, 8, 11]
  alt_start: -1
  qknorm_start: -1
  rope_start: -1
  cat_token: False
head:
  __object__: {{path: depth_anything_3.model.dpt, name: DPT, args: as_params}}
  dim_in: 384
  output_dim: 1
  features: 16
  out_channels: [16, 16, 16, 16]
  use_sky_head: {sky}
"""


def save(folder: Path, name: str, *, sky: bool) -> Path:
    pytest.importorskip("depth_anything_3", reason="pip install --no-deps depth-anything-3")
    pytest.importorskip("omegaconf")
    import torch  # noqa: PLC0415
    from depth_anything_3.cfg import create_object, load_config  # noqa: PLC0415
    from depth_anything_3.registry import MODEL_REGISTRY  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    (folder / "net.yaml").write_text(NET.format(sky=sky))
    MODEL_REGISTRY[name] = str(folder / "net.yaml")
    torch.manual_seed(0)
    net: Any = create_object(load_config(MODEL_REGISTRY[name]))
    save_file({f"model.{k}": v for k, v in net.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_name": name}))
    return folder


@pytest.fixture(scope="session")
def metric(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save(tmp_path_factory.mktemp("da3metric"), "da3metric-tiny", sky=True)


@pytest.fixture(scope="session")
def relative(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    return save(tmp_path_factory.mktemp("da3"), "da3-tiny", sky=False)


def options(folder: Path, **changes: object) -> DepthAnything3Options:
    values = {"model": str(folder), "offline": True, "device": "cpu", "side_px": 70, "sky": "none", **changes}
    return DepthAnything3Options.model_validate(values)


def test_it_keeps_the_contract(relative: Path) -> None:
    testing.check_backend(DEPTH_ANYTHING_3, options(relative))


def test_metres_follow_from_the_focal_length(metric: Path) -> None:
    """depth = focal length in px · output / 300, as the README of the package says."""
    import torch  # noqa: PLC0415

    chosen = options(metric, fov_deg=60.0)
    net, is_metric = depth_anything_3_net.loaded(chosen)
    assert is_metric
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 70, 70, 3), np.uint8))
    found = depth_anything_3_net.looker(net, chosen, metric=True)(pictures)
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    focal_px = 35 / math.tan(math.radians(30))
    for picture, ours in zip(pictures, found, strict=True):
        pixels = torch.from_numpy(((picture / 255 - mean) / deviation).astype(np.float32)).permute(2, 0, 1)
        with torch.inference_mode():
            theirs = net(pixels[None, None])
        sky = theirs["sky"].numpy().reshape(70, 70) >= 0.3
        assert (sky == ours.far).mean() > 0.99
        land = ours.solid & ~sky
        depth = theirs["depth"].numpy().reshape(70, 70)[land] * focal_px / 300
        np.testing.assert_allclose(ours.depth[land], depth, rtol=1e-3)


def test_any_batch_gives_the_same_world(relative: Path) -> None:
    one, five = (
        DEPTH_ANYTHING_3.make(options(relative, batch=b))(testing.tiny_panorama(64), RUN).geometry for b in (1, 5)
    )
    np.testing.assert_allclose(one.distance, five.distance, rtol=2e-3)
    assert not one.metric


def test_what_cannot_be_used_is_one_message(relative: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_name": "da3nested-giant-large"}')
    with pytest.raises(BackendMissingError, match="two models in one: name depth-anything/DA3METRIC-LARGE"):
        DEPTH_ANYTHING_3.make(options(tmp_path))
    (tmp_path / "config.json").write_text((relative / "config.json").read_text())
    with pytest.raises(BackendMissingError, match=r"expected model\.safetensors in"):
        DEPTH_ANYTHING_3.make(options(tmp_path))
    with pytest.raises(ValueError, match="multiple of 14"):
        options(tmp_path, side_px=100)
    assert WEIGHTS[0].size_gb == 1.34  # 1 336 734 448 bytes
