"""Splats and sounds in one USDZ file, read back by Pixar's own library."""

import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from browser.courtyard import courtyard, small_world
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.types import Motion
from sonoworld.view import export_usd as exporting
from sonoworld.view.export_usd import SPLAT_SCHEMA, export_usd

pxr = pytest.importorskip("pxr", reason="usd-core is not installed: pip install 'sonoworld[usd]'")
from pxr import Usd, UsdGeom, UsdMedia, UsdValidation, UsdVol  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("usd") / "yard.usdz"
    written = export_usd(courtyard(), small_world().sources, path)
    assert (written.sounds, written.splats) == (4, True)
    return path


@pytest.fixture(scope="module")
def stage(file: Path) -> Any:
    return Usd.Stage.Open(str(file))


def seen(stage: Any, name: str) -> np.ndarray:
    return np.array(stage.GetPrimAtPath("/World/Picture").GetAttribute(name).Get())


def test_the_stage_says_which_way_is_up_and_how_long_a_metre_is(stage: Any) -> None:
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetDefaultPrim().GetPath() == "/World"


def test_nothing_on_the_way_is_without_a_type(stage: Any) -> None:
    """Blender loses the axes of what lies below a prim without one."""
    assert [str(prim.GetPath()) for prim in stage.Traverse() if not prim.GetTypeName()] == []


def test_splats_are_the_same_with_linear_sizes_and_y_up(stage: Any) -> None:
    """World x ahead, y left, z up is here −z ahead, −x left, y up."""
    prim = stage.GetPrimAtPath("/World/Picture")
    assert prim.GetTypeName() == SPLAT_SCHEMA
    assert UsdVol.ParticleField3DGaussianSplat(prim)
    world = courtyard()
    x, y, z = world.means.T
    np.testing.assert_allclose(seen(stage, "positions"), np.stack([-y, z, -x], 1), atol=1e-5)
    np.testing.assert_allclose(seen(stage, "scales"), np.exp(world.log_scales), rtol=1e-5)
    np.testing.assert_allclose(seen(stage, "opacities"), 1 / (1 + np.exp(-world.opacity_logits)), atol=1e-6)
    degree = prim.GetAttribute("radiance:sphericalHarmonicsDegree").Get()
    colours = seen(stage, "radiance:sphericalHarmonicsCoefficients").reshape(len(world), (degree + 1) ** 2, 3)
    np.testing.assert_allclose(colours[:, 0], world.sh[:, 0], atol=1e-6)


