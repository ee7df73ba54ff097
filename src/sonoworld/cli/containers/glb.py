"""Splats and sounds in one GLB file, for engines that import glTF."""

from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.scene import load_lite, load_scene, load_sources
from sonoworld.disk.splat_file import AXES, kind_of
from sonoworld.errors import InputError
from sonoworld.frames import axes_in_words
from sonoworld.view.export import Told
from sonoworld.view.export_glb import export_glb


def _write(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if kind_of(target) != "glb":
        raise InputError(f"{target}: expected a name that ends in .glb (or another --to), got {target.name!r}")
    told("picture and sounds")
    splats = load_lite(scene) if choices.lite else load_scene(scene).splats
    count = export_glb(splats, load_sources(scene), target, choices.axes)
    words = axes_in_words(choices.axes or AXES["glb"])
    return Written(f"{len(splats)} splats and {count} sounds", f", {words}, metres")


GLB = Container("glb", "GLB files", ".glb", frozenset({"axes", "lite"}), _write)
