"""`lift.mesh_file`: meshes of all kinds of file become splats that close, in their colours, at their distances."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from plyfile import PlyData, PlyElement
from pydantic import ValidationError

from sonoworld import frames, testing
from sonoworld.backend import Lifted, Run
from sonoworld.disk.mesh import Mesh
from sonoworld.disk.mesh_files import read_meshes
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.lift.mesh_file import MESH_FILE, MeshFileOptions
from sonoworld.lift.mesh_samples import Covering, cover
from sonoworld.render.splat import render_view, seen_colours
from sonoworld.sphere import pinhole, pixel_directions

HEIGHT = 128
EYE_M = 1.6
RNG_RUN = 0


def ground(half_m: float = 9.0, rows: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A square 1.6 m below the eye, world axes, of 2 rows² triangles."""
    x, y = np.meshgrid(*[np.linspace(-half_m, half_m, rows + 1)] * 2, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, -EYE_M)], -1)
    i = (np.arange(rows)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    faces = np.concatenate([np.stack([i, i + rows + 1, i + rows + 2], 1), np.stack([i, i + rows + 2, i + 1], 1)])
    return points.astype(np.float32), faces.astype(np.int32)


def lift(height: int = HEIGHT, **options: Any) -> Lifted:
    made = MESH_FILE.make(MeshFileOptions.model_validate(options))
    return made(testing.tiny_panorama(height), Run(np.random.default_rng(RNG_RUN)))


def write_ply(path: Path, points: np.ndarray, faces: Any, colours: np.ndarray | None = None, **how: Any) -> Path:
    """By plyfile, as open3d writes HunyuanWorld's layers: doubles, bytes for colours, lists for faces."""
    kinds = [(a, "f8") for a in "xyz"] + ([(c, "u1") for c in ("red", "green", "blue")] if colours is not None else [])
    vertices = np.empty(len(points), kinds)
    for i, axis in enumerate("xyz"):
        vertices[axis] = points[:, i]
    for i, name in enumerate(("red", "green", "blue") if colours is not None else ()):
        vertices[name] = colours[:, i]  # type: ignore[index]
    table = np.empty(len(faces), [("vertex_indices", "O")])
    table["vertex_indices"] = [np.asarray(face, np.uint32) for face in faces]
    elements = [PlyElement.describe(vertices, "vertex"), PlyElement.describe(table, "face")]
    PlyData(elements, **how).write(str(path))
    return path


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("how", [{"byte_order": "<"}, {"byte_order": ">"}, {"text": True}])
@pytest.mark.parametrize("polygons", [False, True])
def test_ply_meshes_by_plyfile(tmp_path: Path, how: dict[str, Any], polygons: bool) -> None:
    points, faces = ground(rows=2)
    colours = np.arange(27, dtype=np.uint8).reshape(9, 3)
    given: list[Any] = [[0, 3, 4, 1], *faces[1:]] if polygons else list(faces)
    (mesh,) = read_meshes(write_ply(tmp_path / "a.ply", points, given, colours, **how))
    np.testing.assert_allclose(mesh.vertices, points, atol=1e-6)
    np.testing.assert_array_equal(mesh.colours, colours)
    expected = [[0, 3, 4], [0, 4, 1], *faces[1:].tolist()] if polygons else faces
    np.testing.assert_array_equal(mesh.faces, expected)


OBJ = """# a square with a texture, and a triangle with colours
mtllib world.mtl
v -1 0 -2
v 1 0 -2
v 1 2 -2
v -1 2 -2
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl painted
f 1/1 2/2 3/3 4/4
usemtl plain
v 0 0 -5 1.0 0.0 0.5
v 1 0 -5 0 1 0
v 0 1 -5 0 0 1
f -3 -2 -1
"""
TEXTURE = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], np.uint8)


def obj(folder: Path, text: str = OBJ, library: str = "newmtl painted\nmap_Kd -s 1 1 1 picture.png\n") -> Path:
    (folder / "world.obj").write_text(text)
    (folder / "world.mtl").write_text(library)
    Image.fromarray(TEXTURE).save(folder / "picture.png")
    return folder / "world.obj"


