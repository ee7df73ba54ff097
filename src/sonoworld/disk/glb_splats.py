"""Splats in GLB files: the ratified glTF extension KHR_gaussian_splatting.

Khronos, "KHR_gaussian_splatting". y is up; sizes are linear, opacities 0..1, quaternions xyzw; colours are harmonics in
sRGB with the signs of 3DGS. Programs that do not know the extension show the same file as coloured points.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, UInt16

from sonoworld.disk.glb import Glb, read_glb, write_glb
from sonoworld.disk.glb_document import Primitive
from sonoworld.disk.splat_file_axes import turned
from sonoworld.disk.splat_file_checks import MAX_SPLATS, checked
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

EXTENSION = "KHR_gaussian_splatting"
FACTS = {
    "kernel": "ellipse",
    "colorSpace": "srgb_rec709_display",
    "sortingMethod": "cameraDistance",
    "projection": "perspective",
}
GLB_AXES = "RUB"
"""Ahead is where a glTF camera looks, −z."""

SH_C0 = 0.28209479177387814
SMALLEST_M = 1e-9
"""A size of 0, which the extension allows, has no logarithm: it becomes a nanometre."""

MOST_OPACITY = 1 - 1e-6


def write_glb_splats(path: Path, splats: Splats) -> None:
    """Write splats, which must be in the format's axes (y up), as a GLB file.

    Raises:
        InputError: no splats, or more than fit into 4 GiB.
    """
    document, parts = splats_document(path, splats)
    write_glb(path, document, parts)


def splats_document(path: Path, splats: Splats) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The document of a file at `path` that holds splats, and the parts of its block, to be added to.

    Raises:
        InputError: no splats.
    """
    if not len(splats):
        raise InputError(f"{path}: expected at least one splat, got none")
    parts = _attributes(splats)
    at, views, accessors = 0, [], []
    for name, part in parts.items():
        views.append({"buffer": 0, "byteOffset": at, "byteLength": part.nbytes, "target": 34962})
        accessors.append(_accessor(name, part, len(views) - 1))
        at += part.nbytes + -part.nbytes % 4
    primitive = {
        "attributes": {name: i for i, name in enumerate(parts)},
        "mode": 0,
        "extensions": {EXTENSION: FACTS},
    }
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "sonoworld"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "splats"}],
        "meshes": [{"primitives": [primitive]}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": at}],
    }
    return document, list(parts.values())


def _attributes(splats: Splats) -> dict[str, np.ndarray]:
    unit = splats.quats / np.linalg.norm(splats.quats, axis=1, keepdims=True)
    opacity = _opacity(splats.opacity_logits)
    parts: dict[str, np.ndarray] = {
        "POSITION": splats.means,
        "COLOR_0": _colours(splats.sh[:, 0], opacity),
        f"{EXTENSION}:ROTATION": unit[:, [1, 2, 3, 0]],
        f"{EXTENSION}:SCALE": np.exp(splats.log_scales),
        f"{EXTENSION}:OPACITY": opacity[:, None],
    }
    for i in range(splats.sh.shape[1]):
        degree = int(i**0.5)
        parts[f"{EXTENSION}:SH_DEGREE_{degree}_COEF_{i - degree * degree}"] = splats.sh[:, i]
    return parts


