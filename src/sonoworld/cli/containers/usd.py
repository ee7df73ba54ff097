"""Splats and sounds in one USDZ file, for programs that read OpenUSD."""

from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.scene import load_lite, load_scene, load_sources
from sonoworld.errors import InputError
from sonoworld.view.export import Told
from sonoworld.view.export_usd import SPLAT_SCHEMA, export_usd


def _write(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if target.suffix.lower() != ".usdz":
        raise InputError(f"{target}: expected a name that ends in .usdz (or another --to), got {target.name!r}")
    told("picture and sounds")
    splats = load_lite(scene) if choices.lite else load_scene(scene).splats
    written = export_usd(splats, load_sources(scene), target)
    kind = "splats" if written.splats else f"points (this usd-core has no {SPLAT_SCHEMA}; 26.3 and later do)"
    return Written(f"{len(splats)} {kind} and {written.sounds} sounds", ", y up, metres")


USD = Container("usd", "USD files", ".usdz", frozenset({"lite"}), _write)
