"""SPZ files: written bytes are the described ones, other people's files are read, hostile ones refused."""

import gzip
import struct
import tracemalloc
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from golden.make_splat_files import FOLDER, source
from sonoworld.disk.spz import read_spz, read_spz_and_axes, write_spz
from sonoworld.disk.spz_packed import fractional_bits_for
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.render.splat import rotations
from sonoworld.types import Splats


def some_splats(n: int, k: int = 1, seed: int = 0, reach_m: float = 20.0) -> Splats:
    rng = np.random.default_rng(seed)
    quats = rng.normal(size=(n, 4))
    return Splats(
        means=rng.uniform(-reach_m, reach_m, (n, 3)).astype(np.float32),
        log_scales=rng.uniform(-9, 5, (n, 3)).astype(np.float32),
        quats=(quats * rng.uniform(0.1, 3, (n, 1))).astype(np.float32),
        opacity_logits=rng.uniform(-5, 5, n).astype(np.float32),
        sh=rng.uniform(-0.9, 0.9, (n, k, 3)).astype(np.float32),
    )


def unit(quats: np.ndarray) -> np.ndarray:
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Between rotations, radians."""
    return 2 * np.arccos(np.clip(np.abs((unit(a) * unit(b)).sum(1)), 0, 1))


def shapes(splats: Splats, log_scales: np.ndarray) -> np.ndarray:
    """Logarithms of covariances: alike where ellipsoids are, whatever their axes are called."""
    axes = rotations(splats.quats)
    return axes @ (2 * log_scales[:, :, None] * axes.transpose(0, 2, 1))


def assert_close(read: Splats, true: Splats, step_m: float, angle: float) -> None:
    """As near as the format's steps allow: 2^−f m, 1/16 of log size, 1/255 of opacity, 5 and 4 bits of harmonics."""
    np.testing.assert_allclose(read.means, true.means, atol=0.5001 * step_m + 1e-6 * np.abs(true.means).max(initial=0))
    spread = np.ptp(true.log_scales, axis=1).max(initial=0.0)
    error = np.abs(shapes(read, read.log_scales) - shapes(true, true.log_scales)).max(initial=0.0)
    assert error <= 2 * (0.5001 / 16 + angle * spread)
    opacities = [1 / (1 + np.exp(-s.opacity_logits)) for s in (read, true)]
    np.testing.assert_allclose(*opacities, atol=0.76 / 255)
    np.testing.assert_allclose(read.sh[:, 0], true.sh[:, 0], atol=0.5001 / 255 / 0.15)
    np.testing.assert_allclose(read.sh[:, 1:4], true.sh[:, 1:4], atol=4.6 / 128)
    np.testing.assert_allclose(read.sh[:, 4:], true.sh[:, 4:], atol=8.6 / 128)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(0, 40), k=st.sampled_from([1, 4, 9, 16]), seed=st.integers(0, 99),
    version=st.sampled_from([2, 3]), reach=st.sampled_from([1e-3, 20.0, 2000.0, 90_000.0]),
)  # fmt: skip
def test_stored_is_loaded(tmp_path: Path, n: int, k: int, seed: int, version: Literal[2, 3], reach: float) -> None:
    splats, path = some_splats(n, k, seed, reach), tmp_path / "a.spz"
    write_spz(path, splats, version=version)
    step = 2.0 ** -fractional_bits_for(splats)
    # 9 bits of each small part over √½ (v3), 7 bits of three parts beside a large fourth (v2)
    read = read_spz(path)
    assert_close(read, splats, step, 0.006 if version == 3 else 0.03)
    if version == 3:
        assert angles(read.quats, splats.quats).max(initial=0.0) < 0.006
        np.testing.assert_allclose(read.log_scales, splats.log_scales, atol=0.5001 / 16)
    if n:
        assert read_spz(path).sh.shape[1] == k


