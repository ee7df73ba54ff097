"""Splat files: what we write others read, what others write we read, and what is hostile is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plyfile import PlyData, PlyElement

from sonoworld.disk import ply
from sonoworld.disk.ply import read_ply, write_ply
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats

NAMES = [
    *("x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
]


def some_splats(n: int, k: int = 1, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Splats(means=draw(n, 3), log_scales=draw(n, 3), quats=draw(n, 4), opacity_logits=draw(n), sh=draw(n, k, 3))


def assert_same(a: Splats, b: Splats) -> None:
    for name in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 40), k=st.sampled_from([1, 4, 9, 16]), seed=st.integers(0, 9), chunk=st.integers(1, 50))
def test_stored_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int, k: int, seed: int, chunk: int):
    monkeypatch.setattr(ply, "CHUNK_SPLATS", chunk)
    splats, path = some_splats(n, k, seed), tmp_path / "a.ply"
    write_ply(path, splats, ["made in a test"])
    assert_same(read_ply(path), splats)


def test_same_splats_same_bytes(tmp_path: Path):
    for name in ("a.ply", "b.ply"):
        write_ply(tmp_path / name, some_splats(50, 4))
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()


def test_plyfile_reads_what_we_write(tmp_path: Path):
    splats = some_splats(30, 4)
    write_ply(tmp_path / "a.ply", splats, ["unit metre"])
    data = PlyData.read(str(tmp_path / "a.ply"))
    vertex = data["vertex"]
    assert data.comments == ["unit metre"]
    np.testing.assert_array_equal(np.stack([vertex[a] for a in "xyz"], 1), splats.means)
    np.testing.assert_array_equal(vertex["opacity"], splats.opacity_logits)
    # channel by channel, as in the reference implementation: f_rest_0..2 are red's three linear harmonics
    np.testing.assert_array_equal(np.stack([vertex[f"f_rest_{i}"] for i in range(3)], 1), splats.sh[:, 1:, 0])
    np.testing.assert_array_equal(np.stack([vertex[f"f_rest_{i}"] for i in range(6, 9)], 1), splats.sh[:, 1:, 2])


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_reads_any_order_and_extra_properties(tmp_path: Path, kind: str):
    splats = some_splats(20)
    flat = np.concatenate(
        [splats.means, splats.sh[:, 0], splats.opacity_logits[:, None], splats.log_scales, splats.quats], 1
    )
    order = np.random.default_rng(1).permutation(len(NAMES))
    fields = [(NAMES[i], kind) for i in order]
    fields[3:3] = [("nx", "f4"), ("ny", "f4"), ("nz", "f4"), ("segment", "i4")]
    table = np.zeros(20, fields)
    for i, name in enumerate(NAMES):
        table[name] = flat[:, i]
    extra = PlyElement.describe(np.zeros(2, [("focal", "f4")]), "camera")
    vertices = PlyElement.describe(table, "vertex")
    PlyData([vertices, extra], byte_order="<").write(str(tmp_path / "a.ply"))
    assert_same(read_ply(tmp_path / "a.ply"), splats)


def header(count: object, names: list[str] | None = None, form: str = "binary_little_endian") -> bytes:
    lines = ["ply", f"format {form} 1.0", f"element vertex {count}"]
    lines += [f"property float {name}" for name in (NAMES if names is None else names)]
    return ("\n".join([*lines, "end_header"]) + "\n").encode()


ONE = np.ones(14, "<f4").tobytes()
HOSTILE = {
    "empty": b"",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "endless header": b"ply\n" + b"comment x\n" * 10_000,
    "no end": header(1)[:-12],
    "short body": header(2) + ONE,
    "long body": header(1) + ONE + b"x",
    "huge count": header(10**14) + ONE,
    "count above int64": header(10**30) + ONE,
    "negative count": header(-1),
    "count in words": header("one"),
    "list property": header(1).replace(b"property float x\n", b"property list uchar float x\n") + ONE,
    "unknown type": header(1).replace(b"float x\n", b"quad x\n") + ONE,
    "property before element": b"ply\nformat binary_little_endian 1.0\nproperty float x\nend_header\n",
    "duplicate property": header(1, [*NAMES, "x"]) + ONE + bytes(4),
    "many properties": header(0, [*NAMES, *(f"p{i}" for i in range(300))]),
    "not ASCII": header(1).replace(b"ply\n", b"ply\ncomment \xff\n", 1) + ONE,
    "NaN": header(1) + ONE[:-4] + np.array([np.nan], "<f4").tobytes(),
    "infinity": header(1) + np.array([np.inf], "<f4").tobytes() + ONE[4:],
    "double beyond float": header(1).replace(b"float x\n", b"double x\n")
    + np.array([1e300], "<f8").tobytes()
    + ONE[4:],
    "zero quaternion": header(1) + ONE[:-16] + bytes(16),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str):
    (tmp_path / "bad.ply").write_bytes(HOSTILE[name])
    with pytest.raises(UnsafeFileError, match="expected"):
        read_ply(tmp_path / "bad.ply")


OTHER = {
    "ASCII": header(1, form="ascii") + b"1 " * 14,
    "big endian": header(1, form="binary_big_endian") + ONE,
    "a mesh": header(1, ["x", "y", "z"]) + ONE[:12],
    "f_rest count": header(1, [*NAMES, "f_rest_0"]) + ONE + ONE[:4],
    "integer position": header(1).replace(b"float x\n", b"int x\n") + ONE,
    "faces first": b"ply\nformat binary_little_endian 1.0\nelement face 0\nend_header\n",
}


@pytest.mark.parametrize("name", OTHER)
def test_other_files_are_explained(tmp_path: Path, name: str):
    (tmp_path / "other.ply").write_bytes(OTHER[name])
    with pytest.raises(InputError, match="expected"):
        read_ply(tmp_path / "other.ply")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), at=st.integers(0, 400), byte=st.integers(0, 255))
def test_damaged_files_never_raise_anything_else(tmp_path: Path, cut: int, at: int, byte: int):
    write_ply(tmp_path / "a.ply", some_splats(2))
    data = bytearray((tmp_path / "a.ply").read_bytes())
    data[at] = byte
    (tmp_path / "b.ply").write_bytes(data[: len(data) - cut])
    try:
        read_ply(tmp_path / "b.ply")
    except InputError as error:
        assert "expected" in str(error)


def test_too_many_splats_and_missing_file(tmp_path: Path):
    write_ply(tmp_path / "a.ply", some_splats(11))
    with pytest.raises(UnsafeFileError, match="at most 10 splats, got 11"):
        read_ply(tmp_path / "a.ply", max_splats=10)
    with pytest.raises(InputError, match="expected a PLY file"):
        read_ply(tmp_path)
    with pytest.raises(InputError, match="printable ASCII"):
        write_ply(tmp_path / "b.ply", some_splats(1), ["two\nlines"])
    assert not (tmp_path / "b.ply").exists()
