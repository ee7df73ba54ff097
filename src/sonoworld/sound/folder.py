"""Sound from the user's own recordings."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, MakeSound, Options


class FolderOptions(Options):
    """Where the recordings are, and what to do for sources that none of them fits."""

    path: str = Field(description="folder of recordings (WAV, FLAC, OGG, MP3, AIFF), perhaps with a sounds.toml")
    otherwise: Literal["synth", "fail"] = Field(
        default="synth", description="a source that no recording fits: synth makes its sound, fail stops with a message"
    )
    likeness: float = Field(
        default=0.5, ge=0, le=1, description="how well words must fit, 0..1, for a recording to be used"
    )
    seconds: float = Field(default=20, ge=4, le=120, description="longest loop in seconds")


def _make(options: FolderOptions) -> MakeSound:
    from sonoworld.sound.shelf import maker  # noqa: PLC0415  # heavy: numba and SciPy wait until sounds are made

    return maker(options)


def _files(options: FolderOptions) -> tuple[str, ...]:
    from sonoworld.sound.recordings import sheet_of, sound_files  # noqa: PLC0415  # soundfile waits likewise

    folder = Path(options.path)
    files = sound_files(folder)
    sheet = sheet_of(folder)
    return tuple(str(file) for file in (files if sheet is None else (*files, sheet)))


FOLDER = Backend(
    stage="sound",
    name="folder",
    version="1",
    summary="your own recordings, chosen by their words, cut and looped; credits kept",
    options=FolderOptions,
    make=_make,
    files=_files,
)
