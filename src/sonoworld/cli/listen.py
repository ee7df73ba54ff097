"""The verb that listens live: a world on the machine's sound card, led by keys or by a walk."""

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from rich.live import Live
from rich.table import Table
from tyro.conf import Positional, arg

from sonoworld.cli.hear import read_walk, room_of
from sonoworld.cli.keys import open_keys
from sonoworld.cli.screen import Sitting, card_line, screen
from sonoworld.cli.sound_card import MOST_RECORDED_S, Latency, Playing, find_device, output_devices, playing
from sonoworld.cli.stroll import Stroll
from sonoworld.disk import wav
from sonoworld.disk.scene import load_sources
from sonoworld.encode import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.render import Walk, default_walk
from sonoworld.render.live import Player
from sonoworld.view.world import screen_gain_db

DEFAULT_SECONDS = 20.0
_TICK_S = 0.02
_SHOW_S = 0.1


def listen(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path | None] = None,
    walk: Path | None = None,
    seconds: float | None = None,
    order: int = 3,
    hrtf: str = "kemar",
    executor: Literal["native", "numpy"] = "native",
    device: str | None = None,
    latency: Latency = "high",
    record: Path | None = None,
    dry: bool = False,
    list_devices: Annotated[bool, arg(name="list-devices")] = False,
) -> None:
    """Walk and listen live on the sound card, with headphones.

    In a terminal, keys lead: arrows or W A S D walk and turn, 1-9 solo, m mutes, q quits. Without one, a short walk is
    played.

    Args:
        scene: Folder of a world.
        walk: walk.json to follow; the first key that moves takes over.
        seconds: Stop after so long; default: with q, or at the end of the walk.
        order: Ambisonic order, 1..7.
        hrtf: Whose ears: kemar, sphere, or a SOFA file.
        executor: What computes: native (compiled) or numpy.
        device: Number or part of the name of a sound card.
        latency: low reacts sooner, high forgives a busy machine.
        record: Also write what is heard to this WAV file.
        dry: No room, even if the world has one (room.json, from `sonoworld learn`).
        list_devices: List sound cards instead.
    """
    console = Console()
    if list_devices:
        console.print(_devices_table())
        return
    if scene is None:
        raise InputError("listen: expected the folder of a world (or --list-devices)")
    path, law = _checked(walk, seconds, order, record)
    sources = load_sources(scene)
    card = find_device(device)
    player = Player(
        sources, law, hrtf=hrtf, executor=executor, rate_hz=card.rate_hz, room=room_of(scene, console, dry=dry)
    )
    gain_db = screen_gain_db(sources, law)
    player.set_master_db(gain_db)
    in_terminal = console.is_terminal and sys.stdin.isatty()
    if path is None and not in_terminal:
        path = default_walk(DEFAULT_SECONDS if seconds is None else seconds)
    if path is not None:
        player.follow(path)
    with playing(card, player, latency, record=record is not None) as state:
        sitting = Sitting(scene.name, player, card, state, path, Stroll(player, gain_db) if in_terminal else None)
        try:
            if sitting.stroll is None:
                _wait(sitting, seconds)
            else:
                _stroll(sitting, sitting.stroll, seconds, console)
        except KeyboardInterrupt:
            pass  # Ctrl-C is one way to stop listening
    console.print(card_line(sitting), highlight=False, soft_wrap=True, markup=False)
    if record is not None:
        _write(record, state, card.rate_hz, console)


def _checked(
    walk: Path | None, seconds: float | None, order: int, record: Path | None
) -> tuple[Walk | None, EncodeOptions]:
    """What was asked for, before anything takes time."""
    if not 1 <= order <= 7:
        raise InputError(f"--order: expected 1..7, got {order}")
    if seconds is not None and not 0 < seconds <= 24 * 3600:
        raise InputError(f"--seconds: expected more than 0 and at most a day, got {seconds:g}")
    if record is not None and not (record.parent.is_dir() and record.suffix.lower() == ".wav"):
        raise InputError(f"--record: expected a .wav file in a folder that exists, got {record}")
    return None if walk is None else read_walk(walk), EncodeOptions(order=order)


def _over(sitting: Sitting, seconds: float | None) -> bool:
    """Whether the time asked for has been heard, in samples; without one, whether the walk that leads is at its end."""
    if seconds is not None:
        return sitting.player.seconds >= seconds
    taken_over = sitting.stroll is not None and sitting.stroll.moved
    return sitting.walk is not None and not taken_over and not sitting.player.following


def _wait(sitting: Sitting, seconds: float | None) -> None:
    """Let a walk be heard to its end."""
    while not _over(sitting, seconds):
        sitting.playing.check()
        time.sleep(_TICK_S)


def _stroll(sitting: Sitting, stroll: Stroll, seconds: float | None, console: Console) -> None:
    """Keys lead until q; the screen shows what happens."""
    last = shown = time.monotonic()
    with open_keys() as keys, Live(screen(sitting), console=console, screen=True, auto_refresh=False) as live:
        live.refresh()
        while not _over(sitting, seconds):
            sitting.playing.check()
            for key in keys(_TICK_S):
                if not stroll.press(key):
                    return
            now = time.monotonic()
            stroll.advance(now - last)
            last = now
            if now - shown >= _SHOW_S:
                live.update(screen(sitting), refresh=True)
                shown = now


def _write(record: Path, state: Playing, rate_hz: int, console: Console) -> None:
    signal = state.recording
    if not signal.shape[1]:
        raise InputError(f"{record}: not written, nothing was played")
    wav.write_wav(record, signal, rate_hz)
    length = signal.shape[1] / rate_hz
    full = " (no more is kept)" if length >= MOST_RECORDED_S else ""
    console.print(f"{record}: {length:.1f} s{full}, as heard", highlight=False, soft_wrap=True, markup=False)


def _devices_table() -> Table:
    table = Table(title="Sound cards that play two channels", title_justify="left")
    for name in ("device", "name", "through", "rate"):
        table.add_column(name)
    for device in output_devices():
        table.add_row(str(device.index), device.name, device.host, f"{device.rate_hz / 1000:g} kHz")
    return table
