"""SOG files: what is written is read, PlayCanvas' own files are read, hostile archives and images refused."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from golden.make_splat_files import FOLDER, source
from sonoworld.disk.sog import read_sog
from sonoworld.disk.sog_codebook import codebook, palette
from sonoworld.disk.sog_write import write_sog
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.types import Splats


def some_splats(n: int, k: int = 1, seed: int = 0) -> Splats:
    rng = np.random.default_rng(seed)
    return Splats(
        means=(rng.normal(size=(n, 3)) * np.exp(rng.normal(size=(n, 1)) * 2)).astype(np.float32),
        log_scales=rng.normal(-4, 1, (n, 3)).astype(np.float32),
        quats=rng.normal(size=(n, 4)).astype(np.float32),
        opacity_logits=rng.uniform(-5, 5, n).astype(np.float32),
        sh=rng.normal(0, 0.4, (n, k, 3)).astype(np.float32),
    )


def unit(quats: np.ndarray) -> np.ndarray:
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)


def matched(read: Splats, true: Splats) -> np.ndarray:
    """Which true splat each read one is: files have an order of their own."""
    distance = np.linalg.norm(read.means[:, None] - true.means[None], axis=-1)
    order = distance.argmin(1)
    assert sorted(order) == list(range(len(true)))
    return order


def assert_close(read: Splats, true: Splats, coded: float) -> None:
    """Steps: 16 bits of ln(1 + |x|), 8 bits of quaternion parts over √½ and of opacity; `coded`: error of codebooks."""
    order = matched(read, true)
    squeezed = [np.sign(m) * np.log1p(np.abs(m)) for m in (read.means, true.means[order])]
    assert (np.abs(squeezed[0] - squeezed[1]) <= 0.51 * np.ptp(squeezed[1], axis=0) / 65535 + 1e-6).all()
    np.testing.assert_allclose(read.log_scales, true.log_scales[order], atol=coded)
    cosine = np.abs((unit(read.quats) * unit(true.quats[order])).sum(1))
    assert np.degrees(2 * np.arccos(np.minimum(cosine, 1))).max() < 1.0
    opacities = [1 / (1 + np.exp(-x)) for x in (read.opacity_logits, true.opacity_logits[order])]
    np.testing.assert_allclose(*opacities, atol=1.01 / 255)
    np.testing.assert_allclose(read.sh, true.sh[order], atol=coded)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(1, 60), k=st.sampled_from([1, 4, 9, 16]), seed=st.integers(0, 99), bundled=st.booleans())
def test_stored_is_loaded(tmp_path: Path, n: int, k: int, seed: int, bundled: bool) -> None:
    splats, path = some_splats(n, k, seed), tmp_path / ("a.sog" if bundled else "meta.json")
    write_sog(path, splats)
    read = read_sog(path)
    assert_close(read, splats, 0.15)


def test_more_splats_than_the_palette_has_entries(tmp_path: Path) -> None:
    """5000 splats share 4096 entries, whose indices take two bytes."""
    splats = some_splats(5000, 4)
    write_sog(tmp_path / "a.sog", splats)
    read = read_sog(tmp_path / "a.sog")
    assert len(np.unique(read.sh[:, 1:].reshape(5000, -1), axis=0)) > 3000
    np.testing.assert_allclose(read.means.mean(0), splats.means.mean(0), atol=1e-3)
    np.testing.assert_allclose(read.sh[:, 1:].std(), splats.sh[:, 1:].std(), rtol=0.02)


def test_golden_file_of_playcanvas() -> None:
    true = source()
    names = ("means", "log_scales", "quats", "logits", "sh")
    splats = Splats(*(np.asarray(true[name], np.float32) for name in names))
    read = read_sog(FOLDER / "bundle.sog")
    order = matched(read, splats)
    np.testing.assert_allclose(read.means, splats.means[order], atol=6 * 2 * np.log(6) / 65535)
    np.testing.assert_allclose(read.log_scales, splats.log_scales[order], atol=0.02)
    np.testing.assert_allclose(np.abs((unit(read.quats) * splats.quats[order]).sum(1)), 1, atol=1e-4)
    np.testing.assert_allclose(read.sh[:, 0], splats.sh[order, 0], atol=0.01)
    # its palette has 32 entries for 40 splats: most are theirs alone
    assert (np.abs(read.sh[:, 1:] - splats.sh[order, 1:]).max((1, 2)) < 0.02).sum() >= 20


def test_same_splats_same_bytes(tmp_path: Path) -> None:
    for name in ("a.sog", "b.sog"):
        write_sog(tmp_path / name, some_splats(300, 4))
    assert (tmp_path / "a.sog").read_bytes() == (tmp_path / "b.sog").read_bytes()
    write_sog(tmp_path / "c" / "meta.json", some_splats(300, 4))
    with zipfile.ZipFile(tmp_path / "a.sog") as archive:
        assert {p.name: p.read_bytes() for p in (tmp_path / "c").iterdir()} == {
            name: archive.read(name) for name in archive.namelist()
        }


def test_a_codebook_is_nearly_the_best() -> None:
    """256 levels of a Gaussian: Panter and Dite's optimum is (√3 π / 2) σ² / 256²; few values are kept exactly."""
    x = np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32)
    values, labels = codebook(x)
    best = np.sqrt(3) * np.pi / 2 / 256**2
    error = float(np.mean((values[labels] - x) ** 2))
    assert error < 1.05 * best
    few = np.repeat(x[:50], 7, axis=0)
    values, labels = codebook(few)
    np.testing.assert_array_equal(values[labels], few)


