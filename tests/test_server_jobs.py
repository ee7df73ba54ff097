"""Photos in a row: progress, cancel, several at once, a killed worker, a killed server."""

import functools
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import small_world
from starlette.testclient import TestClient

from sonoworld import testing
from sonoworld.disk.arrays import write_image
from sonoworld.disk.scene import check_scene
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.server import app as app_module
from sonoworld.server import jobs as jobs_module
from sonoworld.server.app import gallery_app
from sonoworld.server.job import Job, remembered
from sonoworld.server.jobs import Jobs

MAKER = """
import json, os, shutil, sys, time
from pathlib import Path
request = json.loads(sys.stdin.readline())
out, rules = Path(request["out"]), Path(sys.argv[1])
partial = out.with_name(out.name + ".partial")
partial.mkdir(exist_ok=True)
def say(**fields): print(json.dumps(fields), flush=True)
for step in ("photo", "panorama", "lift"):
    say(step=step, fraction=0.5, note="half")
    (partial / step).touch()
    say(step=step, fraction=1.0, note="")
(rules / f"{out.name}.pid").write_text(str(os.getpid()))
while not (rules / "go").exists():
    time.sleep(0.01)
if (rules / "fail").exists():
    say(error=f"{request['photo']}: expected a better photo")
    sys.exit(4)
shutil.rmtree(partial)
shutil.copytree(rules / "scene", out)
say(done=True)
"""
"""Speaks as `sonoworld.server.making` does, and waits until it is told to go on."""


@pytest.fixture(scope="module")
def a_scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "scene"
    make_scene(testing.tiny_photo(), small_world.recipe(), folder)
    return folder


@pytest.fixture
def rules(a_scene: Path, tmp_path: Path) -> Path:
    rules = tmp_path / "rules"
    shutil.copytree(a_scene, rules / "scene")
    (rules / "maker.py").write_text(MAKER)
    return rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worlds").mkdir()
    return tmp_path / "worlds"


@contextmanager
def row(folder: Path, rules: Path) -> Iterator[Jobs]:
    jobs = Jobs(folder, "embedded", (), (sys.executable, str(rules / "maker.py"), str(rules)))
    try:
        yield jobs
    finally:
        jobs.close()


def add(jobs: Jobs, name: str) -> Job:
    upload = jobs.upload_folder()
    write_image(upload / "photo.png", testing.tiny_photo().rgb)
    (upload / "photo.png").rename(upload / "photo")
    return jobs.add(upload, name)


def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.01)


def states(jobs: Jobs) -> list[object]:
    return [job["state"] for job in jobs.shown()]


def shown(jobs: Jobs, number: int = 0) -> dict[str, Any]:
    return jobs.shown()[number]


def test_one_after_the_other(folder: Path, rules: Path) -> None:
    with row(folder, rules) as jobs:
        for name in ("Our Garden.jpg", "our garden.png", "../../evil.jpg"):
            add(jobs, name)
        assert [job["world"] for job in jobs.shown()] == ["our-garden", "our-garden-2", "evil"]
        wait(lambda: (rules / "our-garden.pid").exists() and shown(jobs)["fraction"] > 0.5)
        assert states(jobs) == ["running", "waiting", "waiting"]
        assert shown(jobs)["step"] == "lift"
        (rules / "go").touch()
        wait(lambda: states(jobs) == ["done"] * 3)
    assert sorted(path.name for path in folder.iterdir()) == [".jobs", "evil", "our-garden", "our-garden-2"]
    assert list((folder / ".jobs").iterdir()) == []
    assert check_scene(folder / "our-garden-2") == ()


def test_progress_never_goes_back() -> None:
    job = Job("a", 1, "a", "a")
    seen: list[float] = []
    for step, fraction in (("photo", 1), ("panorama", 0.9), ("panorama", 0.2), ("panorama", 1), ("unknown", 0.5)):
        job.progress(step, fraction, "")
        seen.append(job.fraction)
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] < 1


