"""WAV files: float32 written byte for byte the same every time; any PCM or float WAV, FLAC or OGG read within bounds.

libsndfile stamps the date into float WAV files, so writing is done here: RIFF with a `fact` chunk, nothing else.
"""

import struct
from pathlib import Path

import numpy as np
import soundfile as sf
from jaxtyping import Float32

from sonoworld.disk import atomic
from sonoworld.errors import InputError, UnsafeFileError

MAX_SAMPLES = 48_000 * 3600 * 4
MAX_CHANNELS = 128
RATE_HZ = 48_000
"""The rate of every file written here."""
WAVE_FORMAT_IEEE_FLOAT = 3


def write_wav(path: Path, signal: Float32[np.ndarray, "c t"], rate_hz: int) -> None:
    """Write float32 samples, interleaved; values beyond ±1 are kept.

    Raises:
        InputError: samples are not finite, or the file would pass 4 GiB (RIFF's limit).
    """
    if not np.isfinite(signal).all():
        raise InputError(f"{path}: expected finite samples, got NaN or infinity")
    data = np.ascontiguousarray(signal.T, "<f4").tobytes()
    if len(data) >= 2**32 - 64:
        raise InputError(f"{path}: expected at most 4 GiB of samples (RIFF), got {len(data)} bytes")
    channels, frames = signal.shape
    fmt = struct.pack(
        "<HHIIHHH", WAVE_FORMAT_IEEE_FLOAT, channels, rate_hz, rate_hz * 4 * channels, 4 * channels, 32, 0
    )
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"fact" + struct.pack("<II", 4, frames)
    chunks += b"data" + struct.pack("<I", len(data))
    atomic.write_bytes(path, b"RIFF" + struct.pack("<I", 4 + len(chunks) + len(data)) + b"WAVE" + chunks + data)


def read_wav(path: Path) -> tuple[Float32[np.ndarray, "c t"], int]:
    """Samples [channel, time] and rate in Hz of a sound file.

    Raises:
        UnsafeFileError: missing, not a sound file, too long, too many channels, empty, or not finite.
    """
    try:
        with sf.SoundFile(path) as file:
            if not 0 < file.frames * file.channels <= MAX_SAMPLES or file.channels > MAX_CHANNELS:
                raise UnsafeFileError(
                    f"{path}: expected 1..{MAX_SAMPLES} samples in at most {MAX_CHANNELS} channels, "
                    f"its header says {file.frames}×{file.channels}"
                )
            samples = file.read(dtype="float32", always_2d=True)
            rate_hz = file.samplerate
    except (sf.LibsndfileError, OSError, RuntimeError) as error:
        raise UnsafeFileError(f"{path}: expected a sound file: {error}") from error
    if samples.size == 0 or not np.isfinite(samples).all():
        raise UnsafeFileError(
            f"{path}: expected finite samples, got {'none' if samples.size == 0 else 'NaN or infinity'}"
        )
    return np.ascontiguousarray(samples.T), int(rate_hz)
