"""Splat files by their kind: axes turn everything together, and each kind reads back what it was given."""

import struct
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sonoworld import frames
from sonoworld.disk.glb_splats import read_glb_splats
from sonoworld.disk.ply import read_ply
from sonoworld.disk.sog import read_sog
from sonoworld.disk.splat_file import Kind, read_splats, write_splats
from sonoworld.disk.splat_file_antimatter import read_splat, write_splat
from sonoworld.disk.splat_file_axes import turned
from sonoworld.disk.spz import read_spz
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.render.splat import rotations, seen_colours
from sonoworld.types import Splats

ANGLE = st.floats(-3.1, 3.1)


def some_splats(n: int, k: int = 1, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    quats = draw(n, 4)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return Splats(
        means=3 * draw(n, 3), log_scales=draw(n, 3) - 4, quats=quats, opacity_logits=draw(n), sh=0.25 * draw(n, k, 3)
    )


@settings(max_examples=40, deadline=None)
@given(yaw=ANGLE, pitch=st.floats(-1.5, 1.5), roll=ANGLE, k=st.sampled_from([1, 4, 9, 16]))
def test_a_turned_world_looks_the_same_from_a_turned_eye(yaw: float, pitch: float, roll: float, k: int) -> None:
    """Oracle: the renderer's own harmonics and rotation matrices."""
    R = Rotation.from_euler("zyx", [yaw, pitch, roll]).as_matrix()
    splats, eye = some_splats(30, k), np.array([0.5, -1.0, 2.0])
    there = turned(splats, R)
    np.testing.assert_allclose(there.means, splats.means @ R.T, atol=1e-5)
    np.testing.assert_allclose(rotations(there.quats), R @ rotations(splats.quats), atol=1e-5)
    np.testing.assert_allclose(seen_colours(there, R @ eye), seen_colours(splats, eye), atol=1e-5)
    np.testing.assert_array_equal(there.log_scales, splats.log_scales)


def test_half_turns_are_turned_too() -> None:
    """Quaternions with w = 0, where naive formulas divide by zero."""
    for axes in ("RDF", "RUB", "LDB", "LUF", "BRU", "FRD", "BLD"):
        R = frames.world_from_axes(axes)
        splats = some_splats(20, 16)
        there = turned(splats, R)
        np.testing.assert_allclose(rotations(there.quats), R @ rotations(splats.quats), atol=1e-6)
        np.testing.assert_array_equal(there.means, splats.means @ R.T.astype(np.float32))
        np.testing.assert_allclose(turned(there, R.T).sh, splats.sh, atol=1e-6)


# ---------------------------------------------------------------- kinds


def one_ahead() -> Splats:
    """Three splats 2 m ahead, 3 m to the left and 1 m up, of three sizes, so that each is known by its size."""
    return Splats(
        means=np.diag([2.0, 3.0, 1.0]).astype(np.float32),
        log_scales=np.log(np.array([[0.4] * 3, [0.2] * 3, [0.1] * 3])).astype(np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (3, 1)),
        opacity_logits=np.full(3, 2.0, np.float32),
        sh=np.zeros((3, 1, 3), np.float32),
    )


RAW = {
    "ply": (read_ply, "RDF"),
    "spz": (read_spz, "RUB"),
    "sog": (read_sog, "RDF"),
    "splat": (read_splat, "RDF"),
    "glb": (read_glb_splats, "RUB"),
}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_has_its_axes_and_comes_back(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / f"a.{kind}"
    write_splats(path, one_ahead())
    reader, axes = RAW[kind]
    raw = reader(path)
    by_size = np.argsort(-raw.log_scales[:, 0])
    there = {"RDF": [[0, 0, 2], [-3, 0, 0], [0, -1, 0]], "RUB": [[0, 0, -2], [-3, 0, 0], [0, 1, 0]]}[axes]
    np.testing.assert_allclose(raw.means[by_size], there, atol=1e-3)
    back = read_splats(path)
    np.testing.assert_allclose(back.means[by_size], one_ahead().means, atol=1e-3)
    write_splats(path, one_ahead(), axes="LUF")
    back = read_splats(path, axes="LUF")
    np.testing.assert_allclose(back.means[np.argsort(-back.log_scales[:, 0])], one_ahead().means, atol=1e-3)


def test_a_ply_file_is_believed_before_the_table_and_a_caller_before_both(tmp_path: Path) -> None:
    write_splats(tmp_path / "a.ply", one_ahead(), axes="FLU")
    np.testing.assert_array_equal(read_ply(tmp_path / "a.ply").means, one_ahead().means)
    np.testing.assert_array_equal(read_splats(tmp_path / "a.ply").means, one_ahead().means)
    turned_once = read_splats(tmp_path / "a.ply", axes="RDF").means
    np.testing.assert_array_equal(turned_once, one_ahead().means @ frames.FLU_FROM_RDF.T.astype(np.float32))


def test_unbundled_sog_by_its_name(tmp_path: Path) -> None:
    write_splats(tmp_path / "meta.json", one_ahead())
    assert (tmp_path / "means_l.webp").is_file()
    back = read_splats(tmp_path / "meta.json")
    np.testing.assert_allclose(back.means[np.argsort(-back.log_scales[:, 0])], one_ahead().means, atol=1e-3)


def test_wrong_axes_and_kinds_are_explained(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="right-handed"):
        write_splats(tmp_path / "a.ply", one_ahead(), axes="RUF")
    assert not (tmp_path / "a.ply").exists()
    with pytest.raises(InputError, match="expected a splat file"):
        read_splats(tmp_path / "a.ksplat")
    with pytest.raises(InputError, match="expected a splat file"):
        write_splats(tmp_path / "a.json", one_ahead())
    with pytest.raises(InputError, match="expected a PLY file"):
        read_splats(tmp_path / "none.ply")


# ---------------------------------------------------------------- .splat


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 40), seed=st.integers(0, 99))
def test_antimatter_files_hold_what_32_bytes_can(tmp_path: Path, n: int, seed: int) -> None:
    splats, path = some_splats(n, 1, seed), tmp_path / "a.splat"
    write_splat(path, splats)
    assert path.stat().st_size == 32 * n
    weight = splats.log_scales.sum(1) - np.log1p(np.exp(-splats.opacity_logits))
    order = np.argsort(-weight, kind="stable")
    read = read_splat(path)
    np.testing.assert_array_equal(read.means, splats.means[order])
    np.testing.assert_allclose(read.log_scales, splats.log_scales[order], atol=1e-5)
    quats = read.quats / np.linalg.norm(read.quats, axis=1, keepdims=True)
    assert (np.abs((quats * splats.quats[order]).sum(1)) > 0.9999).all()
    opacities = [1 / (1 + np.exp(-x)) for x in (read.opacity_logits, splats.opacity_logits[order])]
    np.testing.assert_allclose(*opacities, atol=0.76 / 255)
    colours = [0.5 + 0.28209479 * x for x in (read.sh, np.clip(splats.sh[order], -0.5 / 0.28209479, 0.5 / 0.28209479))]
    np.testing.assert_allclose(*colours, atol=0.51 / 255)


