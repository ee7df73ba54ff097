"""Editing over HTTP: the whole way, two editors, stale versions, hostile requests."""

import io
import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import small_world
import soundfile as sf
from starlette.testclient import TestClient

from sonoworld import edit, sphere, testing
from sonoworld.disk import versions
from sonoworld.disk.scene import check_scene, load_scene, load_sources
from sonoworld.flow import make_scene
from sonoworld.recipe import Choice
from sonoworld.server import editor
from sonoworld.server.app import world_app
from sonoworld.sound.synth import SYNTH, SynthOptions
from sonoworld.view.export import export_folder

TOKEN = "key"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "garden"
    recipe = small_world.recipe()
    voiced = {**recipe.choices, "sound": Choice(SYNTH, SynthOptions(seconds=4))}
    make_scene(testing.tiny_photo(), replace(recipe, choices=voiced), folder)
    return folder


@pytest.fixture
def scene(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "garden"))


@pytest.fixture
def client(scene: Path) -> Iterator[TestClient]:
    with world_app(scene, "127.0.0.1", TOKEN) as app:
        yield TestClient(app, base_url=f"http://127.0.0.1/{TOKEN}/")


def state(client: TestClient) -> dict[str, Any]:
    return client.get("edit/state").json()


def do(client: TestClient, base: int, **operation: object) -> dict[str, Any]:
    answer = client.post("edit/operation", json={"base": base, "operation": operation})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_end_to_end(client: TestClient, scene: Path) -> None:
    first = state(client)
    assert (first["version"], first["can_undo"], first["can_redo"]) == (0, None, None)
    assert {s["id"]: s["spread"] for s in first["sources"]} == {"wind": "ambient", "stream": "area"}
    added = do(client, 0, op="add", direction=[1, 0.5, 0], label="dog", prompt="a dog barking")
    assert (added["version"], added["id"], added["what"]) == (1, "dog", "“dog” added")
    moved = do(client, 1, op="move", id="dog", position=[2, 1, 0])
    assert moved["sources"][-1]["centre"] == [2, 1, 0]
    do(client, 2, op="level", id="dog", level_db=66)
    muted = do(client, 3, op="mute", id="wind")
    assert [s["muted"] for s in muted["sources"]] == [True, False, False]
    assert muted["can_undo"] == "“wind” muted"
    page = client.get("world.json").json()  # the page shows what was saved
    assert {s["id"]: s["level_db"] for s in page["sources"]} == {"stream": 50, "dog": 66}

    undone = client.post("edit/undo", json={"base": 4}).json()
    assert (undone["version"], undone["what"], undone["can_redo"]) == (5, "undone: “wind” muted", "“wind” muted")
    redone = client.post("edit/redo", json={"base": 5}).json()
    assert (redone["version"], redone["can_redo"]) == (6, None)
    log = client.get("edit/log").json()["versions"]
    assert [v["kind"] for v in log] == ["made", "edit", "edit", "edit", "edit", "undo", "redo"]
    assert log[2]["operation"] == {"op": "move", "id": "dog", "position": [2, 1, 0]}
    assert check_scene(scene) == ()


def test_the_export_is_told_only_what_changed(client: TestClient, scene: Path, tmp_path: Path) -> None:
    """Pictures and known clips are not made again; the world told is the one that a whole export would tell."""
    first = client.get("world.json").json()
    pictures = client.get("splats.sog").headers["etag"]
    do(client, 0, op="widen", id="stream", radius_m=2)
    do(client, 1, op="sound", id="wind", seed=9)
    do(client, 2, op="add", direction=[1, 0.5, 0], label="dog")
    told = client.get("world.json").json()
    assert client.get("splats.sog").headers["etag"] == pictures
    clips = {s["id"]: s["clip"] for s in told["sources"]}
    before = {s["id"]: s["clip"] for s in first["sources"]}
    assert clips["stream"] == before["stream"]
    assert clips["stream"]["copies"] is not None
    assert clips["wind"]["file"] != before["wind"]["file"]
    whole = json.loads((export_folder(load_scene(scene), tmp_path / "whole") / "world.json").read_bytes())
    for part in whole["sources"]:
        clip = clips[part["id"]]
        answer = client.get(clip["file"])
        assert answer.content == (tmp_path / "whole" / part["clip"]["file"]).read_bytes()
        for copies in filter(None, [clip["copies"]]):
            stored = (tmp_path / "whole" / part["clip"]["copies"]["file"]).read_bytes()
            assert client.get(copies["file"]).content == stored
        part["clip"] = clip
    assert told["sources"] == whole["sources"]
    assert told["sound"] == whole["sound"]
    assert client.get(before["wind"]["file"]).status_code == 200  # for who came before
    client.post("edit/undo", json={"base": 3})
    client.post("edit/undo", json={"base": 4})
    assert {s["id"]: s["clip"] for s in client.get("world.json").json()["sources"]} == before


