"""GeoCalib's answers as cameras: signs, uncertainties, and what is missing. Its package is stood in for.

The stand-in has the signatures of https://github.com/cvg/GeoCalib (geocalib/extractor.py); tests/models compares them,
where the real package is installed.
"""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import testing
from sonoworld.backend import Run, require_available
from sonoworld.calibrate import geocalib_net
from sonoworld.calibrate.geocalib import GEOCALIB, GeocalibOptions
from sonoworld.errors import BackendMissingError, InputError, StageError
from sonoworld.frames import camera_angles, world_from_camera_rotation
from sonoworld.types import Photo, Projection

torch = pytest.importorskip("torch")
REAL = importlib.util.find_spec("geocalib") is not None
RUN = Run(np.random.default_rng(0))
PHOTO = Photo(np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8))


def said(up: tuple[float, float, float], focal: float = 160.0, **sd: float) -> dict[str, Any]:
    """What `GeoCalib.calibrate` returns: tensors with a batch of one."""
    spread = {"pitch": 0.0, "roll": 0.0, "vfov": 0.0, **sd}
    return {
        "camera": SimpleNamespace(f=torch.tensor([[focal, focal]])),
        "gravity": SimpleNamespace(vec3d=torch.tensor([up], dtype=torch.float32)),
        **{f"{name}_uncertainty": torch.tensor([value]) for name, value in spread.items()},
    }


