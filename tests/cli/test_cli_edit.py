"""`sonoworld edit`: a world is corrected from the command line, and nothing of it is lost."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonoworld.disk.scene import check_scene, load_sources

from .test_cli import fails, run


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world, tmp_path / "world"))


def test_a_session_at_the_keyboard(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = {s.id: s for s in load_sources(copy)}
    some = next(s for s in first.values() if s.centroid is not None)
    said = run(capsys, "edit", copy, "add", "--at", "30", "-10", "--label", "dog", "--prompt", "a dog barking")
    assert "version 1: “dog” added [dog]" in said
    dog = next(s for s in load_sources(copy) if s.id == "dog")
    assert dog.clip is not None
    assert "dog" in dog.clip.made_by
    azimuth, elevation = np.degrees([np.arctan2(dog.points[0, 1], dog.points[0, 0]), np.arcsin(
        dog.points[0, 2] / np.linalg.norm(dog.points[0]))])  # fmt: skip
    np.testing.assert_allclose([azimuth, elevation], [30, -10], atol=1e-3)

    run(capsys, "edit", copy, "move", "dog", "--to", "-1", "2", "-0.5")
    run(capsys, "edit", copy, "widen", "dog", "0.5")
    run(capsys, "edit", copy, "level", "dog", "71.5")
    run(capsys, "edit", copy, "rename", "dog", "old dog")
    run(capsys, "edit", copy, "path", "dog", "--key", "0", "1", "0", "0", "--key", "4", "1", "3", "0", "--loops")
    dog = next(s for s in load_sources(copy) if s.id == "dog")
    assert (dog.label, dog.level_db, dog.spread.value) == ("old dog", 71.5, "area")
    assert dog.path is not None
    assert dog.path.loops

    tone = tmp_path / "tone.wav"
    sf.write(tone, 0.2 * np.sin(np.arange(3 * 48000) * 0.05), 48000)
    run(capsys, "edit", copy, "sound", some.id, "--file", tone, "--licence", "CC0-1.0", "--author", "me")
    clip = next(s for s in load_sources(copy) if s.id == some.id).clip
    assert clip is not None
    assert (clip.licence, clip.author) == ("CC0-1.0", "me")
    assert "muted: dog" in run(capsys, "edit", copy, "mute", "dog")
    assert "dog" not in {s.id for s in load_sources(copy)}
    run(capsys, "edit", copy, "mute", "dog", "--off")
    run(capsys, "edit", copy, "retype", "dog", "ambient")
    run(capsys, "edit", copy, "remove", "dog")
    assert check_scene(copy) == ()
    assert "undone: “old dog” removed" in run(capsys, "edit", copy, "undo")
    assert "redone: “old dog” removed" in run(capsys, "edit", copy, "redo")
    log = run(capsys, "edit", copy, "log")
    assert "as it was made" in log
    assert "“dog” moved" in log
    assert "every file as it was made" in run(capsys, "check", copy)
    listed = json.loads(run(capsys, "sources", copy, "--json"))["sources"]
    assert {s["id"] for s in listed} == set(first)


def test_regenerated_and_back_to_the_first(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Seed 0 made the world: asking for it again gives the very clip."""
    source = load_sources(copy)[0]
    run(capsys, "edit", copy, "sound", source.id)
    other = load_sources(copy)[0]
    run(capsys, "edit", copy, "sound", source.id, "--seed", "0")
    again = load_sources(copy)[0]
    assert source.clip is not None
    assert other.clip is not None
    assert again.clip is not None
    assert not np.array_equal(source.clip.samples, other.clip.samples)
    np.testing.assert_array_equal(source.clip.samples, again.clip.samples)


def test_mistakes_are_said_clearly(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no source 'cat'" in fails(capsys, 2, "edit", copy, "remove", "cat")
    assert "nothing to undo" in fails(capsys, 2, "edit", copy, "undo")
    assert "expected a scene folder" in fails(capsys, 2, "edit", copy.parent, "log")
    assert "no edits" in run(capsys, "edit", copy, "log")
    assert "expected an edit of version 0" in fails(capsys, 2, "edit", copy, "--base", "3", "remove", "wind")
    assert not (copy / "edits").exists()
