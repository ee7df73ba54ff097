"""Laws of the flow: nothing runs twice, what changed runs again with its dependants, and nothing finished is lost."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_world
from small_world import CALLS

from sonoworld import testing
from sonoworld.backend import BACKEND_STAGES, Run
from sonoworld.disk.scene import check_scene, load_scene
from sonoworld.errors import BackendMissingError, InputError, SonoworldError, StageError
from sonoworld.flow import make_scene
from sonoworld.recipe import Choice, Recipe
from sonoworld.types import Source

HERE = Path(__file__).parent


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(autouse=True)
def _fresh_count() -> None:
    CALLS.clear()


def test_a_scene_is_made_checked_and_loaded(tmp_path: Path) -> None:
    scene = make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert check_scene(tmp_path / "world") == ()
    assert testing.same_value(load_scene(tmp_path / "world"), scene)
    assert [p.name for p in tmp_path.iterdir()] == ["world"], "nothing else is left behind"
    assert dict(CALLS) == dict.fromkeys(BACKEND_STAGES, 1)


def test_same_inputs_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / name, seed=3)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "c", seed=4)
    assert content(tmp_path / "a")["splats.ply"] != content(tmp_path / "c")["splats.ply"]


def test_rerun_does_nothing(tmp_path: Path) -> None:
    first = make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    before = content(tmp_path / "world")
    CALLS.clear()
    again = make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert not CALLS
    assert content(tmp_path / "world") == before
    assert testing.same_value(first, again)


@pytest.mark.parametrize(
    ("changed", "reruns"),
    [
        ("sound", {"sound"}),
        ("understand", {"understand", "segment", "sound"}),
        ("seed", {"seed"}),
        ("calibrate", set(BACKEND_STAGES) - {"seed", "segment", "sound", "lift"} | {"calibrate"}),
    ],
)
def test_a_changed_option_reruns_its_dependants_only(tmp_path: Path, changed: str, reruns: set[str]) -> None:
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    CALLS.clear()
    make_scene(testing.tiny_photo(), small_world.recipe(**{changed: 2}), tmp_path / "world")
    # A dependant whose inputs came out the same bytes as before has nothing to do: here the fake calibration and
    # panorama do not depend on their option, so the change stops at the first unchanged result.
    expected = {"calibrate": {"calibrate"}}.get(changed, reruns)
    assert set(CALLS) == expected
    fresh = tmp_path / "fresh"
    make_scene(testing.tiny_photo(), small_world.recipe(**{changed: 2}), fresh)
    assert content(tmp_path / "world") == content(fresh), "a remade world equals one made from nothing"


def test_the_sound_stage_sees_its_sources_and_runs_again_when_they_look_different(tmp_path: Path) -> None:
    seen: list[dict[str, np.ndarray | None]] = []

    def recipe(shade: int) -> Recipe:
        plain = small_world.recipe()

        def fill(options: small_world.Amount) -> object:
            whole = testing.tiny_panorama()
            return lambda photo, camera, run: replace(whole, rgb=whole.rgb // options.amount)

        def voice(options: small_world.Amount) -> object:
            speak = plain.choices["sound"].backend.make(options)

            def speaking(sources: tuple[Source, ...], run: Run) -> tuple[Source, ...]:
                seen.append({source.id: run.picture_of(source) for source in sources})
                return speak(sources, run)

            return speaking

        panorama = replace(plain.choices["panorama"].backend, make=fill)
        sound = replace(plain.choices["sound"].backend, make=voice)
        choices = {
            **plain.choices,
            "panorama": Choice(panorama, small_world.Amount(amount=shade)),
            "sound": Choice(sound, small_world.Amount()),
        }
        return replace(plain, choices=choices)

    for shade in (1, 1, 2):
        make_scene(testing.tiny_photo(), recipe(shade), tmp_path / "world")
    assert len(seen) == 2, "once for each panorama"
    first, second = seen
    assert first["wind"] is None
    assert first["stream"] is not None
    assert second["stream"] is not None
    assert first["stream"].dtype == np.uint8
    assert int(first["stream"].max()) > int(second["stream"].max())


def test_another_photo_reruns(tmp_path: Path) -> None:
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    CALLS.clear()
    other = testing.tiny_photo()
    changed = type(other)(255 - other.rgb, other.focal_px)
    make_scene(changed, small_world.recipe(), tmp_path / "world")
    assert CALLS["calibrate"] == 1
    assert check_scene(tmp_path / "world") == ()


def test_a_spoilt_file_is_made_again(tmp_path: Path) -> None:
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    good = content(tmp_path / "world")
    (tmp_path / "world" / "splats.ply").write_bytes(b"spoilt")
    assert check_scene(tmp_path / "world")[0].file == "splats.ply"
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert content(tmp_path / "world") == good


def _fail() -> None:
    raise StageError("the sound stage failed")


def test_a_failure_keeps_what_was_finished(tmp_path: Path) -> None:
    with pytest.raises(StageError):
        make_scene(testing.tiny_photo(), small_world.recipe({"sound": _fail}), tmp_path / "world")
    assert not (tmp_path / "world").exists()
    CALLS.clear()
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert set(CALLS) == {"sound"}
    assert [p.name for p in tmp_path.iterdir()] == ["world"]


def _break() -> None:
    raise ZeroDivisionError("in a stranger's plug-in")


def test_a_surprise_in_a_plug_in_is_named_and_keeps_what_was_finished(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"seed\.fake failed: ZeroDivisionError: in a stranger's"):
        make_scene(testing.tiny_photo(), small_world.recipe({"seed": _break}), tmp_path / "world")
    CALLS.clear()
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert "lift" not in CALLS


def test_a_failure_leaves_the_old_scene_valid(tmp_path: Path) -> None:
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    before = content(tmp_path / "world")
    with pytest.raises(StageError):
        make_scene(testing.tiny_photo(), small_world.recipe({"sound": _fail}, seed=5, sound=2), tmp_path / "world")
    assert content(tmp_path / "world") == before
    assert check_scene(tmp_path / "world") == ()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("stage", ["panorama", "seed", "sound"])
def test_killed_in_mid_step_loses_nothing_finished(tmp_path: Path, stage: str) -> None:
    world = tmp_path / "world"
    program = (
        f"import os, signal, sys; sys.path.insert(0, {str(HERE)!r}); import small_world; from pathlib import Path\n"
        "from sonoworld import testing; from sonoworld.flow import make_scene\n"
        f"die = {{{stage!r}: lambda: os.kill(os.getpid(), signal.SIGKILL)}}\n"
        f"make_scene(testing.tiny_photo(), small_world.recipe(die), Path({str(world)!r}))"
    )
    died = subprocess.run([sys.executable, "-c", program], check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert not world.exists()
    make_scene(testing.tiny_photo(), small_world.recipe(), world)
    finished = BACKEND_STAGES[: BACKEND_STAGES.index(stage)]
    assert not set(finished) & set(CALLS), "finished stages ran again"
    shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "fresh")
    assert content(world) == content(tmp_path / "fresh")


def test_what_is_not_a_scene_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not a scene"):
        make_scene(testing.tiny_photo(), small_world.recipe(), mine)
    assert content(mine) == {"thesis.txt": b"years of work"}
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert not CALLS


def test_an_empty_folder_becomes_the_scene(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert check_scene(tmp_path / "world") == ()


def test_two_at_once_is_an_error(tmp_path: Path) -> None:
    def second() -> None:
        with pytest.raises(SonoworldError, match="another process"):
            make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")

    make_scene(testing.tiny_photo(), small_world.recipe({"lift": second}), tmp_path / "world")


def test_a_backend_that_cannot_run_stops_everything_before_it_begins(tmp_path: Path) -> None:
    small = small_world.recipe()
    spec = small.choices["lift"].backend
    broken = type(spec)("lift", "fake", "1", "cheap", spec.options, spec.make, missing=lambda: "no GPU here")
    choices = {**small.choices, "lift": type(small.choices["lift"])(broken, small.choices["lift"].options)}
    with pytest.raises(BackendMissingError, match="no GPU here"):
        make_scene(
            testing.tiny_photo(), type(small)("small", choices, small.localize, small.encode), tmp_path / "world"
        )
    assert not list(tmp_path.iterdir())


def test_a_scene_folder_moves(tmp_path: Path) -> None:
    scene = make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    shutil.move(tmp_path / "world", tmp_path / "elsewhere")
    assert testing.same_value(load_scene(tmp_path / "elsewhere"), scene)
    text = b"".join(data for name, data in content(tmp_path / "elsewhere").items() if name.endswith(".json"))
    assert str(tmp_path).encode() not in text