def test_cancelling_leaves_nothing_and_the_next_one_goes_on(folder: Path, rules: Path) -> None:
    with row(folder, rules) as jobs:
        first, second, third = (add(jobs, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
        wait((rules / "a.pid").exists)
        jobs.drop(second.id)  # before its turn
        jobs.drop(first.id)  # in the middle of its turn
        wait((rules / "c.pid").exists)
        assert [job["id"] for job in jobs.shown()] == [third.id]
        assert gone(rules / "a.pid")
        (rules / "go").touch()
        wait(lambda: states(jobs) == ["done"])
        assert not (rules / "b.pid").exists()
    assert sorted(path.name for path in folder.iterdir()) == [".jobs", "c"]
    with pytest.raises(InputError, match="no such job"):
        jobs.drop(first.id)


def gone(pid: Path) -> bool:
    try:
        os.kill(int(pid.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_a_killed_worker_is_said_and_can_be_tried_again(folder: Path, rules: Path) -> None:
    with row(folder, rules) as jobs:
        job = add(jobs, "a.jpg")
        wait((rules / "a.pid").exists)
        with pytest.raises(InputError, match="only what failed"):
            jobs.retry(job.id)
        os.kill(int((rules / "a.pid").read_text()), signal.SIGKILL)
        wait(lambda: states(jobs) == ["failed"])
        assert "was ended (status -9)" in shown(jobs)["error"]
        assert (folder / "a.partial" / "panorama").exists()  # finished steps are kept
        (rules / "go").touch()
        jobs.retry(job.id)
        wait(lambda: states(jobs) == ["done"])
    assert check_scene(folder / "a") == ()


def test_what_goes_wrong_is_said_in_words_of_the_photo(folder: Path, rules: Path) -> None:
    (rules / "go").touch()
    (rules / "fail").touch()
    with row(folder, rules) as jobs:
        job = add(jobs, "holiday.jpg")
        wait(lambda: states(jobs) == ["failed"])
        assert shown(jobs)["error"] == "holiday.jpg: expected a better photo"
        jobs.drop(job.id)
        assert jobs.shown() == []
    assert [path.name for path in folder.iterdir()] == [".jobs"]


def test_what_a_server_did_not_finish_goes_on_with_the_next(folder: Path, rules: Path) -> None:
    with row(folder, rules) as jobs:
        add(jobs, "a.jpg")
        add(jobs, "b.jpg")
        wait((rules / "a.pid").exists)
    assert gone(rules / "a.pid")
    assert [job.title for job in remembered(folder)] == ["a.jpg", "b.jpg"]
    broken = folder / ".jobs" / "cut-short"
    broken.mkdir()
    (broken / "job.json").write_text('{"id": "cut')
    (rules / "go").touch()
    with row(folder, rules) as jobs:
        wait(lambda: states(jobs) == ["done", "done"])
    assert (folder / "a").is_dir()
    assert (folder / "b").is_dir()


def test_a_killed_server_takes_its_worker_along(tmp_path: Path) -> None:
    """The worker's input ends when the server dies, however it dies."""
    import subprocess  # noqa: PLC0415

    write_image(tmp_path / "photo.png", testing.tiny_photo().rgb)
    request = {"photo": str(tmp_path / "photo.png"), "out": str(tmp_path / "w"), "recipe": "embedded", "settings": []}
    with subprocess.Popen(
        [sys.executable, "-m", "sonoworld.server.making"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        assert json.loads(worker.stdout.readline())["step"] == "photo"
        worker.stdin.close()
        assert worker.wait(20) == 75


def test_a_full_row(folder: Path, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "MOST_WAITING", 2)
    with row(folder, rules) as jobs:
        add(jobs, "a.jpg")
        add(jobs, "b.jpg")
        with pytest.raises(InputError, match="2 photos are waiting already"):
            jobs.require_room()


def test_dropped_followed_and_cancelled_over_http(
    folder: Path, rules: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    maker = (sys.executable, str(rules / "maker.py"), str(rules))
    monkeypatch.setattr(app_module, "Jobs", functools.partial(Jobs, maker=maker))
    write_image(tmp_path / "a.png", testing.tiny_photo().rgb)
    with gallery_app(folder, "127.0.0.1", "key") as app:
        client = TestClient(app, base_url="http://127.0.0.1/key/")
        queued = client.post("api/photos?name=lake.png", content=(tmp_path / "a.png").read_bytes())
        assert (queued.status_code, queued.json()["world"]) == (202, "lake")
        wait((rules / "lake.pid").exists)
        assert client.delete(f"api/jobs/{queued.json()['id']}").status_code == 204
        assert client.delete("api/jobs/nobody").status_code == 400
        assert client.post("api/jobs/nobody/retry").status_code == 400
        (rules / "go").touch()
        client.post("api/photos?name=sea.png", content=(tmp_path / "a.png").read_bytes())
        wait(lambda: [w["name"] for w in client.get("api/worlds").json()["worlds"]] == ["sea"])
