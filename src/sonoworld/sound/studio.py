"""From words to clips: match the voice, read the manner, let it sound, bring it to level."""

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sonoworld.backend import MakeSound, Run
from sonoworld.errors import InputError
from sonoworld.sound.level import stored
from sonoworld.sound.loop import quietest_join
from sonoworld.sound.manner import manner_of
from sonoworld.sound.match import match
from sonoworld.sound.noise import RATE_HZ, loop_samples
from sonoworld.sound.resonance import far_away
from sonoworld.sound.synth import SynthOptions
from sonoworld.sound.tone import toned
from sonoworld.sound.voices.catalogue import VOICES
from sonoworld.types import CLIP_LOUDNESS_LUFS, Clip, Source

Tell = Callable[[float, str], None]


def synthesise(
    label: str,
    prompt: str = "",
    *,
    seconds: float,
    rng: np.random.Generator,
    tone_db: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Clip:
    """A dry loop for a label, shaped by the words of the label and the prompt.

    Args:
        label: what sounds; decides the voice, before the prompt.
        prompt: how it sounds.
        seconds: length of the loop, at least 1 s, to the nearest 5 ms.
        rng: what makes this dog not the other dog.
        tone_db: lows, middle and highs raised by so many dB (`tone.py`).

    Returns:
        48 kHz mono, −23 LUFS (events: loudest 400 ms at −23), looping without a seam, free of rights.

    Raises:
        InputError: less than 1 s.
    """
    if not seconds >= 1:
        raise InputError(f"seconds: expected at least 1, got {seconds}")
    found = match(label, prompt)
    voice = VOICES[found.voice]
    manner = manner_of(f"{label} {prompt}")
    dry = voice.sound(loop_samples(seconds), manner, rng)
    heard = toned(far_away(dry, max(0.0, manner.distance), rng), RATE_HZ, tone_db)
    samples = stored(quietest_join(heard), RATE_HZ, sparse=voice.sparse)
    made_by = f"synth: {found.told(label)}"
    return Clip(samples, RATE_HZ, loops=True, clip_gain_db=-CLIP_LOUDNESS_LUFS, made_by=made_by, licence="CC0-1.0")


def maker(options: SynthOptions) -> MakeSound:
    """The stage: a clip for every source. One more source changes no other's sound."""

    def make_sound(sources: tuple[Source, ...], run: Run) -> tuple[Source, ...]:
        base = int(run.rng.integers(1 << 62))
        made: list[Source] = []
        for count, source in enumerate(sources):
            run.tell(count / len(sources), source.label)
            rng = np.random.default_rng([base, zlib.crc32(source.id.encode())])
            clip = synthesise(source.label, source.prompt, seconds=options.seconds, rng=rng, tone_db=source.tone_db)
            made.append(replace(source, clip=clip))
        return tuple(made)

    return make_sound