def test_stored_again_is_the_same(tmp_path: Path) -> None:
    """What was read lies on the format's steps: nothing moves any more, and the same splats give the same bytes."""
    write_spz(tmp_path / "a.spz", some_splats(500, 16))
    write_spz(tmp_path / "b.spz", read_spz(tmp_path / "a.spz"))
    write_spz(tmp_path / "c.spz", read_spz(tmp_path / "b.spz"))
    assert (tmp_path / "b.spz").read_bytes() == (tmp_path / "c.spz").read_bytes()
    np.testing.assert_array_equal(read_spz(tmp_path / "a.spz").means, read_spz(tmp_path / "b.spz").means)


def test_bytes_are_the_described_ones(tmp_path: Path) -> None:
    """One splat, worked out by hand from the format's description."""
    splats = Splats(
        means=np.array([[1.0, -0.5, 2047.0]], np.float32),
        log_scales=np.array([[-10.0, 0.0, 5.0]], np.float32),
        quats=np.array([[np.sqrt(0.5), 0.0, -np.sqrt(0.5), 0.0]], np.float32) * 2,
        opacity_logits=np.array([0.0], np.float32),
        sh=np.zeros((1, 1, 3), np.float32),
    )
    write_spz(tmp_path / "a.spz", splats)
    body = gzip.decompress((tmp_path / "a.spz").read_bytes())
    assert body[:16] == b"NGSP" + struct.pack("<IIBBBB", 3, 1, 0, 12, 0, 0)
    fixed = b"".join((value & 0xFFFFFF).to_bytes(3, "little") for value in (4096, -2048, 2047 * 4096))
    assert body[16:25] == fixed
    assert body[25:32] == bytes([128, 128, 128, 128, 0, 160, 240])
    word = int.from_bytes(body[32:36], "little")
    assert word >> 30 in (1, 3)  # y or w is the largest of xyzw, by rounding
    assert len(body) == 36


@pytest.mark.parametrize("name", ["v3.spz", "v4.spz"])
def test_reads_what_splat_transform_writes(name: str) -> None:
    true = source()
    splats = Splats(
        *(np.asarray(v, np.float32) for v in (true[k] for k in ("means", "log_scales", "quats", "logits", "sh")))
    )
    read, axes = read_spz_and_axes(FOLDER / name)
    assert axes is None
    assert_close(read, splats, 2**-12, 0.006)


def with_extension(kind: int, value: bytes) -> bytes:
    """The golden file of version 4 with an extension record."""
    data = bytearray((FOLDER / "v4.spz").read_bytes())
    record = struct.pack("<II", kind, len(value)) + value
    data[14] |= 2
    data[16:20] = struct.pack("<I", 32 + len(record))
    return bytes(data[:32]) + record + bytes(data[32:])


def test_axes_named_by_an_extension(tmp_path: Path) -> None:
    (tmp_path / "a.spz").write_bytes(with_extension(0xADBE0003, struct.pack("<I", 6)))
    assert read_spz_and_axes(tmp_path / "a.spz")[1] == "RDF"
    (tmp_path / "a.spz").write_bytes(with_extension(0x12340001, b"somebody else's"))
    assert read_spz_and_axes(tmp_path / "a.spz")[1] is None


ONE = bytes(9) + b"\x80" + bytes(3) + bytes(3) + bytes(4)


def start(version: int = 3, count: int = 1, degree: int = 0, bits: int = 12, flags: int = 0) -> bytes:
    return b"NGSP" + struct.pack("<IIBBBB", version, count, degree, bits, flags, 0)


