"""Models of whole panoramas, DA² and UniK3D, through their adapters. Their packages are stood in for.

The stand-ins have the signatures of https://github.com/EnVision-Research/DA-2 (src/da2/model/spherevit.py) and of
https://github.com/lpiccinelli-eth/UniK3D (unik3d/models/unik3d.py, utils/camera.py) and refuse what those misread;
where a real package is installed, signatures are compared.
"""

import inspect
import json
import math
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sonoworld import sphere, testing
from sonoworld.backend import Backend, Run, require_available
from sonoworld.errors import BackendMissingError
from sonoworld.lift import da2_net, unik3d_net
from sonoworld.lift.da2 import DA2, Da2Options
from sonoworld.lift.unik3d import UNIK3D, Unik3dOptions
from sonoworld.types import Panorama

torch = pytest.importorskip("torch")
pytest.importorskip("huggingface_hub")
pytest.importorskip("safetensors")
RUN = Run(np.random.default_rng(0))
REAL = {"da2": find_spec("da2") is not None, "unik3d": find_spec("unik3d") is not None}


class SphereViT(torch.nn.Module):
    """Distance = red / 51, over the net's one weight; the wrong size is wrong directions in the real one."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        assert config["spherevit"]["sphere"]["width"] == 1092
        self.config, self.device = config, None
        self.weight = torch.nn.Parameter(torch.ones(1))

    def to(self, *args: Any) -> "SphereViT":
        self.device = args[0]
        return super().to(*args)

    def forward(self, images: Any) -> Any:
        assert images.shape[1:] == (3, 546, 1092)
        assert 0 <= images.min() <= images.max() <= 1
        assert self.device is not None
        return images[:, 0] * 5 / self.weight


class Spherical:
    def __init__(self, params: Any) -> None:
        self.params = params


class UniK3D(torch.nn.Module):
    """Distance = red / 51; it takes one panorama at a time, as the real one does with one camera."""

    def __init__(self, config: dict[str, Any], eps: float = 1e-6, **kwargs: Any) -> None:
        super().__init__()
        assert config["model"]["name"] == "UniK3D"
        self.weight = torch.nn.Parameter(torch.ones(1))

    @torch.no_grad()
    def infer(self, rgb: Any, camera: Any = None, rays: Any = None, normalize: bool = True) -> dict[str, Any]:
        assert rgb.dtype == torch.uint8
        assert rgb.shape[0] == 3
        assert self.resolution_level == 9
        height, width = rgb.shape[1:]
        np.testing.assert_allclose(camera.params[4:], [width, height, math.pi, math.pi / 2], rtol=1e-6)
        distance = (rgb[:1].float() / 51 / self.weight)[None]
        return {"distance": distance, "depth": distance, "points": distance.repeat(1, 3, 1, 1)}


def module(monkeypatch: pytest.MonkeyPatch, name: str, **content: object) -> None:
    for i in range(1, name.count(".") + 1):
        parent = ".".join(name.split(".")[:i])
        monkeypatch.setitem(sys.modules, parent, sys.modules.get(parent) or ModuleType(parent))
    made = ModuleType(name)
    vars(made).update(content)
    monkeypatch.setitem(sys.modules, name, made)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from safetensors.torch import save_file  # noqa: PLC0415

    for name in ("da2", "da2.model", "unik3d", "unik3d.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module(monkeypatch, "da2.model.spherevit", SphereViT=SphereViT)
    module(monkeypatch, "unik3d.models", UniK3D=UniK3D)
    module(monkeypatch, "unik3d.utils.camera", Spherical=Spherical)
    save_file({"weight": torch.ones(1)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model": {"name": "UniK3D"}}))
    return tmp_path


def options(kind: type[Any], folder: Path, **changes: object) -> Any:
    return kind.model_validate({"model": str(folder), "offline": True, "device": "cpu", **changes})


BOTH = pytest.mark.parametrize(("backend", "kind"), [(DA2, Da2Options), (UNIK3D, Unik3dOptions)])


def shades(height: int) -> Panorama:
    """A smooth picture, brighter ahead and to the left: red from 100 to 200."""
    d = sphere.pixel_directions(height)
    red = np.round(150 + 30 * d[..., 0] + 20 * d[..., 1]).astype(np.uint8)
    return Panorama(np.repeat(red[..., None], 3, 2), np.ones(red.shape, np.bool_))


@BOTH
def test_they_keep_the_contract(backend: Backend, kind: type[Any], folder: Path) -> None:
    testing.check_backend(backend, options(kind, folder, sky="none"))


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("height", [128, 546])
def test_metres_and_places_of_unik3d_come_through(turns: int, height: int, folder: Path) -> None:
    panorama = shades(height)
    found = UNIK3D.make(options(Unik3dOptions, folder, turns=turns, sky="none"))(panorama, RUN).geometry
    assert found.metric
    assert found.valid.all()
    np.testing.assert_allclose(found.distance, panorama.rgb[..., 0] / np.float32(51), rtol=0.02)


def test_da2_knows_shapes_only(folder: Path) -> None:
    panorama = shades(64)
    low, high = (
        DA2.make(options(Da2Options, folder, camera_height_m=h, sky="none", turns=3, batch=2))(panorama, RUN).geometry
        for h in (1.5, 3.0)
    )
    np.testing.assert_allclose(high.distance, 2 * low.distance, rtol=1e-3)
    ratio = high.distance / panorama.rgb[..., 0]
    assert np.ptp(np.log(ratio)) < 0.03
    assert not DA2.make(options(Da2Options, folder, sky="none"))(panorama, RUN).geometry.metric


@BOTH
def test_what_is_missing_is_one_message(
    backend: Backend, kind: type[Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415

    save_file({"other": torch.ones(1)}, tmp_path / "model.safetensors")
    with pytest.raises(BackendMissingError, match="lacks 1 tensors of the model, such as weight"):
        backend.make(options(kind, tmp_path))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BackendMissingError, match=r"expected model\.safetensors or pytorch_model\.bin in"):
        backend.make(options(kind, tmp_path))
    torch.save({"weight": torch.ones(1)}, tmp_path / "pytorch_model.bin")
    backend.make(options(kind, tmp_path))
    for name in ("da2.model.spherevit", "unik3d.models"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendMissingError, match=rf"(?s)lift\.{backend.name}: .*github\.com"):
        backend.make(options(kind, tmp_path))


@BOTH
def test_without_the_package_it_says_how_to_get_it(backend: Backend, kind: type[Any]) -> None:
    if not REAL[backend.name]:
        with pytest.raises(BackendMissingError, match=rf"(?s){backend.name}.*{backend.weights[0].model}"):
            require_available(backend, kind())


def test_licences() -> None:
    assert not UNIK3D.commercial
    assert "NC" in UNIK3D.licence
    assert DA2.commercial


def parameters(function: Callable[..., object]) -> list[tuple[str, object]]:
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not REAL["da2"], reason="da2 is not installed")
def test_the_stand_in_of_da2_is_like_it() -> None:
    real = import_module("da2.model.spherevit").SphereViT
    for name in ("__init__", "to", "forward"):
        assert parameters(getattr(real, name)) == parameters(getattr(SphereViT, name))
    assert sum(p.numel() for p in real(da2_net.CONFIG).parameters()) == 344_615_682


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not REAL["unik3d"], reason="unik3d is not installed")
def test_the_stand_in_of_unik3d_is_like_it() -> None:
    real = import_module("unik3d.models").UniK3D
    for name in ("__init__", "infer"):
        assert parameters(getattr(real, name)) == parameters(getattr(UniK3D, name))
    camera = import_module("unik3d.utils.camera").Spherical(torch.tensor([1.0, 1, 1, 1, 65, 33, math.pi, math.pi / 2]))
    ahead, right, down = (camera.unproject(torch.tensor([[[[u]], [[v]]]]).float())[0, :, 0, 0] for u, v in (
        (32, 16), (48, 16), (32, 32)))  # fmt: skip
    np.testing.assert_allclose(torch.stack([ahead, right, down]).numpy(), np.eye(3)[[2, 0, 1]], atol=1e-6)
    assert unik3d_net.ROWS * 2 * unik3d_net.ROWS <= 600_000
