import hashlib
import json
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile as sf
from scipy.spatial import cKDTree

from browser.courtyard import courtyard, small_world
from sonoworld.disk.sog import read_sog
from sonoworld.encode.air import air_bank
from sonoworld.encode.decorrelate import decorrelator
from sonoworld.encode.nearfield import near_field_roots
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import interpolation_table
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.render.hrtf import hrir
from sonoworld.render.speakers import LAYOUTS
from sonoworld.render.speakers_decode import speaker_decoder
from sonoworld.view import export, export_folder, hearing


def digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_folder(small_world(), tmp_path_factory.mktemp("export") / "site")


def test_every_file_the_page_asks_for_is_there(exported: Path) -> None:
    world = json.loads((exported / "world.json").read_text())
    named = [world["splats"]["file"], world["poster"]]
    named += [ears["file"] for ears in world["sound"]["filters"]]
    clips = [source["clip"] for source in world["sources"]]
    named += [clip["file"] for clip in clips]
    named += [clip["copies"]["file"] for clip in clips if clip["copies"]]
    page = ["index.html", "viewer.js", "worklet.js", "viewer.css", "icon.svg", "LICENSES.txt", "kernel.wasm"]
    assert set(digests(exported)) == {*named, *page, "world.json"}


def test_no_file_speaks_of_another_host(exported: Path) -> None:
    text = (exported / "index.html").read_text() + (exported / "viewer.css").read_text()
    assert "//" not in text.replace("http://www.w3.org", "")
    licences = (exported / "LICENSES.txt").read_text()
    assert "PlayCanvas" in licences
    assert "kernel.wasm" in licences


def test_pictures_and_sounds_are_those_of_the_scene(exported: Path) -> None:
    drawn = read_sog(exported / "splats.sog").means
    nearest, _ = cKDTree(drawn).query(courtyard().means)
    assert len(drawn) == len(courtyard())
    assert nearest.max() < 0.01  # of 60 m: 16 bits of a logarithmic range
    scene = small_world()
    for number, source in enumerate(scene.sources):
        assert source.clip is not None
        stored, rate_hz = sf.read(exported / "clips" / f"{number:03d}.flac", dtype="float32")
        assert rate_hz == source.clip.rate_hz
        scale = 0.98 / np.abs(source.clip.samples).max()
        np.testing.assert_allclose(stored, source.clip.samples * scale, atol=1 / 32768)


def test_ears_are_those_of_the_package(exported: Path) -> None:
    sets = json.loads((exported / "world.json").read_text())["sound"]["filters"]
    assert [(one["output"], one["order"]) for one in sets] == [("headphones", n) for n in (5, 4, 3, 2, 1)] + [
        ("speakers", 3)
    ]
    for ears in sets[:-1]:
        filters = np.fromfile(exported / ears["file"], "<f4").reshape(2, (ears["order"] + 1) ** 2, ears["taps"])
        np.testing.assert_array_equal(filters, hrir("kemar", ears["order"], ears["rate_hz"]))
    gains = np.fromfile(exported / sets[-1]["file"], "<f4").reshape(2, 16)
    np.testing.assert_allclose(gains, speaker_decoder(LAYOUTS["stereo"], 3, max_re=False), atol=1e-7)
    copies = np.fromfile(exported / "clips" / "001.copies.bin", "<f4").reshape(6, 512)
    np.testing.assert_array_equal(copies[4], decorrelator("s1", 4, 48000).astype(np.float32))


def test_other_ears_are_worn_first_and_a_phone_gets_fewer_splats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "OTHER_ORDERS", (3, 1))  # order 5 takes long to design
    whole = courtyard()
    some = replace(whole, **{f.name: getattr(whole, f.name)[::4] for f in fields(whole)})
    folder = export_folder(small_world(), tmp_path / "site", splats=(whole, some), ears="sphere")
    world = json.loads((folder / "world.json").read_text())
    assert [one["name"] for one in world["sound"]["filters"]][:3] == ["Ideal sphere", "Ideal sphere", "KEMAR mannequin"]
    worn = np.fromfile(folder / world["sound"]["filters"][0]["file"], "<f4").reshape(2, 16, 256)
    np.testing.assert_array_equal(worn, hrir("sphere", 3, 48000))
    assert [world["splats"]["count"], *(one["count"] for one in world["lighter"])] == [len(whole), len(some)]
    assert len(read_sog(folder / world["lighter"][0]["file"])) == len(some)


def test_laws_bring_their_tables(tmp_path: Path) -> None:
    folder = export_folder(
        small_world(), tmp_path / "site", laws=EncodeOptions(air="iso9613", delay=True, near_field=True)
    )
    sound = json.loads((folder / "world.json").read_text())["sound"]
    delays = np.fromfile(folder / sound["delay"]["file"], "<f4").reshape(sound["delay"]["phases"] + 1, 16)
    np.testing.assert_array_equal(delays, interpolation_table())
    air = np.fromfile(folder / sound["air"]["file"], "<f4").reshape(len(sound["air"]["ways_m"]), sound["air"]["taps"])
    np.testing.assert_array_equal(air, air_bank(48000))
    assert sound["alpha_per_m"] == 0
    np.testing.assert_array_equal(sound["near"]["roots"], near_field_roots(5))
    with pytest.raises(InputError, match="offline"):
        export_folder(small_world(), tmp_path / "other", laws=EncodeOptions(mode="paper"))


def test_the_same_scene_gives_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    assert digests(export_folder(small_world(), tmp_path / "again")) == digests(exported)


def test_an_earlier_export_is_replaced_whole(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    export_folder(small_world("an older label"), folder)
    (folder / "left over.txt").write_text("old")
    export_folder(small_world(), folder)
    assert digests(folder) == digests(exported)
    assert [item.name for item in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["thesis.txt", "index.html"])
def test_somebody_elses_folder_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="expected a new folder or an earlier export"):
        export_folder(small_world(), tmp_path)
    with pytest.raises(InputError, match="got a file"):
        export_folder(small_world(), tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


def test_a_failure_leaves_the_earlier_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export_folder(small_world(), tmp_path / "site")
    before = digests(folder)

    def disk_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write_sounds", disk_full)
    with pytest.raises(OSError, match="No space left"):
        export_folder(small_world("new"), folder)
    assert digests(folder) == before
    assert [item.name for item in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("part", [export, hearing])
def test_an_install_without_the_page_says_how_to_get_it(
    part: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "files", lambda _: tmp_path / "nothing")
    with pytest.raises(BackendMissingError, match="pip install -e"):
        export_folder(small_world(), tmp_path / "site")
    assert not (tmp_path / "site").exists()
