"""Makes tests/fuzz/corpus: small files that once got past a reader, or would do the most harm if they did.

PYTHONPATH=tests python tests/fuzz/make_corpus.py
"""

import struct
from pathlib import Path

import h5py
import numpy as np
from fuzz_seeds import ambisonics, sofas, sounds

from sofa_files import content_of, tiny
from sonoworld.render.hrirs import HrirSet

CORPUS = Path(__file__).parent / "corpus"


def sound_files() -> dict[str, bytes]:
    flac = bytearray(sounds()["flac16.flac"])
    flac[21] |= 8  # 2^35 samples promised
    fuma = bytearray(ambisonics()["fuma3.wav"])
    fuma[-4:] = struct.pack("<f", 3.3e38)  # overflowed when weights were undone
    return {
        "promise.flac": bytes(flac),
        "cut.w64": sounds()["float.w64"][:500],  # libsndfile made shorter sounds of these two
        "cut.aiff": sounds()["pcm8.aiff"][:150],
        "film.wav": b"RIFF" + struct.pack("<I", 56) + b"AVI LIST" + bytes(48),
        "headerless.raw": sounds()["own.wav"],  # soundfile asked for a rate
        "too-loud.wav": bytes(fuma),
    }


def sofa_files() -> dict[str, bytes]:
    path = CORPUS / "scratch"
    content = tiny()
    content.data["Data.IR"] = None
    content.write(path)
    with h5py.File(path, "a") as file:
        shape, chunks = (10**6, 2, 500_000), (10, 2, 1000)
        file.create_dataset("Data.IR", shape, "f8", chunks=chunks, compression="gzip")
    bomb = path.read_bytes()
    # thousands of times the same direction: merging them pair by pair took all memory
    many = content_of(HrirSet(np.ones((6_000, 2, 16)), np.tile([[1.0, 0, 0]], (6_000, 1)), 48000.0))
    many.storage = {"compression": "gzip", "compression_opts": 9, "chunks": True}
    same = many.write(path).read_bytes()
    path.unlink()
    cut = sofas()["gzip.sofa"][:4000]
    return {"bomb.sofa": bomb, "same-direction.sofa": same, "cut.sofa": cut}


if __name__ == "__main__":
    CORPUS.mkdir(exist_ok=True)
    for name, data in (sound_files() | sofa_files()).items():
        (CORPUS / name).write_bytes(data)
