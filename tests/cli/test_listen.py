"""Live listening: on a card of air (`stub_card/sounddevice.py`), with keys through a real pseudo-terminal."""

import json
import math
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from rich.console import Console

from sonoworld.cli import main
from sonoworld.cli.keys import decode, open_keys
from sonoworld.cli.screen import Sitting, direction_of, place_line, screen
from sonoworld.cli.sound_card import Device, Playing
from sonoworld.cli.stroll import STEP_M, TURN, Stroll, eased, stepped
from sonoworld.disk.scene import load_sources
from sonoworld.encode import EncodeOptions
from sonoworld.render import default_walk
from sonoworld.render.audible import Audible
from sonoworld.render.live import HeadPose, Player
from sonoworld.view.world import screen_gain_db

STUB = Path(__file__).parent / "stub_card"
BLOCK = 256


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The card of air, fresh, in the place of sounddevice."""
    return stand_in(monkeypatch, STUB)


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ModuleType:
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    import sounddevice  # noqa: PLC0415  the one of the folder

    # forgotten again after the test, whoever imported it
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice)
    return sounddevice


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    main(["listen", *map(str, arguments)])
    return capsys.readouterr().out


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["listen", *map(str, arguments)])
    assert caught.value.code == code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_without_a_terminal_a_short_walk_is_played(
    card: Any, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card.UNDERFLOWS.update({3, 7})
    out = run(capsys, world, "--seconds", 0.5, "--executor", "numpy", "--record", tmp_path / "a.wav")
    assert "headphones (air), 48 kHz, order 3, NumPy" in out
    assert "2 underruns" in out
    played = np.concatenate(card.PLAYED).T
    recorded, rate = sf.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert rate == 48000
    np.testing.assert_array_equal(recorded.T, played)
    assert 24000 <= played.shape[1] < 48000
    assert 0.001 < np.abs(played).max() <= 10 ** (-1 / 20)
    # it is the default walk, at the level of the screen
    sources = load_sources(world)
    player = Player(sources, executor="numpy")
    player.set_master_db(screen_gain_db(sources, EncodeOptions()))
    player.follow(default_walk(0.5))
    np.testing.assert_array_equal(played, player.pull(played.shape[1]))
    (settings,) = card.OPENED
    assert (settings["blocksize"], settings["latency"], settings["device"]) == (BLOCK, "high", 1)


def test_a_walk_is_followed_to_its_end_on_the_card_that_was_named(
    card: Any, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses = [{"t": t, "position": [t, 0.0, 0.0], "yaw": t, "pitch": 0.0} for t in (0.0, 0.3)]
    (tmp_path / "walk.json").write_text(json.dumps({"poses": poses}))
    arguments = (world, "--walk", tmp_path / "walk.json", "--executor", "numpy", "--order", 1)
    out = run(capsys, *arguments, "--device", "radio", "--latency", "low")
    assert "old radio (air), 44.1 kHz, order 1" in out
    assert len(card.PLAYED) * BLOCK >= 0.3 * 44100 - BLOCK
    assert card.OPENED[0]["samplerate"] == 44100
    run(capsys, *arguments, "--device", 3)
    assert card.OPENED[1]["device"] == 3


def test_cards_are_listed(card: Any, capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "--list-devices")
    for name in ("headphones", "old radio", "44.1 kHz", "air"):
        assert name in listed
    assert "microphone" not in listed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "folder of a world"),
        (("WORLD", "--device", "headphones"), "1: headphones; 3: headphones of a guest"),
        (("WORLD", "--device", "0"), "--list-devices"),
        (("WORLD", "--device", "trumpet"), "found 1: headphones; 2: old radio"),
        (("WORLD", "--order", "8"), "1..7"),
        (("WORLD", "--seconds", "-1"), "--seconds"),
        (("WORLD", "--walk", "none.json"), "none.json"),
        (("WORLD", "--record", "no/such/folder.wav"), "--record"),
        (("WORLD", "--record", "a.flac"), ".wav"),
    ],
)
def test_wrong_use_is_one_clear_error(
    card: Any, world: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    assert says in fails(capsys, 2, *(str(world) if a == "WORLD" else a for a in arguments))
    assert not card.OPENED


def test_no_card_a_busy_card_and_one_that_is_unplugged(
    card: Any, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numpy = ("--executor", "numpy")
    card.UNPLUG_AFTER = 5
    assert "plugged in" in fails(capsys, 1, world, *numpy)
    card.DEVICES[1]["busy"] = True
    assert "headphones: does not play (Device unavailable)" in fails(capsys, 1, world, *numpy)
    card.DEVICES.clear()
    assert "none at all" in fails(capsys, 2, world, *numpy)


def test_what_goes_wrong_in_the_card_s_thread_is_said(
    card: Any, world: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Player, _frames: int) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(Player, "pull", broken)
    with pytest.raises(MemoryError, match="no room"):
        main(["listen", str(world), "--executor", "numpy"])


@pytest.mark.parametrize(
    ("module", "code", "says"),
    [
        (
            "raise ImportError('no such module')",
            3,
            ("pip install 'sonoworld[listen]'", "apt-get install libportaudio2"),
        ),
        ("raise OSError('PortAudio library not found')", 3, ("apt-get install libportaudio2", "sonoworld[listen]")),
        ("raise RuntimeError('Error initializing PortAudio')", 1, ("Error initializing", "sound system")),
    ],
)
def test_what_is_missing_is_named(  # noqa: PLR0917
    module: str,
    code: int,
    says: tuple[str, ...],
    world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "sounddevice.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    error = fails(capsys, code, world)
    assert all(part in error for part in says)


@pytest.mark.parametrize(
    ("text", "keys", "rest"),
    [
        ("wS1+", ["w", "s", "1", "+"], ""),
        ("\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"], ""),
        ("\x1bOA\x1bOH\x1b[5~\x1b[6~", ["up", "home", "page up", "page down"], ""),
        ("\x1b[1;5Cx", ["right", "x"], ""),  # with Ctrl
        ("\x1b[24~\x1b[Zq", ["q"], ""),  # F12, shift tab: nothing here
        ("\x1bwq", ["q"], ""),  # Alt-w
        ("a\x1b", ["a"], "\x1b"),
        ("a\x1b[1;", ["a"], "\x1b[1;"),
        ("\x1bO", [], "\x1bO"),
        ("é漢", ["é", "漢"], ""),
    ],
)
def test_keys_are_read_from_what_terminals_send(text: str, keys: list[str], rest: str) -> None:
    assert decode(text) == (keys, rest)
    # in pieces as well
    got: list[str] = []
    pending = ""
    for character in text:
        some, pending = decode(pending + character)
        got += some
    assert (got, pending) == (keys, rest)


def test_keys_of_a_windows_console(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = list("\xe0Hw\x00IQ")
    console = SimpleNamespace(kbhit=lambda: bool(pressed), getwch=lambda: pressed.pop(0))
    monkeypatch.setitem(sys.modules, "msvcrt", console)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "platform", "win32")
    with open_keys() as keys:
        assert keys(1.0) == ["up", "w", "page up", "q"]
        assert keys(0.01) == []


def test_steps_and_turns() -> None:
    ahead = stepped(HeadPose(), "up")
    assert ahead is not None
    np.testing.assert_allclose(ahead.position, (STEP_M, 0, 0), atol=1e-12)
    assert stepped(HeadPose(), "w") == ahead
    to_the_left = stepped(HeadPose(yaw=math.pi / 2), "w")
    assert to_the_left is not None
    np.testing.assert_allclose(to_the_left.position, (0, STEP_M, 0), atol=1e-12)
    for key, place in {"s": (-STEP_M, 0, 0), "a": (0, STEP_M, 0), "d": (0, -STEP_M, 0)}.items():
        pose = stepped(HeadPose(), key)
        assert pose is not None
        np.testing.assert_allclose(pose.position, place, atol=1e-12)
    left = stepped(HeadPose(), "left")
    assert left == HeadPose(yaw=TURN)
    pose = HeadPose()
    for _ in range(40):
        pose = stepped(pose, "page up") or pose
    assert 1.4 < pose.pitch < math.pi / 2
    assert stepped(pose, "home") == HeadPose()
    assert stepped(pose, "x") is None
    now = HeadPose()
    for _ in range(100):
        before, now = now, eased(now, ahead, 0.02)
        assert before.position[0] <= now.position[0] <= STEP_M
        assert now.position[0] - before.position[0] < 0.3 * STEP_M
    assert now == ahead


def test_keys_lead_mute_and_solo(world: Path) -> None:
    player = Player(load_sources(world), executor="numpy")
    stroll = Stroll(player, gain_db=0.0)
    player.follow(default_walk(20.0))
    player.pull(9600)
    stroll.advance(0.1)
    assert player.following
    assert stroll.press("x")
    assert stroll.press("m")
    player.pull(2048)
    assert not player.pull(256).any()
    assert stroll.press("m")
    assert stroll.press("2")
    assert player.mix.solo == {1}
    assert stroll.press("2")
    assert stroll.press("9")  # there are not so many
    assert not player.mix.solo
    assert stroll.press("1")
    assert stroll.press("0")
    assert not player.mix.solo
    there = player.pose
    assert player.following
    assert stroll.press("left")
    for _ in range(60):
        stroll.advance(0.02)
        player.pull(256)
    assert not player.following
    assert player.pose.yaw == pytest.approx(there.yaw + TURN)
    assert player.pose.position == there.position
    for key in "++-=":
        stroll.press(key)
    assert stroll.volume_db == 4
    assert not stroll.press("q")


def test_one_screen_says_where_what_and_how(world: Path) -> None:
    player = Player(load_sources(world), executor="numpy")
    player.move((1.5, -0.25, 0.0), math.radians(30), math.radians(-10))
    player.set_master_db(30.0)
    player.pull(4800)
    player.mix = player.mix.with_solo(0, True)
    playing = Playing(underruns=3)
    sitting = Sitting("[b]meadow", player, Device(0, "card", "air", 48000), playing, stroll=Stroll(player, 0.0))
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(screen(sitting))
    shown = console.export_text()
    console.file.close()
    assert max(map(len, shown.splitlines())) <= 80
    for part in (
        "[b]meadow",
        "1.50 m ahead, 0.25 m right",
        "30° left",
        "10° down",
        "3 underruns",
        "NumPy",
        "solo",
        "█",
    ):
        assert part in shown, part
    for source in player.sources:
        assert source.label in shown
    assert "all around" in shown
    assert place_line(HeadPose(yaw=6.5)).count("12° left") == 1
    assert direction_of(Audible(50.0, -math.pi / 2, 0.0, 1.0)) == "→ 90° right"
    assert direction_of(Audible(50.0, math.pi, math.radians(40), 1.0)) == "↓ 180° left, +40° up"


class Terminal:
    """A command in a pseudo-terminal of its own; everything it writes is kept."""

    def __init__(self, *arguments: object) -> None:
        self.master, self.slave = os.openpty()
        termios.tcsetwinsize(self.slave, (30, 90))
        self.before = termios.tcgetattr(self.slave)
        path = os.pathsep.join([str(STUB), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "TERM": "xterm-256color", "STUB_CARD_SPEED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sonoworld", "listen", *map(str, arguments)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environment,
            start_new_session=True,
        )
        self.written = ""

    def wait(self, until: Callable[[str], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not until(self.written):
            assert time.monotonic() < end, self.written[-3000:]
            if select.select([self.master], [], [], 0.1)[0]:
                self.written += os.read(self.master, 65536).decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Wait for the command, drain what it writes, and see that the terminal is as it was."""
        self.wait(lambda _: self.process.poll() is not None)
        while select.select([self.master], [], [], 0.1)[0]:
            self.written += os.read(self.master, 65536).decode("utf-8", "replace")
        assert termios.tcgetattr(self.slave) == self.before
        # out of the second screen, and the cursor is back
        assert self.written.rindex("\x1b[?1049l") > self.written.rindex("\x1b[?1049h")
        assert self.written.rindex("\x1b[?25h") > self.written.rindex("\x1b[?25l")
        os.close(self.master)
        os.close(self.slave)
        return self.process.wait()


def test_keys_in_a_real_terminal(world: Path, tmp_path: Path) -> None:
    terminal = Terminal(world, "--executor", "numpy", "--record", tmp_path / "heard.wav")
    terminal.wait(lambda text: "looking ahead" in text)
    terminal.press("ww")
    terminal.wait(lambda text: "0.50 m ahead" in text)
    terminal.press("\x1b[D\x1b[D")
    terminal.wait(lambda text: "looking 20° left" in text)
    terminal.press("1m")
    terminal.wait(lambda text: "muted" in text and "solo" in text)
    terminal.press("q")
    assert terminal.end() == 0
    assert "underruns" in terminal.written[terminal.written.rindex("\x1b[?1049l") :]
    signal_heard, _ = sf.read(tmp_path / "heard.wav")
    assert np.abs(signal_heard).max() > 0.001


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
def test_the_terminal_is_restored_however_it_ends(world: Path, number: signal.Signals, code: int) -> None:
    terminal = Terminal(world, "--executor", "numpy")
    terminal.wait(lambda text: "looking ahead" in text)
    terminal.process.send_signal(number)
    assert terminal.end() == code
