"""Small files that would be huge: for every reader that unpacks something, the worst that its format can say.

    PYTHONPATH=tests:tests/flow python tests/fuzz/bombs.py

Reads them one after the other with 3 GiB of address space and prints one line of JSON each: the size of the file (kB),
what became of it, how many MiB more were held at most, and the seconds.
"""

import gzip
import io
import json
import resource
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import fuzz_more_seeds as more
from fuzz_seeds import sofas, sounds
from hunt import ADDRESS_BYTES, mib
from PIL import Image

from sonoworld.cli.hear import read_walk
from sonoworld.disk.arrays import read_arrays, read_image
from sonoworld.disk.depth_file import read_depth
from sonoworld.disk.photo import read_photo
from sonoworld.disk.splat_file import read_splats
from sonoworld.disk.wav import read_sound
from sonoworld.errors import SonoworldError
from sonoworld.recipe import load
from sonoworld.render.sofa import read_sofa

GIB = 2**30
Bomb = tuple[str, bytes, Callable[[Path], object]]


def zeros_gzip(head: bytes, size: int) -> bytes:
    """`head` and zeros, packed a part at a time."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    parts = [packer.compress(head)]
    parts += [packer.compress(bytes(2**20)) for _ in range(size >> 20)]
    return b"".join([*parts, packer.flush()])


def png(width: int, height: int, kind: int, most_rows: int) -> bytes:
    """A black PNG; colour type 0 is grey, 2 RGB."""
    row = bytes(1 + width * (3 if kind == 2 else 1))
    packer = zlib.compressobj(9)
    data = b"".join([packer.compress(row) for _ in range(min(height, most_rows))]) + packer.flush()

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def npy(shape: tuple[int, ...], size: int) -> bytes:
    """An .npy of so many zeros, whatever its header says."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + text.encode().ljust(0x75) + b"\n" + bytes(size)


def tiff() -> bytes:
    """60 megapixels of depth 0."""
    out = io.BytesIO()
    Image.new("F", (8000, 7500)).save(out, "TIFF", compression="tiff_adobe_deflate")
    return out.getvalue()


def long_flac() -> bytes:
    data = bytearray(sounds()["flac16.flac"])
    data[21] |= 8  # 2^35 samples promised
    return bytes(data)


def bombs() -> Iterator[Bomb]:
    """Name with its ending, bytes, reader."""
    spz = gzip.decompress(more.splats()["spz"]["a.spz"])
    yield "rest.spz", zeros_gzip(spz, GIB), read_splats
    yield "count.spz", zeros_gzip(spz[:8] + struct.pack("<I", 2**31 - 1) + spz[12:16], GIB), read_splats
    yield "image.sog", more.zipped(sog() | {"means_l.webp": bytes(GIB // 2)}), read_splats
    yield "meta.sog", more.zipped({"meta.json": b"[" * 2**28}), read_splats
    yield "count.ply", more.splats()["ply"]["a.ply"].replace(b"vertex 12", b"vertex 999999999999"), read_splats
    yield "photo.png", png(13_300, 13_300, 2, 13_300), read_photo
    yield "short.png", png(14_000, 14_000, 2, 10), read_photo
    yield "beyond.png", png(60_000, 60_000, 2, 10), read_photo
    yield "panorama.png", png(14_000, 14_000, 0, 14_000), read_image
    yield "arrays.npz", more.zipped({"a.npy": npy((GIB // 8,), GIB // 2)}), lambda p: read_arrays(p, ("a",))
    yield "lies.npz", more.zipped({"a.npy": npy((10**13,), 4)}), lambda p: read_arrays(p, ("a",))
    yield "depth.npz", more.zipped({"depth.npy": npy((2**13, 2**13), 2**28)}), read_depth
    yield "depth.tif", tiff(), read_depth
    yield "depth.npy", npy((10**6, 10**6), 4), read_depth
    yield "promise.flac", long_flac(), read_sound
    yield "bomb.sofa", (Path(__file__).parent / "corpus" / "bomb.sofa").read_bytes(), read_sofa
    yield "twice.sofa", sofas()["gzip.sofa"] + bytes(2**20), read_sofa
    yield "empty.json", b'{"poses": [' + b"{}," * (2**24) + b"{}]}", read_walk
    yield "deep.json", b"[" * 2**25, read_walk
    yield "long.toml", b"a = " + b"9" * 1_000_000, lambda p: load(str(p))


def sog() -> dict[str, bytes]:
    """Files of a good archive."""
    with zipfile.ZipFile(io.BytesIO(more.splats()["sog"]["a.sog"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def defused(name: str, data: bytes, read: Callable[[Path], object], folder: Path) -> dict[str, object]:
    """What became of one."""
    path = folder / name
    path.write_bytes(data)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, began = mib("VmRSS"), time.perf_counter()
    try:
        read(path)
        became = "read"
    except SonoworldError as error:
        became = f"refused: {str(error).replace(str(path), name)[:90]}"
    took_s, peak = time.perf_counter() - began, mib("VmHWM") - before
    path.unlink()
    return {"name": name, "kb": len(data) // 1000, "became": became, "mib": round(peak), "seconds": round(took_s, 2)}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    with TemporaryDirectory() as temporary:
        for bomb in bombs():
            sys.stdout.write(json.dumps(defused(*bomb, Path(temporary))) + "\n")