def test_what_a_visitor_points_at(client: TestClient) -> None:
    """The tiny world's geometry says how far it is from the eye; from elsewhere the ray ends on the same surface."""
    ahead = client.get("edit/hit?x=2&y=0&z=0").json()
    geometry = testing.tiny_geometry()
    rows, columns = sphere.nearest_pixel(np.array([1.0, 0, 0]), geometry.distance.shape[0])
    assert ahead["position"] == pytest.approx([geometry.distance[rows, columns], 0, 0], rel=1e-3)
    assert ahead["sky"] == bool(geometry.sky[rows, columns])
    x, y, z = ahead["position"]
    beside = client.get(f"edit/hit?ox=0.5&oy=0.3&oz=0.1&x={x - 0.5}&y={y - 0.3}&z={z - 0.1}").json()
    assert beside["position"] == pytest.approx([x, y, z], rel=0.02, abs=0.05)
    assert client.get("edit/hit?x=0&y=0&z=0").status_code == 400
    assert client.get("edit/hit?ox=1e6&x=1&y=0&z=0").status_code == 400


def test_saved_edits_are_there_when_the_server_comes_back(client: TestClient, scene: Path) -> None:
    do(client, 0, op="remove", id="wind")
    with world_app(scene, "127.0.0.1", TOKEN) as again:
        other = TestClient(again, base_url=f"http://127.0.0.1/{TOKEN}/")
        assert [s["id"] for s in state(other)["sources"]] == ["stream"]
        assert other.post("edit/undo", json={"base": 1}).json()["version"] == 2
    assert [s.id for s in load_sources(scene)] == ["wind", "stream"]


