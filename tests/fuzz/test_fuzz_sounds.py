"""Sound and Ambisonic files of strangers: read, or turned down with one clear error. Never anything else."""

import tracemalloc
from pathlib import Path

import pytest
from fuzz_edits import Edit, edited, edits
from fuzz_outcomes import ambix_outcome, outcome, sound_outcome
from fuzz_seeds import ambisonics, sounds
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.disk.wav import read_wav
from sonoworld.errors import UnsafeFileError

MOST_BYTES = 8 * 2**20
"""For files of a few kB."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_seeds_are_valid(folder: Path) -> None:
    for seeds, read in ((sounds(), sound_outcome), (ambisonics(), ambix_outcome)):
        for name, data in seeds.items():
            (folder / name).write_bytes(data)
            assert outcome(read, folder / name) == "read", name
            assert len(data) < 7000


@settings(max_examples=400)
@given(name=st.sampled_from(sorted(sounds())), other=st.sampled_from(sorted(sounds())), changes=edits())
def test_sounds(folder: Path, name: str, other: str, changes: list[Edit]) -> None:
    path = folder / name
    path.write_bytes(edited(sounds()[name], changes, sounds()[other]))
    tracemalloc.start()
    try:
        outcome(sound_outcome, path)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


@settings(max_examples=300)
@given(name=st.sampled_from(sorted(ambisonics())), other=st.sampled_from(sorted(ambisonics())), changes=edits(300))
def test_ambisonics(folder: Path, name: str, other: str, changes: list[Edit]) -> None:
    path = folder / name
    path.write_bytes(edited(ambisonics()[name], changes, ambisonics()[other]))
    outcome(ambix_outcome, path)


@settings(max_examples=150)
@given(name=st.sampled_from(["own.wav", "rf64.wav", "pcm24.wav"]), data=st.data())
def test_sizes_that_lie(folder: Path, name: str, data: st.DataObject) -> None:
    # every 32-bit field of the header, one at a time, with every size
    whole = sounds()[name]
    at = data.draw(st.integers(0, whole.index(b"data") + 7))
    size = data.draw(st.sampled_from([0, 1, 3, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]) | st.integers(0, 2**32 - 1))
    path = folder / name
    path.write_bytes(whole[:at] + size.to_bytes(4, "little") + whole[at + 4 :])
    outcome(sound_outcome, path)


@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF0000WAVE", b"fLaC", b"OggS", b"caff", b"FORM", b"riff"]))
def test_noise(folder: Path, noise: bytes, start: bytes) -> None:
    (folder / "noise.wav").write_bytes(start + noise)
    assert outcome(sound_outcome, folder / "noise.wav") == "refused"


def test_every_cut(folder: Path) -> None:
    for name in ("own.wav", "pcm24.wav", "flac16.flac"):
        whole = sounds()[name]
        path = folder / name
        for size in range(0, len(whole) - 1, 1 + len(whole) // 400):
            path.write_bytes(whole[:size])
            with pytest.raises(UnsafeFileError, match="expected"):
                read_wav(path)