def test_a_palette_is_much_better_than_chance() -> None:
    """Vectors of 500 kinds with a little noise, in a palette of 2048: each kind finds its own entries."""
    rng = np.random.default_rng(0)
    kinds = rng.normal(size=(500, 9))
    x = (kinds[rng.integers(0, 500, 20_000)] + 0.02 * rng.normal(size=(20_000, 9))).astype(np.float32)
    entries, labels = palette(x, 2048)
    assert len(entries) == 2048
    error = np.sqrt(np.mean((entries[labels] - x) ** 2))
    assert error < 0.05, error  # the spread of x is 1
    exact, labels = palette(x[:100], 2048)
    np.testing.assert_array_equal(exact[labels], x[:100])


# ---------------------------------------------------------------- hostile


def webp(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", **({"lossless": True, "exact": True} | options))
    return buffer.getvalue()


def files(tmp_path: Path) -> dict[str, bytes]:
    """A good data set of 20 splats with harmonics, by name."""
    write_sog(tmp_path / "good.sog", some_splats(20, 4))
    with zipfile.ZipFile(tmp_path / "good.sog") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


NAN = float("nan")
META_CHANGES = {
    "count above the pixels": ({"count": 10**6}, UnsafeFileError),
    "count above the limit": ({"count": 10**9}, UnsafeFileError),
    "negative count": ({"count": -1}, UnsafeFileError),
    "version 1": ({"version": 1}, InputError),
    "no means": ({"means": None}, UnsafeFileError),
    "NaN bounds": ({"means": {"mins": [NAN, 0, 0], "maxs": [1, 1, 1], "files": ["means_l.webp"] * 2}}, UnsafeFileError),
    "huge bounds": (
        {"means": {"mins": [9e99] * 3, "maxs": [9e99] * 3, "files": ["means_l.webp"] * 2}},
        UnsafeFileError,
    ),
    "short codebook": ({"scales": {"codebook": [0.0], "files": ["scales.webp"]}}, UnsafeFileError),
    "long codebook": ({"scales": {"codebook": [0.0] * 257, "files": ["scales.webp"]}}, UnsafeFileError),
    "missing file": ({"quats": {"files": ["none.webp"]}}, InputError),
    "name that climbs": ({"quats": {"files": ["../../etc/passwd"]}}, UnsafeFileError),
    "absolute name": ({"quats": {"files": ["/etc/passwd"]}}, UnsafeFileError),
    "not rotations": ({"quats": {"files": ["sh0.webp"]}}, UnsafeFileError),
    "labels beyond the palette": (
        {"shN": {"count": 1, "bands": 1, "codebook": [0.0] * 256, "files": ["shN_centroids.webp", "scales.webp"]}},
        UnsafeFileError,
    ),
    "palette of other width": (
        {"shN": {"count": 20, "bands": 2, "codebook": [0.0] * 256, "files": ["shN_centroids.webp", "shN_labels.webp"]}},
        UnsafeFileError,
    ),
}


@pytest.mark.parametrize("bundled", [True, False])
@pytest.mark.parametrize("name", META_CHANGES)
def test_hostile_metadata_is_refused(tmp_path: Path, name: str, bundled: bool) -> None:
    change, kind = META_CHANGES[name]
    parts = files(tmp_path)
    parts["meta.json"] = json.dumps({**json.loads(parts["meta.json"]), **change}).encode()
    path = archived(tmp_path / "bad.sog", parts)
    if not bundled:
        path = tmp_path / "bad" / "meta.json"
        path.parent.mkdir()
        for part, data in parts.items():
            (path.parent / part).write_bytes(data)
    with pytest.raises(kind, match=r"expected|should"):
        read_sog(path)


def bomb() -> bytes:
    """A WebP image of 16383×16383 pixels of one colour: 268 megapixels in a few kB."""
    good = bytearray(webp(np.zeros((4, 4, 3), np.uint8)))
    at = good.index(b"VP8L") + 9  # after chunk name, size and the signature byte: 14 bits each of width − 1, height − 1
    good[at : at + 4] = (16382 | 16382 << 14).to_bytes(4, "little")
    return bytes(good)


PART_CHANGES = {
    "not JSON": {"meta.json": b"{"},
    "a list": {"meta.json": b"[]"},
    "deep JSON": {"meta.json": b"[" * 100_000},
    "huge JSON": {"meta.json": b" " * (2**20 + 1)},
    "not an image": {"quats.webp": b"RIFF....WEBP"},
    "a text": {"quats.webp": b"hello"},
    "a GIF": {"quats.webp": b"GIF89a" + bytes(100)},
    "image too small": {"quats.webp": webp(np.zeros((2, 2, 4), np.uint8))},
    "image bomb": {"quats.webp": bomb()},
}


@pytest.mark.parametrize("name", PART_CHANGES)
def test_hostile_parts_are_refused(tmp_path: Path, name: str) -> None:
    parts = {**files(tmp_path), **PART_CHANGES[name]}
    with pytest.raises(UnsafeFileError, match=r"expected|should"):
        read_sog(archived(tmp_path / "bad.sog", parts))


def test_images_with_loss_are_explained(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    parts = {**files(tmp_path), "scales.webp": webp(noise, lossless=False)}
    with pytest.raises(InputError, match="lossy"):
        read_sog(archived(tmp_path / "bad.sog", parts))


def test_a_zip_bomb_takes_no_memory(tmp_path: Path) -> None:
    """1.5 GB of zeros named as an image, and 64 MB as meta.json: neither is unpacked."""
    parts = files(tmp_path)
    small = archived(tmp_path / "a.sog", {**parts, "meta.json": bytes(64 * 2**20)}, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(tmp_path / "b.sog", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in parts.items():
            if name != "quats.webp":
                archive.writestr(name, data)
        archive.writestr("quats.webp", b"")
    data = bytearray((tmp_path / "b.sog").read_bytes())
    at = data.rindex(b"PK\x01\x02")  # the last entry of the directory: its claimed size
    data[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    (tmp_path / "b.sog").write_bytes(data)
    tracemalloc.start()
    for path in (small, tmp_path / "b.sog"):
        with pytest.raises(UnsafeFileError, match="expected at most"):
            read_sog(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_names_in_no_encoding_are_refused(tmp_path: Path) -> None:
    data = archived(tmp_path / "a.sog", {**files(tmp_path), "é.webp": b""}).read_bytes()
    (tmp_path / "b.sog").write_bytes(data.replace("é.webp".encode(), b"\xff\xff.webp"))
    with pytest.raises(UnsafeFileError, match=r"expected a \.sog archive"):
        read_sog(tmp_path / "b.sog")


def test_no_archive_and_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "a.sog").write_bytes(b"PK not an archive")
    with pytest.raises(UnsafeFileError, match=r"expected a \.sog archive"):
        read_sog(tmp_path / "a.sog")
    with pytest.raises(InputError, match="got nothing there"):
        read_sog(tmp_path / "none.sog")
    with pytest.raises(InputError, match="expected 1 to"):
        write_sog(tmp_path / "b.sog", some_splats(0))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from(["", "meta.json", "quats.webp", "means_l.webp", "shN_centroids.webp", "shN_labels.webp"]),
    cut=st.integers(0, 60), changes=st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), max_size=4),
)  # fmt: skip
def test_damaged_files_never_raise_anything_else(
    tmp_path: Path, part: str, cut: int, changes: list[tuple[int, int]]
) -> None:
    """Damage to the archive, or inside it, where checksums do not help."""
    whole = (FOLDER / "bundle.sog").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    damaged = bytearray(parts[part] if part else whole)
    for at, byte in changes:
        damaged[at % len(damaged)] = byte
    damaged = damaged[: len(damaged) - cut]
    if part:
        path = archived(tmp_path / "b.sog", {**parts, part: bytes(damaged)})
    else:
        path = tmp_path / "b.sog"
        path.write_bytes(damaged)
    try:
        read_sog(path)
    except InputError as error:
        assert "expected" in str(error) or "should" in str(error)