def test_the_lines_of_python_in_the_manual(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/editing.md shows runs as it stands, also where all modules have been imported."""
    manual = Path(__file__).parent.parent / "docs" / "editing.md"
    part = manual.read_text("utf-8").partition("## In Python")[2].partition("`base` is")[0]
    monkeypatch.chdir(scene.parent)
    exec(textwrap.dedent(part).replace("WORLD", "garden"), {})
    assert [v.kind for v in versions.history(scene)] == ["made", "edit", "edit", "undo"]
    assert all(callable(getattr(edit, name)) for name in edit.__all__)


def test_of_two_editors_the_second_is_told(client: TestClient, scene: Path) -> None:
    """Two tabs show version 0; both edit."""
    do(client, 0, op="level", id="wind", level_db=30)
    late = client.post("edit/operation", json={"base": 0, "operation": {"op": "remove", "id": "wind"}})
    assert late.status_code == 409
    assert "expected an edit of version 1, the newest, got one of version 0" in late.json()["error"]
    assert client.post("edit/undo", json={"base": 0}).status_code == 409
    assert [s.level_db for s in load_sources(scene) if s.id == "wind"] == [30]
    do(client, state(client)["version"], op="remove", id="wind")


def test_a_recording_of_ones_own(client: TestClient, scene: Path) -> None:
    file = io.BytesIO()
    sf.write(file, 0.1 * np.sin(np.arange(2 * 48000) * 0.06), 48000, format="WAV")
    got = client.post("edit/recordings?name=tone.wav", content=file.getvalue()).json()
    assert got["seconds"] == 2
    do(client, 0, op="sound", id="wind", file=got["file"], licence="CC0-1.0", author="me")
    clip = next(s for s in load_sources(scene) if s.id == "wind").clip
    assert clip is not None
    assert (clip.licence, clip.author) == ("CC0-1.0", "me")
    spectrum = np.abs(np.fft.rfft(clip.samples))
    assert spectrum.argmax() * 48000 / clip.samples.size == pytest.approx(0.06 * 48000 / (2 * np.pi), rel=0.01)


def test_what_is_no_recording(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = client.post("edit/recordings", content=b"RIFF....WAVE and nothing else")
    assert bad.status_code == 400
    assert "the recording" in bad.json()["error"]
    assert "/tmp" not in bad.json()["error"]
    monkeypatch.setattr(editor, "MOST_RECORDING_BYTES", 2**20)
    assert client.post("edit/recordings", content=b"0" * (2**20 + 1)).status_code == 413


@pytest.mark.parametrize("name", ["/etc/passwd", "../../scene.json", "0" * 64, "a" * 63 + "/", "sources/wind.wav"])
def test_a_page_names_no_files_of_this_machine(client: TestClient, name: str) -> None:
    answer = client.post(
        "edit/operation", json={"base": 0, "operation": {"op": "sound", "id": "wind", "file": name}}
    )  # fmt: skip
    assert answer.status_code == 400
    assert "expected what an upload was answered with" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"base": 0}, 400),
        ({"base": 0, "operation": {"op": "explode"}}, 400),
        ({"base": "0", "operation": {"op": "remove", "id": "wind"}}, 400),
        ({"base": True, "operation": {"op": "remove", "id": "wind"}}, 400),
        ({"operation": {"op": "remove", "id": "wind"}}, 400),
        ({"base": 0, "operation": {"op": "remove", "id": "nobody"}}, 400),
        ({"base": 0, "operation": {"op": "remove", "id": "wind"}, "and": 1}, 400),
        ([], 400),
    ],
)
def test_malformed_requests_change_nothing(client: TestClient, scene: Path, body: object, status: int) -> None:
    answer = client.post("edit/operation", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert versions.history(scene) == ()


def test_only_json_that_says_so(client: TestClient) -> None:
    """A form of another site can send text without asking; JSON it cannot."""
    assert client.post("edit/undo", content=b'{"base": 0}', headers={"content-type": "text/plain"}).status_code == 415
    huge = b'{"base": 0, "x": "' + b"x" * 2**21 + b'"}'
    assert client.post("edit/undo", content=huge, headers={"content-type": "application/json"}).status_code == 413
    deep = b"[" * 100_000
    assert client.post("edit/undo", content=deep, headers={"content-type": "application/json"}).status_code == 400


def test_help_for_choosing(client: TestClient) -> None:
    found = client.get("edit/suggest?x=1&y=0&z=-0.2").json()["suggestions"]
    assert found
    assert set(found[0]) == {"label", "prompt", "spread", "level_db", "why"}
    picture = cv2.imdecode(np.frombuffer(client.get("edit/panorama.jpg").content, np.uint8), cv2.IMREAD_COLOR)
    answer = client.get("edit/region.png?x=1&y=0&z=0&tolerance=20")
    mask = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert mask is not None
    assert mask.shape == picture.shape[:2]
    assert mask[mask.shape[0] // 2, mask.shape[1] // 2] == 255  # straight ahead is the middle
    for bad in ("x=1&y=0", "x=nan&y=0&z=1", "x=0&y=0&z=0", "x=1e400&y=0&z=0"):
        assert client.get(f"edit/suggest?{bad}").status_code == 400


def test_candidates_can_be_heard_before_they_are_chosen(client: TestClient, scene: Path) -> None:
    before = client.get("edit/sound.flac?id=wind").content
    candidate = client.get("edit/sound.flac?id=wind&seed=5").content
    assert before != candidate
    assert versions.history(scene) == ()
    do(client, 0, op="sound", id="wind", seed=5)
    assert client.get("edit/sound.flac?id=wind").content == candidate
    assert client.get("edit/sound.flac?id=nobody").status_code == 400


def test_hostile_words_stay_words(client: TestClient) -> None:
    label = '<img src=x onerror="alert(1)">'
    do(client, 0, op="rename", id="wind", label=label)
    answer = client.get("edit/state")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["sources"][0]["label"] == label
    added = do(client, 1, op="add", direction=[1, 0, 0], label="../../../etc/passwd")
    assert added["id"] == "etc-passwd"


def test_a_full_disk_is_said(client: TestClient, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(versions.atomic, "write_json", full)
    answer = client.post("edit/operation", json={"base": 0, "operation": {"op": "remove", "id": "wind"}})
    assert answer.status_code == 503
    assert "cannot be saved (No space left on device); the world stays at version 0" in answer.json()["error"]
    monkeypatch.undo()
    assert len(load_sources(scene)) == 2
    assert do(client, 0, op="remove", id="wind")["version"] == 1
