"""A scene on bad days, by really doing it: full disks, no permission, no memory, spoiled files, a kill anywhere."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import small_world
from small_world import CALLS

from sonoworld import testing
from sonoworld.errors import SonoworldError, StageError
from sonoworld.flow import SPOILED, Unwatched, make_scene

HERE = Path(__file__).parent
BEGIN = (
    f"import os, sys; sys.path.insert(0, {str(HERE)!r}); import small_world; from pathlib import Path\n"
    "from sonoworld import testing; from sonoworld.flow import make_scene\n"
    "from sonoworld.errors import SonoworldError\n"
    "def make(world, before=None):\n"
    "    try: make_scene(testing.tiny_photo(), small_world.recipe(before), Path(world))\n"
    "    except SonoworldError as error: print(type(error).__name__, error)\n"
    "    print('ran', *sorted(small_world.CALLS)); small_world.CALLS.clear(); sys.stdout.flush()\n"
)
"""The start of a program that makes a small world and says what went wrong."""


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a world is on a good day."""
    folder = tmp_path_factory.mktemp("fresh") / "world"
    make_scene(testing.tiny_photo(), small_world.recipe(), folder)
    return content(folder)


@pytest.fixture(autouse=True)
def _fresh_count() -> None:
    CALLS.clear()


def told(code: str, *before: str, **how: object) -> list[str]:
    """What a program of its own prints."""
    command = [*before, sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **how)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return str(done.stdout).splitlines()


def private_mounts() -> tuple[str, ...]:
    """The command that gives a program mounts of its own; skips, and says so, where the system does not allow it."""
    for flags in (("--mount",), ("--map-root-user", "--mount")):
        command = ("unshare", *flags)
        if (
            shutil.which("unshare")
            and not subprocess.run(
                [*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            ).returncode
        ):
            return command
    pytest.skip("no mounts of one's own here (unshare --mount): RLIMIT_FSIZE and permissions are tested all the same")


def test_a_disk_that_fills_up_keeps_what_was_finished_and_goes_on_with_more_room(
    tmp_path: Path, fresh: dict[str, bytes]
) -> None:
    """A file system of its own, far too small, then larger and larger."""
    whole = sum(map(len, fresh.values()))
    code = (
        f"disk = {str(tmp_path / 'disk')!r}; os.mkdir(disk)\n"
        "def sized(kb, more=''): os.system(f'mount -t tmpfs -o {more}size={kb}k none {disk}')\n"
        "sized(64)\n"
        f"for kb in (64, {whole // 3000}, {whole // 1500}, {4 * whole // 1000}):\n"
        "    sized(kb, 'remount,'); make(disk + '/world')\n"
        f"import shutil; shutil.copytree(disk + '/world', {str(tmp_path / 'world')!r})\n"
    )
    lines = told(code, *private_mounts())
    said = [line for line in lines if not line.startswith("ran")]
    assert said
    for line in said:
        assert line.startswith("SonoworldError")
        assert "/world: cannot be written (No space left on device); finished steps are kept in " in line
    runs = [set(line.split()[1:]) for line in lines if line.startswith("ran")]
    assert len(runs) == 4
    assert "calibrate" not in runs[-1], "what was finished with less room ran again"
    assert content(tmp_path / "world") == fresh


@pytest.mark.skipif(os.name == "nt", reason="RLIMIT_FSIZE is POSIX")
def test_files_that_may_not_grow_are_a_full_disk(tmp_path: Path, fresh: dict[str, bytes]) -> None:
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "for size in (200, 2_000, 20_000):\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1)); make({str(tmp_path / 'w')!r})\n"
    )
    lines = told(code)
    said = [line for line in lines if not line.startswith("ran")]
    assert len(said) == 3
    assert all("cannot be written (File too large); finished steps are kept in " in line for line in said)
    assert not (tmp_path / "w").exists()
    assert not list(tmp_path.rglob("*.part"))
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "w")
    assert "calibrate" not in CALLS
    assert content(tmp_path / "w") == fresh


def test_a_disk_mounted_read_only(tmp_path: Path) -> None:
    folder = str(tmp_path)
    code = (
        f"os.system('mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}'); make({folder!r} + '/world')"
    )
    lines = told(code, *private_mounts())
    assert lines[0].startswith(f"InputError {folder}/world: cannot be written (Read-only file system: ")
    assert lines[1:] == ["ran"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach, too, whoever may enter TMPDIR."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's here")
def test_a_folder_without_permission(open_folder: Path) -> None:
    """By another user where we are root, to whom all is permitted."""
    locked = open_folder / "mine"
    locked.mkdir(mode=0o555)
    drop = "os.setgroups([]); os.setgid(65534); os.setuid(65534); " if os.geteuid() == 0 else ""
    lines = told(f"{drop}make({str(locked / 'world')!r})", env={**os.environ, "HOME": str(open_folder)})
    assert lines[0].startswith(f"InputError {locked}/world: cannot be written (Permission denied: ")
    assert lines[1:] == ["ran"]
    assert list(locked.iterdir()) == []
    locked.chmod(0o000)
    lines = told(f"{drop}make({str(locked / 'world')!r})", env={**os.environ, "HOME": str(open_folder)})
    assert lines[0].startswith(f"InputError {locked}/world: cannot be written (Permission denied: ")


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS holds on Linux only")
@pytest.mark.parametrize("stage", ["lift", "sound"])
def test_a_stage_for_which_there_is_no_memory(tmp_path: Path, stage: str, fresh: dict[str, bytes]) -> None:
    code = (
        "import resource, numpy\n"
        "def want():\n"
        "    with open('/proc/self/statm') as f: now = int(f.read().split()[0]) * resource.getpagesize()\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (now + 2**26, -1)); numpy.ones(2**29)\n"
        f"make({str(tmp_path / 'world')!r}, {{{stage!r}: want}})\n"
    )
    said = "\n".join(told(code))
    assert f"StageError {stage}.fake failed: " in said
    assert "this machine has too little memory for it" in said
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert "panorama" not in CALLS
    assert content(tmp_path / "world") == fresh


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]


