"""Valid files of the kinds that `fuzz_seeds` does not have: pictures, splats, meshes, depth, documents."""

import io
import json
import zipfile
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageCms

from sonoworld import testing
from sonoworld.disk import ply, splat_file_antimatter
from sonoworld.disk.sog_write import write_sog
from sonoworld.disk.spz import write_spz
from sonoworld.types import Splats

SPLAT_FILES = Path(__file__).parent.parent / "golden" / "splat_files"
GOLDEN = SPLAT_FILES.parent


def _few(k: int = 4) -> Splats:
    rng = np.random.default_rng(0)
    n = 12

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.5, (n, *shape)).astype(np.float32)

    quats = draw(4) + np.array([2, 0, 0, 0], np.float32)
    return Splats(draw(3), draw(3) - 3, quats / np.linalg.norm(quats, axis=1, keepdims=True), draw(), draw(k, 3))


@cache
def pictures() -> dict[str, bytes]:
    """Every format and mode of photo, some with EXIF, a colour profile, XMP."""
    rgb = Image.fromarray(testing.tiny_photo().rgb).resize((72, 66))
    exif = Image.Exif()
    exif[0x0110], exif[0x0112], exif[0x010F] = "camera", 6, "maker"
    exif.get_ifd(0x8769)[0xA405] = 28
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b'<x:xmpmeta GPano:ProjectionType="equirectangular"/>'
    wide = rgb.resize((132, 66))
    saved = {
        "exif.jpg": (rgb, "JPEG", {"exif": exif, "icc_profile": icc, "quality": 40}),
        "progressive.jpg": (rgb, "JPEG", {"progressive": True}),
        "sphere.jpg": (wide, "JPEG", {"xmp": xmp}),
        "cmyk.jpg": (rgb.convert("CMYK"), "JPEG", {}),
        "rgb.png": (rgb, "PNG", {"icc_profile": icc}),
        "gray16.png": (Image.fromarray(np.arange(66 * 72, dtype=np.uint16).reshape(66, 72)), "PNG", {}),
        "palette.png": (rgb.convert("P"), "PNG", {"transparency": 3}),
        "alpha.webp": (rgb.convert("RGBA"), "WEBP", {"lossless": True, "exif": exif}),
        "lossy.webp": (rgb, "WEBP", {"quality": 30}),
        "lzw.tif": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "deflate.tif": (rgb.convert("L"), "TIFF", {"compression": "tiff_adobe_deflate", "exif": exif}),
        "plain.tif": (rgb.convert("RGBA"), "TIFF", {}),
    }
    found: dict[str, bytes] = {}
    for name, (image, kind, options) in saved.items():
        out = io.BytesIO()
        image.save(out, kind, **options)
        found[name] = out.getvalue()
    return found


@cache
def splats() -> dict[str, dict[str, bytes]]:
    """Splat files by their kind."""
    with TemporaryDirectory() as folder:
        at = Path(folder)
        ply.write_ply(at / "a.ply", _few(), ["x ahead, y left, z up"])
        write_spz(at / "a.spz", _few())
        write_spz(at / "b.spz", _few(), version=2)
        write_sog(at / "a.sog", _few())
        splat_file_antimatter.write_splat(at / "a.splat", _few(1))
        own = {path.name: path.read_bytes() for path in at.iterdir()}
    golden = {path.name: path.read_bytes() for path in SPLAT_FILES.iterdir()}
    both = own | golden
    return {
        end: {n: d for n, d in both.items() if n.endswith(f".{end}")} for end in ("ply", "spz", "sog", "splat", "glb")
    }


