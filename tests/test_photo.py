"""Every kind of photo a person has, and everything that is not one."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from sonoworld.disk.photo import FULL_FRAME_DIAGONAL_MM, WORKING_SIDE_PX, edges_continue, read_photo
from sonoworld.errors import InputError
from sonoworld.sphere import pixel_directions
from sonoworld.types import Projection


def picture(width: int = 96, height: int = 72) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 128 + 0 * x], -1).astype(np.uint8))


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    photo = read_photo(save(picture(), tmp_path / f"a.{suffix}"))
    assert photo.rgb.shape == (72, 96, 3)
    difference = np.abs(photo.rgb.astype(int) - np.asarray(picture()).astype(int))
    assert difference.mean() < 6
    assert photo.focal_px is None
    assert photo.projection is Projection.PERSPECTIVE


def test_heic(tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    photo = read_photo(save(picture(), tmp_path / "a.heic"))
    assert photo.rgb.shape == (72, 96, 3)


def test_alpha_lies_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, 32:] = [200, 0, 0, 255]
    photo = read_photo(save(Image.fromarray(rgba), tmp_path / "a.png"))
    np.testing.assert_array_equal(photo.rgb[0, 0], [255, 255, 255])
    np.testing.assert_array_equal(photo.rgb[0, -1], [200, 0, 0])


def test_sixteen_bits_keep_their_values(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    photo = read_photo(save(Image.fromarray(values), tmp_path / "a.png"))
    assert np.abs(photo.rgb[..., 0].astype(float) - values / 257).max() <= 0.51


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    rows = np.zeros((64, 64, 3), ">u2")
    rows[..., 0] = 0x8000
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(png + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    np.testing.assert_allclose(read_photo(tmp_path / "a.png").rgb[5, 5], [128, 0, 0], atol=1)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "LA", "1"])
def test_other_modes(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    photo = read_photo(save(picture().convert(mode), tmp_path / f"a.{suffix}"))
    assert photo.rgb.shape == (72, 96, 3)
    assert photo.rgb.std() > 20


def test_exif_turns_the_picture_and_gives_the_lens(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise to see upright
    exif[0x010F], exif[0x0110] = "Maker", "Maker Model 1"
    exif.get_ifd(0x8769)[0xA405] = 28
    photo = read_photo(save(picture(), tmp_path / "a.jpg", exif=exif, quality=95))
    assert photo.rgb.shape == (96, 72, 3)
    assert photo.rgb[0, -1, 0] < 10
    assert photo.rgb[-1, -1, 0] > 240
    assert photo.taken_with == "Maker Model 1"
    np.testing.assert_allclose(photo.focal_px, 28 * np.hypot(96, 72) / FULL_FRAME_DIAGONAL_MM)


def test_lens_from_the_sensor_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    ifd = exif.get_ifd(0x8769)
    ifd[0x920A], ifd[0xA20E], ifd[0xA210], ifd[0xA002] = 6.0, 96 / 0.48, 3, 96  # 6 mm, sensor 4.8 mm wide
    photo = read_photo(save(picture(), tmp_path / "a.jpg", exif=exif))
    np.testing.assert_allclose(photo.focal_px, 6.0 / 4.8 * 96, rtol=1e-6)


def test_nonsense_in_exif_costs_only_the_lens(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 0
    assert read_photo(save(picture(), tmp_path / "a.jpg", exif=exif)).focal_px is None


def test_large_photos_are_reduced(tmp_path: Path) -> None:
    photo = read_photo(save(Image.new("RGB", (5000, 1200), (1, 2, 3)), tmp_path / "a.png"))
    assert photo.size_px == (WORKING_SIDE_PX, round(1200 * WORKING_SIDE_PX / 5000))


def test_panoramas_are_recognised_by_their_edges_only(tmp_path: Path) -> None:
    seen = np.uint8(120 + 60 * pixel_directions(128) + 50 * np.sin(9 * pixel_directions(128)[..., 1:2]))
    sphere = save(Image.fromarray(seen), tmp_path / "sphere.png")
    assert read_photo(sphere).projection is Projection.EQUIRECTANGULAR
    landscape = save(picture(256, 128), tmp_path / "landscape.png")
    assert read_photo(landscape).projection is Projection.PERSPECTIVE
    assert read_photo(landscape, panorama=True).projection is Projection.EQUIRECTANGULAR


def test_a_uniform_landscape_is_not_a_sphere() -> None:
    y = np.linspace(0, 255, 128)[:, None, None]
    x = 40 * np.sin(np.linspace(0, 9, 256))[None, :, None]
    assert not edges_continue(np.clip(y + x + np.zeros(3), 0, 255).astype(np.uint8))


def test_xmp_says_so(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description GPano:ProjectionType="equirectangular"/></x:xmpmeta>'
    photo = read_photo(save(picture(256, 128), tmp_path / "a.jpg", xmp=xmp))
    assert photo.projection is Projection.EQUIRECTANGULAR


def test_a_panorama_is_two_to_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2:1"):
        read_photo(save(picture(200, 150), tmp_path / "a.png"), panorama=True)


def bomb() -> bytes:
    """A PNG whose header promises 30000×30000 pixels."""
    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    ihdr = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return b"\x89PNG\r\n\x1a\n" + ihdr + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


def truncated() -> bytes:
    buffer = io.BytesIO()
    picture(400, 300).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "expected an image"),
        (b"hello, this is text", "expected an image"),
        (b"GIF89a" + bytes(50), "expected an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "expected an image"),
        (bomb(), "pixels"),
        (truncated(), "corrupt or incomplete"),
    ],
)
def test_what_is_not_a_photo_is_refused_with_one_clear_error(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        read_photo(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_too_small_and_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 64"):
        read_photo(save(picture(63, 80), tmp_path / "a.png"))
    with pytest.raises(InputError, match="nothing"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="a folder"):
        read_photo(tmp_path)
    with pytest.raises(InputError, match="strip"):
        read_photo(save(picture(3000, 100), tmp_path / "b.png"))
