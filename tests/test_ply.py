"""PLY files of splats: what we write others read, what others write we read, and what is hostile is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plyfile import PlyData, PlyElement

from golden.make_splat_files import FOLDER, source
from sonoworld.disk import ply, ply_rows
from sonoworld.disk.ply import ply_axes, read_ply, write_ply
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
    monkeypatch.setattr(ply, "ROWS_AT_A_TIME", chunk)
    monkeypatch.setattr(ply_rows, "ROWS_AT_A_TIME", chunk)
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


@pytest.mark.parametrize(("text", "order"), [(True, "="), (False, ">")])
def test_reads_words_and_either_byte_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bool, order: str):
    monkeypatch.setattr(ply_rows, "ROWS_AT_A_TIME", 7)
    splats = some_splats(20, 4)
    write_ply(tmp_path / "a.ply", splats)
    data = PlyData.read(str(tmp_path / "a.ply"))
    data.text, data.byte_order = text, order
    data.write(str(tmp_path / "b.ply"))
    read = read_ply(tmp_path / "b.ply")
    for name in ("means", "log_scales", "quats", "opacity_logits", "sh"):
        np.testing.assert_allclose(getattr(read, name), getattr(splats, name), rtol=1e-6 if text else 0)


def test_reads_what_follows_another_element(tmp_path: Path):
    (tmp_path / "a.ply").write_bytes(before(2) + bytes(8) + ONE)
    np.testing.assert_array_equal(read_ply(tmp_path / "a.ply").means, np.ones((1, 3)))


def test_axes_are_those_the_comments_name(tmp_path: Path):
    for comments, axes in (
        (["x ahead, y left, z up"], "FLU"),
        (["metres; x right, y down, z ahead"], "RDF"),
        ([], None),
    ):
        write_ply(tmp_path / "a.ply", some_splats(1), comments)
        assert ply_axes(tmp_path / "a.ply") == axes


def test_reads_compressed_files_of_playcanvas():
    """40 splats packed by splat-transform: 10 or 11 bits of 10 m, 10 bits of √2, 8 bits of 0..1 and of −4..4."""
    read, true = read_ply(FOLDER / "compressed.ply"), source()
    order = [int(np.argmin(((true["means"] - mean) ** 2).sum(1))) for mean in read.means]
    assert sorted(order) == list(range(40))
    np.testing.assert_allclose(read.means, true["means"][order], atol=10 / 1023)
    np.testing.assert_allclose(read.log_scales, true["log_scales"][order], atol=4 / 1023)
    signs = np.sign((read.quats * true["quats"][order]).sum(1, keepdims=True))
    np.testing.assert_allclose(signs * read.quats, true["quats"][order], atol=3e-3)
    opacity = 1 / (1 + np.exp(-read.opacity_logits))
    np.testing.assert_allclose(opacity, 1 / (1 + np.exp(-true["logits"][order])), atol=1 / 255)
    np.testing.assert_allclose(read.sh[:, 0], true["sh"][order, 0], atol=0.02)
    np.testing.assert_allclose(read.sh[:, 1:], true["sh"][order, 1:], atol=8 / 256)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4254), at=st.integers(0, 4253), byte=st.integers(0, 255))
def test_damaged_compressed_files_never_raise_anything_else(tmp_path: Path, cut: int, at: int, byte: int):
    data = bytearray((FOLDER / "compressed.ply").read_bytes())
    data[at] = byte
    (tmp_path / "b.ply").write_bytes(data[: len(data) - cut])
    try:
        read_ply(tmp_path / "b.ply")
    except InputError as error:
        assert "expected" in str(error)


def header(count: object, names: list[str] | None = None, form: str = "binary_little_endian") -> bytes:
    lines = ["ply", f"format {form} 1.0", f"element vertex {count}"]
    lines += [f"property float {name}" for name in (NAMES if names is None else names)]
    return ("\n".join([*lines, "end_header"]) + "\n").encode()


def before(count: int, kind: bytes = b"float i") -> bytes:
    """A header with another element before the splat."""
    element = b"element face %d\nproperty %s\n" % (count, kind)
    return header(1).replace(b"element vertex", element + b"element vertex")


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
    "short element before": before(100) + ONE,
    "format twice": header(1).replace(b"element", b"format ascii 1.0\nelement") + ONE,
    "no format": header(1).replace(b"format binary_little_endian 1.0\n", b"") + ONE,
    "unknown form": header(1, form="base64") + ONE,
    "words: too few lines": header(3, form="ascii") + b"1 1 1 1 1 1 1 1 1 1 1 1 1 1\n" * 2 + b" " * 100,
    "words: long line": header(2, form="ascii") + b"1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n" * 2,
    "words: not numbers": header(1, form="ascii") + b"one " * 14,
    "words: huge count": header(10**14, form="ascii") + b"1 " * 14,
    "words: not ASCII": header(1, form="ascii") + b"1 " * 13 + b"\xff",
    "words: NaN": header(1, form="ascii") + b"1 " * 13 + b"nan",
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
    "list property": header(1).replace(b"property float x\n", b"property list uchar float x\n") + ONE,
    "a mesh": header(1, ["x", "y", "z"]) + ONE[:12],
    "f_rest count": header(1, [*NAMES, "f_rest_0"]) + ONE + ONE[:4],
    "integer position": header(1).replace(b"float x\n", b"int x\n") + ONE,
    "no vertices": b"ply\nformat binary_little_endian 1.0\nelement face 0\nend_header\n",
    "lists before": before(1, b"list uchar int i") + b"\0" + ONE,
    "words before": before(1).replace(b"binary_little_endian", b"ascii") + b"1\n" + b"1 " * 14,
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
    with pytest.raises(UnsafeFileError, match="at most 10 rows of vertex, got 11"):
        read_ply(tmp_path / "a.ply", max_splats=10)
    with pytest.raises(InputError, match="expected a PLY file"):
        read_ply(tmp_path)
    with pytest.raises(InputError, match="printable ASCII"):
        write_ply(tmp_path / "b.ply", some_splats(1), ["two\nlines"])
    assert not (tmp_path / "b.ply").exists()