def _opacity(logits: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
    with np.errstate(over="ignore"):  # exp(−logit) = inf is opacity 0
        return (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32)


def _colours(base: Float32[np.ndarray, "n 3"], opacity: Float32[np.ndarray, "n"]) -> UInt16[np.ndarray, "n 4"]:
    """What is seen of the points where the extension is not known: linear light, as glTF's colours are."""
    srgb = np.clip(base * SH_C0 + 0.5, 0, 1)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    return np.rint(65535 * np.concatenate([linear, opacity[:, None]], 1)).astype("<u2")


def _accessor(name: str, part: np.ndarray, view: int) -> dict[str, object]:
    kinds = {"u": 5123, "f": 5126}  # unsigned short, float
    accessor: dict[str, object] = {
        "bufferView": view,
        "componentType": kinds[part.dtype.kind],
        "count": len(part),
        "type": {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[part.shape[1]],
    }
    if part.dtype.kind == "u":
        accessor["normalized"] = True
    if name == "POSITION":
        accessor |= {"min": part.min(0).tolist(), "max": part.max(0).tolist()}
    return accessor


# ---------------------------------------------------------------- reading


def read_glb_splats(path: Path, *, max_splats: int = MAX_SPLATS) -> Splats:
    """Read all splats of a GLB file's scene, in the scene's axes.

    Raises:
        UnsafeFileError: the file is malformed, reaches beyond itself, or holds impossible numbers.
        InputError: no splats in it, compressed ones, another kernel or colour space, or a node that shears or mirrors.
    """
    glb = read_glb(path, frozenset({EXTENSION, "KHR_mesh_quantization"}))
    found: list[tuple[Primitive, Float64[np.ndarray, "4 4"]]] = []
    for mesh, place in glb.placed_meshes():
        found += [(primitive, place) for primitive in mesh.primitives if EXTENSION in primitive.extensions]
    if not found:
        raise InputError(f"{path}: expected splats ({EXTENSION}), got none")
    parts: list[Splats] = []
    room = max_splats
    for primitive, place in found:
        parts.append(_placed(_splats(glb, primitive, room), place, path))
        room -= len(parts[-1])
    return checked(parts[0] if len(parts) == 1 else _joined(parts), path)


def _splats(glb: Glb, primitive: Primitive, room: int) -> Splats:
    _check_facts(primitive, glb.path)
    names = primitive.attributes

    def numbers(name: str, width: int) -> Float32[np.ndarray, "n c"]:
        if name not in names:
            raise InputError(f"{glb.path}: splats: expected attribute {name}, got none (compressed?)")
        count = glb.entry(glb.document.accessors, names[name], "accessor").count
        if count > room:
            raise UnsafeFileError(f"{glb.path}: expected at most {room} splats, got {count}")
        values = glb.activated(names[name])
        if values.shape[1] != width:
            raise UnsafeFileError(f"{glb.path}: {name}: expected {width} numbers a splat, got {values.shape[1]}")
        return values

    n = len(numbers("POSITION", 3))
    sizes, opacity = numbers(f"{EXTENSION}:SCALE", 3), numbers(f"{EXTENSION}:OPACITY", 1)[:, 0]
    harmonics = [numbers(name, 3) for name in _harmonics_names(names, glb.path)]
    quats = numbers(f"{EXTENSION}:ROTATION", 4)[:, [3, 0, 1, 2]]
    if any(len(part) != n for part in (sizes, opacity, quats, *harmonics)):
        raise UnsafeFileError(f"{glb.path}: splats: expected {n} of every attribute")
    if not ((sizes >= 0).all() and (opacity >= 0).all() and (opacity <= 1).all()):
        raise UnsafeFileError(f"{glb.path}: splats: expected sizes >= 0 and opacities 0..1, got others")
    inside = np.clip(opacity.astype(np.float64), 1 - MOST_OPACITY, MOST_OPACITY)
    return Splats(
        means=numbers("POSITION", 3),
        log_scales=np.log(np.maximum(sizes, np.float32(SMALLEST_M))),
        quats=quats,
        opacity_logits=np.log(inside / (1 - inside)).astype(np.float32),
        sh=np.stack(harmonics, axis=1),
    )


def _check_facts(primitive: Primitive, path: Path) -> None:
    facts = primitive.extensions[EXTENSION]
    for name in ("kernel", "colorSpace"):
        got = facts.get(name) if isinstance(facts, dict) else None
        if got != FACTS[name]:
            raise InputError(f"{path}: splats: {name}: expected {FACTS[name]!r}, got {str(got)[:40]!r}")
    if primitive.mode != 0:
        raise InputError(f"{path}: splats: expected mode 0 (points), got {primitive.mode}")


def _harmonics_names(names: dict[str, int], path: Path) -> list[str]:
    wanted = [f"{EXTENSION}:SH_DEGREE_{degree}_COEF_{i}" for degree in range(4) for i in range(2 * degree + 1)]
    held = sum(name.startswith(f"{EXTENSION}:SH_DEGREE_") for name in names)
    if held not in (1, 4, 9, 16) or not all(name in names for name in wanted[:held]):
        raise InputError(f"{path}: splats: expected whole degrees 0..3 of harmonics, got {held} coefficients")
    return wanted[:held]


def _placed(splats: Splats, place: Float64[np.ndarray, "4 4"], path: Path) -> Splats:
    """Splats in the scene's axes: turned, scaled alike to all sides, moved."""
    if np.array_equal(place, np.eye(4)):
        return splats
    scale = float(np.cbrt(np.linalg.det(place[:3, :3])))
    rotation = place[:3, :3] / scale if scale > 0 else place[:3, :3]
    if scale <= 0 or not np.abs(rotation @ rotation.T - np.eye(3)).max() < 1e-4:
        raise InputError(f"{path}: splats: expected a node that turns, moves and scales alike, got {place.tolist()}")
    there = turned(splats, rotation)
    return Splats(
        means=(there.means * np.float32(scale) + place[:3, 3].astype(np.float32)),
        log_scales=there.log_scales + np.float32(np.log(scale)),
        quats=there.quats,
        opacity_logits=there.opacity_logits,
        sh=there.sh,
    )


def _joined(parts: list[Splats]) -> Splats:
    """All splats in one; those of lower degree get harmonics of 0."""
    k = max(part.sh.shape[1] for part in parts)
    return Splats(
        means=np.concatenate([p.means for p in parts]),
        log_scales=np.concatenate([p.log_scales for p in parts]),
        quats=np.concatenate([p.quats for p in parts]),
        opacity_logits=np.concatenate([p.opacity_logits for p in parts]),
        sh=np.concatenate([np.pad(p.sh, ((0, 0), (0, k - p.sh.shape[1]), (0, 0))) for p in parts]),
    )
