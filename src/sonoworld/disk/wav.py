"""Sound files: float32 WAV written byte for byte the same every time; WAV, AIFF, CAF, FLAC, OGG, MP3 read in bounds.

libsndfile stamps the date into float WAV files, so writing is done here: RIFF (RF64 from 4 GiB on) with a `fact` chunk.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from jaxtyping import Float32

from sonoworld.disk import atomic, riff
from sonoworld.errors import InputError, UnsafeFileError

MAX_SAMPLES = 48_000 * 3600 * 4
"""Of all channels together: an hour of first order, or 2.6 GiB."""
MAX_CHANNELS = 128
MAX_EXPANSION = 200
"""Samples per stored byte, for files of more than `FREE_SAMPLES`: FLAC of speech has 1, of silence thousands."""
FREE_SAMPLES = 48_000 * 600
RATES_HZ = (1000, 768_000)
MAX_PEAK = 1e9
"""180 dB above full scale: what is louder is no sound, and its square would leave float32."""
RATE_HZ = 48_000
"""The rate of every file written here."""
_BLOCK = 65_536
_KINDS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"caff", b"fLaC", b"OggS")
_SAYS = "a sound file (WAV, RF64, W64, AIFF, CAF, FLAC, OGG or MP3)"
_UNCOUNTED = ("OGG", "MP3")
"""Kinds without a count in the header: libsndfile's is an estimate and may be a little off."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a sound file holds. `note` is its comment; `b_format` says that it declares itself FuMa Ambisonics."""

    samples: Float32[np.ndarray, "c t"]
    rate_hz: int
    note: str = ""
    b_format: bool = False


@dataclass(frozen=True, slots=True)
class SoundTags:
    """What a sound file says about itself; "" for what it does not say."""

    title: str
    artist: str
    genre: str
    licence: str


def write_wav(
    path: Path,
    signal: Float32[np.ndarray, "c t"],
    rate_hz: int,
    *,
    note: str = "",
    b_format: bool = False,
    speaker_mask: int = 0,
) -> None:
    """Write float32 samples, interleaved; values beyond ±1 are kept. RF64 where RIFF ends, at 4 GiB.

    Args:
        path: file to write, whole or not at all.
        signal: samples, full scale ±1.
        rate_hz: samples per second.
        note: comment for people and other programs.
        b_format: declares FuMa Ambisonics (.amb).
        speaker_mask: loudspeakers of the channels, WAVE's bits (`Layout.wave_mask`); 0: no loudspeakers.

    Raises:
        InputError: samples are not finite or absurdly loud, or there are no channels or too many.
    """
    channels, frames = signal.shape
    if not 1 <= channels <= MAX_CHANNELS:
        raise InputError(f"{path}: expected 1..{MAX_CHANNELS} channels, got {channels}")
    if speaker_mask and speaker_mask.bit_count() != channels:
        raise InputError(f"{path}: expected a speaker mask of {channels} bits, got {speaker_mask:#x}")
    if (got := _not_sound(signal)) is not None:
        raise InputError(f"{path}: expected finite samples within ±{MAX_PEAK:g}, got {got}")
    with atomic.replacing(path) as file:
        file.write(riff.header(riff.Layout(channels, rate_hz, frames, note, b_format, speaker_mask)))
        for start in range(0, frames, _BLOCK):
            file.write(np.ascontiguousarray(signal[:, start : start + _BLOCK].T, "<f4").tobytes())


def read_wav(path: Path) -> tuple[Float32[np.ndarray, "c t"], int]:
    """Samples [channel, time] and rate in Hz of a sound file.

    Raises:
        UnsafeFileError: see `read_sound`.
    """
    sound = read_sound(path)
    return sound.samples, sound.rate_hz


def read_sound(path: Path) -> Sound:
    """A sound file, whole. Memory grows with what is decoded, not with what the header says.

    Raises:
        UnsafeFileError: missing, not a sound file, cut short, too long, too many channels, empty, or not finite.
    """
    b_format = _check_file(path)
    try:
        with sf.SoundFile(path) as file:
            _check_header(path, file)
            samples = _decoded(path, file)
            rate_hz, note = int(file.samplerate), str(file.comment)
    except (sf.LibsndfileError, OSError, RuntimeError) as error:
        raise UnsafeFileError(f"{path}: expected {_SAYS}, got one that cannot be decoded ({error})") from error
    if (got := _not_sound(samples)) is not None:
        raise UnsafeFileError(f"{path}: expected finite samples within ±{MAX_PEAK:g}, got {got}")
    return Sound(samples, rate_hz, note, b_format)


