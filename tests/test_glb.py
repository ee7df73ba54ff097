"""GLB files: splats as the ratified extension has them, meshes with their colours, and hostile documents."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from golden.make_splat_files import FOLDER, source
from sonoworld.disk.glb_mesh import read_glb_meshes
from sonoworld.disk.glb_splats import read_glb_splats, write_glb_splats
from sonoworld.disk.splat_file_axes import turned
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

NAME = "KHR_gaussian_splatting"


def some_splats(n: int, k: int = 1, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(n, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return Splats(
        means=rng.normal(0, 5, (n, 3)).astype(np.float32),
        log_scales=rng.normal(-4, 1, (n, 3)).astype(np.float32),
        quats=quats.astype(np.float32),
        opacity_logits=rng.uniform(-8, 8, n).astype(np.float32),
        sh=rng.normal(0, 0.4, (n, k, 3)).astype(np.float32),
    )


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The JSON document and the block of a GLB file, taken apart by the specification."""
    assert data[:4] == b"glTF"
    version, total, length, kind = struct.unpack_from("<IIII", data, 4)
    assert (version, total, kind) == (2, len(data), 0x4E4F534A)
    size, kind = struct.unpack_from("<II", data, 20 + length)
    assert kind == 0x004E4942
    assert length % 4 == size % 4 == 0
    assert 28 + length + size == total
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def glb(document: object, block: bytes) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    block += bytes(-len(block) % 4)
    head = b"glTF" + struct.pack("<II", 2, 28 + len(text) + len(block))
    return head + struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(block), 0x004E4942) + block


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(1, 40), k=st.sampled_from([1, 4, 9, 16]), seed=st.integers(0, 99))
def test_stored_is_loaded(tmp_path: Path, n: int, k: int, seed: int) -> None:
    splats, path = some_splats(n, k, seed), tmp_path / "a.glb"
    write_glb_splats(path, splats)
    read = read_glb_splats(path)
    np.testing.assert_array_equal(read.means, splats.means)
    np.testing.assert_array_equal(read.sh, splats.sh)
    np.testing.assert_allclose(read.quats, splats.quats, atol=1e-6)
    np.testing.assert_allclose(read.log_scales, splats.log_scales, atol=1e-5)
    np.testing.assert_allclose(read.opacity_logits, splats.opacity_logits, atol=2e-3)


