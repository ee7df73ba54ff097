"""Meshes in GLB files: triangles in the scene's axes, with the colour of their vertices or of a texture."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld.disk.glb import Glb, read_glb
from sonoworld.disk.glb_document import Material, Primitive
from sonoworld.disk.image_bytes import decode_image
from sonoworld.disk.mesh import MAX_FACES, MAX_TEXTURE_PIXELS, TEXTURE_FORMATS, Mesh
from sonoworld.errors import InputError, UnsafeFileError

UNDERSTOOD = frozenset({"KHR_mesh_quantization", "EXT_texture_webp", "KHR_materials_unlit"})
TRIANGLES = 4


def read_glb_meshes(path: Path, *, max_faces: int = MAX_FACES) -> tuple[Mesh, ...]:
    """All triangle meshes of a GLB file's scene.

    Raises:
        UnsafeFileError: malformed, reaching beyond itself, or more faces than allowed.
        InputError: compressed, strips or fans of triangles, or images outside the file.
    """
    glb = read_glb(path, UNDERSTOOD)
    meshes: list[Mesh] = []
    room = max_faces
    for mesh, place in glb.placed_meshes():
        for primitive in mesh.primitives:
            if primitive.mode not in (0, 1, 2, 3):  # points and lines have no surface
                meshes.append(_mesh(glb, primitive, place, room))
                room -= len(meshes[-1].faces)
    return tuple(meshes)


def _mesh(glb: Glb, primitive: Primitive, place: Float64[np.ndarray, "4 4"], room: int) -> Mesh:
    if primitive.mode != TRIANGLES:
        raise InputError(f"{glb.path}: expected triangles (mode 4), got strips or fans (mode {primitive.mode})")
    if "POSITION" not in primitive.attributes:
        raise InputError(f"{glb.path}: mesh: expected attribute POSITION, got none (compressed?)")
    _check_room(glb, primitive.attributes["POSITION"], 3 * room)
    own = glb.activated(primitive.attributes["POSITION"])
    if own.shape[1] != 3:
        raise UnsafeFileError(f"{glb.path}: POSITION: expected 3 numbers, got {own.shape[1]}")
    with np.errstate(over="ignore", invalid="ignore"):  # what turns infinite is refused later
        vertices = (own.astype(np.float64) @ place[:3, :3].T + place[:3, 3]).astype(np.float32)
    faces = _faces(glb, primitive, len(vertices), room)
    material = Material()
    if primitive.material is not None:
        material = glb.entry(glb.document.materials, primitive.material, "material")
    uv, texture = _textured(glb, primitive, material, len(vertices))
    return Mesh(vertices, faces, _colours(glb, primitive, material, len(vertices)), uv, texture)


def _check_room(glb: Glb, accessor: int, room: int) -> None:
    count = glb.entry(glb.document.accessors, accessor, "accessor").count
    if count > room:
        raise UnsafeFileError(f"{glb.path}: expected at most {room // 3} faces, got {count // 3}")


def _faces(glb: Glb, primitive: Primitive, vertices: int, room: int) -> np.ndarray:
    if primitive.indices is None:
        corners = np.arange(vertices)
    else:
        _check_room(glb, primitive.indices, 3 * room)
        stored = glb.numbers(primitive.indices)
        if stored.dtype.kind != "u" or stored.shape[1] != 1:
            raise UnsafeFileError(f"{glb.path}: indices: expected whole numbers, got {stored.dtype}")
        corners = stored[:, 0].astype(np.int64)
    if len(corners) % 3 or corners.max(initial=0) >= vertices:
        raise UnsafeFileError(
            f"{glb.path}: indices: expected triangles of {vertices} vertices, got {len(corners)} corners up to "
            f"{int(corners.max(initial=0))}"
        )
    return corners.astype(np.int32).reshape(-1, 3)


def _attribute(glb: Glb, primitive: Primitive, name: str, vertices: int) -> Float32[np.ndarray, "n c"]:
    values = glb.activated(primitive.attributes[name])
    if len(values) != vertices:
        raise UnsafeFileError(f"{glb.path}: {name}: expected {vertices}, got {len(values)}")
    return values


def _colours(glb: Glb, primitive: Primitive, material: Material, vertices: int) -> UInt8[np.ndarray, "n 3"] | None:
    """Vertex colour times the material's, both linear in the file; None where there is nothing but white."""
    factor = np.array(material.pbr_metallic_roughness.base_color_factor[:3], np.float32)
    if "COLOR_0" not in primitive.attributes:
        if (factor == 1).all() and material.pbr_metallic_roughness.base_color_texture is not None:
            return None
        return np.tile(_srgb(factor), (vertices, 1))
    colours = _attribute(glb, primitive, "COLOR_0", vertices)
    if colours.shape[1] not in (3, 4):
        raise UnsafeFileError(f"{glb.path}: COLOR_0: expected 3 or 4 numbers, got {colours.shape[1]}")
    return _srgb(colours[:, :3] * factor)


def _srgb(linear: Float32[np.ndarray, "*b 3"]) -> UInt8[np.ndarray, "*b 3"]:
    x = np.clip(np.nan_to_num(linear), 0, 1)
    return np.rint(255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)).astype(np.uint8)


def _textured(
    glb: Glb, primitive: Primitive, material: Material, vertices: int
) -> tuple[Float32[np.ndarray, "n 2"] | None, UInt8[np.ndarray, "h w 3"] | None]:
    reference = material.pbr_metallic_roughness.base_color_texture
    if reference is None:
        return None, None
    name = f"TEXCOORD_{reference.tex_coord}"
    if name not in primitive.attributes:
        raise InputError(f"{glb.path}: mesh: expected {name} for its texture, got none")
    uv = _attribute(glb, primitive, name, vertices)
    if uv.shape[1] != 2:
        raise UnsafeFileError(f"{glb.path}: {name}: expected 2 numbers, got {uv.shape[1]}")
    texture = glb.entry(glb.document.textures, reference.index, "texture")
    webp = texture.extensions.get("EXT_texture_webp")
    source = webp.get("source") if isinstance(webp, dict) else texture.source
    if not isinstance(source, int) or source < 0:
        raise InputError(f"{glb.path}: texture {reference.index}: expected a PNG, JPEG or WebP image, got none")
    view = glb.entry(glb.document.images, source, "image").buffer_view
    if view is None:
        raise InputError(f"{glb.path}: image {source}: expected it inside the file, got a link")
    raw = glb.bytes_of(view).tobytes()
    image = decode_image(raw, TEXTURE_FORMATS, (1, MAX_TEXTURE_PIXELS), f"{glb.path}: image {source}")
    return uv, np.ascontiguousarray(image[:, :, :3])
