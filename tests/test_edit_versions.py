"""Versions of an edited scene: nothing is lost, whoever edits, dies or runs out of space."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_world

from sonoworld import testing
from sonoworld.disk import versions
from sonoworld.disk.draft_file import Draft
from sonoworld.disk.scene import check_scene, load_scene, load_sources
from sonoworld.disk.versions import Change, editing
from sonoworld.errors import InputError, SonoworldError, StaleVersionError
from sonoworld.flow import make_scene


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "scene"
    make_scene(testing.tiny_photo(), small_world.recipe(), folder)
    return folder


@pytest.fixture
def scene(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "scene")
    return tmp_path / "scene"


def louder(draft: Draft, by_db: float = 6.0) -> Draft:
    return replace(draft, sources=tuple(replace(s, level_db=s.level_db + by_db) for s in draft.sources))


def edit(scene: Path, by_db: float = 6.0, base: int | None = None) -> int:
    with editing(scene, base) as journal:
        return journal.append(louder(versions.load_version(scene), by_db), Change("edit", "louder")).version


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_version_is_what_the_scene_sounds_like_and_the_original_stays(scene: Path) -> None:
    before, original = load_sources(scene), files(scene)
    assert edit(scene) == 1
    after = load_scene(scene).sources
    assert [s.level_db for s in after] == [s.level_db + 6 for s in before]
    for old, new in zip(before, after, strict=True):
        assert old.clip is not None
        assert new.clip is not None
        np.testing.assert_array_equal(old.clip.samples, new.clip.samples)
        np.testing.assert_array_equal(old.points, new.points)
        assert old.clip.licence == new.clip.licence
    assert check_scene(scene) == ()
    assert {name: data for name, data in files(scene).items() if not name.startswith("edits/")} == original
    assert [s.level_db for s in versions.load_version(scene, 0).sources] == [s.level_db for s in before]


def test_versions_are_only_added(scene: Path) -> None:
    edit(scene)
    first = files(scene)
    edit(scene)
    after = files(scene)
    assert all(after[name] == data for name, data in first.items())
    assert [name for name in after if name not in first] == ["edits/000002.json"]  # clips and places are kept once
    assert [(v.version, v.kind, v.what) for v in versions.history(scene)] == [
        (0, "made", "as it was made"), (1, "edit", "louder"), (2, "edit", "louder"),
    ]  # fmt: skip


def test_a_muted_source_is_kept_but_not_heard(scene: Path) -> None:
    with editing(scene) as journal:
        whole = versions.load_version(scene)
        journal.append(replace(whole, muted=frozenset({"wind"})), Change("edit", "wind muted"))
    assert [s.id for s in load_sources(scene)] == ["stream"]
    assert [s.id for s in versions.load_version(scene).sources] == ["wind", "stream"]
    assert check_scene(scene) == ()
    with pytest.raises(InputError, match="mutes of sources"):
        replace(whole, muted=frozenset({"nobody"}))


def test_a_stale_version_is_refused(scene: Path) -> None:
    edit(scene, base=0)
    edited = files(scene)
    with pytest.raises(StaleVersionError, match="expected an edit of version 1, the newest, got one of version 0"):
        edit(scene, base=0)
    assert files(scene) == edited


def test_two_editors_at_once_take_turns(scene: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sonoworld.disk.versions import editing\n"
        "with editing(Path(sys.argv[1])): print('in', flush=True); time.sleep(float(sys.argv[2]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(scene), "0.5"], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        assert edit(scene) == 1  # waits for the other to leave
    with subprocess.Popen([sys.executable, "-c", code, str(scene), "60"], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        other.kill()
        other.wait()
        assert edit(scene) == 2  # a killed editor holds nobody up


def test_a_full_disk_loses_nothing(scene: Path) -> None:
    """The kernel itself refuses: files may not grow beyond 4 kB."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from sonoworld.disk import versions; from sonoworld.errors import SonoworldError\n"
        "scene = Path(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "with versions.editing(scene) as journal:\n"
        "    try: journal.append(versions.load_version(scene), versions.Change('edit', 'nothing'))\n"
        "    except SonoworldError as error: print(error)\n"
    )
    before = load_sources(scene)
    done = subprocess.run([sys.executable, "-c", code, str(scene)], capture_output=True, text=True, check=True)
    assert "cannot be saved (File too large); the world stays at version 0" in done.stdout
    assert versions.head(scene) == 0
    assert check_scene(scene) == ()
    assert [s.level_db for s in load_sources(scene)] == [s.level_db for s in before]
    assert not [p for p in scene.rglob("*") if p.name.endswith(".part")]
    assert edit(scene) == 1
    assert check_scene(scene) == ()


def test_what_somebody_changed_by_hand_is_found(scene: Path) -> None:
    edit(scene)
    edit(scene)
    where = scene / "edits" / "000001.json"
    document = json.loads(where.read_text())
    where.write_text(json.dumps({**document, "what": "something else"}))
    assert [(f.file, "before" in f.problem) for f in check_scene(scene)] == [("edits/000002.json", True)]


def test_a_missing_clip_is_found(scene: Path) -> None:
    edit(scene)
    clip = next((scene / "edits" / "blobs").glob("*.wav"))
    clip.unlink()
    assert {f.file for f in check_scene(scene)} == {f"edits/blobs/{clip.name}"}


def test_a_version_that_names_files_elsewhere_is_refused(scene: Path) -> None:
    edit(scene)
    where = scene / "edits" / "000001.json"
    document = json.loads(where.read_text())
    document["sources"][0]["surface"] = "../../../etc/passwd"
    where.write_text(json.dumps(document))
    with pytest.raises(InputError, match="surface: String should match pattern"):
        load_sources(scene)
    assert check_scene(scene)


def test_remaking_with_the_same_options_keeps_the_edits(scene: Path) -> None:
    edit(scene)
    heard = [s.level_db for s in load_sources(scene)]
    make_scene(testing.tiny_photo(), small_world.recipe(), scene)
    assert [s.level_db for s in load_sources(scene)] == heard
    assert versions.head(scene) == 1
    assert check_scene(scene) == ()


def test_remaking_otherwise_is_one_more_version(scene: Path) -> None:
    edit(scene)
    edited = [s.level_db for s in load_sources(scene)]
    remade = make_scene(testing.tiny_photo(), small_world.recipe(understand=9), scene)
    assert [s.level_db for s in load_sources(scene)] == [s.level_db for s in remade.sources]
    assert [v.kind for v in versions.history(scene)] == ["made", "edit", "remade"]
    assert [s.level_db for s in versions.load_version(scene, 1).sources] == edited
    assert check_scene(scene) == ()


def test_what_is_being_made_cannot_be_edited(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "LOCK_WAIT_S", 0.0)

    def meanwhile() -> None:
        with pytest.raises(SonoworldError, match="another process is making or editing"):
            edit(scene)

    make_scene(testing.tiny_photo(), small_world.recipe({"understand": meanwhile}, understand=3), scene)
    assert versions.history(scene) == ()