def test_an_antimatter_record_by_hand(tmp_path: Path) -> None:
    """Bytes as the format's own `convert.py` writes them."""
    record = struct.pack("<6f8B", 1, 2, 3, 0.5, 1, 2, 255, 0, 128, 255, 255, 128, 128, 128)
    (tmp_path / "a.splat").write_bytes(record)
    splats = read_splat(tmp_path / "a.splat")
    np.testing.assert_array_equal(splats.means, [[1, 2, 3]])
    np.testing.assert_allclose(np.exp(splats.log_scales), [[0.5, 1, 2]], rtol=1e-6)
    np.testing.assert_allclose(splats.quats / np.linalg.norm(splats.quats), [[1, 0, 0, 0]])
    assert 1 / (1 + np.exp(-splats.opacity_logits[0])) > 0.998
    np.testing.assert_allclose(0.5 + 0.28209479 * splats.sh[0, 0], [1, 0, 128 / 255], atol=1e-6)


GOOD = struct.pack("<6f8B", 1, 2, 3, 0.5, 1, 2, 255, 0, 128, 255, 255, 128, 128, 128)
HOSTILE = {
    "not whole": GOOD[:-1],
    "NaN": struct.pack("<f", np.nan) + GOOD[4:],
    "infinite": struct.pack("<f", np.inf) + GOOD[4:],
    "no size": GOOD[:12] + bytes(4) + GOOD[16:],
    "negative size": GOOD[:12] + struct.pack("<f", -1) + GOOD[16:],
    "NaN size": GOOD[:12] + struct.pack("<f", np.nan) + GOOD[16:],
    "infinite size": GOOD[:12] + struct.pack("<f", np.inf) + GOOD[16:],
    "no rotation": GOOD[:28] + b"\x80\x80\x80\x80",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_antimatter_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.splat").write_bytes(HOSTILE[name])
    with pytest.raises(UnsafeFileError, match="expected"):
        read_splat(tmp_path / "bad.splat")


def test_antimatter_limits(tmp_path: Path) -> None:
    (tmp_path / "a.splat").write_bytes(GOOD * 11)
    with pytest.raises(UnsafeFileError, match="at most 320 bytes"):
        read_splat(tmp_path / "a.splat", max_splats=10)
    with pytest.raises(InputError, match="no higher harmonics, got degree 2"):
        write_splat(tmp_path / "b.splat", some_splats(3, 9))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_splats_or_one_clear_error(tmp_path: Path, data: bytes) -> None:
    for kind in get_args(Kind):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(data)
        try:
            read_splats(path)
        except InputError as error:
            assert "expected" in str(error)
