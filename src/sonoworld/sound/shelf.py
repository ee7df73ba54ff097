"""Which recording for which source, and a clip of each."""

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from sonoworld.backend import MakeSound, Run
from sonoworld.errors import StageError
from sonoworld.sound.folder import FolderOptions
from sonoworld.sound.likeness import likeness
from sonoworld.sound.recordings import Recording, read_folder
from sonoworld.sound.studio import synthesise
from sonoworld.sound.takes import take
from sonoworld.types import Clip, Source

EQUAL = 0.02
"""Recordings whose likeness differs by less are equally good: the seed chooses."""


def fit(recording: Recording, label: str, prompt: str) -> float:
    """Likeness 0..1 of a recording's label and tags and what a source asks for."""
    return likeness(label, prompt, " ".join((recording.label, *recording.tags)))


def best_fit(
    recordings: tuple[Recording, ...], label: str, prompt: str, rng: np.random.Generator
) -> tuple[Recording, float]:
    """The recording whose words fit best, and how well; the seed chooses among equals."""
    fits = np.array([fit(recording, label, prompt) for recording in recordings])
    equal = np.flatnonzero(fits >= fits.max() - EQUAL)
    chosen = int(equal[rng.integers(equal.size)])
    return recordings[chosen], float(fits[chosen])


def maker(options: FolderOptions) -> MakeSound:
    """The stage: a clip for every source. One more source changes no other's sound."""
    recordings = read_folder(Path(options.path))

    def clip_of(source: Source, rng: np.random.Generator) -> Clip:
        recording, fitness = best_fit(recordings, source.label, source.prompt, rng)
        if fitness >= options.likeness:
            return take(recording, options.seconds, rng, source.tone_db)
        if options.otherwise == "fail":
            raise StageError(
                f"{options.path}: expected a recording of {source.label!r}, got at best {recording.name!r} "
                f"(likeness {fitness:.2f}, sound.likeness = {options.likeness:g}); name one so in sounds.toml, or let "
                'sound.otherwise = "synth" make it'
            )
        seconds = min(options.seconds, 60.0)
        clip = synthesise(source.label, source.prompt, seconds=seconds, rng=rng, tone_db=source.tone_db)
        return replace(clip, made_by=f"{clip.made_by}; no recording of it (likeness {fitness:.2f})")

    def make_sound(sources: tuple[Source, ...], run: Run) -> tuple[Source, ...]:
        base = int(run.rng.integers(1 << 62))
        made: list[Source] = []
        for count, source in enumerate(sources):
            run.tell(count / len(sources), source.label)
            rng = np.random.default_rng([base, zlib.crc32(source.id.encode())])
            made.append(replace(source, clip=clip_of(source, rng)))
        return tuple(made)

    return make_sound
