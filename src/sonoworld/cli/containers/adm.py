"""What sounds, as an ADM file for studios: objects and an Ambisonic bed, without the picture."""

from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.scene import load_sources
from sonoworld.errors import InputError
from sonoworld.view.export import Told
from sonoworld.view.export_adm import export_adm

ENDINGS = (".wav", ".bw64", ".adm")


def _write(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if target.suffix.lower() not in ENDINGS:
        raise InputError(f"{target}: expected a name that ends in {', '.join(ENDINGS)}, got {target.name!r}")
    told("sound")
    title = choices.title or scene.resolve().name
    gain_db = export_adm(load_sources(scene), target, title, choices.seconds)
    return Written(
        f"{choices.seconds:g} s of ADM (BW64, 24 bits)",
        f", heard from where the photo was taken; one gain of {gain_db:+.1f} dB on all of it",
    )


ADM = Container("adm", "ADM files", ".adm.wav", frozenset({"title", "seconds"}), _write)
