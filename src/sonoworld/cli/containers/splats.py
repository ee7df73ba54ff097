"""The splats alone, as one file for other programs."""

from functools import partial
from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.scene import load_lite, load_scene
from sonoworld.disk.splat_file import AXES, Kind, kind_of, write_splats
from sonoworld.errors import InputError
from sonoworld.frames import axes_in_words
from sonoworld.view.export import Told

KINDS: tuple[Kind, ...] = ("ply", "spz", "sog", "splat")


def _write(kind: Kind, scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if kind_of(target) != kind:
        raise InputError(f"{target}: expected a name that ends in .{kind} (or another --to), got {target.name!r}")
    told("picture")
    splats = load_lite(scene) if choices.lite else load_scene(scene).splats
    write_splats(target, splats, axes=choices.axes)
    return Written(f"{len(splats)} splats", f", {axes_in_words(choices.axes or AXES[kind])}, metres")


SPLAT_FILES = tuple(
    Container(kind, "splat files", f".{kind}", frozenset({"axes", "lite"}), partial(_write, kind)) for kind in KINDS
)
