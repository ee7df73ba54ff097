"""MoGe's field of view as a camera, and GeoCalib by its own package; random weights, in the official formats."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
from tiny_depth import moge_2, save_moge

from sonoworld import testing
from sonoworld.backend import Run
from sonoworld.calibrate import geocalib_net, moge_fov_net
from sonoworld.calibrate.geocalib import GEOCALIB, GeocalibOptions
from sonoworld.calibrate.moge_fov import MOGE_FOV, MogeFovOptions
from sonoworld.calibrate.posterior import Fixed, estimator
from sonoworld.errors import StageError
from sonoworld.frames import camera_angles
from sonoworld.perceive.moge_net import Shape
from sonoworld.types import Photo
from test_calibrate_geocalib import GeoCalib, said

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    pytest.importorskip("moge", reason="pip install --no-deps dlr-moge dlr-utils3d")
    return save_moge(tmp_path_factory.mktemp("moge"), moge_2())


def options(folder: Path, **changes: object) -> MogeFovOptions:
    return MogeFovOptions.model_validate({"model": str(folder), "offline": True, "device": "cpu", **changes})


def test_it_keeps_the_contract(folder: Path) -> None:
    testing.check_backend(MOGE_FOV, options(folder))


def test_the_field_of_view_is_moges_and_the_rest_is_of_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Photo(testing.tiny_photo().rgb)
    none = np.zeros((144, 192), np.float32)
    monkeypatch.setattr(moge_fov_net, "shapes", lambda *_: [Shape(none, none > 0, 1.1)])
    made = MOGE_FOV.make(options(folder))(photo, RUN)
    assert made.fov == pytest.approx(1.1)
    assert made.sigma.fov == pytest.approx(math.radians(4))
    lines = estimator(Fixed(fov=1.1, pitch=None, roll=None))(photo, RUN)
    assert camera_angles(made.world_from_camera.rotation) == camera_angles(lines.world_from_camera.rotation)
    assert made.sigma.pitch == lines.sigma.pitch > 0
    monkeypatch.setattr(moge_fov_net, "shapes", lambda *_: [Shape(none, none > 0, 3.1)])
    with pytest.raises(StageError, match=r"177\.6°: expected 1\.\.175°"):
        MOGE_FOV.make(options(folder))(photo, RUN)


def test_random_weights_say_a_field_of_view_or_that_there_is_none(folder: Path) -> None:
    calibrate = MOGE_FOV.make(options(folder, trust_file=False))
    try:
        made = calibrate(testing.tiny_photo(), RUN)
    except StageError as error:
        assert "field of view" in str(error)
    else:
        assert made.sigma.fov > 0


@pytest.fixture(scope="session")
def geocalib(torchvision_imports: object) -> object:
    return pytest.importorskip("geocalib", reason="pip install --no-deps git+https://github.com/cvg/GeoCalib; kornia")


def test_the_stand_in_has_the_packages_signatures(geocalib: object) -> None:
    for name in ("__init__", "calibrate"):
        real, ours = (inspect.signature(getattr(kind, name)) for kind in (geocalib.GeoCalib, GeoCalib))
        assert [(p.name, p.default) for p in real.parameters.values()] == [
            (p.name, p.default) for p in ours.parameters.values()
        ]


@pytest.mark.parametrize(("pitch", "roll"), [(0.3, 0.0), (-0.3, 0.1), (0.0, -0.7), (1.2, 1.2)])
def test_angles_are_those_of_geocalib(geocalib: object, pitch: float, roll: float) -> None:
    import torch  # noqa: PLC0415
    from geocalib.gravity import Gravity  # noqa: PLC0415

    theirs = Gravity.from_rp(torch.tensor(roll), torch.tensor(pitch))
    np.testing.assert_allclose(geocalib_net.angles(theirs.vec3d.double().numpy()), (pitch, roll), atol=1e-6)
    made = geocalib_net.camera(testing.tiny_photo(), {**said((0, -1, 0)), "gravity": theirs}, None)
    np.testing.assert_allclose(camera_angles(made.world_from_camera.rotation)[1:], (pitch, roll), atol=1e-6)


def test_geocalib_with_random_weights(geocalib: object, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415
    from geocalib.geocalib import GeoCalib as Net  # noqa: PLC0415

    torch.manual_seed(0)
    torch.save({"model": Net().state_dict()}, tmp_path / "random.tar")
    photo = testing.tiny_photo()
    for trust in (True, False):
        chosen = GeocalibOptions(model=str(tmp_path / "random.tar"), device="cpu", trust_file=trust)
        made = GEOCALIB.make(chosen)(photo, RUN)
        assert made.size_px == photo.size_px
        assert (made.sigma.fov == 0) == trust
        assert made.sigma.pitch >= math.radians(1.5)
        assert trust == (abs(float(made.K[0, 0]) - 170.0) < 1e-3)
