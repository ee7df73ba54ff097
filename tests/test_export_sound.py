"""Clips as files: read back by libsndfile, whose Ogg reader checks every page's checksum."""

import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

from browser.courtyard import noise, small_world
from sonoworld.encode.options import EncodeOptions
from sonoworld.view.document import HearingPart, SplatsPart
from sonoworld.view.export_sound import SERIAL, encoded, with_coding
from sonoworld.view.world import world_document


def read(data: bytes) -> tuple[np.ndarray, int]:
    return sf.read(io.BytesIO(data), dtype="float32")


def tones(rate_hz: int, seconds: float = 2.0) -> np.ndarray:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.2 * np.sin(2 * np.pi * 440 * t) + 0.1 * np.sin(2 * np.pi * 1100 * t)).astype(np.float32)


def test_flac_is_exact_to_16_bits() -> None:
    samples = noise(3).samples
    back, rate_hz = read(encoded(samples, 48000, "flac"))
    assert rate_hz == 48000
    np.testing.assert_allclose(back, samples, atol=1 / 32768)


def test_opus_is_small_as_long_and_close() -> None:
    samples = tones(48000)
    data = encoded(samples, 48000, "opus")
    back, rate_hz = read(data)
    assert (len(back), rate_hz) == (len(samples), 48000)
    assert len(data) < len(encoded(noise(0, 2.0).samples, 48000, "flac")) / 5
    error = np.sqrt(np.mean((back - samples) ** 2) / np.mean(samples**2))
    assert error < 0.05


def test_opus_brings_other_rates_to_its_own() -> None:
    back, rate_hz = read(encoded(tones(44100), 44100, "opus"))
    assert (len(back), rate_hz) == (96000, 48000)
    spectrum = np.abs(np.fft.rfft(back[24000:72000]))  # 1 Hz a bin
    assert int(spectrum.argmax()) == 440


@pytest.mark.parametrize("coding", ["flac", "opus"])
def test_the_same_samples_give_the_same_bytes(coding: str) -> None:
    samples = noise(1).samples
    assert coding in ("flac", "opus")
    first, second = (encoded(samples, 48000, coding) for _ in range(2))
    assert first == second


def test_every_page_has_our_serial_number() -> None:
    data = encoded(noise(1, 3.0).samples, 48000, "opus")
    pages = [at for at in range(len(data) - 27) if data[at : at + 5] == b"OggS\0"]
    assert len(pages) >= 3
    assert {int.from_bytes(data[at + 14 : at + 18], "little") for at in pages} == {SERIAL}


def test_only_the_clips_are_named_anew() -> None:
    hearing = HearingPart(epsilon_m=0.1, alpha_per_m=0.0, speed_m_s=343.2, filters=())
    scene = small_world()
    silent = replace(scene, sources=(*scene.sources[:1], replace(scene.sources[1], clip=None)))
    document = world_document(silent, "t", (SplatsPart(file="s.sog", count=1),), hearing, None, EncodeOptions())
    lighter = with_coding(document, "opus")
    assert [part.clip and part.clip.file for part in lighter.sources] == ["clips/000.opus", None]
    assert with_coding(lighter, "opus") == lighter
    assert with_coding(document, "flac") == document