GOLDEN_4 = (FOLDER / "v4.spz").read_bytes()
GOOD = gzip.compress(start() + ONE)
HOSTILE = {
    "empty": b"",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "gzip of nothing": gzip.compress(b""),
    "gzip of words": gzip.compress(b"once upon a time there was a splat"),
    "truncated gzip": GOOD[:-12],
    "truncated end": GOOD[:-1],
    "wrong checksum": GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:],
    "gzip header only": b"\x1f\x8b",
    "damaged gzip": GOOD[:12] + b"\xff\xff\xff" + GOOD[15:],
    "short": gzip.compress(start(count=2) + ONE),
    "long": gzip.compress(start() + ONE + b"x"),
    "huge count": gzip.compress(start(count=2**32 - 1) + ONE),
    "large count": gzip.compress(start(count=19_999_999) + ONE),
    "fractional bits": gzip.compress(start(bits=200) + ONE),
    "endless extension": gzip.compress(start(flags=2) + ONE + bytes(200_000)),
    "broken extension": gzip.compress(start(flags=2) + ONE + struct.pack("<II", 1, 99)),
    "half an extension": gzip.compress(start(flags=2) + ONE + b"abc"),
    "coordinate system 17": gzip.compress(start(flags=2) + ONE + struct.pack("<III", 0xADBE0003, 4, 17)),
    "4: header cut": GOLDEN_4[:31],
    "4: no streams": GOLDEN_4[:15] + b"\0" + GOLDEN_4[16:],
    "4: table far away": GOLDEN_4[:16] + struct.pack("<I", 2**31) + GOLDEN_4[20:],
    "4: table inside the header": GOLDEN_4[:16] + struct.pack("<I", 8) + GOLDEN_4[20:],
    "4: stream size": GOLDEN_4[:40] + struct.pack("<Q", 2**60) + GOLDEN_4[48:],
    "4: packed size": GOLDEN_4[:32] + struct.pack("<Q", 2**60) + GOLDEN_4[40:],
    "4: cut": GOLDEN_4[:-5],
    "4: long": GOLDEN_4 + b"x",
    "4: huge count": GOLDEN_4[:8] + struct.pack("<I", 2**31) + GOLDEN_4[12:],
    "4: no Zstandard": GOLDEN_4[:-30] + bytes(30),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.spz").write_bytes(HOSTILE[name])
    with pytest.raises(UnsafeFileError, match="expected"):
        read_spz(tmp_path / "bad.spz")


OTHER = {
    "version 1": gzip.compress(start(version=1) + ONE),
    "version 9": gzip.compress(start(version=9) + ONE),
    "degree 4": gzip.compress(start(degree=4) + ONE + bytes(72)),
    "levels of detail": gzip.compress(start(flags=0x80) + ONE),
    "version 4 in gzip": gzip.compress(start(version=4) + ONE),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_files_are_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.spz").write_bytes(OTHER[name])
    with pytest.raises(InputError, match="expected"):
        read_spz(tmp_path / "other.spz")


def test_a_gzip_bomb_takes_no_memory(tmp_path: Path) -> None:
    """64 MiB of zeros in 64 kB, of which the header allows 20 bytes."""
    (tmp_path / "bomb.spz").write_bytes(gzip.compress(start() + ONE + bytes(64 * 2**20)))
    tracemalloc.start()
    with pytest.raises(UnsafeFileError, match="more than 20"):
        read_spz(tmp_path / "bomb.spz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20


def test_too_far_and_too_many(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected positions within"):
        write_spz(tmp_path / "a.spz", some_splats(3, reach_m=1e8))
    assert not (tmp_path / "a.spz").exists()
    write_spz(tmp_path / "a.spz", some_splats(11))
    with pytest.raises(UnsafeFileError, match="at most 10 splats, got 11"):
        read_spz(tmp_path / "a.spz", max_splats=10)
    with pytest.raises(InputError, match="expected an SPZ file"):
        read_spz(tmp_path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["v3.spz", "v4.spz"]), inside=st.booleans(), cut=st.integers(0, 40),
    changes=st.lists(st.tuples(st.integers(0, 1224), st.integers(0, 255)), max_size=4),
)  # fmt: skip
def test_damaged_files_never_raise_anything_else(
    tmp_path: Path, name: str, inside: bool, cut: int, changes: list[tuple[int, int]]
) -> None:
    """Damage to the file, or to what is inside its gzip, where checksums do not help."""
    data = (FOLDER / name).read_bytes()
    damaged = bytearray(gzip.decompress(data) if inside and name == "v3.spz" else data)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    damaged = damaged[: len(damaged) - cut]
    (tmp_path / "b.spz").write_bytes(gzip.compress(damaged) if inside and name == "v3.spz" else damaged)
    try:
        read_spz(tmp_path / "b.spz")
    except InputError as error:
        assert "expected" in str(error)
