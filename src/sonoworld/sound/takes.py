"""From a recording to a clip: read, one channel, 48 kHz, best part, loop, level; who made it goes along."""

import numpy as np

from sonoworld.disk.wav import read_wav
from sonoworld.errors import InputError
from sonoworld.sound.crossfade import best_loop
from sonoworld.sound.excerpt import Mono, Part, at_rate, best_part, is_event, is_one_shot, one_channel, trimmed
from sonoworld.sound.grains import place
from sonoworld.sound.level import stored
from sonoworld.sound.modulation import spaced
from sonoworld.sound.noise import RATE_HZ, loop_samples
from sonoworld.sound.recordings import Recording
from sonoworld.sound.tone import toned
from sonoworld.types import CLIP_LOUDNESS_LUFS, Clip

SHORTEST_S = 0.05
SHORTEST_LOOP_S = 1.0
EDGE_S = 0.01
MARGIN_S = 1.5
"""What a loop may lose at its join: that much more than the loop is cut from the recording."""
SILENT_PEAK = 1e-5
"""−100 dB of full scale: less than the last bit of a CD."""


def take(
    recording: Recording, seconds: float, rng: np.random.Generator, tone_db: tuple[float, float, float] = (0, 0, 0)
) -> Clip:
    """A loop of at most about `seconds` from a recording, −23 LUFS, 48 kHz.

    Events that stand alone (a bark, a toll) are repeated with rests of uneven length up to `seconds`; what goes on is
    cut and crossfaded where it matches best; what loops already is left as it is.

    Raises:
        UnsafeFileError: the file cannot be read, or holds no finite samples.
        InputError: it is silent, too short, or ends before the part that was asked for.
    """
    whole = _heard(recording)
    loop = whole if recording.loops else loop_of(whole, seconds, rng)
    samples = stored(toned(loop, RATE_HZ, tone_db), RATE_HZ, sparse=is_event(loop))
    return Clip(
        samples,
        RATE_HZ,
        loops=True,
        clip_gain_db=-CLIP_LOUDNESS_LUFS,
        made_by=f"folder: {recording.name}",
        licence=recording.licence,
        author=recording.author,
    )


def loop_of(samples: Mono, seconds: float, rng: np.random.Generator) -> Part:
    """A loop of at most about `seconds` from sound at 48 kHz that is not all silence.

    An event that stands alone is repeated with rests; what goes on is cut and crossfaded where it matches best.
    """
    sound = trimmed(samples)
    if sound.size < SHORTEST_LOOP_S * RATE_HZ or is_one_shot(sound):
        return _repeated(sound, seconds, rng)
    return best_loop(best_part(sound, seconds + MARGIN_S, rng), RATE_HZ)


def _heard(recording: Recording) -> Part:
    """The part of a file that is meant, one channel at 48 kHz, with sound in it, its peak at 1."""
    every, rate_hz = read_wav(recording.path)
    begin = round(recording.begin_s * rate_hz)
    end = every.shape[1] if recording.end_s is None else round(recording.end_s * rate_hz)
    if end > every.shape[1] or end - begin < SHORTEST_S * rate_hz:
        raise InputError(
            f"{recording.path}: expected at least {SHORTEST_S} s of sound from {recording.begin_s:g} s to "
            f"{'its end' if recording.end_s is None else f'{recording.end_s:g} s'}, "
            f"got a recording of {every.shape[1] / rate_hz:.3f} s"
        )
    mono = one_channel(every[:, begin:end])
    peak = float(np.abs(mono).max())
    if peak < SILENT_PEAK:
        raise InputError(f"{recording.path}: expected sound, got silence (nothing above −100 dB of full scale)")
    return at_rate(mono / peak, rate_hz)


def _repeated(event: Mono, seconds: float, rng: np.random.Generator) -> Part:
    """One event again and again, a little louder or softer, with rests of 1.5 to 4 s."""
    edge = min(int(EDGE_S * RATE_HZ), event.size // 4)
    faded = event.copy()
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    faded[:edge] *= rise
    faded[-edge:] *= rise[::-1]
    period_s = event.size / RATE_HZ + rng.uniform(1.5, 4.0)
    out = np.zeros(loop_samples(max(seconds, period_s)))
    for at_s in spaced(period_s, 0.08, out.size, rng):
        place(out, faded * rng.uniform(0.7, 1.0), float(at_s))
    return out
