"""GLB files: one JSON document and one block of bytes, and the numbers of its accessors. Nothing outside the file.

Khronos, "glTF 2.0 Specification", sections 3.6 (accessors), 3.5 (nodes) and 4.4 (GLB). A document is a stranger's
claim: an accessor is read only if all of it lies inside its buffer view and that inside the block.
"""

import json
import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from pydantic import TypeAdapter

from sonoworld.disk import atomic
from sonoworld.disk.codec import checked_record
from sonoworld.disk.glb_document import Document, Mesh, Node
from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, UnsafeFileError

MAX_JSON_BYTES = 16 * 2**20
MAX_BYTES = 2**32 - 1
JSON_CHUNK, BIN_CHUNK = 0x4E4F534A, 0x004E4942
_HEADER, _CHUNK = struct.Struct("<4sII"), struct.Struct("<II")

_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}

_DOCUMENT = TypeAdapter(Document).validate_python


@dataclass(frozen=True, slots=True)
class Glb:
    """An opened file: its document and its block of bytes."""

    document: Document
    block: np.ndarray
    path: Path

    def numbers(self, accessor: int) -> np.ndarray:
        """The numbers [count width] of an accessor as they are stored; `activated` applies `normalized`.

        Raises:
            UnsafeFileError: it reaches beyond its bytes, or there is none of that number.
            InputError: it is sparse, compressed, or a matrix.
        """
        a = self.entry(self.document.accessors, accessor, "accessor")
        what = f"{self.path}: accessor {accessor}"
        if a.sparse is not None or a.buffer_view is None:
            raise InputError(f"{what}: expected plain numbers, got sparse or compressed ones")
        if a.component_type not in _KINDS or a.type not in _WIDTHS:
            raise InputError(f"{what}: expected numbers or vectors, got {a.type} of kind {a.component_type}")
        view = self.entry(self.document.buffer_views, a.buffer_view, "buffer view")
        dtype, width = np.dtype(_KINDS[a.component_type]), _WIDTHS[a.type]
        size = dtype.itemsize * width
        step = view.byte_stride or size
        if step < size or a.byte_offset + step * (a.count - 1) + size > view.byte_length:
            raise UnsafeFileError(
                f"{what}: expected {a.count} × {size} bytes in buffer view {a.buffer_view}, got fewer"
            )
        at = self.bytes_of(a.buffer_view)
        return np.ndarray((a.count, width), dtype, at.data, a.byte_offset, (step, dtype.itemsize))

    def activated(self, accessor: int) -> np.ndarray:
        """The numbers of an accessor as float32: integers marked `normalized` become 0..1 or −1..1."""
        stored = self.numbers(accessor)
        if stored.dtype.kind == "f" or not self.document.accessors[accessor].normalized:
            return stored.astype(np.float32)
        most = np.float32(np.iinfo(stored.dtype).max)
        return np.maximum(stored.astype(np.float32) / most, np.float32(-1))

    def bytes_of(self, view: int) -> np.ndarray:
        """The bytes of a buffer view."""
        v = self.entry(self.document.buffer_views, view, "buffer view")
        end = v.byte_offset + v.byte_length
        if v.buffer != 0 or end > len(self.block):
            raise UnsafeFileError(
                f"{self.path}: buffer view {view}: expected bytes within {len(self.block)}, got to {end}"
            )
        return self.block[v.byte_offset : end]

    def entry(self, entries: list[Any], index: int, what: str) -> Any:
        """One of the document's lists."""
        if index >= len(entries):
            raise UnsafeFileError(f"{self.path}: {what}: expected an index below {len(entries)}, got {index}")
        return entries[index]

    def placed_meshes(self) -> Generator[tuple[Mesh, Float64[np.ndarray, "4 4"]]]:
        """Meshes of the default scene with the map from their axes to the scene's.

        Raises:
            UnsafeFileError: nodes that are their own ancestors or have two parents, or numbers of nodes there are not.
        """
        nodes, seen = self.document.nodes, set[int]()
        waiting = [(root, np.eye(4)) for root in reversed(self._roots())]
        while waiting:
            index, outer = waiting.pop()
            node = self.entry(nodes, index, "node")
            if index in seen:
                raise UnsafeFileError(f"{self.path}: node {index}: expected one parent, got two")
            seen.add(index)
            own = outer @ _matrix(node)
            if node.mesh is not None:
                yield self.entry(self.document.meshes, node.mesh, "mesh"), own
            waiting += [(child, own) for child in reversed(node.children)]

    def _roots(self) -> list[int]:
        if self.document.scenes:
            return self.entry(self.document.scenes, self.document.scene, "scene").nodes
        children = {child for node in self.document.nodes for child in node.children}
        return [i for i in range(len(self.document.nodes)) if i not in children]


