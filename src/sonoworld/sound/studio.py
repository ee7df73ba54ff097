"""Where words become clips."""

import zlib
from dataclasses import replace

import numpy as np

from sonoworld.backend import Run
from sonoworld.sound.level import CLIP_GAIN_DB, at_clip_loudness
from sonoworld.sound.match import find_class
from sonoworld.sound.mood import read_mood
from sonoworld.sound.ring import RATE_HZ, ring_length
from sonoworld.types import Clip, Source


def synthesise(label: str, prompt: str, seconds: float, rng: np.random.Generator) -> Clip:
    """A seamless loop of about `seconds` for a label and its prompt, at 48 kHz and −23 LUFS.

    `made_by` names the class, and for words it does not know, the nearest and its distance.
    """
    match = find_class(label, prompt)
    mood = read_mood(f"{label} {prompt}", rng)
    samples = match.kind.voice(ring_length(seconds), rng, mood)
    near = "" if match.distance == 0 else f" (nearest to '{label}', distance {match.distance:.2f})"
    return Clip(
        at_clip_loudness(samples, RATE_HZ),
        RATE_HZ,
        loops=True,
        clip_gain_db=CLIP_GAIN_DB,
        made_by=f"synth: {match.kind.name}{near}",
        licence="CC0-1.0",
        author="sonoworld",
    )


def voice_all(sources: tuple[Source, ...], seconds: float, run: Run) -> tuple[Source, ...]:
    """A clip for every source. Each has randomness of its own, from its id: adding a source changes no other."""
    base = int(run.rng.integers(2**62))
    voiced: list[Source] = []
    for i, source in enumerate(sources):
        run.tell(i / len(sources), source.label)
        rng = np.random.default_rng(np.random.SeedSequence([base, zlib.crc32(source.id.encode())]))
        voiced.append(replace(source, clip=synthesise(source.label, source.prompt, seconds, rng)))
    return tuple(voiced)
