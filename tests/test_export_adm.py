"""ADM files, taken apart by the standard library's XML reader and by libsndfile.

The EBU ADM renderer (PyPI `ear`) plays them: `ear-render -s 0+5+0 world.adm.wav out.wav`.
"""

import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from browser.courtyard import small_world
from sonoworld.encode.field import encode_scene
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.types import Motion, Source
from sonoworld.view.export_adm import export_adm

NAME = {"e": "urn:ebu:metadata-schema:ebuCore_2014"}
SECONDS = 1.25


def sources() -> tuple[Source, ...]:
    return small_world("fountain <&>").sources


def moving() -> tuple[Source, ...]:
    """The first one goes from the left, over a second, to ahead and above."""
    path = Motion(np.array([0.0, 1.0]), np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 2.0]]), loops=False)
    return (replace(sources()[0], path=path), *sources()[1:])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adm") / "yard.adm.wav"
    export_adm(sources(), path, "A yard", SECONDS, order=1)
    return path


def chunks(path: Path) -> dict[bytes, bytes]:
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WAVE"
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    found: dict[bytes, bytes] = {}
    at = 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found[data[at : at + 4]] = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(data)
    return found


def axml(path: Path) -> ET.Element:
    return ET.fromstring(chunks(path)[b"axml"])


def positions(root: ET.Element) -> np.ndarray:
    """[block, 3] azimuth, elevation (degrees) and distance of the only object."""
    blocks = root.findall(".//e:audioChannelFormat[@typeDefinition='Objects']/e:audioBlockFormat", NAME)
    return np.array([[float(str(one.text)) for one in block.findall("e:position", NAME)] for block in blocks])


def test_sounds_are_those_that_arrive(file: Path) -> None:
    stored, rate_hz = sf.read(file, dtype="float64", always_2d=True)
    assert (rate_hz, stored.shape) == (48000, (60000, 5))
    everyone = sources()
    alone = encode_scene(everyone[:1], Pose.identity(), EncodeOptions(order=0), 60000).signal
    bed = encode_scene(everyone[1:], Pose.identity(), EncodeOptions(order=1), 60000).signal
    meant = np.concatenate([alone, bed]).T
    gain = 0.98 / np.abs(meant).max()
    np.testing.assert_allclose(stored, meant * gain, atol=1.5 / 2**23)


def test_the_gain_is_told(tmp_path: Path) -> None:
    told_db = export_adm(sources(), tmp_path / "a.wav", "t", SECONDS, order=1)
    alone = encode_scene(sources()[:1], Pose.identity(), EncodeOptions(order=0), 60000).signal
    stored, _ = sf.read(tmp_path / "a.wav", always_2d=True)
    assert 20 * np.log10(np.abs(stored[:, 0]).max() / np.abs(alone).max()) == pytest.approx(told_db, abs=1e-3)


def test_every_channel_is_named_in_chna_and_axml(file: Path) -> None:
    body = chunks(file)[b"chna"]
    tracks, uids = struct.unpack_from("<HH", body)
    assert tracks == uids == 5
    rows = [struct.unpack_from("<H12s14s11sx", body, 4 + 40 * i) for i in range(uids)]
    assert len(body) == 4 + 40 * uids
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    root = axml(file)
    for number, uid, track, pack in rows:
        element = root.find(f".//e:audioTrackUID[@UID='{uid.decode()}']", NAME)
        assert element is not None, number
        assert element.findtext("e:audioTrackFormatIDRef", namespaces=NAME) == track.decode()
        assert element.findtext("e:audioPackFormatIDRef", namespaces=NAME) == pack.decode()


def test_every_reference_has_its_element(file: Path) -> None:
    root = axml(file)
    known = {value for one in root.iter() for key, value in one.attrib.items() if key.endswith("ID")}
    wanted = {str(one.text) for one in root.iter() if one.tag.endswith("IDRef")}
    assert wanted <= known
    assert len(wanted) > 20


def test_an_object_is_where_its_source_is(file: Path) -> None:
    root = axml(file)
    np.testing.assert_allclose(positions(root), [[90, 0, 1]], atol=1e-3)  # 2 m to the left
    names = [one.get("audioObjectName") for one in root.findall(".//e:audioObject", NAME)]
    assert names == ["fountain <&>", "bed"]


def test_the_bed_counts_its_harmonics(file: Path) -> None:
    blocks = axml(file).findall(".//e:audioChannelFormat[@typeDefinition='HOA']/e:audioBlockFormat", NAME)
    found = [
        (int(str(one.findtext("e:order", namespaces=NAME))), int(str(one.findtext("e:degree", namespaces=NAME))))
        for one in blocks
    ]
    assert found == [(0, 0), (1, -1), (1, 0), (1, 1)]
    assert {one.findtext("e:normalization", namespaces=NAME) for one in blocks} == {"SN3D"}


def test_a_moving_object_goes_all_the_way(tmp_path: Path) -> None:
    export_adm(moving(), tmp_path / "a.wav", "t", SECONDS, order=1)
    root = axml(tmp_path / "a.wav")
    way = positions(root)
    np.testing.assert_allclose(way[0], [90, 0, 1], atol=1e-3)
    np.testing.assert_allclose(way[-1], [0, 45, 1], atol=1e-3)
    assert (np.diff(way[:, 0]) <= 0).all()
    blocks = root.findall(".//e:audioChannelFormat[@typeDefinition='Objects']/e:audioBlockFormat", NAME)
    ends = 0.0
    for block in blocks:
        start, length = (float(str(block.get(key)).split(":")[2]) for key in ("rtime", "duration"))
        assert start == pytest.approx(ends, abs=1e-9)
        ends = start + length
    assert ends == pytest.approx(SECONDS)


def test_the_same_world_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    export_adm(sources(), tmp_path / "again.wav", "A yard", SECONDS, order=1)
    assert (tmp_path / "again.wav").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("seconds", [0.5, 4000.0, float("nan")])
def test_lengths_have_bounds(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(InputError, match="expected 1 to 3600 seconds"):
        export_adm(sources(), tmp_path / "a.wav", "t", seconds)


def test_nothing_and_too_much_are_errors(tmp_path: Path) -> None:
    silent = tuple(replace(one, clip=None) for one in sources())
    with pytest.raises(InputError, match="expected 1 to 112 point sources"):
        export_adm(silent, tmp_path / "a.wav", "t", 1.0)
    with pytest.raises(InputError, match="got 113 point sources"):
        export_adm(sources()[:1] * 113, tmp_path / "a.wav", "t", 1.0)
    with pytest.raises(InputError, match="take fewer seconds"):
        export_adm(sources()[:1] * 100, tmp_path / "a.wav", "t", 3600.0)
    assert not list(tmp_path.iterdir())