class GeoCalib(torch.nn.Module):
    """Level, 60° high, unless a focal length is given."""

    def __init__(self, weights: str = "pinhole") -> None:
        super().__init__()
        self.model = torch.nn.Linear(2, 2)
        self.model.load_state_dict(torch.load(weights, map_location="cpu")["model"], strict=False)

    def calibrate(
        self,
        img: Any,
        camera_model: str = "pinhole",
        priors: dict[str, Any] | None = None,
        shared_intrinsics: bool = False,
    ) -> dict[str, Any]:
        assert camera_model in ("pinhole", "simple_radial", "radial", "simple_divisional")
        assert not shared_intrinsics
        assert img.dtype == torch.float32
        assert img.shape == (3, 120, 160) or img.shape[0] == 3
        assert 0 <= img.min() <= img.max() <= 1
        focal = (priors or {}).get("focal", torch.tensor(img.shape[1] / 2 / math.tan(math.radians(30))))
        return said((0.0, -1.0, 0.0), float(focal), pitch=0.01, roll=0.005, vfov=0.02)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = ModuleType("geocalib")
    module.GeoCalib = GeoCalib  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "geocalib", module)
    torch.save({"model": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "weights.tar")
    return tmp_path / "weights.tar"


def options(weights: Path, **changes: object) -> GeocalibOptions:
    return GeocalibOptions.model_validate({"model": str(weights), "device": "cpu", **changes})


def test_it_keeps_the_contract(weights: Path) -> None:
    testing.check_backend(GEOCALIB, options(weights))


@pytest.mark.parametrize(
    ("up", "pitch", "roll"),
    [
        ((0, -1, 0), 0, 0),
        ((0, -math.cos(0.2), math.sin(0.2)), 0.2, 0),  # up is ahead, too: it looks up
        ((0, -math.cos(0.2), -math.sin(0.2)), -0.2, 0),
        ((-math.sin(0.1), -math.cos(0.1), 0), 0, 0.1),  # up leans to the left: its right side dips
        ((math.sin(0.1), -math.cos(0.1), 0), 0, -0.1),
    ],
)
def test_signs(up: tuple[float, float, float], pitch: float, roll: float) -> None:
    made = geocalib_net.camera(PHOTO, said(up), None)
    yaw, *found = camera_angles(made.world_from_camera.rotation)
    np.testing.assert_allclose(found, (pitch, roll), atol=1e-6)
    assert abs(yaw) < 1e-9
    np.testing.assert_allclose(made.world_from_camera.rotation[2], up, atol=1e-6)


@given(st.floats(-1.4, 1.4), st.floats(-3.1, 3.1))
def test_angles_are_those_of_our_cameras(pitch: float, roll: float) -> None:
    found = geocalib_net.angles(2.5 * world_from_camera_rotation(pitch, roll, 0.7)[2])
    np.testing.assert_allclose(found, (pitch, roll), atol=1e-9)


def test_field_of_view_and_uncertainties(weights: Path) -> None:
    made = GEOCALIB.make(options(weights))(PHOTO, RUN)
    vertical = 2 * math.atan(math.tan(made.fov / 2) * 120 / 160)
    assert abs(vertical - math.radians(60)) < 1e-6
    assert made.sigma.pitch == pytest.approx(math.hypot(0.01, math.radians(1.5)), rel=1e-5)
    assert made.sigma.roll == pytest.approx(math.hypot(0.005, math.radians(0.6)), rel=1e-5)
    step = 1e-5  # a vertical angle of one sigma more, as a horizontal one
    wider = 2 * math.atan(math.tan(vertical / 2 + step / 2) * 160 / 120)
    sd = 0.02 * math.sqrt(2) * (wider - made.fov) / step
    assert made.sigma.fov == pytest.approx(math.hypot(sd, math.radians(4)), rel=1e-3)


def test_the_files_focal_length_is_known_unless_it_is_not_trusted(weights: Path) -> None:
    photo = Photo(PHOTO.rgb, focal_px=200.0)
    trusted, guessed = (GEOCALIB.make(options(weights, trust_file=t))(photo, RUN) for t in (True, False))
    assert trusted.fov == pytest.approx(2 * math.atan(160 / 400))
    assert trusted.sigma.fov == 0
    assert guessed.sigma.fov > 0
    assert guessed.fov != pytest.approx(trusted.fov)


def test_nothing_that_is_no_camera_is_taken_for_one() -> None:
    for bad in (said((0, -1, 0), float("nan")), said((0, -1, 0), -5.0), said((0, -1, 0), pitch=float("nan"))):
        with pytest.raises(StageError, match="finds no camera"):
            geocalib_net.camera(PHOTO, bad, None)


def test_a_panorama_has_no_camera(weights: Path) -> None:
    whole = Photo(np.zeros((32, 64, 3), np.uint8), projection=Projection.EQUIRECTANGULAR)
    with pytest.raises(InputError, match="expected a perspective photo"):
        GEOCALIB.make(options(weights))(whole, RUN)


def test_weights_that_are_missing_or_of_another_model(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"model": {"bias": torch.zeros(2)}}, tmp_path / "other.tar")
    with pytest.raises(BackendMissingError, match="lacks 1 of 2 tensors: weight"):
        GEOCALIB.make(options(tmp_path / "other.tar"))
    with pytest.raises(BackendMissingError, match="no such file"):
        GEOCALIB.make(options(tmp_path / "none.tar"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(BackendMissingError) as error:
        GEOCALIB.make(GeocalibOptions(offline=True, device="cpu"))
    for part in ("offline = true", "curl -L", "v1.0/geocalib-pinhole.tar"):
        assert part in str(error.value)
    (tmp_path / "geocalib").mkdir()
    (tmp_path / "geocalib" / "pinhole.tar").write_bytes(weights.read_bytes())
    assert GEOCALIB.make(GeocalibOptions(offline=True, device="cpu"))(PHOTO, RUN).size_px == (160, 120)


def test_without_the_package_one_message_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "geocalib", None)
    with pytest.raises(BackendMissingError, match=r"(?s)geocalib.*pip install --no-deps git\+https://github.com/cvg"):
        GEOCALIB.make(GeocalibOptions(device="cpu"))
    if not REAL:
        with pytest.raises(BackendMissingError, match=r"(?s)geocalib.*0\.12 GB.*Apache-2\.0"):
            require_available(GEOCALIB)
