"""Edits inside containers: what lies in a zip, behind gzip or in a GLB is changed, and packed again as it should be."""

import gzip
import io
import struct
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
from fuzz_documents import changed_json
from fuzz_edits import edited, seeded_edits

Change = Callable[[bytes, np.random.Generator, bytes], bytes]


def changed_bytes(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """A few edits of bytes."""
    return edited(data, seeded_edits(rng), other)


def changed_gzip(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Half of the time inside; sizes and sums are right again."""
    if not data.startswith(b"\x1f\x8b") or rng.random() < 0.5:
        return changed_bytes(data, rng, other)
    return gzip.compress(edited(gzip.decompress(data), seeded_edits(rng, 64)), 1, mtime=0)


def changed_zip(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Two times of three one of its files is changed, left out, there twice, or under another name."""
    if rng.random() < 0.33:
        return changed_bytes(data, rng, other)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    i = int(rng.integers(len(parts)))
    name, part = parts[i]
    kind = rng.random()
    if kind < 0.75:
        parts[i] = (name, _part(name, part, rng))
    elif kind < 0.85:
        del parts[i]
    else:
        parts.append((("../" + name, name + "\0", name, "/" + name)[rng.integers(4)], part))
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the same name twice is meant
        for key, value in parts:
            archive.writestr(key, value)
    return out.getvalue()


def _part(name: str, part: bytes, rng: np.random.Generator) -> bytes:
    if name.endswith(".json") and rng.random() < 0.8:
        return changed_json(part, rng)
    return edited(part, seeded_edits(rng, 128))


def changed_glb(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Two times of three its JSON is changed and its sizes are right again."""
    if data[:4] != b"glTF" or rng.random() < 0.33:
        return changed_bytes(data, rng, other)
    (length,) = struct.unpack_from("<I", data, 12)
    text = changed_json(data[20 : 20 + length], rng)
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest


def changed_document(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    """Four times of five its meaning, else its bytes."""
    return changed_json(data, rng) if rng.random() < 0.8 else changed_bytes(data, rng, other)
