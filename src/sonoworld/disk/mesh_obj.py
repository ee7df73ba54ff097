"""Meshes in OBJ files: vertices, some with colours, faces, and the texture that a material library names.

Wavefront, "Object Files (.obj)" and "MTL material format". Only files beside the OBJ file are opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from sonoworld.disk import atomic
from sonoworld.disk.image_bytes import decode_image
from sonoworld.disk.mesh import MAX_FACES, MAX_TEXTURE_PIXELS, TEXTURE_FORMATS, Mesh, fan
from sonoworld.disk.splat_file_checks import require_file
from sonoworld.errors import InputError, UnsafeFileError

MAX_BYTES = 2**31
MAX_LIBRARY_BYTES = 2**20
MAX_IMAGE_BYTES = 2**29
MAX_LINE = 2**16

Corner = tuple[int, int]
"""Indices of a vertex and of a texture coordinate, −1 for none."""


@dataclass(slots=True)
class _Lines:
    """What the lines said so far; faces by the material in use."""

    points: list[tuple[float, ...]] = field(default_factory=list)
    uvs: list[tuple[float, float]] = field(default_factory=list)
    faces: dict[str, list[tuple[Corner, Corner, Corner]]] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)
    material: str = ""
    count: int = 0


def read_obj_meshes(path: Path, *, max_faces: int = MAX_FACES) -> tuple[Mesh, ...]:
    """The meshes of an OBJ file, one for each material in use; polygons become triangles.

    Raises:
        UnsafeFileError: malformed, too large, or naming files elsewhere.
        InputError: a material library or texture that is not there.
    """
    require_file(path, "an .obj file", MAX_BYTES)
    lines = _Lines()
    with path.open("r", encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(_bounded(file, path), 1):
            try:
                _take(line.split(), lines)
            except (ValueError, IndexError) as error:
                raise UnsafeFileError(f"{path}: line {number}: expected numbers, got {line[:60]!r}") from error
            if lines.count > max_faces:
                raise UnsafeFileError(f"{path}: expected at most {max_faces} faces, got more")
    images = _images(path.parent, lines.libraries)
    return tuple(_mesh(lines, corners, images.get(name), path) for name, corners in lines.faces.items())


def _bounded(file: Iterable[str], path: Path) -> Iterable[str]:
    while line := file.readline(MAX_LINE):  # type: ignore[attr-defined]  # an opened file
        if len(line) == MAX_LINE:
            raise UnsafeFileError(f"{path}: expected lines of less than {MAX_LINE} characters, got a longer one")
        yield line


def _take(words: list[str], lines: _Lines) -> None:
    match words:
        case ["v", x, y, z, *more]:
            colour = tuple(float(word) for word in more[:3]) if len(more) >= 3 else ()
            lines.points.append((float(x), float(y), float(z), *colour))
        case ["vt", u, v, *_]:
            lines.uvs.append((float(u), 1 - float(v)))  # from below in the file
        case ["f", *corners] if len(corners) >= 3:
            own = [_corner(word, lines) for word in corners]
            triangles = [(own[a], own[b], own[c]) for a, b, c in fan(list(range(len(own))))]
            lines.faces.setdefault(lines.material, []).extend(triangles)
            lines.count += len(triangles)
        case ["usemtl", *name]:
            lines.material = " ".join(name)
        case ["mtllib", *name]:
            lines.libraries.append(" ".join(name))
        case ["v" | "vt" | "f", *_]:
            raise ValueError("too few")
        case _:
            pass  # names, groups, normals, comments


def _corner(word: str, lines: _Lines) -> Corner:
    """A corner such as 3, 3/1, 3//2 or 3/1/2; from 1, negative ones count back from the last."""
    parts = word.split("/")
    vertex = int(parts[0])
    uv = int(parts[1]) if len(parts) > 1 and parts[1] else 0
    out = (
        vertex - 1 if vertex > 0 else len(lines.points) + vertex,
        uv - 1 if uv > 0 else len(lines.uvs) + uv if uv else -1,
    )
    if not (0 <= out[0] < len(lines.points) and -1 <= out[1] < len(lines.uvs)) or vertex == 0:
        raise ValueError("no such corner")
    return out


def _mesh(
    lines: _Lines, corners: list[tuple[Corner, Corner, Corner]], texture: UInt8[np.ndarray, "h w 3"] | None, path: Path
) -> Mesh:
    """Vertices of one material; one with several texture coordinates becomes several."""
    flat = np.array(corners, np.int64).reshape(-1, 2)
    different, faces = np.unique(flat, axis=0, return_inverse=True)
    widths = {len(lines.points[i]) for i in different[:, 0]}
    points = np.array([lines.points[i][:3] for i in different[:, 0]])
    colours = None
    if widths == {6}:
        stored = np.array([lines.points[i][3:] for i in different[:, 0]])
        colours = np.rint(255 * np.clip(np.nan_to_num(stored), 0, 1)).astype(np.uint8)
    uv = None
    if texture is not None:
        if (different[:, 1] < 0).any():
            raise InputError(f"{path}: expected texture coordinates for all faces with a texture, got some without")
        uv = np.array(lines.uvs, np.float32)[different[:, 1]]
    with np.errstate(over="ignore"):  # what turns infinite is refused later
        vertices = points.astype(np.float32)
    return Mesh(vertices, faces.reshape(-1, 3).astype(np.int32), colours, uv, texture)


def _images(folder: Path, libraries: list[str]) -> dict[str, UInt8[np.ndarray, "h w 3"]]:
    """Texture of each material that has one."""
    images: dict[str, UInt8[np.ndarray, "h w 3"]] = {}
    for library in libraries:
        path = atomic.inside(folder, library)
        require_file(path, "the material library of an .obj file", MAX_LIBRARY_BYTES)
        material = ""
        for line in path.read_text("utf-8", errors="replace").splitlines():
            match line.split():
                case ["newmtl", *name]:
                    material = " ".join(name)
                case ["map_Kd", *words] if words:
                    images[material] = _image(folder, words[-1])  # options come before the name
                case _:
                    pass
    return images


def _image(folder: Path, name: str) -> UInt8[np.ndarray, "h w 3"]:
    path = atomic.inside(folder, name)
    require_file(path, "a texture", MAX_IMAGE_BYTES)
    image = decode_image(path.read_bytes(), TEXTURE_FORMATS, (1, MAX_TEXTURE_PIXELS), str(path))
    return np.ascontiguousarray(image[:, :, :3])
