"""A world as one USDZ file: its splats (ParticleField3DGaussianSplat of OpenUSD 26.03) and what sounds (SpatialAudio).

OpenUSD, "UsdVol: ParticleField3DGaussianSplat" (linear sizes, opacities 0..1, all coefficients of a particle in a row,
degree 0 as in 3DGS), "UsdMedia: SpatialAudio", "USDZ File Format Specification" (nothing compressed, audio as WAV). An
older OpenUSD has no splats: then they are points with their sizes and colours, and the answer says so. SpatialAudio
knows no law of distance and no surfaces: programs have their own, and a surface becomes its centre.
"""

import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from jaxtyping import Float64

from sonoworld.disk import atomic
from sonoworld.disk.glb_splats import GLB_AXES, SH_C0
from sonoworld.disk.splat_file_axes import turned
from sonoworld.encode.level import gain_of
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.frames import world_from_axes
from sonoworld.types import Source, Splats
from sonoworld.view.world import clip_scale, screen_gain_db
from sonoworld.wording import one_line

SPLAT_SCHEMA = "ParticleField3DGaussianSplat"
MOST_SOURCES = 1000
CODES_PER_S = 30.0
"""Time codes per second: keys of moving sources stand at any fraction of one."""


@dataclass(frozen=True, slots=True)
class UsdWritten:
    """How many sources sound in the file, and whether its splats are splats (else points)."""

    sounds: int
    splats: bool


def export_usd(splats: Splats, sources: Sequence[Source], path: Path) -> UsdWritten:
    """Write splats and sounds (world axes) as a .usdz file, y up, ahead along −z, metres.

    Args:
        splats: The picture.
        sources: Those without a clip are left out.
        path: File to write, whole or not at all.

    Raises:
        InputError: no splats, or more than 1000 sources.
        BackendMissingError: usd-core is not installed.
    """
    sounding = [source for source in sources if source.clip is not None]
    if not len(splats):
        raise InputError(f"{path}: expected at least one splat, got none")
    if len(sounding) > MOST_SOURCES:
        raise InputError(f"{path}: expected at most {MOST_SOURCES} sources, got {len(sounding)}")
    pxr = _pxr()
    file_from_world = world_from_axes(GLB_AXES).T
    with tempfile.TemporaryDirectory(prefix="sonoworld-usd-") as folder:
        stage = pxr.Usd.Stage.CreateNew(str(Path(folder) / "world.usdc"))
        _set_up(stage, pxr)
        as_splats = _has_splats(pxr)
        own = turned(splats, file_from_world)
        (_add_splats if as_splats else _add_points)(stage, own, pxr)
        gain = 10 ** (screen_gain_db(tuple(sounding), EncodeOptions()) / 20)
        files = [_add_sound(stage, source, i, gain, file_from_world, pxr) for i, source in enumerate(sounding)]
        stage.GetRootLayer().Save()
        del stage
        parts = {"world.usdc": (Path(folder) / "world.usdc").read_bytes(), **dict(files)}
    with atomic.replacing(path) as file:
        file.write(_package(parts))
    return UsdWritten(len(sounding), as_splats)


def _pxr() -> Any:
    try:
        import pxr  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra
        from pxr import Gf, Sdf, Usd, UsdGeom, UsdMedia, Vt  # noqa: F401, PLC0415  # pyright: ignore
    except ImportError as error:
        raise BackendMissingError("export --to usd: needs usd-core: pip install 'sonoworld[usd]'") from error
    return pxr


def _has_splats(pxr: Any) -> bool:
    return pxr.Usd.SchemaRegistry().FindConcretePrimDefinition(SPLAT_SCHEMA) is not None


def _set_up(stage: Any, pxr: Any) -> None:
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.y)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(CODES_PER_S)
    world = pxr.UsdGeom.Xform.Define(stage, "/World").GetPrim()
    world.SetMetadata("kind", "component")
    stage.SetDefaultPrim(world)
    pxr.UsdGeom.Scope.Define(stage, "/World/Sounds")


def _add_splats(stage: Any, splats: Splats, pxr: Any) -> None:
    vt, types = pxr.Vt, pxr.Sdf.ValueTypeNames
    prim = stage.DefinePrim("/World/Picture", SPLAT_SCHEMA)
    scales = np.exp(splats.log_scales)
    norm = np.linalg.norm(splats.quats, axis=1, keepdims=True)
    reach = 3 * scales.max(1, keepdims=True)
    extent = np.stack([(splats.means - reach).min(0), (splats.means + reach).max(0)])
    quats = (splats.quats / norm)[:, [1, 2, 3, 0]]  # in memory the real part comes last
    coefficients = np.ascontiguousarray(splats.sh.reshape(-1, 3), np.float32)
    values = {
        "positions": (types.Point3fArray, vt.Vec3fArray.FromNumpy(np.ascontiguousarray(splats.means))),
        "scales": (types.Float3Array, vt.Vec3fArray.FromNumpy(np.ascontiguousarray(scales, np.float32))),
        "orientations": (types.QuatfArray, vt.QuatfArray.FromNumpy(np.ascontiguousarray(quats, np.float32))),
        "opacities": (types.FloatArray, vt.FloatArray.FromNumpy(_opacities(splats))),
        "radiance:sphericalHarmonicsCoefficients": (types.Float3Array, vt.Vec3fArray.FromNumpy(coefficients)),
        "extent": (types.Float3Array, vt.Vec3fArray.FromNumpy(np.ascontiguousarray(extent, np.float32))),
    }
    for name, (kind, value) in values.items():
        prim.CreateAttribute(name, kind, custom=False).Set(value)
    degree = round(splats.sh.shape[1] ** 0.5) - 1
    uniform = pxr.Sdf.VariabilityUniform
    prim.CreateAttribute("radiance:sphericalHarmonicsDegree", types.Int, False, uniform).Set(degree)
    prim.CreateAttribute("sortingModeHint", types.Token, False, uniform).Set("cameraDistance")


