"""Files that once got past a reader stay refused, by name, within seconds."""

from pathlib import Path

import pytest

from sonoworld.disk.ambix import read_ambix
from sonoworld.disk.wav import read_sound
from sonoworld.errors import UnsafeFileError
from sonoworld.render.hrtf import hrir

CORPUS = Path(__file__).parent / "corpus"
SAYS = {
    "promise.flac": "samples in at most",
    "cut.w64": "was cut",
    "cut.aiff": "was cut",
    "film.wav": "RIFF of type WAVE",
    "headerless.raw": "no header",
    "too-loud.wav": "within",
    "bomb.sofa": "Data.IR: expected 1..33554432 numbers",
    "same-direction.sofa": "no gap wider",
    "cut.sofa": "readable HDF5",
}


def test_every_file_is_named() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_it_stays_refused(name: str) -> None:
    path = CORPUS / name
    readers = [lambda p: hrir(p, 1)] if path.suffix == ".sofa" else [read_sound, lambda p: read_ambix(p, "fuma")]
    for read in readers:
        with pytest.raises(UnsafeFileError, match=SAYS[name]) as caught:
            read(path)
        assert str(path) in str(caught.value)
