"""What is seen and heard: a folder for each scene, with one picture or film and one sound for each method.

    STIMULI/<scene>/<any name>.mp4|webm|jpg|png        what everybody sees
    STIMULI/<scene>/<method>.wav|flac|ogg|mp3          what each method sounds like, for two ears

Within a scene all methods are played equally loud (ITU-R BS.1770-4), turned down to the softest: people prefer what is
louder.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonoworld.disk import wav
from sonoworld.errors import InputError

SEEN = (".mp4", ".webm", ".jpg", ".jpeg", ".png")
HEARD = (".wav", ".flac", ".ogg", ".mp3")
LEAST_S = 1.0
UNEQUAL_S = 0.1
"""By so much the lengths of one scene's sounds may differ."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """One sound.

    Attributes:
        file: two channels.
        gain_db: at which it is played, 0 or less.
        seconds: its length.
    """

    file: Path
    gain_db: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: what is seen, and method -> sound."""

    name: str
    seen: Path
    sounds: dict[str, Stimulus]


def read(folder: Path) -> list[Scene]:
    """All scenes of a folder, in order of their names.

    Raises:
        InputError: nothing there, more than one film or picture in a scene, methods that differ between scenes, or
            sounds that are not two channels, silent, too short, above full scale, or of different lengths.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder with one folder for each scene")
    scenes = [_scene(place) for place in sorted(folder.iterdir()) if place.is_dir()]
    if not scenes:
        raise InputError(f"{folder}: expected one folder for each scene, got none")
    methods = set(scenes[0].sounds)
    for scene in scenes:
        if unlike := methods ^ set(scene.sounds):
            raise InputError(
                f"{scene.name} and {scenes[0].name} have not the same methods: {', '.join(sorted(unlike))}"
            )
    return scenes


def _scene(folder: Path) -> Scene:
    files = sorted(file for file in folder.iterdir() if file.is_file())
    seen = [file for file in files if file.suffix.lower() in SEEN]
    heard = [file for file in files if file.suffix.lower() in HEARD]
    if len(seen) != 1:
        raise InputError(f"{folder}: expected one film or picture ({', '.join(SEEN)}), got {len(seen)}")
    if len({file.stem for file in heard}) != len(heard) or len(heard) < 2:
        raise InputError(f"{folder}: expected one sound for each of at least two methods, got {len(heard)}")
    measured = {file: _measured(file) for file in heard}
    lengths = [seconds for _, seconds in measured.values()]
    if max(lengths) - min(lengths) > UNEQUAL_S:
        raise InputError(f"{folder}: expected sounds of one length, got {min(lengths):.2f} to {max(lengths):.2f} s")
    softest = min(loudness for loudness, _ in measured.values())
    sounds = {f.stem: Stimulus(f, softest - loudness, seconds) for f, (loudness, seconds) in measured.items()}
    return Scene(folder.name, seen[0], sounds)


def _measured(file: Path) -> tuple[float, float]:
    """Loudness in LUFS and length in seconds."""
    import pyloudnorm  # noqa: PLC0415  half a second to import

    sound = wav.read_sound(file)
    channels, length = sound.samples.shape
    if channels != 2:
        raise InputError(f"{file}: expected two channels, one for each ear, got {channels}")
    if length < LEAST_S * sound.rate_hz:
        raise InputError(f"{file}: expected at least {LEAST_S:g} s, got {length / sound.rate_hz:.2f} s")
    if (peak := float(np.abs(sound.samples).max())) > 1:
        raise InputError(f"{file}: expected peaks of at most 1, got {peak:.2f}: it would be cut")
    loudness = float(pyloudnorm.Meter(sound.rate_hz).integrated_loudness(np.asarray(sound.samples.T, np.float64)))
    if not math.isfinite(loudness):
        raise InputError(f"{file}: expected sound, got silence (below -70 LUFS throughout)")
    return loudness, length / sound.rate_hz
