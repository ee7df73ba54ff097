"""One screen about a player: where the head is, what the ears get, what is loudest and from where, how the card is."""

import math
from dataclasses import dataclass

import numpy as np
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sonoworld.cli.sound_card import Device, Playing
from sonoworld.cli.stroll import HELP, Stroll
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render import Walk
from sonoworld.render.audible import Audible, audible
from sonoworld.render.live import HeadPose, Player

_LOWEST_DB = -60.0
_BAR = 24
_ARROWS = "↑↖←↙↓↘→↗"
_SHOWN = 9


@dataclass(frozen=True, slots=True)
class Sitting:
    """All that belongs to one session of listening: `walk` leads until keys do, `stroll` is there in a terminal."""

    title: str
    player: Player
    device: Device
    playing: Playing
    walk: Walk | None = None
    stroll: Stroll | None = None


def screen(sitting: Sitting) -> RenderableType:
    """What to show now."""
    pose, stroll = sitting.player.pose, sitting.stroll
    parts: list[RenderableType] = [Text(place_line(pose))]
    parts += [Text(line) for line in ear_lines(sitting)]
    parts += [Text(), sources_table(sitting.player), Text(), Text(card_line(sitting), style="dim")]
    if stroll is not None:
        parts.append(Text(HELP, style="dim"))
    return Panel(Group(*parts), title=Text(f"listening to {sitting.title}"), title_align="left", width=80)


def place_line(pose: HeadPose) -> str:
    """Where the head is and where it looks, for people."""
    x, y, z = pose.position
    along = f"{abs(x):.2f} m {'ahead' if x >= 0 else 'back'}, {abs(y):.2f} m {'left' if y >= 0 else 'right'}"
    heading = math.degrees(math.remainder(pose.yaw, 2 * math.pi))
    way = "ahead" if abs(heading) < 0.5 else f"{abs(heading):.0f}° {'left' if heading > 0 else 'right'}"
    pitch = math.degrees(pose.pitch)
    tilt = "" if abs(pitch) < 0.5 else f", {abs(pitch):.0f}° {'up' if pitch > 0 else 'down'}"
    return f"at {along}, {z:+.2f} m high; looking {way}{tilt}"


def ear_lines(sitting: Sitting) -> list[str]:
    """Levels of both ears as bars, dB re full scale."""
    meters, stroll = sitting.player.meters, sitting.stroll
    lines = [f"{ear}  {_bar(db)} {db:6.1f} dBFS" for ear, db in (("L", meters.left_db), ("R", meters.right_db))]
    lines[0] += f"   limiter {meters.limited_db:.1f} dB"
    if stroll is not None:
        lines[1] += "   muted" if stroll.muted else f"   volume {stroll.volume_db:+.0f} dB"
    return lines


def sources_table(player: Player) -> Table:
    """The loudest sources at the head, with the keys that solo them."""
    pose, mix = player.pose, player.mix
    head = Pose(world_from_head_rotation(pose.yaw, pose.pitch, pose.roll), np.array(pose.position))
    heard = audible(player.sources, head, player.law, player.seconds)
    loudest = sorted(range(len(heard)), key=lambda i: -heard[i].level_db)[:_SHOWN]
    table = Table(box=None, pad_edge=False)
    for name in ("key", "source"):
        table.add_column(name, no_wrap=True)
    for name in ("here", "distance"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("")
    for i in loudest:
        state = "solo" if i in mix.solo else "" if mix.hears(i) else "silent"
        distance = heard[i].distance_m
        table.add_row(
            str(i + 1) if i < 9 else "",
            Text(player.sources[i].label, style="" if mix.hears(i) else "dim"),
            f"{heard[i].level_db:.0f} dB",
            "" if distance is None else f"{distance:.1f} m",
            direction_of(heard[i]),
            state,
        )
    return table


def direction_of(heard: Audible) -> str:
    """An arrow and degrees, seen from the head."""
    if heard.azimuth is None or heard.elevation is None:
        return "all around"
    azimuth, elevation = math.degrees(heard.azimuth), math.degrees(heard.elevation)
    arrow = _ARROWS[round(azimuth / 45) % 8]
    side = "" if abs(azimuth) < 0.5 else " left" if azimuth > 0 else " right"
    return f"{arrow} {abs(azimuth):.0f}°{side}" + (f", {elevation:+.0f}° up" if abs(elevation) >= 10 else "")


def card_line(sitting: Sitting) -> str:
    """The device, what renders, and whether it keeps up."""
    device, player, meters = sitting.device, sitting.player, sitting.player.meters
    return (
        f"{device.name} ({device.host}), {device.rate_hz / 1000:g} kHz, order {player.law.order}, {player.executor}\n"
        f"{player.seconds:.1f} s; load {100 * meters.load:.1f} % (worst block {100 * meters.worst_load:.0f} %), "
        f"{sitting.playing.underruns} underruns"
    )


def _bar(db: float) -> str:
    full = round(_BAR * min(1.0, max(0.0, 1 - db / _LOWEST_DB)))
    return "█" * full + "░" * (_BAR - full)