@cache
def depths() -> dict[str, bytes]:
    """Depth maps of every kind."""
    z = np.random.default_rng(0).uniform(1, 60, (8, 16)).astype(np.float32)
    npy, npz, tif, png = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, z)
    np.savez_compressed(npz, depth=z)
    Image.fromarray(z).save(tif, "TIFF", compression="tiff_lzw")
    Image.fromarray((1000 * z).astype(np.uint16)).save(png, "PNG")
    exr = {f"{kind}.exr": (GOLDEN / f"depth_{kind}.exr").read_bytes() for kind in ("zip", "zips", "none")}
    pfm = b"Pf\n16 8\n-1.0\n" + z.tobytes()
    return {
        "a.npy": npy.getvalue(),
        "a.npz": npz.getvalue(),
        "a.tif": tif.getvalue(),
        "a.png": png.getvalue(),
        "a.pfm": pfm,
    } | exr


OBJ = b"""v 0 0 0
v 1 0 0 0.5 0.5 0.5
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
usemtl m
f 1/1 2/2 3/3 4/1
f -1//1 -2 -3
"""
PLY_MESH = b"""ply
format ascii 1.0
element vertex 3
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face 1
property list uchar int vertex_indices
end_header
0 0 0 1 2 3
1 0 0 4 5 6
0 1 0 7 8 9
3 0 1 2
"""


@cache
def meshes() -> dict[str, bytes]:
    """Meshes of every kind."""
    from test_glb import mesh  # noqa: PLC0415

    head = PLY_MESH.replace(b"ascii", b"binary_little_endian")[: PLY_MESH.index(b"0 0 0") + 15]
    row = np.dtype([("p", "<f4", 3), ("c", "u1", 3)])
    faces = b"\x03" + np.array([0, 1, 2], "<i4").tobytes()
    binary = head + np.zeros(3, row).tobytes() + faces
    return {"a.obj": OBJ, "a.ply": PLY_MESH, "b.ply": binary, "a.glb": mesh()}


@cache
def recipes() -> dict[str, bytes]:
    """Those that come with the install."""
    return {f.name: f.read_bytes() for f in files("sonoworld.recipes").iterdir() if f.name.endswith(".toml")}


SOURCES = b"""[[source]]
label = "church bell"
prompt = "a church bell"
spread = "point"
level_db = 95.0
direction_deg = [40.0, 10.0]

[[source]]
label = "stream"
box_px = [10, 20, 60, 50]
pixels = "panorama"

[[source]]
label = "trees"
polygon_px = [[10, 10], [50, 10], [30, 60]]
pixels = "panorama"
"""
SHEET = b"""licence = "CC0-1.0"
author = "A"

[[sound]]
file = "a.wav"
label = "bird"
tags = ["blackbird"]
begin_s = 0.0
end_s = 0.003
loops = true
"""
WALK = json.dumps(
    {"rate_hz": 2, "poses": [{"t": t, "position": [t, 0, 1], "yaw": 0.1, "pitch": 0, "roll": 0} for t in (0, 1, 2)]}
).encode()
ANSWER = json.dumps(
    {
        "setting": "nature",
        "sources": [
            {
                "label": "stream", "look_for": "water", "sound": "a stream", "avoid": "birds", "spread": "area",
                "level_db": 60, "v_db": -20, "tone_db": {"low": 1, "middle": 0, "high": -2}, "visible": True,
                "movement": "still", "confidence": 0.8, "box": [0.1, 0.2, 0.3, 0.4],
            },
            {"label": "wind", "spread": "ambient", "level_db": 40, "tone_db": [0, 1, 2], "direction_deg": [10, 5]},
        ],
    }
).encode()  # fmt: skip


SPEAKERS = ((30, 0), (-30, 0), (110, 0), (-110, 0), (0, 60))
LAYOUTS = {
    "a.toml": b'name = "mine"\n'
    + b"".join(
        b'[[speakers]]\nlabel = "S%d"\nazimuth_deg = %d.0\nelevation_deg = %d.0\n' % (i, *at)
        for i, at in enumerate(SPEAKERS)
    ),
    "a.json": json.dumps(
        {
            "name": "mine",
            "speakers": [{"label": f"S{i}", "azimuth_deg": a, "elevation_deg": e} for i, (a, e) in enumerate(SPEAKERS)],
        }
    ).encode(),
}


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip with deflate."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return out.getvalue()
