"""Splats and sounds in one GLB file, taken apart by hand: glTF 2.0 section 4.4, and libsndfile for the sounds."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from browser.courtyard import courtyard, small_world
from sonoworld.disk.splat_file import read_splats, write_splats
from sonoworld.errors import InputError
from sonoworld.view.export_glb import EXTENSION, export_glb


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    assert data[:4] == b"glTF"
    assert int.from_bytes(data[8:12], "little") == len(data)
    size = int.from_bytes(data[12:16], "little")
    assert data[16:20] == b"JSON"
    block = 20 + size
    assert data[block + 4 : block + 8] == b"BIN\0"
    return json.loads(data[20:block]), data[block + 8 :]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("glb") / "yard.glb"
    assert export_glb(courtyard(), small_world().sources, path) == 4
    return path


def test_every_sound_is_inside_and_lasts_as_long(file: Path) -> None:
    document, block = parts(file)
    sound = document["extensions"][EXTENSION]
    assert {"KHR_gaussian_splatting", EXTENSION} == set(document["extensionsUsed"])
    assert len(sound["audio"]) == len(sound["sources"]) == len(sound["emitters"]) == 4
    for one, source in zip(sound["audio"], small_world().sources, strict=True):
        assert one["mimeType"] == "audio/mpeg"
        view = document["bufferViews"][one["bufferView"]]
        data = block[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        heard, rate_hz = sf.read(io.BytesIO(data), dtype="float32")
        assert source.clip is not None
        assert (rate_hz, len(heard)) == (source.clip.rate_hz, len(source.clip.samples))
        meant = source.clip.samples * 0.98 / np.abs(source.clip.samples).max()
        assert np.corrcoef(heard, meant)[0, 1] > 0.8  # of noise, which MP3 keeps worst


def test_emitters_stand_where_sources_are(file: Path) -> None:
    """2 m to the left, and on the wall 5 m ahead: glTF looks along −z, x is to the right."""
    document, _ = parts(file)
    emitters = document["extensions"][EXTENSION]["emitters"]
    assert [one["type"] for one in emitters] == ["positional", "positional", "global", "global"]
    placed = {
        node["extensions"][EXTENSION]["emitter"]: node["translation"]
        for node in document["nodes"]
        if EXTENSION in node.get("extensions", {})
    }
    np.testing.assert_allclose(placed[0], [-2, 0, 0], atol=1e-6)
    np.testing.assert_allclose(placed[1], [0, 0, -5], atol=1e-6)
    for node in document["nodes"][1:]:
        named = node["extensions"][EXTENSION]
        assert named["emitters"] == [named["emitter"]]  # as older and as newer readers ask for it
    (scene,) = document["scenes"]
    assert scene["extensions"][EXTENSION]["emitters"] == [2, 3]
    assert scene["nodes"] == list(range(len(document["nodes"])))


def test_levels_keep_their_differences(file: Path) -> None:
    """70, 60, 45 and 30 dB; clips are stored at one peak, so what their own peaks were is in the gain."""
    document, _ = parts(file)
    gains = np.array([one["gain"] for one in document["extensions"][EXTENSION]["sources"]])
    peaks = np.array([float(np.abs(one.clip.samples).max()) for one in small_world().sources if one.clip])
    levels_db = 20 * np.log10(gains / peaks)
    np.testing.assert_allclose(levels_db - levels_db[0], [0, -10, -25, -40], atol=0.05)


def test_splats_are_those_of_a_file_without_sound(file: Path, tmp_path: Path) -> None:
    write_splats(tmp_path / "plain.glb", courtyard())
    plain, sounding = read_splats(tmp_path / "plain.glb"), read_splats(file)
    np.testing.assert_array_equal(sounding.means, plain.means)
    np.testing.assert_array_equal(sounding.sh, plain.sh)


def test_a_silent_world_has_no_extension(tmp_path: Path) -> None:
    silent = tuple(replace(one, clip=None) for one in small_world().sources)
    assert export_glb(courtyard(), silent, tmp_path / "a.glb") == 0
    write_splats(tmp_path / "plain.glb", courtyard())
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "plain.glb").read_bytes()


def test_the_same_world_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    export_glb(courtyard(), small_world().sources, tmp_path / "again.glb")
    assert (tmp_path / "again.glb").read_bytes() == file.read_bytes()


def test_too_many_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected at most 1000 sources, got 1001"):
        export_glb(courtyard(), small_world().sources[:1] * 1001, tmp_path / "a.glb")
