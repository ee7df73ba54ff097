"""Valid files, as small as they come: what the edits start from."""

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile as sf

from sofa_files import tiny
from sonoworld.disk import riff, wav
from sonoworld.disk.ambix import write_ambix
from sonoworld.types import SoundField

SOUND_KINDS = {
    "pcm16.wav": ("WAV", "PCM_16", 1),
    "pcm24.wav": ("WAVEX", "PCM_24", 2),
    "adpcm.wav": ("WAV", "MS_ADPCM", 1),
    "ima.wav": ("WAV", "IMA_ADPCM", 2),
    "gsm.wav": ("WAV", "GSM610", 1),
    "float.w64": ("W64", "FLOAT", 1),
    "pcm32.caf": ("CAF", "PCM_32", 2),
    "alac.caf": ("CAF", "ALAC_16", 2),
    "pcm8.aiff": ("AIFF", "PCM_S8", 1),
    "flac16.flac": ("FLAC", "PCM_16", 1),
    "flac24.flac": ("FLAC", "PCM_24", 4),
    "vorbis.ogg": ("OGG", "VORBIS", 1),
    "opus.ogg": ("OGG", "OPUS", 2),
}


def noise(channels: int, frames: int = 200) -> np.ndarray:
    return np.random.default_rng(channels).uniform(-0.9, 0.9, (channels, frames)).astype(np.float32)


@cache
def sounds() -> dict[str, bytes]:
    """Every kind of sound file that is read."""
    files: dict[str, bytes] = {}
    for name, (kind, subtype, channels) in SOUND_KINDS.items():
        out = io.BytesIO()
        sf.write(out, noise(channels).T, 48000 if subtype != "GSM610" else 8000, format=kind, subtype=subtype)
        files[name] = out.getvalue()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "own.wav"
        wav.write_wav(path, noise(1), 48000)
        files["own.wav"] = path.read_bytes()
        head = riff.header(riff.Layout(2, 48000, 2**31, "long"))
        small = head.replace((2**34).to_bytes(8, "little"), (1600).to_bytes(8, "little"))
        files["rf64.wav"] = small + noise(2).T.astype("<f4").tobytes()
    return files


@cache
def ambisonics() -> dict[str, bytes]:
    """Sound fields of every convention, and one of a stranger."""
    files: dict[str, bytes] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        for convention, order in (("ambix", 1), ("n3d", 2), ("fuma", 3), ("ambix", 0)):
            write_ambix(path, SoundField(noise((order + 1) ** 2, 30), 48000, 94.0), convention)
            files[f"{convention}{order}.wav"] = path.read_bytes()
    out = io.BytesIO()
    sf.write(out, noise(4, 30).T, 44100, format="CAF", subtype="PCM_24")
    files["stranger.caf"] = out.getvalue()
    return files


@cache
def sofas() -> dict[str, bytes]:
    """Six directions in every kind of HDF5 storage. The first two have no checksums: edits reach deep into them."""
    storages = {
        "plain": (None, {}),
        "gzip": (None, {"compression": "gzip", "shuffle": True, "chunks": True}),
        "checked": ("latest", {"compression": "gzip", "fletcher32": True, "chunks": True}),
        "latest": ("latest", {}),
    }
    files: dict[str, bytes] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.sofa"
        for name, (libver, storage) in storages.items():
            content = tiny()
            content.storage = storage
            files[f"{name}.sofa"] = content.write(path, libver).read_bytes()
    return files