def read_tags(path: Path) -> SoundTags:
    """The tags of a sound file, without its samples.

    Raises:
        UnsafeFileError: as `read_sound`, as far as the header shows it.
    """
    _check_file(path)
    try:
        with sf.SoundFile(path) as file:
            _check_header(path, file)
            tags = (str(file.title), str(file.artist), str(file.genre), str(file.license or file.copyright))
    except (sf.LibsndfileError, OSError, RuntimeError) as error:
        raise UnsafeFileError(f"{path}: expected {_SAYS}, got one that cannot be decoded ({error})") from error
    return SoundTags(*(" ".join(tag.split())[:200] for tag in tags))


def _not_sound(samples: Float32[np.ndarray, "c t"]) -> str | None:
    peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    return None if peak <= MAX_PEAK else "NaN or infinity" if not np.isfinite(peak) else f"{peak:g}"


def _check_file(path: Path) -> bool:
    """Whether it declares itself FuMa; an error where its first bytes or its length are not those of a sound file."""
    try:
        if not path.is_file():
            got = "a folder or device" if path.exists() else "no such file"
            raise UnsafeFileError(f"{path}: expected {_SAYS}, got {got}")
        with path.open("rb") as file:
            start = file.read(24)
    except OSError as error:
        raise UnsafeFileError(f"{path}: expected {_SAYS}, got {error.strerror or error}") from error
    kind, size = start[:4], path.stat().st_size
    if kind not in _KINDS and not _is_mp3(kind):
        raise UnsafeFileError(f"{path}: expected {_SAYS}, got one that starts with {kind!r}")
    if path.suffix.lower() == ".raw":  # libsndfile would take the name's word that there is no header
        raise UnsafeFileError(f"{path}: expected {_SAYS}, got a name that says it has no header; rename it")
    # AIFF: bytes after the first 8; W64: bytes of all (Sonic Foundry 2003)
    whole = {b"FORM": 8 + int.from_bytes(start[4:8], "big"), b"riff": int.from_bytes(start[16:24], "little")}
    if whole.get(kind, 0) > size:
        raise UnsafeFileError(f"{path}: expected {whole[kind]} bytes as its header says, got {size}: it was cut")
    return riff.promised(path).b_format if kind in (b"RIFF", b"RIFX", b"RF64") else False


def _is_mp3(start: bytes) -> bool:
    """An ID3v2 tag, or the eleven set bits with which a frame begins (ISO 11172-3, 2.4.2.3), layer III."""
    return start[:3] == b"ID3" or (len(start) >= 2 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2)


def _check_header(path: Path, file: sf.SoundFile) -> None:
    count = file.frames * file.channels
    if not 0 < count <= MAX_SAMPLES or file.channels > MAX_CHANNELS:
        raise UnsafeFileError(
            f"{path}: expected 1..{MAX_SAMPLES} samples in at most {MAX_CHANNELS} channels, "
            f"got {file.frames}×{file.channels}"
        )
    size = path.stat().st_size
    if count > max(FREE_SAMPLES, MAX_EXPANSION * size):
        raise UnsafeFileError(
            f"{path}: expected at most {MAX_EXPANSION} samples per stored byte, got {count} in {size} bytes"
        )
    if not RATES_HZ[0] <= file.samplerate <= RATES_HZ[1]:
        raise UnsafeFileError(f"{path}: expected {RATES_HZ[0]}..{RATES_HZ[1]} Hz, got {file.samplerate}")


def _decoded(path: Path, file: sf.SoundFile) -> Float32[np.ndarray, "c t"]:
    blocks: list[Float32[np.ndarray, "n c"]] = []
    frames = 0
    while frames < file.frames:
        block = file.read(min(_BLOCK, file.frames - frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block)
        frames += len(block)
    if frames == 0 or (frames < file.frames and file.format not in _UNCOUNTED):
        raise UnsafeFileError(f"{path}: expected {file.frames} frames as its header says, got {frames}: it was cut")
    return np.ascontiguousarray(np.concatenate(blocks).T)