def _matrix(node: Node) -> Float64[np.ndarray, "4 4"]:
    if node.matrix is not None:
        return np.array(node.matrix).reshape(4, 4).T  # column by column in the file
    x, y, z, w = np.array(node.rotation) / max(float(np.linalg.norm(node.rotation)), 1e-30)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = rotation * np.array(node.scale), node.translation
    return out


def read_glb(path: Path, understood: frozenset[str]) -> Glb:
    """Open a GLB file and check its document; `understood` are the extensions that may be required.

    Raises:
        UnsafeFileError: it is malformed or lies about its size.
        InputError: it needs an extension that is not understood, such as a compression.
    """
    size = require_file(path, "a .glb file", MAX_BYTES)
    block = np.fromfile(path, np.uint8)
    head = block[:20].tobytes()
    if size < 20 or head[:4] != b"glTF":
        raise UnsafeFileError(f"{path}: expected a .glb file, got {head[:8]!r}")
    _, version, total = _HEADER.unpack_from(head)
    length, kind = _CHUNK.unpack_from(head, _HEADER.size)
    end = 20 + length
    if version != 2 or total != size or kind != JSON_CHUNK or not length <= min(MAX_JSON_BYTES, size - 20):
        raise UnsafeFileError(
            f"{path}: expected GLB 2 of {size} bytes that begins with JSON, got version {version} of {total} bytes"
        )
    try:
        document = json.loads(block[20:end].tobytes())
    except (ValueError, RecursionError) as error:
        raise UnsafeFileError(f"{path}: expected a JSON document: {error}") from error
    if not isinstance(document, dict):
        raise UnsafeFileError(f"{path}: expected a JSON object, got a {type(document).__name__}")
    glb = Glb(checked_record(document, _DOCUMENT, path), _second_chunk(block, end, path), path)
    needed = [name for name in glb.document.extensions_required if name not in understood]
    if needed:
        raise InputError(
            f"{path}: expected no extensions beyond {sorted(understood)}, got {', '.join(needed)} required"
        )
    return glb


def _second_chunk(block: np.ndarray, at: int, path: Path) -> np.ndarray:
    if at == len(block):
        return block[:0]
    if at + 8 > len(block):
        raise UnsafeFileError(f"{path}: expected a whole second chunk, got {len(block) - at} bytes")
    length, kind = _CHUNK.unpack_from(block[at : at + 8].tobytes())
    if kind != BIN_CHUNK or at + 8 + length > len(block):
        raise UnsafeFileError(f"{path}: expected a chunk of bytes within the file, got {length} bytes of {kind:#x}")
    return block[at + 8 : at + 8 + length]


def write_glb(path: Path, document: Mapping[str, object], parts: list[np.ndarray]) -> None:
    """Write a document and its block, the parts one after the other, each at a multiple of 4 bytes.

    Raises:
        InputError: more than 4 GiB.
    """
    text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    sizes = [part.nbytes + -part.nbytes % 4 for part in parts]
    total = _HEADER.size + 2 * _CHUNK.size + len(text) + sum(sizes)
    if total > MAX_BYTES:
        raise InputError(f"{path}: expected a GLB file of at most {MAX_BYTES} bytes, got {total}")
    with atomic.replacing(path) as file:
        file.write(_HEADER.pack(b"glTF", 2, total) + _CHUNK.pack(len(text), JSON_CHUNK) + text)
        file.write(_CHUNK.pack(sum(sizes), BIN_CHUNK))
        for part, size in zip(parts, sizes, strict=True):
            file.write(np.ascontiguousarray(part).data)
            file.write(bytes(size - part.nbytes))
