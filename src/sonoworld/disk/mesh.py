"""A triangle mesh with colours, as other programs write them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from sonoworld.errors import UnsafeFileError

MAX_FACES = 40_000_000
"""Twice what a HunyuanWorld layer of 3840×1920 pixels has."""

MAX_TEXTURE_PIXELS = 2**28
TEXTURE_FORMATS = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles in the axes and units of their file.

    Colour is sRGB: of the vertices, or of a `texture` at `uv` (0..1 from its upper left corner, repeated beyond), times
    the vertices' if both are there; without either the mesh is grey.
    """

    vertices: Float32[np.ndarray, "n 3"]
    faces: Int32[np.ndarray, "m 3"]
    colours: UInt8[np.ndarray, "n 3"] | None = None
    uv: Float32[np.ndarray, "n 2"] | None = None
    texture: UInt8[np.ndarray, "h w 3"] | None = None


def check_mesh(mesh: Mesh, path: Path) -> None:
    """Refuse faces of vertices that are not there, and places that are nowhere."""
    least, most = int(mesh.faces.min()), int(mesh.faces.max())
    if least < 0 or most >= len(mesh.vertices):
        raise UnsafeFileError(f"{path}: faces: expected vertices 0..{len(mesh.vertices) - 1}, got {least}..{most}")
    for what, values in (("vertices", mesh.vertices), ("texture coordinates", mesh.uv)):
        if values is not None and not np.isfinite(values).all():
            raise UnsafeFileError(f"{path}: {what}: expected finite numbers, got others")


def fan(polygon: list[int]) -> list[tuple[int, int, int]]:
    """A polygon as triangles around its first corner."""
    return [(polygon[0], polygon[i], polygon[i + 1]) for i in range(1, len(polygon) - 1)]
