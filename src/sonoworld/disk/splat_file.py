"""Splat files by their kind, between the axes of the world and those that each kind is expected to have.

| kind | axes, unless the file or the caller says otherwise | why |
|---|---|---|
| `.ply` | RDF: x right, y down, z ahead | what 3DGS makes from COLMAP's cameras, and every viewer expects |
| `.sog`, `meta.json` | RDF | made from PLY files as they are |
| `.splat` | RDF | made from PLY files as they are |
| `.spz` | RUB: x right, y up, z back | Niantic's description; PlayCanvas and World Labs put RDF there |
| `.glb` | RUB | glTF: y up; ahead where its cameras look |

A PLY file may name its axes in a comment, as ours do, and an SPZ file in an extension record; that is believed before
the table, and a caller before both. Programs differ in which way is ahead in y-down files (PlayCanvas turns them about
z, three.js users about x): a world may come up turned by half a turn there, never upside down.
"""

from pathlib import Path
from typing import Literal, get_args

from sonoworld.disk.glb_splats import GLB_AXES, read_glb_splats, write_glb_splats
from sonoworld.disk.ply import ply_axes, read_ply, write_ply
from sonoworld.disk.sog import META, read_sog
from sonoworld.disk.sog_write import write_sog
from sonoworld.disk.splat_file_antimatter import read_splat, write_splat
from sonoworld.disk.splat_file_axes import turned
from sonoworld.disk.splat_file_checks import MAX_SPLATS
from sonoworld.disk.spz import SPZ_AXES, read_spz_and_axes, write_spz
from sonoworld.errors import InputError
from sonoworld.frames import axes_in_words, world_from_axes
from sonoworld.types import Splats

Kind = Literal["ply", "spz", "sog", "splat", "glb"]
AXES: dict[Kind, str] = {"ply": "RDF", "spz": SPZ_AXES, "sog": "RDF", "splat": "RDF", "glb": GLB_AXES}


def kind_of(path: Path) -> Kind:
    """The kind of a splat file by its name.

    Raises:
        InputError: a name of another kind.
    """
    if path.name == META:
        return "sog"
    for kind in get_args(Kind):
        if path.suffix.lower() == f".{kind}":
            return kind
    raise InputError(f"{path}: expected a splat file (.{', .'.join(get_args(Kind))} or {META}), got {path.name!r}")


def read_splats(path: Path, *, axes: str | None = None, max_splats: int = MAX_SPLATS) -> Splats:
    """Read a splat file of any kind into world axes; lengths stay as they are.

    Args:
        path: the file; its name says the kind.
        axes: the file's axes, such as "RDF"; None: as the file says, else as its kind is expected to have them.
        max_splats: refuse files with more.

    Raises:
        UnsafeFileError: the file is malformed or too large.
        InputError: another kind of file, or axes that are none.
    """
    said: str | None = None
    kind = kind_of(path)
    match kind:
        case "ply":
            splats, said = read_ply(path, max_splats=max_splats), ply_axes(path)
        case "spz":
            splats, said = read_spz_and_axes(path, max_splats=max_splats)
        case "sog":
            splats = read_sog(path, max_splats=max_splats)
        case "splat":
            splats = read_splat(path, max_splats=max_splats)
        case "glb":
            splats = read_glb_splats(path, max_splats=max_splats)
    return turned(splats, world_from_axes(axes or said or AXES[kind]))


def write_splats(path: Path, splats: Splats, *, axes: str | None = None) -> None:
    """Write splats in world axes as a file of the kind its name says, in that kind's usual axes or in `axes`.

    Raises:
        InputError: a name of no kind, axes that are none, or splats that the kind cannot hold.
    """
    kind = kind_of(path)
    chosen = axes or AXES[kind]
    there = turned(splats, world_from_axes(chosen).T)
    match kind:
        case "ply":
            write_ply(path, there, (f"metres; {axes_in_words(chosen)}; origin at the photo's eye",))
        case "spz":
            write_spz(path, there)
        case "sog":
            write_sog(path, there)
        case "splat":
            write_splat(path, there)
        case "glb":
            write_glb_splats(path, there)
