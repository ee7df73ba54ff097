"""Meshes by their kind of file."""

from pathlib import Path

from sonoworld.disk.glb_mesh import read_glb_meshes
from sonoworld.disk.mesh import MAX_FACES, Mesh, check_mesh
from sonoworld.disk.mesh_obj import read_obj_meshes
from sonoworld.disk.ply_mesh import read_ply_mesh
from sonoworld.errors import InputError


def read_meshes(path: Path, *, max_faces: int = MAX_FACES) -> tuple[Mesh, ...]:
    """All meshes of a `.ply`, `.glb` or `.obj` file.

    Raises:
        UnsafeFileError: the file is malformed, reaches beyond itself, or has more than `max_faces`.
        InputError: another kind of file, or one without triangles.
    """
    match path.suffix.lower():
        case ".ply":
            meshes = (read_ply_mesh(path, max_faces=max_faces),)
        case ".glb":
            meshes = read_glb_meshes(path, max_faces=max_faces)
        case ".obj":
            meshes = read_obj_meshes(path, max_faces=max_faces)
        case other:
            raise InputError(f"{path}: expected a mesh as .ply, .glb or .obj, got {other!r}")
    meshes = tuple(mesh for mesh in meshes if len(mesh.faces))
    if not meshes:
        raise InputError(f"{path}: expected triangles, got none")
    for mesh in meshes:
        check_mesh(mesh, path)
    return meshes