SPOILING: dict[str, Callable[[Path], object]] = {
    "a bit flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


class Listening(Unwatched):
    """Keeps notes on spoiled files."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def progress(self, step: str, fraction: float, note: str) -> None:
        if note.startswith(SPOILED):
            self.notes += note.removeprefix(SPOILED).split(", ")


@pytest.mark.parametrize("how", SPOILING)
def test_every_stored_file_that_was_spoiled_is_made_again_and_named(
    tmp_path: Path, how: str, fresh: dict[str, bytes]
) -> None:
    world = tmp_path / "world"
    make_scene(testing.tiny_photo(), small_world.recipe(), world)
    kept = sorted(set(fresh) - {"scene.json", "made.json"})
    for part in (kept[::2], kept[1::2]):
        for name in part:
            SPOILING[how](world / name)
        heard = Listening()
        make_scene(testing.tiny_photo(), small_world.recipe(), world, watch=heard)
        assert sorted(set(heard.notes)) == part
        assert content(world) == fresh
    for name in ("made.json",) if how == "gone" else ("made.json", "scene.json"):  # a scene is known by its scene.json
        SPOILING[how](world / name)
        make_scene(testing.tiny_photo(), small_world.recipe(), world)
        assert content(world) == fresh


@pytest.mark.parametrize(
    "files", [{"../../etc/x": "0"}, {"photo.png": 3}, {"": "0"}, {"/etc/passwd": "0"}, ["photo.png"], None]
)
def test_a_record_that_is_no_record_is_none(tmp_path: Path, files: object, fresh: dict[str, bytes]) -> None:
    world = tmp_path / "world"
    make_scene(testing.tiny_photo(), small_world.recipe(), world)
    document = json.loads((world / "made.json").read_text())
    document["steps"]["panorama"]["files"] = files
    del document["steps_sha256"]
    (world / "made.json").write_text(json.dumps(document))
    CALLS.clear()
    make_scene(testing.tiny_photo(), small_world.recipe(), world)
    assert CALLS["panorama"] == 1
    assert content(world) == fresh


def test_two_processes_at_one_scene(tmp_path: Path, fresh: dict[str, bytes]) -> None:
    code = f"make({str(tmp_path / 'world')!r}, {{'seed': lambda: (print('here', flush=True), sys.stdin.readline())}})"
    command = [sys.executable, "-c", BEGIN + code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "here\n"
        with pytest.raises(SonoworldError, match="another process is making or editing this scene; wait for it"):
            make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
        assert not CALLS
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline().startswith("ran calibrate")
    assert content(tmp_path / "world") == fresh


def test_clocks_that_run_backwards(tmp_path: Path, fresh: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock leaps back a year at every look, and all files are from the future."""
    now = [2e9]

    def back() -> float:
        now[0] -= 3e7
        return now[0]

    monkeypatch.setattr("time.time", back)
    with pytest.raises(StageError):
        make_scene(testing.tiny_photo(), small_world.recipe({"sound": _fail}), tmp_path / "world")
    for path in tmp_path.rglob("*"):
        os.utime(path, (4e9, 4e9))
    CALLS.clear()
    make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / "world")
    assert set(CALLS) == {"sound"}
    assert content(tmp_path / "world") == fresh


def _fail() -> None:
    raise StageError("the sound stage failed")


KILLER = """
import itertools, signal
EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.link", "os.mkdir"}

def forked(world, seed, at=0):
    # Makes the world in a child; before its at-th operation on files of that world it kills itself. Its status.
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    count = itertools.count(1)
    def hook(event, arguments):
        if event in EVENTS and str(arguments[0]).startswith(os.path.dirname(world)):
            writes = event != "open" or (isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"))
            if writes and next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    make_scene(testing.tiny_photo(), small_world.recipe(), Path(world), seed=seed)
    os._exit(0)

from sonoworld.disk.scene import check_scene
folder, step = sys.argv[1], int(sys.argv[2])
for at in itertools.count(2, step):
    where = Path(folder) / f"at-{at}"
    where.mkdir()
    world = where / "world"
    if at % 2:  # half of them make an old world anew, with another seed
        assert forked(str(world), 1) == 0
    status = forked(str(world), 0, at)
    left = len(check_scene(world)) if (world / "scene.json").is_file() else "absent"
    print(at, status, left, flush=True)
    assert forked(str(world), 0) == 0
    if status == 0:
        break
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL and fork are POSIX")
def test_killed_before_any_operation_on_files_a_world_is_whole_old_or_absent(
    tmp_path: Path, fresh: dict[str, bytes]
) -> None:
    """SIGKILL before every 37th time that something is opened for writing, renamed, linked or removed."""
    command = [sys.executable, "-W", "ignore", "-c", BEGIN + KILLER, str(tmp_path), "37"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    runs = [line.split() for line in done.stdout.splitlines()]
    assert [status for _, status, _ in runs] == ["9"] * (len(runs) - 1) + ["0"]
    assert len(runs) > 3
    for at, _, left in runs:
        assert left in {"absent", "0"}, f"killed before operation {at}: {left} files of the world are not as written"
        assert content(tmp_path / f"at-{at}" / "world") == fresh
        assert [p.name for p in (tmp_path / f"at-{at}").iterdir()] == ["world"]