def test_the_document_is_the_specifications(tmp_path: Path) -> None:
    """Names, types and activated values of KHR_gaussian_splatting, read without our reader."""
    splats = some_splats(7, 4)
    write_glb_splats(tmp_path / "a.glb", splats)
    document, block = parts((tmp_path / "a.glb").read_bytes())
    assert document["extensionsUsed"] == [NAME]
    (primitive,) = document["meshes"][0]["primitives"]
    assert primitive["mode"] == 0
    assert primitive["extensions"][NAME]["kernel"] == "ellipse"
    assert primitive["extensions"][NAME]["colorSpace"] == "srgb_rec709_display"

    def numbers(name: str) -> np.ndarray:
        accessor = document["accessors"][primitive["attributes"][name]]
        view = document["bufferViews"][accessor["bufferView"]]
        kind = {5126: "<f4", 5123: "<u2"}[accessor["componentType"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        return np.frombuffer(block, kind, accessor["count"] * width, view["byteOffset"]).reshape(-1, width)

    np.testing.assert_array_equal(numbers("POSITION"), splats.means)
    np.testing.assert_allclose(numbers(f"{NAME}:SCALE"), np.exp(splats.log_scales), rtol=1e-6)
    np.testing.assert_allclose(numbers(f"{NAME}:OPACITY")[:, 0], 1 / (1 + np.exp(-splats.opacity_logits)), rtol=1e-5)
    np.testing.assert_allclose(numbers(f"{NAME}:ROTATION"), splats.quats[:, [1, 2, 3, 0]], atol=1e-6)
    np.testing.assert_array_equal(numbers(f"{NAME}:SH_DEGREE_0_COEF_0"), splats.sh[:, 0])
    np.testing.assert_array_equal(numbers(f"{NAME}:SH_DEGREE_1_COEF_2"), splats.sh[:, 3])
    position = document["accessors"][primitive["attributes"]["POSITION"]]
    np.testing.assert_allclose(position["min"], splats.means.min(0))
    np.testing.assert_allclose(position["max"], splats.means.max(0))
    assert document["accessors"][primitive["attributes"]["COLOR_0"]]["normalized"] is True
    opacity = numbers("COLOR_0")[:, 3] / 65535
    np.testing.assert_allclose(opacity, 1 / (1 + np.exp(-splats.opacity_logits)), atol=1e-5)


def test_reads_what_splat_transform_writes() -> None:
    """It turns PLY's axes by half a turn about z into glTF's; activated in float32."""
    true = source()
    names = ("means", "log_scales", "quats", "logits", "sh")
    splats = turned(Splats(*(np.asarray(true[name], np.float32) for name in names)), np.diag([-1.0, -1.0, 1.0]))
    read = read_glb_splats(FOLDER / "splats.glb")
    np.testing.assert_allclose(read.means, splats.means, atol=1e-6)
    np.testing.assert_allclose(np.abs((read.quats * splats.quats).sum(1)), 1, atol=1e-6)
    np.testing.assert_allclose(read.log_scales, splats.log_scales, atol=1e-5)
    np.testing.assert_allclose(read.opacity_logits, splats.opacity_logits, atol=1e-5)
    np.testing.assert_allclose(read.sh, splats.sh, atol=1e-6)


def test_nodes_move_turn_and_scale_splats(tmp_path: Path) -> None:
    splats = some_splats(5, 4)
    write_glb_splats(tmp_path / "a.glb", splats)
    document, block = parts((tmp_path / "a.glb").read_bytes())
    half = float(np.sqrt(0.5))
    document["nodes"] = [
        {"children": [1], "translation": [1.0, 2.0, 3.0]},
        {"mesh": 0, "rotation": [0.0, 0.0, half, half], "scale": [2.0, 2.0, 2.0]},  # a quarter turn about z
    ]
    (tmp_path / "b.glb").write_bytes(glb(document, block))
    read = read_glb_splats(tmp_path / "b.glb")
    R = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(read.means, 2 * splats.means @ R.T + [1, 2, 3], atol=1e-5)
    np.testing.assert_allclose(read.log_scales, splats.log_scales + np.log(2), atol=1e-5)
    np.testing.assert_allclose(read.sh, turned(splats, R).sh, atol=1e-6)
    document["nodes"] = [{"mesh": 0}, {"mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 9, 8, 7, 1]}]
    document["scenes"] = [{"nodes": [0, 1]}]
    (tmp_path / "c.glb").write_bytes(glb(document, block))
    both = read_glb_splats(tmp_path / "c.glb")
    np.testing.assert_allclose(
        both.means, np.concatenate([splats.means, splats.means + np.array([9, 8, 7])]), atol=1e-6
    )


def quantised(document: dict[str, Any], block: bytes) -> tuple[dict[str, Any], bytes]:
    """Rotation as normalised shorts and opacity as normalised bytes, which the extension allows."""
    attributes = document["meshes"][0]["primitives"][0]["attributes"]
    for name, kind, component, most in ((f"{NAME}:ROTATION", "<i2", 5122, 32767), (f"{NAME}:OPACITY", "u1", 5121, 255)):
        accessor = document["accessors"][attributes[name]]
        view = document["bufferViews"][accessor["bufferView"]]
        width = 4 if "ROTATION" in name else 1
        values = np.frombuffer(block, "<f4", accessor["count"] * width, view["byteOffset"])
        data = np.rint(values * most).astype(kind).tobytes()
        accessor |= {"componentType": component, "normalized": True}
        view |= {"byteOffset": len(block), "byteLength": len(data)}
        block += data + bytes(-len(data) % 4)
    document["buffers"] = [{"byteLength": len(block)}]
    return document, block


def test_reads_quantised_attributes(tmp_path: Path) -> None:
    splats = some_splats(20)
    write_glb_splats(tmp_path / "a.glb", splats)
    (tmp_path / "b.glb").write_bytes(glb(*quantised(*parts((tmp_path / "a.glb").read_bytes()))))
    read = read_glb_splats(tmp_path / "b.glb")
    np.testing.assert_allclose(read.quats, splats.quats, atol=1e-4)
    opacities = [1 / (1 + np.exp(-s.opacity_logits)) for s in (read, splats)]
    np.testing.assert_allclose(*opacities, atol=0.51 / 255)


# ---------------------------------------------------------------- meshes


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


TEXTURE = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)


def mesh(**changes: object) -> bytes:
    """A square of two triangles with a 2×2 texture, and a triangle with linear vertex colours beside it."""
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], "<f4")
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], "<f4")
    corners = np.array([0, 1, 2, 0, 2, 3], "<u2")
    triangle = np.array([[5, 0, 0], [6, 0, 0], [5, 1, 0]], "<f4")
    colours = np.array([[1, 0, 0], [0, 0.2158605, 0], [0, 0, 1]], "<f4")  # 0.2158605 linear is 128/255
    blocks = [square.tobytes(), uv.tobytes(), corners.tobytes(), triangle.tobytes(), colours.tobytes(), png(TEXTURE)]
    views, at = [], 0
    for data in blocks:
        views.append({"buffer": 0, "byteOffset": at, "byteLength": len(data)})
        at += len(data) + -len(data) % 4

    def accessor(view: int, kind: int, count: int, shape: str) -> dict[str, object]:
        return {"bufferView": view, "componentType": kind, "count": count, "type": shape}

    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0, "translation": [0, 0, -2]}],
        "meshes": [
            {
                "primitives": [
                    {"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0},
                    {"attributes": {"POSITION": 3, "COLOR_0": 4}},
                    {"attributes": {"POSITION": 3}, "mode": 1},
                ]
            }
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "textures": [{"source": 0}],
        "images": [{"bufferView": 5, "mimeType": "image/png"}],
        "accessors": [
            accessor(0, 5126, 4, "VEC3"),
            accessor(1, 5126, 4, "VEC2"),
            accessor(2, 5123, 6, "SCALAR"),
            accessor(3, 5126, 3, "VEC3"),
            accessor(4, 5126, 3, "VEC3"),
        ],
        "bufferViews": views,
    }
    return glb({**document, **changes}, b"".join(data + bytes(-len(data) % 4) for data in blocks))


def test_meshes_with_texture_and_with_vertex_colours(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(mesh())
    square, triangle = read_glb_meshes(tmp_path / "a.glb")
    np.testing.assert_array_equal(square.vertices[2], [1, 1, -2])
    np.testing.assert_array_equal(square.faces, [[0, 1, 2], [0, 2, 3]])
    assert square.colours is None
    assert square.texture is not None
    assert square.uv is not None
    np.testing.assert_array_equal(square.texture, TEXTURE)
    np.testing.assert_array_equal(square.uv[0], [0, 1])
    np.testing.assert_array_equal(triangle.colours, [[255, 0, 0], [0, 128, 0], [0, 0, 255]])
    np.testing.assert_array_equal(triangle.faces, [[0, 1, 2]])


# ---------------------------------------------------------------- hostile


def changed(name: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        write_glb_splats(folder / "good.glb", some_splats(3, 4))
        document, block = parts((folder / "good.glb").read_bytes())
        change(document)
        return glb(document, block)

    make.__name__ = name
    return make


def primitive(document: dict[str, Any]) -> dict[str, Any]:
    return document["meshes"][0]["primitives"][0]


def setting(place: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Change one place such as `accessors.0.count`."""

    def change(document: dict[str, Any]) -> None:
        *path, last = place.split(".")
        target: Any = document
        for key in path:
            target = target[int(key)] if isinstance(target, list) else target[key]
        target[int(last) if isinstance(target, list) else last] = value

    return change


UNSAFE = {
    "count beyond the view": setting("accessors.0.count", 4),
    "huge count": setting("accessors.0.count", 2**62),
    "zero count": setting("accessors.0.count", 0),
    "negative offset": setting("accessors.0.byteOffset", -4),
    "view beyond the block": setting("bufferViews.0.byteLength", 2**40),
    "stride beyond the view": setting("bufferViews.0.byteStride", 252),
    "another buffer": setting("bufferViews.0.buffer", 1),
    "no such view": setting("accessors.0.bufferView", 99),
    "no such accessor": setting("meshes.0.primitives.0.attributes.POSITION", 99),
    "no such mesh": setting("nodes.0.mesh", 5),
    "no such node": setting("scenes.0.nodes", [7]),
    "no such scene": setting("scene", 3),
    "a node in itself": setting("nodes.0.children", [0]),
    "a node twice": setting("scenes.0.nodes", [0, 0]),
    "NaN in a matrix": setting("nodes.0.matrix", [float("nan")] * 16),
    "matrix of 3": setting("nodes.0.matrix", [1.0, 0.0, 0.0]),
    "wrong width": setting("accessors.0.type", "VEC2"),
    "words for numbers": setting("accessors.0.count", "three"),
    "version 1": setting("asset.version", "1.0"),
    "counts that differ": setting("accessors.0.count", 2),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_hostile_documents_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.glb").write_bytes(changed(name, UNSAFE[name])(tmp_path))
    with pytest.raises(UnsafeFileError):
        read_glb_splats(tmp_path / "bad.glb")


OTHER = {
    "no splats": lambda d: primitive(d).pop("extensions"),
    "another kernel": setting(f"meshes.0.primitives.0.extensions.{NAME}.kernel", "customShape"),
    "linear colours": setting(f"meshes.0.primitives.0.extensions.{NAME}.colorSpace", "lin_rec709_display"),
    "a compression": lambda d: d.update(extensionsRequired=["KHR_gaussian_splatting_compression_spz_2"]),
    "no rotation": lambda d: primitive(d)["attributes"].pop(f"{NAME}:ROTATION"),
    "half a degree": lambda d: primitive(d)["attributes"].pop(f"{NAME}:SH_DEGREE_1_COEF_1"),
    "sparse": setting("accessors.0.sparse", {"count": 1}),
    "a mirror": setting("nodes.0.scale", [1.0, -1.0, 1.0]),
    "stretched": setting("nodes.0.scale", [1.0, 2.0, 1.0]),
    "flat": setting("nodes.0.scale", [0.0, 0.0, 0.0]),
    "triangles": setting("meshes.0.primitives.0.mode", 4),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_documents_are_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.glb").write_bytes(changed(name, OTHER[name])(tmp_path))
    with pytest.raises(InputError, match="expected"):
        read_glb_splats(tmp_path / "other.glb")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"glTF",
        b"ply\n" + bytes(100),
        glb({"asset": {"version": "2.0"}}, b"")[:-1],
        glb({"asset": {"version": "2.0"}}, b"") + b"x",
        glb([], b""),
        glb({}, b""),
        b"glTF" + struct.pack("<IIII", 2, 40, 2**31, 0x4E4F534A) + bytes(20),
        b"glTF" + struct.pack("<IIII", 1, 40, 20, 0x4E4F534A) + bytes(20),
        b"glTF" + struct.pack("<IIII", 2, 40, 20, 0x4E4F534A) + b"[" * 20,
    ],
)
def test_other_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.glb").write_bytes(data)
    with pytest.raises(UnsafeFileError):
        read_glb_splats(tmp_path / "bad.glb")


def test_impossible_values_are_refused(tmp_path: Path) -> None:
    write_glb_splats(tmp_path / "good.glb", some_splats(3))
    document, block = parts((tmp_path / "good.glb").read_bytes())
    for name, value in (
        (f"{NAME}:SCALE", -1.0),
        (f"{NAME}:OPACITY", 1.5),
        ("POSITION", np.nan),
        (f"{NAME}:SCALE", np.nan),
    ):
        view = document["bufferViews"][document["accessors"][primitive(document)["attributes"][name]]["bufferView"]]
        at = view["byteOffset"]
        (tmp_path / "bad.glb").write_bytes(glb(document, block[:at] + struct.pack("<f", value) + block[at + 4 :]))
        with pytest.raises(UnsafeFileError, match="expected"):
            read_glb_splats(tmp_path / "bad.glb")
    with pytest.raises(UnsafeFileError, match="at most 2 splats"):
        read_glb_splats(tmp_path / "good.glb", max_splats=2)
    with pytest.raises(InputError, match="at least one"):
        write_glb_splats(tmp_path / "none.glb", some_splats(0))


def bomb() -> bytes:
    """A PNG of 65535×65535 pixels by its header."""
    good = bytearray(png(TEXTURE))
    good[16:24] = struct.pack(">II", 65535, 65535)
    good[29:33] = struct.pack(">I", zlib.crc32(good[12:29]))
    return bytes(good)


@pytest.mark.parametrize(
    "changes",
    [
        {"images": [{"uri": "file:///etc/passwd"}]},
        {"images": [{"bufferView": 0}]},
        {"textures": [{}]},
        {"materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 9}}}]},
        {"materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0, "texCoord": 3}}}]},
        {"extensionsRequired": ["KHR_draco_mesh_compression"]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "mode": 5}]}]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 3}, "indices": 2}]}]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}]},
        {"meshes": [{"primitives": [{"attributes": {"POSITION": 0, "COLOR_0": 4}, "indices": 2}]}]},
        {"meshes": [{"primitives": [{"attributes": {"NORMAL": 0}}]}]},
    ],
)
def test_hostile_meshes_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    (tmp_path / "bad.glb").write_bytes(mesh(**changes))
    with pytest.raises(InputError, match="expected"):
        read_glb_meshes(tmp_path / "bad.glb")


def test_an_image_bomb_is_not_decoded(tmp_path: Path) -> None:
    data = mesh()
    document, block = parts(data)
    at = document["bufferViews"][5]["byteOffset"]
    (tmp_path / "bad.glb").write_bytes(glb(document, block[:at] + bomb()))
    with pytest.raises(UnsafeFileError, match="pixels, got more"):
        read_glb_meshes(tmp_path / "bad.glb")
    with pytest.raises(UnsafeFileError, match="at most 1 faces"):
        (tmp_path / "good.glb").write_bytes(data)
        read_glb_meshes(tmp_path / "good.glb", max_faces=1)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    splats=st.booleans(), cut=st.integers(0, 20),
    changes=st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), max_size=4),
)  # fmt: skip
def test_damaged_files_never_raise_anything_else(
    tmp_path: Path, splats: bool, cut: int, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray((FOLDER / "splats.glb").read_bytes() if splats else mesh())
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    (tmp_path / "b.glb").write_bytes(damaged[: len(damaged) - cut])
    try:
        read_glb_splats(tmp_path / "b.glb") if splats else read_glb_meshes(tmp_path / "b.glb")
    except InputError as error:
        assert str(error)