def test_obj_meshes_with_texture_and_colours(tmp_path: Path) -> None:
    painted, plain = read_meshes(obj(tmp_path))
    np.testing.assert_array_equal(painted.texture, TEXTURE)
    assert painted.uv is not None
    corner = painted.faces[0, 0]
    np.testing.assert_array_equal(painted.vertices[corner], [-1, 0, -2])
    np.testing.assert_array_equal(painted.uv[corner], [0, 1])  # OBJ counts from below
    assert len(painted.faces) == 2
    np.testing.assert_array_equal(plain.colours, [[255, 0, 128], [0, 255, 0], [0, 0, 255]])
    np.testing.assert_array_equal(plain.vertices[plain.faces[0, 1]], [1, 0, -5])


# ---------------------------------------------------------------- splats


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_a_ground_of_large_or_tiny_triangles_closes(rows: int) -> None:
    """2, 98 or 180 000 triangles: alike in number, closed as seen from the eye and from half a metre beside it."""
    points, faces = ground(rows=rows)
    splats = cover((Mesh(points, faces),), Covering(np.pi / 256, 2_000_000, 0.75, 0.99))
    assert 60_000 < len(splats) < 150_000
    np.testing.assert_allclose(splats.means[:, 2], -EYE_M, atol=1e-5)
    for eye in (np.zeros(3), np.array([0.5, -0.3, 0.0])):
        pose = Pose(world_from_camera_rotation(np.radians(-60.0), 0.0), eye)
        view = render_view(splats, pinhole(np.radians(70), (320, 240)), (320, 240), pose)
        assert np.mean(view.alpha < 0.9) < 0.01


def test_density_follows_the_eye_and_the_limit() -> None:
    points, faces = ground(rows=20)
    many = cover((Mesh(points, faces),), Covering(np.pi / 256, 2_000_000, 0.75, 0.99))
    few = cover((Mesh(points, faces),), Covering(np.pi / 256, 5000, 0.7, 0.99))
    assert len(few) == pytest.approx(5000, rel=0.02)
    distance = np.linalg.norm(many.means, axis=1)
    spacing = np.exp(many.log_scales[:, 0]) / 0.75
    ratio = spacing / distance / (np.pi / 256)
    assert 0.75 < ratio.min() < ratio.max() < 1.3  # of the triangle's centre, not of the splat


def test_colours_are_those_of_vertices_and_textures() -> None:
    """A quarter of the square each: the texture's four colours, then times vertex colours."""
    points, faces = ground()
    uv = ((points[:, :2] / 9 + 1) / 2).astype(np.float32)
    covering = Covering(np.pi / 128, 100_000, 0.7, 0.99)
    splats = cover((Mesh(points, faces, None, uv, TEXTURE),), covering)
    rgb, where = seen_colours(splats, np.zeros(3)), (splats.means[:, :2] / 9 + 1) / 2
    for u, v in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        near = np.abs(where - [u, v]).max(1) < 0.02
        assert near.any()
        expected = TEXTURE[int(v > 0.5), int(u > 0.5)] / 255
        np.testing.assert_allclose(rgb[near], np.broadcast_to(expected, (near.sum(), 3)), atol=0.1)
    half = np.full((4, 3), 128, np.uint8)
    darker = cover((Mesh(points, faces, half, uv, TEXTURE),), covering)
    np.testing.assert_allclose(seen_colours(darker, np.zeros(3)), rgb * 128 / 255, atol=1e-5)
    slope = np.array(
        [[0, 0, 0], [0, 0, 0], [255, 255, 255], [255, 255, 255]], np.uint8
    )  # along y of the square's corners
    ramp = cover((Mesh(points[[0, 2, 3, 1]], np.array([[0, 1, 2], [0, 2, 3]], np.int32), slope),), covering)
    assert np.ptp(seen_colours(ramp, np.zeros(3))) > 0.9
    grey = seen_colours(cover((Mesh(points, faces),), covering), np.zeros(3))
    np.testing.assert_allclose(grey, 0.5, atol=1e-6)


# ---------------------------------------------------------------- the backend