def _opacities(splats: Splats) -> np.ndarray:
    return np.ascontiguousarray(1 / (1 + np.exp(-splats.opacity_logits.astype(np.float64))), np.float32)


def _add_points(stage: Any, splats: Splats, pxr: Any) -> None:
    """For an OpenUSD without splats: round points, as wide as the mean of two sigmas."""
    vt = pxr.Vt
    points = pxr.UsdGeom.Points.Define(stage, "/World/Picture")
    points.CreatePointsAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(splats.means)))
    widths = 2 * np.exp(splats.log_scales).mean(1)
    points.CreateWidthsAttr(vt.FloatArray.FromNumpy(np.ascontiguousarray(widths, np.float32)))
    srgb = np.clip(0.5 + SH_C0 * splats.sh[:, 0].astype(np.float64), 0, 1)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    points.CreateDisplayColorAttr(vt.Vec3fArray.FromNumpy(np.ascontiguousarray(linear, np.float32)))
    points.GetDisplayColorPrimvar().SetInterpolation("vertex")
    points.CreateDisplayOpacityAttr(vt.FloatArray.FromNumpy(_opacities(splats)))
    points.GetDisplayOpacityPrimvar().SetInterpolation("vertex")
    points.CreateExtentAttr(points.ComputeExtent(points.GetPointsAttr().Get(), points.GetWidthsAttr().Get()))


def _add_sound(
    stage: Any, source: Source, number: int, screen_gain: float, file_from_world: Float64[np.ndarray, "3 3"], pxr: Any
) -> tuple[str, bytes]:
    """One source; the name and bytes of its clip."""
    clip = source.clip
    if clip is None:
        raise InputError(f"{source.id}: expected a clip")
    name = re.sub(r"[^A-Za-z0-9]+", "_", source.id).strip("_") or "sound"
    file = f"sounds/{number:03d}_{name}.wav"
    audio = pxr.UsdMedia.SpatialAudio.Define(stage, f"/World/Sounds/s{number:03d}_{name}")
    audio.GetPrim().SetDisplayName(one_line(source.label) or source.id)
    audio.CreateFilePathAttr(pxr.Sdf.AssetPath(file))
    audio.CreatePlaybackModeAttr("loopFromStage" if clip.loops else "onceFromStart")
    audio.CreateGainAttr(round(screen_gain * gain_of(source, "spl") / clip_scale(source), 6))
    centre = source.centroid
    audio.CreateAuralModeAttr("nonSpatial" if centre is None else "spatial")
    if centre is not None:
        place = audio.AddTranslateOp()
        for time_s, at in _places(source, centre):
            code = pxr.Usd.TimeCode.Default() if time_s is None else pxr.Usd.TimeCode(time_s * CODES_PER_S)
            place.Set(pxr.Gf.Vec3d(*(round(float(x), 6) for x in file_from_world @ at)), code)
    wav = io.BytesIO()
    sf.write(wav, clip.samples * np.float32(clip_scale(source)), clip.rate_hz, "PCM_16", format="WAV")
    return file, wav.getvalue()


def _places(source: Source, centre: np.ndarray) -> list[tuple[float | None, np.ndarray]]:
    """Where it is, by default and at the keys of its path."""
    places: list[tuple[float | None, np.ndarray]] = [(None, np.asarray(centre, np.float64))]
    if source.path is not None:
        keys = zip(source.path.times_s, source.path.positions, strict=True)
        places += [(float(t), np.asarray(at, np.float64)) for t, at in keys]
    return places


def _package(parts: dict[str, bytes]) -> bytes:
    """A USDZ archive: stored, the first file is the stage, every file at a multiple of 64 bytes; no times."""
    import zipfile  # noqa: PLC0415

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name)
            before = out.tell() + 30 + len(name)
            padding = -before % 64
            # an extra field has a head of 4 bytes, so less than that is padded by a whole round
            padding += 64 * (0 < padding < 4)
            info.extra = b"" if not padding else b"\x86\x19" + (padding - 4).to_bytes(2, "little") + bytes(padding - 4)
            archive.writestr(info, data)
    return out.getvalue()