def test_splats_turn_with_the_axes(tmp_path: Path) -> None:
    """Axes of the ellipsoids, by Pixar's own quaternions, are ours in the other axes."""
    world = courtyard()
    rng = np.random.default_rng(0)
    quats = rng.normal(size=world.quats.shape).astype(np.float32)
    turned = replace(world, quats=quats)
    export_usd(turned, (), tmp_path / "a.usdz")
    stage = Usd.Stage.Open(str(tmp_path / "a.usdz"))
    stored = stage.GetPrimAtPath("/World/Picture").GetAttribute("orientations").Get()
    for i in range(0, len(world), max(1, len(world) // 20)):
        w, x, y, z = quats[i] / np.linalg.norm(quats[i])
        ahead = np.array([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)])  # its x axis, world
        theirs = pxr.Gf.Rotation(pxr.Gf.Quatd(stored[i])).TransformDir(pxr.Gf.Vec3d(1, 0, 0))
        np.testing.assert_allclose(theirs, [-ahead[1], ahead[2], -ahead[0]], atol=1e-5)


def test_sounds_stand_where_sources_are(stage: Any) -> None:
    found = [UsdMedia.SpatialAudio(p) for p in stage.Traverse() if p.IsA(UsdMedia.SpatialAudio)]
    sources = small_world().sources
    assert [one.GetPrim().GetDisplayName() for one in found] == [s.label for s in sources]
    for one, source in zip(found, sources, strict=True):
        assert source.clip is not None
        assert one.GetAuralModeAttr().Get() == ("nonSpatial" if source.centroid is None else "spatial")
        assert one.GetPlaybackModeAttr().Get() == ("loopFromStage" if source.clip.loops else "onceFromStart")
        assert one.GetGainAttr().Get() > 0
        if source.centroid is not None:
            x, y, z = source.centroid
            at = one.ComputeLocalToWorldTransform(Usd.TimeCode.Default()).ExtractTranslation()
            np.testing.assert_allclose(at, [-y, z, -x], atol=1e-5)


def test_clips_are_inside_and_play(file: Path, stage: Any) -> None:
    with zipfile.ZipFile(file) as archive:
        for number, source in enumerate(small_world().sources):
            assert source.clip is not None
            (name,) = [n for n in archive.namelist() if n.startswith(f"sounds/{number:03d}_")]
            heard, rate_hz = sf.read(io.BytesIO(archive.read(name)), dtype="float32")
            assert rate_hz == source.clip.rate_hz
            assert np.corrcoef(heard, source.clip.samples)[0, 1] > 0.9999
    for prim in stage.Traverse():
        if prim.IsA(UsdMedia.SpatialAudio):
            assert UsdMedia.SpatialAudio(prim).GetFilePathAttr().Get().resolvedPath  # found in the package


def test_louder_sources_are_louder(stage: Any) -> None:
    """A gain on the samples as stored: 20 dB more level is ten times of what is heard."""
    source = next(s for s in small_world().sources if s.centroid is not None)
    louder = replace(source, id="louder", level_db=source.level_db + 20)
    gains = exported_gains((source, louder))
    assert gains[1] / gains[0] == pytest.approx(10, rel=1e-4)


def exported_gains(sources: tuple[Any, ...]) -> list[float]:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.usdz"
        export_usd(courtyard(), sources, path)
        stage = Usd.Stage.Open(str(path))
        return [UsdMedia.SpatialAudio(p).GetGainAttr().Get() for p in stage.Traverse() if p.IsA(UsdMedia.SpatialAudio)]


def test_moving_sources_move(tmp_path: Path) -> None:
    source = next(s for s in small_world().sources if s.centroid is not None)
    path = Motion(np.array([0.0, 2.5]), np.array([[1.0, 2, 3], [4, 5, 6]]))
    export_usd(courtyard(), (replace(source, path=path),), tmp_path / "a.usdz")
    stage = Usd.Stage.Open(str(tmp_path / "a.usdz"))
    audio = next(UsdMedia.SpatialAudio(p) for p in stage.Traverse() if p.IsA(UsdMedia.SpatialAudio))
    at = audio.ComputeLocalToWorldTransform(2.5 * stage.GetTimeCodesPerSecond()).ExtractTranslation()
    np.testing.assert_allclose(at, [-5, 6, -4])


def test_the_package_is_a_good_one(file: Path) -> None:
    """By all of Pixar's validators; every file at a multiple of 64 bytes, nothing compressed."""
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert "usdUtilsValidators:UsdzPackageValidator" in [one.GetMetadata().name for one in validators]
    stage = Usd.Stage.Open(str(file))
    assert [e.GetMessage() for e in UsdValidation.ValidationContext(validators).Validate(stage)] == []
    data = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist()[0] == "world.usdc"
        for info in archive.infolist():
            extra = int.from_bytes(data[info.header_offset + 28 : info.header_offset + 30], "little")
            assert (info.header_offset + 30 + len(info.filename) + extra) % 64 == 0
            assert info.compress_type == zipfile.ZIP_STORED


def test_same_world_same_bytes(file: Path, tmp_path: Path) -> None:
    export_usd(courtyard(), small_world().sources, tmp_path / "again.usdz")
    assert (tmp_path / "again.usdz").read_bytes() == file.read_bytes()


def test_without_the_schema_points_are_written_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_has_splats", lambda pxr: False)
    written = export_usd(courtyard(), (), tmp_path / "a.usdz")
    assert not written.splats
    stage = Usd.Stage.Open(str(tmp_path / "a.usdz"))
    points = UsdGeom.Points(stage.GetPrimAtPath("/World/Picture"))
    assert len(points.GetPointsAttr().Get()) == len(points.GetWidthsAttr().Get()) == len(courtyard())
    colours = np.array(points.GetDisplayColorAttr().Get())
    assert (colours >= 0).all()
    assert (colours <= 1).all()


def test_what_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = courtyard()
    empty = replace(
        none, means=none.means[:0], log_scales=none.log_scales[:0], quats=none.quats[:0],
        opacity_logits=none.opacity_logits[:0], sh=none.sh[:0],
    )  # fmt: skip
    with pytest.raises(InputError, match="at least one splat"):
        export_usd(empty, (), tmp_path / "a.usdz")
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(BackendMissingError, match="pip install"):
        export_usd(courtyard(), (), tmp_path / "a.usdz")
    assert not (tmp_path / "a.usdz").exists()
