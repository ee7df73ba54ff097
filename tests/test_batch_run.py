"""A batch on bad days: workers killed, the head killed, photos that fail, two heads, worlds that were spoiled."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import small_world

from sonoworld import cli, testing
from sonoworld.batch import head
from sonoworld.batch.head import Progress, Wanted
from sonoworld.batch.ledger import Entry, append, entries, ledger_path
from sonoworld.batch.photos import Item, find_photos, shard
from sonoworld.batch.pool import ATTEMPTS, pool
from sonoworld.disk.arrays import write_image
from sonoworld.disk.atomic import sha256
from sonoworld.disk.lock import held
from sonoworld.disk.scene import check_scene
from sonoworld.errors import InputError, SonoworldError
from sonoworld.flow import make_scene

MAKER = """
import hashlib, json, os, shutil, signal, sys, threading, time
from pathlib import Path
rules, lines = Path(sys.argv[1]), []
def listen():
    while data := os.read(0, 65536):
        lines.extend(data.decode().splitlines())
    os._exit(75)
threading.Thread(target=listen, daemon=True).start()
while True:
    while not lines:
        time.sleep(0.002)
    request = json.loads(lines.pop(0))
    out = Path(request["out"])
    with (rules / "calls").open("a") as calls:
        calls.write(f"{out.name} {os.getpid()}\\n")
    while (rules / f"hold-{out.name}").exists():
        time.sleep(0.002)
    deaths = rules / f"die-{out.name}"
    if deaths.exists() and int(deaths.read_text()) > 0:
        deaths.write_text(str(int(deaths.read_text()) - 1))
        print('{"seconds": 1.0, "dig', end="", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if (rules / f"fail-{out.name}").exists():
        print(json.dumps({"seconds": 0.5, "error": f"{request['photo']}: expected a better photo"}), flush=True)
        continue
    partial = out.with_name(out.name + ".partial")
    shutil.copytree(rules / "scene", partial, dirs_exist_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    digest = hashlib.sha256((out / "scene.json").read_bytes()).hexdigest()
    print(json.dumps({"seconds": 0.25, "digest": digest}), flush=True)
"""
"""Speaks as `sonoworld.batch.worker` does, and does as it is told."""

HEAD = """
import sys
from functools import partial
from pathlib import Path
from sonoworld.batch.head import Wanted, run
from sonoworld.batch.photos import find_photos
from sonoworld.batch.pool import pool
photos, out, rules = sys.argv[1:]
maker = (sys.executable, f"{rules}/maker.py", rules)
for step in run(find_photos(photos, Path(out)), Path(out), Wanted("embedded"), partial(pool, workers=2, maker=maker)):
    pass
"""


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
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for i in range(6):
        write_image(folder / f"p{i}.png", testing.tiny_photo().rgb + i)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "worlds"


def batch(photos: Path, out: Path, rules: Path, wanted: Wanted | None = None, workers: int = 2) -> list[Progress]:
    maker = (sys.executable, str(rules / "maker.py"), str(rules))
    items: tuple[Item, ...] = find_photos(str(photos), out)
    return list(head.run(items, out, wanted or Wanted("embedded"), partial(pool, workers=workers, maker=maker)))


def calls(rules: Path) -> list[str]:
    return (
        [line.split()[0] for line in (rules / "calls").read_text().splitlines()] if (rules / "calls").exists() else []
    )


def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.005)


def test_all_photos_become_worlds_and_a_second_run_makes_none(photos: Path, out: Path, rules: Path) -> None:
    steps = batch(photos, out, rules)
    assert (steps[-1].done, steps[-1].failed, steps[-1].left_s) == (6, 0, 0.0)
    assert sorted(calls(rules)) == [f"p{i}" for i in range(6)]
    noted = entries(out)
    assert all(noted[f"p{i}"].digest == sha256(out / f"p{i}" / "scene.json") for i in range(6))
    assert sorted(path.name for path in out.iterdir()) == ["manifest.jsonl", *(f"p{i}" for i in range(6))]
    again = batch(photos, out, rules)
    assert (again[-1].kept, again[-1].done) == (6, 0)
    assert len(calls(rules)) == 6


def test_failures_are_reported_do_not_stop_the_rest_and_are_tried_again(photos: Path, out: Path, rules: Path) -> None:
    (rules / "fail-p1").touch()
    last = batch(photos, out, rules)[-1]
    assert (last.done, last.failed) == (5, 1)
    assert entries(out)["p1"].error == "p1.png: expected a better photo"
    assert calls(rules).count("p1") == 1, "what the photo is to blame for is not tried again at once"
    (rules / "fail-p1").unlink()
    assert (batch(photos, out, rules)[-1].done, entries(out)["p1"].state) == (1, "done")


def test_a_killed_worker_is_replaced_and_its_photo_tried_again(photos: Path, out: Path, rules: Path) -> None:
    (rules / "die-p2").write_text("1")
    (rules / "die-p4").write_text("99")
    last = batch(photos, out, rules)[-1]
    assert (last.done, last.failed) == (5, 1)
    assert (entries(out)["p2"].state, entries(out)["p2"].attempts) == ("done", 2)
    assert "ended (the last with status -9)" in entries(out)["p4"].error
    assert (calls(rules).count("p2"), calls(rules).count("p4")) == (2, ATTEMPTS)


def test_a_killed_head_takes_its_workers_along_and_loses_nothing(photos: Path, out: Path, rules: Path) -> None:
    (rules / "hold-p2").touch()
    (rules / "hold-p3").touch()
    command = [sys.executable, "-c", HEAD, str(photos), str(out), str(rules)]
    with subprocess.Popen(command) as process:
        wait(lambda: set(calls(rules)) >= {"p2", "p3"} and len(entries(out)) >= 2)
        with pytest.raises(SonoworldError, match="another batch is at work here"):
            batch(photos, out, rules)
        process.send_signal(signal.SIGKILL)
    workers = {int(line.split()[1]) for line in (rules / "calls").read_text().splitlines()}
    wait(lambda: not any(alive(pid) for pid in workers))
    (rules / "hold-p2").unlink()
    (rules / "hold-p3").unlink()
    before = set(entries(out))
    last = batch(photos, out, rules)[-1]
    assert (last.kept, last.kept + last.done) == (len(before), 6)
    assert all(check_scene(out / f"p{i}") == () for i in range(6))
    assert {id_: calls(rules).count(id_) for id_ in before} == dict.fromkeys(before, 1)
    assert max(calls(rules).count(f"p{i}") for i in range(6)) == 2


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " not in stat.read_text()


def test_what_is_spoiled_or_depends_on_something_else_is_made_again(photos: Path, out: Path, rules: Path) -> None:
    batch(photos, out, rules)
    (out / "p0" / "panorama.png").write_bytes(b"spoiled")
    shutil.rmtree(out / "p1")
    write_image(photos / "p3.png", testing.tiny_photo().rgb[::-1])
    (rules / "calls").unlink()
    assert batch(photos, out, rules)[-1].done == 3
    assert sorted(calls(rules)) == ["p0", "p1", "p3"]
    (rules / "calls").unlink()
    batch(photos, out, rules, Wanted("embedded", ("panorama.width=512",)))
    assert len(calls(rules)) == 6
    batch(photos, out, rules, Wanted("embedded", ("panorama.width=512",), seed=1))
    assert len(calls(rules)) == 12


def test_parts_share_a_folder_and_know_what_the_others_made(photos: Path, out: Path, rules: Path) -> None:
    items = find_photos(str(photos), out)
    maker = (sys.executable, str(rules / "maker.py"), str(rules))
    for part in ("1/2", "2/2"):
        mine = shard(items, part)
        list(head.run(mine, out, Wanted("embedded", part=part), partial(pool, workers=1, maker=maker)))
    assert {p.name for p in out.glob("*.jsonl")} == {"manifest-1-of-2.jsonl", "manifest-2-of-2.jsonl"}
    assert batch(photos, out, rules)[-1].kept == 6


def test_an_interrupted_caller_ends_the_workers_at_once(photos: Path, out: Path, rules: Path) -> None:
    for i in range(6):
        (rules / f"hold-p{i}").touch()
    (rules / "hold-p0").unlink()
    maker = (sys.executable, str(rules / "maker.py"), str(rules))
    steps = head.run(find_photos(str(photos), out), out, Wanted("embedded"), partial(pool, workers=2, maker=maker))
    assert next(steps).total == 6
    assert next(steps).done == 1
    wait(lambda: len(calls(rules)) == 3)
    steps.close()
    assert not any(alive(int(line.split()[1])) for line in (rules / "calls").read_text().splitlines())
    assert set(entries(out)) == {"p0"}
    with held(out / head.LOCK, "free again"):
        pass


def test_a_maker_that_cannot_be_started(photos: Path, out: Path) -> None:
    maker = (str(out / "nothing"),)
    steps = list(
        head.run(find_photos(str(photos), out), out, Wanted("embedded"), partial(pool, workers=2, maker=maker))
    )
    assert steps[-1].failed == 6
    assert "cannot be started" in entries(out)["p0"].error


def test_a_wrong_recipe_starts_nothing(photos: Path, out: Path, rules: Path) -> None:
    with pytest.raises(InputError, match="no such option"):
        batch(photos, out, rules, Wanted("embedded", ("panorama.widht=512",)))
    assert not out.exists()
    assert not calls(rules)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_ends_the_batch_with_a_message_and_no_world_is_lost(photos: Path, out: Path, rules: Path) -> None:
    out.mkdir()
    ledger_path(out, "1/1").symlink_to("/dev/full")
    maker = (sys.executable, str(rules / "maker.py"), str(rules))
    items = find_photos(str(photos), out)
    with pytest.raises(SonoworldError, match="No space left"):
        list(head.run(items, out, Wanted("embedded", part="1/1"), partial(pool, workers=1, maker=maker)))
    assert check_scene(out / "p0") == ()
    ledger_path(out, "1/1").unlink()
    assert batch(photos, out, rules)[-1].done == 6


def test_the_clock_may_jump(photos: Path, out: Path, rules: Path) -> None:
    batch(photos, out, rules)
    for path in out.rglob("*"):
        os.utime(path, (2**31, 2**31))
    append(ledger_path(out, ""), Entry("p0", "p0.png", "failed", 1.0, error="x"))
    assert batch(photos, out, rules)[-1].kept == 5


@pytest.mark.slow
def test_real_worlds_are_those_of_create(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos, out = tmp_path / "photos", tmp_path / "worlds"
    write_image(photos / "Tiny One.png", testing.tiny_photo().rgb)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    small = ["--set", "panorama.width=512", "--set", "sound.seconds=4", "--seed", "3"]
    with pytest.raises(SystemExit) as end:
        cli.main(["batch", str(photos), str(out), "--workers", "2", *small])
    said = capsys.readouterr()
    assert end.value.code == 1
    assert "1 made, 0 there already, 1 failed" in said.out
    assert "broken.jpg: " in said.err
    cli.main(["create", str(photos / "Tiny One.png"), str(tmp_path / "one"), "--no-film", *small])
    assert digests(out / "tiny-one") == digests(tmp_path / "one")
    assert entries(out)["tiny-one"].digest == sha256(tmp_path / "one" / "scene.json")
    (out / "manifest.jsonl").write_text("")  # as if the head had been killed before it could note it
    with pytest.raises(SystemExit):
        cli.main(["batch", str(photos), str(out), "--workers", "1", *small])
    assert digests(out / "tiny-one") == digests(tmp_path / "one")
    assert json.loads((out / "manifest.jsonl").read_text().splitlines()[-1])["id"] in {"tiny-one", "broken"}


def digests(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): sha256(p) for p in folder.rglob("*") if p.is_file()}