def assert_is_the_ground(lifted: Lifted, metres: float = EYE_M) -> None:
    down = -pixel_directions(lifted.geometry.distance.shape[0])[..., 2]
    steep = down > 0.35
    np.testing.assert_allclose(np.median(lifted.geometry.distance[steep] * down[steep]), metres, rtol=1e-3)
    assert np.mean(np.abs(lifted.geometry.distance[steep] * down[steep] / metres - 1) < 0.02) > 0.95


def test_hunyuan_layers_have_their_axes_and_a_height_gives_metres(tmp_path: Path) -> None:
    """PLY: the panorama's middle looks along −x, right is +y, z is up; two layers in one world."""
    own = frames.world_from_axes("BRU").T  # from world axes into theirs
    points, faces = ground(rows=3)
    wall = np.array([[4, -2, -1.6], [4, 2, -1.6], [4, 2, 2.0], [4, -2, 2.0]], np.float32)
    paths = [
        write_ply(tmp_path / "mesh_layer0.ply", points @ own.T / 3, faces),
        write_ply(tmp_path / "mesh_layer1.ply", wall @ own.T / 3, [[0, 1, 2], [0, 2, 3]]),
    ]
    lifted = lift(paths=[str(p) for p in paths], camera_height_m=EYE_M)
    assert lifted.geometry.metric
    assert_is_the_ground(lifted)
    ahead = lifted.geometry.distance[HEIGHT // 2 - 1, HEIGHT - 1]
    np.testing.assert_allclose(ahead, 4.0, rtol=0.01)
    assert lifted.geometry.sky[:, :10][: HEIGHT // 2 - 3].all()  # nothing stands behind
    unknown = lift(paths=[str(p) for p in paths])
    assert not unknown.geometry.metric
    assert_is_the_ground(unknown, EYE_M / 3)
    known = lift(paths=[str(p) for p in paths], metres_per_unit=3.0)
    assert known.geometry.metric
    assert_is_the_ground(known)


def test_glb_and_obj_are_y_up_unless_said_otherwise(tmp_path: Path) -> None:
    points, faces = ground()
    own = frames.world_from_axes("RUB").T
    lines = [f"v {x} {y} {z}" for x, y, z in points @ own.T] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    (tmp_path / "a.obj").write_text("\n".join(lines))
    assert_is_the_ground(lift(paths=[str(tmp_path / "a.obj")], metres_per_unit=1.0))
    block = (points @ own.T).astype("<f4").tobytes() + faces.astype("<u4").tobytes()
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": 6, "type": "SCALAR"},
        ],
        "bufferViews": [{"buffer": 0, "byteLength": 48}, {"buffer": 0, "byteOffset": 48, "byteLength": 24}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(block), 0x004E4942) + block
    (tmp_path / "a.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
    assert_is_the_ground(lift(paths=[str(tmp_path / "a.glb")], metres_per_unit=1.0))
    write_ply(tmp_path / "world.ply", points, faces)
    assert_is_the_ground(lift(paths=[str(tmp_path / "world.ply")], axes="FLU", metres_per_unit=1.0))


def test_it_keeps_the_contract_of_lift(tmp_path: Path) -> None:
    path = write_ply(tmp_path / "a.ply", *ground(rows=3))
    testing.check_backend(MESH_FILE, MeshFileOptions(paths=(str(path),), axes="FLU"))
    assert MESH_FILE.files(MeshFileOptions(paths=("a.ply", "b.ply"))) == ("a.ply", "b.ply")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"paths": []},
        {"paths": ["a.ply"], "axes": "XYZ"},
        {"paths": ["a"], "metres_per_unit": 1, "camera_height_m": 1},
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MeshFileOptions.model_validate(options)


# ---------------------------------------------------------------- hostile


HEAD = "ply\nformat {} 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
FACES = "element face {}\nproperty list uchar int vertex_indices\nend_header\n"
POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4").tobytes()
LITTLE = "binary_little_endian"


def ply(count: object, faces: bytes, points: bytes = POINTS) -> bytes:
    return (HEAD.format(LITTLE) + FACES.format(count)).encode() + points + faces


TRIANGLE = b"\x03" + np.array([0, 1, 2], "<i4").tobytes()
HOSTILE = {
    "face of no vertex": ply(1, b"\x03" + np.array([0, 1, 3], "<i4").tobytes()),
    "negative vertex": ply(1, b"\x03" + np.array([0, 1, -1], "<i4").tobytes()),
    "huge polygon": ply(1, b"\xff" + bytes(8)),
    "huge count": ply(10**12, TRIANGLE),
    "count above the file": ply(30_000_000, TRIANGLE),
    "cut": ply(1, TRIANGLE[:-1]),
    "NaN": ply(1, TRIANGLE, np.full(9, np.nan, "<f4").tobytes()),
    "words": (HEAD.format("ascii") + FACES.format(1)).encode() + b"0 0 0\n1 0 0\n0 1 0\n3 0 1\n",
    "words of no number": (HEAD.format("ascii") + FACES.format(1)).encode() + b"0 0 0\n1 0 0\n0 1 0\n3 0 1 two\n",
    "words that end": (HEAD.format("ascii") + FACES.format(2)).encode() + b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ply_meshes_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.ply").write_bytes(HOSTILE[name])
    with pytest.raises(UnsafeFileError, match="expected"):
        read_meshes(tmp_path / "bad.ply")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no faces.ply", ply(0, b"")),
        ("no face element.ply", HEAD.format(LITTLE).encode() + b"end_header\n" + POINTS),
        ("float indices.ply", ply(1, TRIANGLE).replace(b"uchar int v", b"uchar float v")),
        ("points.obj", b"v 1 2 3\n"),
        ("mesh.stl", b"solid"),
        ("empty.obj", b""),
    ],
)
def test_what_is_no_mesh_is_explained(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match="expected"):
        read_meshes(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("v 1 2\n", ""),
        ("v 1 2 three\n", ""),
        ("v 1 2 3\nf 1 2 3\n", ""),
        ("v 1 2 3\nf 0 0 0\n", ""),
        ("v nan 2 3\nf 1 1 1\n", ""),
        ("v 1e99 2 3\nf 1 1 1\n", ""),
        ("f 1 2\n", ""),
        ("v " + "1" * 70_000, ""),
        ("mtllib ../../etc/passwd\n", ""),
        ("mtllib /etc/passwd\n", ""),
        ("mtllib none.mtl\n", ""),
        ("mtllib world.mtl\n", "newmtl a\nmap_Kd ../up.png\n"),
        ("mtllib world.mtl\n", "newmtl a\nmap_Kd none.png\n"),
        ("mtllib world.mtl\n", "newmtl a\nmap_Kd world.obj\n"),
        ("mtllib world.mtl\nusemtl painted\nv 1 2 3\nf 1 1 1\n", "newmtl painted\nmap_Kd picture.png\n"),
    ],
)
def test_hostile_obj_meshes_are_refused(tmp_path: Path, text: str, library: str) -> None:
    with pytest.raises(InputError, match=r"expected|leads outside"):
        read_meshes(obj(tmp_path, text, library))


def test_limits(tmp_path: Path) -> None:
    path = write_ply(tmp_path / "a.ply", *ground(rows=3))
    with pytest.raises(UnsafeFileError, match="at most 17 faces"):
        read_meshes(path, max_faces=17)
    with pytest.raises(UnsafeFileError, match="at most 2 faces"):
        read_meshes(obj(tmp_path), max_faces=2)
    endless = np.array([[-1e30, -1e30, -1], [1e30, -1e30, -1], [0, 1e30, -1]], np.float32)
    splats = cover((Mesh(endless, np.array([[0, 1, 2]], np.int32)),), Covering(0.02, 10_000, 0.7, 0.99))
    assert len(splats) <= 10_100


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["ply", "obj"]), cut=st.integers(0, 30),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
)  # fmt: skip
def test_damaged_files_never_raise_anything_else(
    tmp_path: Path, kind: str, cut: int, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(ply(2, TRIANGLE * 2) if kind == "ply" else obj(tmp_path).read_bytes())
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    path = tmp_path / f"b.{kind}"
    path.write_bytes(damaged[: len(damaged) - cut])
    try:
        read_meshes(path)
    except InputError as error:
        assert "expected" in str(error) or "leads outside" in str(error)
