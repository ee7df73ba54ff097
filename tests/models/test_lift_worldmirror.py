"""WorldMirror against a stand-in with its signatures, which answers by the cameras it is told of; and itself."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import worldmirror_stand_in as stand_in

from sonoworld import testing
from sonoworld.backend import Run, require_available
from sonoworld.errors import BackendMissingError
from sonoworld.licences import commercial_objections
from sonoworld.lift import worldmirror
from sonoworld.lift.worldmirror import WORLDMIRROR, WorldMirrorOptions
from sonoworld.sphere import pixel_directions
from sonoworld.tiles import sphere_tiles

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))
REAL = os.environ.get("SONOWORLD_WORLDMIRROR", "")
"""A checkout of HunyuanWorld-Mirror, its packages installed: then it is tested, too, small and random."""


def forget() -> None:
    for name in [name for name in sys.modules if name == "src" or name.startswith("src.")]:
        del sys.modules[name]


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout with the stand-in, and weights: its unit is 0.2 m."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    place = tmp_path / "code" / worldmirror.MODULE
    place.parent.mkdir(parents=True)
    for folder in list(place.parents)[:3]:
        (folder / "__init__.py").touch()
    shutil.copy(stand_in.__file__, place)
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "config.json").write_text(json.dumps({"embed_dim": 8, "patch_size": 14, "enable_gs": True, "other": 1}))
    left = {"gs_head.scale": torch.ones(3)}  # heads that are not asked for
    save_file({"depth_head.unit": torch.full((8,), 5.0), **left}, weights / "model.safetensors")
    monkeypatch.setattr(worldmirror, "NEEDED", ("torch",))
    forget()
    yield tmp_path
    forget()


def options(folder: Path, **changes: object) -> WorldMirrorOptions:
    values = {
        "model": str(folder / "weights"),
        "code": str(folder / "code"),
        "offline": True,
        "device": "cpu",
        "side_px": 140,
        "sky": "none",
        **changes,
    }
    return WorldMirrorOptions.model_validate(values)


def test_it_keeps_the_contract(code: Path) -> None:
    testing.check_backend(WORLDMIRROR, options(code))


def test_it_is_told_where_each_view_looks(code: Path) -> None:
    """The box comes out right only if poses and intrinsics are the stand-in's rays, and the ground gives metres."""
    chosen = options(code)
    made = WORLDMIRROR.make(chosen)(testing.tiny_panorama(64), RUN).geometry
    first = sphere_tiles(140, chosen.fov_deg, chosen.overlap)[0].pose.rotation
    x, y, z = np.moveaxis(pixel_directions(64) @ first, -1, 0)
    vertical = np.where(z > 0, stand_in.BELOW_M / z, -stand_in.ABOVE_M / z)
    truth = np.minimum(stand_in.HALF_WIDTH_M / np.maximum(abs(x), abs(y)), vertical)
    error = np.abs(made.distance / truth - 1)
    assert np.median(error) < 0.01
    assert np.quantile(error, 0.99) < 0.05
    assert made.valid.mean() > 0.99


def test_what_is_missing_is_one_message(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendMissingError) as caught:
        require_available(WORLDMIRROR, options(code, code="nowhere", model=worldmirror.MODEL))
    assert str(caught.value) == (
        "lift.worldmirror cannot run here: no HunyuanWorld-Mirror code in nowhere\n"
        "HunyuanWorld-Mirror is not a pip package (licence: not in the EU, the UK and South Korea):\n"
        "  git clone https://github.com/Tencent-Hunyuan/HunyuanWorld-Mirror\n"
        "  pip install 'sonoworld[models]' einops gsplat lightning-utilities\n"
        "  then --set lift.code=HunyuanWorld-Mirror\n"
        "  weights: tencent/HunyuanWorld-Mirror (5.05 GB, Tencent HunyuanWorld-Mirror Community License: not in the "
        "EU, the UK and South Korea): hf download tencent/HunyuanWorld-Mirror config.json model.safetensors"
    )
    (code / "weights" / "model.safetensors").unlink()
    with pytest.raises(BackendMissingError, match=r"expected model\.safetensors in"):
        WORLDMIRROR.make(options(code))
    monkeypatch.setitem(sys.modules, "src", __import__("json"))
    with pytest.raises(BackendMissingError, match="another package `src` is loaded already"):
        WORLDMIRROR.make(options(code))


def test_weights_of_another_size_are_refused(code: Path) -> None:
    (code / "weights" / "config.json").write_text('{"embed_dim": 16}')
    with pytest.raises(BackendMissingError, match="cannot be loaded"):
        WORLDMIRROR.make(options(code))


def test_values_it_cannot_have(code: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 14"):
        options(code, side_px=100)
    with pytest.raises(ValueError, match="chooses by itself"):
        options(code, dtype="float16")
    assert any(
        "excludes the EU" in line for line in commercial_objections(WORLDMIRROR, WorldMirrorOptions.model_validate({}))
    )


@pytest.mark.skipif(not REAL, reason="SONOWORLD_WORLDMIRROR names no checkout of HunyuanWorld-Mirror")
def test_the_real_one_small_and_random(tmp_path: Path) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415

    forget()
    sys.path.insert(0, REAL)
    try:
        kind = __import__("src.models.models.worldmirror", fromlist=["WorldMirror"]).WorldMirror
    finally:
        sys.path.remove(REAL)
    config = {"embed_dim": 384, "patch_embed": "dinov2_vits14_reg"}
    net = kind(**config, enable_gs=False)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    chosen = options(tmp_path, code=REAL, model=str(tmp_path), side_px=70)
    made = WORLDMIRROR.make(chosen)(testing.tiny_panorama(64), RUN).geometry
    assert np.isfinite(made.distance).all()
    forget()
