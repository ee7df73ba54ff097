"""Meshes in PLY files: vertices with colours, and faces as lists of vertices."""

import itertools
import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from sonoworld.disk.mesh import MAX_FACES, Mesh, fan
from sonoworld.disk.ply_header import FORMS, Element, Header, Property, read_header
from sonoworld.disk.ply_rows import check_size, rows, skip_to
from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, UnsafeFileError

INDICES = ("vertex_indices", "vertex_index")
_COLOURS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))


def read_ply_mesh(path: Path, *, max_faces: int = MAX_FACES) -> Mesh:
    """The mesh of a PLY file; polygons become triangles.

    Raises:
        UnsafeFileError: malformed, or more faces or vertices than allowed or than the file has bytes for.
        InputError: no vertices or faces, or faces that are not lists of whole numbers.
    """
    require_file(path, "a PLY file")
    with path.open("rb") as file:
        header = read_header(file, path)
        vertices, faces = header.element("vertex", path), header.element("face", path)
        if faces.count > max_faces:
            raise UnsafeFileError(f"{path}: expected at most {max_faces} faces, got {faces.count}")
        skip_to(file, header, vertices, path)
        points, colours = _vertices(file, header, vertices, path, 3 * max_faces)
        triangles = _faces(file, header, faces, path)
    return Mesh(points, triangles, colours)


def _vertices(
    file: BinaryIO, header: Header, element: Element, path: Path, most: int
) -> tuple[Float32[np.ndarray, "n 3"], UInt8[np.ndarray, "n 3"] | None]:
    missing = [name for name in ("x", "y", "z") if name not in element.names]
    if missing or not element.fixed():
        raise InputError(f"{path}: expected vertices with x, y and z, got none of {', '.join(missing) or 'fixed size'}")
    if header.elements.index(element) != header.elements.index(header.element("face", path)) - 1:
        raise InputError(f"{path}: expected 'element face' right after 'element vertex'")
    check_size(file, header, element, path, most)
    names = next((own for own in _COLOURS if set(own) <= set(element.names)), None)
    points = np.empty((element.count, 3), np.float32)
    colours = np.empty((element.count, 3), np.uint8) if names else None
    with np.errstate(over="ignore", invalid="ignore"):  # what turns infinite is refused later
        for part, table in rows(file, header, element, path):
            for i, name in enumerate(("x", "y", "z")):
                points[part, i] = table[name]
            for i, name in enumerate(names or ()):
                full = 1 if table.dtype[name].kind == "u" else 255  # floats are 0..1
                colours[part, i] = np.clip(np.rint(table[name] * full), 0, 255)  # type: ignore[index]
    return points, colours


def _faces(file: BinaryIO, header: Header, element: Element, path: Path) -> Int32[np.ndarray, "m 3"]:
    lists = [p for p in element.properties if p.name in INDICES and p.length_kind and p.kind[0] in "iu"]
    if not lists:
        raise InputError(f"{path}: expected faces with a list {' or '.join(INDICES)}, got {element.names}")
    if header.form == "ascii":
        return _faces_in_words(file, element, lists[0], path)
    at = file.tell()
    triangles = _all_triangles(file, element, lists[0], FORMS[header.form])
    if triangles is not None:
        return triangles
    file.seek(at)
    return _polygons(file, element, lists[0], FORMS[header.form], path)


def _all_triangles(file: BinaryIO, element: Element, own: Property, order: str) -> np.ndarray | None:
    """The usual case at once: nothing but triangles; None if it is not so."""
    fields: list[tuple[str, str] | tuple[str, str, int]] = []
    for p in element.properties:
        if p is own:
            fields += [("length_", order + str(p.length_kind)), (p.name, order + p.kind, 3)]
        elif p.length_kind is not None:
            return None
        else:
            fields.append((p.name, order + p.kind))
    dtype = np.dtype(fields)
    if element.count * dtype.itemsize > os.fstat(file.fileno()).st_size - file.tell():
        return None
    table = np.fromfile(file, dtype, element.count)
    if len(table) != element.count or not (table["length_"] == 3).all():
        return None
    return table[own.name].astype(np.int64).clip(-1, 2**31 - 1).astype(np.int32)  # beyond int32 there is no vertex


def _polygons(file: BinaryIO, element: Element, own: Property, order: str, path: Path) -> np.ndarray:
    raw, at = file.read(), 0
    triangles: list[tuple[int, int, int]] = []
    codes = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
    try:
        for _ in range(element.count):
            for p in element.properties:
                length = 1
                if p.length_kind is not None:
                    (length,) = struct.unpack_from(order + codes[p.length_kind], raw, at)
                    at += int(p.length_kind[1])
                end = at + length * int(p.kind[1])
                if length < 0 or end > len(raw):
                    raise UnsafeFileError(f"{path}: expected a face within the file, got one of {length} corners")
                if p is own:
                    triangles += fan(list(struct.unpack_from(f"{order}{length}{codes[p.kind]}", raw, at)))
                at = end
    except struct.error as error:
        raise UnsafeFileError(f"{path}: expected {element.count} faces, got the end of the file") from error
    return _table(triangles)


def _faces_in_words(file: BinaryIO, element: Element, own: Property, path: Path) -> np.ndarray:
    triangles: list[tuple[int, int, int]] = []
    got = 0
    for line in itertools.islice(file, element.count):
        words, at = line.split(), 0
        try:
            for p in element.properties:
                length = 1 if p.length_kind is None else int(words[at])
                at += p.length_kind is not None
                if p is own:
                    triangles += fan([int(word) for word in words[at : at + length]])
                at += length
        except (ValueError, IndexError) as error:
            raise UnsafeFileError(f"{path}: expected a face, got {line[:40]!r}") from error
        if at != len(words):
            raise UnsafeFileError(f"{path}: expected a face of {at} numbers, got {line[:40]!r}")
        got += 1
    if got != element.count:
        raise UnsafeFileError(f"{path}: expected {element.count} faces, got {got}")
    return _table(triangles)


def _table(triangles: list[tuple[int, int, int]]) -> Int32[np.ndarray, "m 3"]:
    table = np.array(triangles, np.int64).reshape(-1, 3) if triangles else np.empty((0, 3), np.int64)
    return table.clip(-1, 2**31 - 1).astype(np.int32)
