"""What sounds, as an IAMF file: a sound field that players turn with the head."""

from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.scene import load_sources
from sonoworld.errors import InputError
from sonoworld.view.export import Told
from sonoworld.view.export_iamf import export_iamf


def _write(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if target.suffix.lower() != ".iamf":
        raise InputError(f"{target}: expected a name that ends in .iamf (or another --to), got {target.name!r}")
    told("sound")
    gain_db = export_iamf(load_sources(scene), target, choices.title or scene.resolve().name, choices.seconds)
    return Written(
        f"{choices.seconds:g} s of IAMF (third order, LPCM of 24 bits)",
        f", heard from where the photo was taken; one gain of {gain_db:+.1f} dB on all of it",
    )


IAMF = Container("iamf", "IAMF files", ".iamf", frozenset({"title", "seconds"}), _write)
