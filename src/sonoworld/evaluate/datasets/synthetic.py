"""Synthetic scenes in the SonoScene360 layout, and what a renderer may know about them.

Tiers: T0 closed forms, T1 outdoors, T2 rooms.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from sonoworld.evaluate.datasets.sonoscene360 import marks_of
from sonoworld.evaluate.datasets.sonoscene360_write import WrittenMicrophone, WrittenScene, write_sonoscene360
from sonoworld.evaluate.datasets.synthetic_closed import closed_layouts, closed_recording
from sonoworld.evaluate.datasets.synthetic_layout import GROUND_Z_M, Body, Layout, layouts, rectangle_axes
from sonoworld.evaluate.datasets.synthetic_picture import picture
from sonoworld.evaluate.datasets.synthetic_rooms import room_layouts, room_recording, simulator
from sonoworld.evaluate.datasets.synthetic_sounds import RATE_HZ, dry_sound
from sonoworld.evaluate.datasets.synthetic_truth import Take, recording, strays_db
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.frames import Pose
from sonoworld.types import Clip, Sounding, Source, Spread

ANCHOR_SEED = 1_000_003
"""Renderers get a take of each sound that was never recorded."""

STRAY_DB = 1.5
"""How far the level of a source in a recording strays from what renderers are told, one standard deviation."""


Tier = Literal["T0", "T1", "T2"]


@dataclass(frozen=True, slots=True)
class SyntheticSize:
    """How much of the synthetic benchmark: the default takes minutes, the whole an hour."""

    scenes: int = 4
    microphones: int = 2
    clips: int = 2
    height_px: int = 512
    seconds: float = 5.0
    tier: Tier = "T1"


DEFAULT: dict[Tier, SyntheticSize] = {
    "T0": SyntheticSize(scenes=6, microphones=1, clips=1, tier="T0"),
    "T1": SyntheticSize(),
    "T2": SyntheticSize(scenes=6, microphones=1, clips=1, tier="T2"),
}
FULL: dict[Tier, SyntheticSize] = {
    "T0": SyntheticSize(scenes=6, microphones=4, clips=1, height_px=1024, seconds=8.0, tier="T0"),
    "T1": SyntheticSize(scenes=10, microphones=4, clips=2, height_px=1024, seconds=8.0),
    "T2": SyntheticSize(scenes=6, microphones=4, clips=2, height_px=1024, seconds=8.0, tier="T2"),
}


def planned(size: SyntheticSize, seed: int) -> tuple[Layout, ...]:
    """The layouts of a tier: what stands where."""
    makers = {"T0": closed_layouts, "T1": layouts, "T2": room_layouts}
    return makers[size.tier](size.scenes, size.microphones, seed)


def take_of(size: SyntheticSize, seed: int, scene: int, microphone: int, clip: int) -> Take:
    """The performance that one recording holds; closed forms keep their levels."""
    number = 10_000 * seed + 100 * scene + 10 * microphone + clip
    return Take(size.seconds, number, 0.0 if size.tier == "T0" else STRAY_DB)


def with_levels_of(anchors: Anchors, layout: Layout, take: Take) -> Anchors:
    """The anchors of a scene at the levels that its sources had in one recording."""
    heard = zip(layout.bodies, strays_db(layout, take), strict=True)
    stray = [*(float(db) for body, db in heard if body.sound != "silent"), 0.0]  # the wind is as it is told
    soundings = tuple(replace(s, level_db=s.level_db + db) for s, db in zip(anchors.soundings, stray, strict=True))
    truth = tuple(replace(s, level_db=s.level_db + db) for s, db in zip(anchors.truth, stray, strict=True))
    return replace(anchors, soundings=soundings, truth=truth)


def write_synthetic(root: Path, size: SyntheticSize, seed: int) -> tuple[Layout, ...]:
    """Write the scenes as a SonoScene360 tree; same size and seed: same bytes.

    Returns:
        The layouts, in the order of the scenes.

    Raises:
        BackendMissingError: rooms are asked for, and what simulates them is not installed.
    """
    if size.tier == "T2":
        simulator()
    made = planned(size, seed)
    write_sonoscene360(root, [_written(layout, at, size, seed) for at, layout in enumerate(made)])
    return made


def oracle_anchors(layout: Layout, height_px: int, seconds: float) -> Anchors:
    """True distances, masks and labels, levels, and dry clips of another take; `truth` are the true sources."""
    rgb, geometry, masks = picture(layout, height_px)
    sounding = [(body, mask) for body, mask in zip(layout.bodies, masks, strict=True) if body.sound != "silent"]
    rng = np.random.default_rng(ANCHOR_SEED)
    clips = [_clip(dry_sound(body.sound, seconds, rng)) for body, _ in sounding]
    clips.append(_clip(dry_sound("wind", seconds, rng)))
    soundings = (*(_sounding(body, mask) for body, mask in sounding), _wind(layout.ambient_db))
    sources = [_true_source(body, at, clip) for at, ((body, _), clip) in enumerate(zip(sounding, clips, strict=False))]
    none = np.zeros((0, 3), np.float32)
    wind = Source(
        "wind", "wind", "wind", Spread.AMBIENT, layout.ambient_db, 1.0, "truth", none, none, none[:, 0], 4 * np.pi,
        clip=clips[-1],
    )  # fmt: skip
    return Anchors(rgb, geometry, soundings, tuple(clips), (*sources, wind), {"part": layout.part})


def _written(layout: Layout, at: int, size: SyntheticSize, seed: int) -> WrittenScene:
    rgb, _, _ = picture(layout, size.height_px)
    heard = {"T0": closed_recording, "T1": recording, "T2": room_recording}[size.tier]
    mics: list[WrittenMicrophone] = []
    for m, pose in enumerate(layout.microphones):
        clips = {f"sample{c + 1}": heard(layout, pose, take_of(size, seed, at, m, c)) for c in range(size.clips)}
        mics.append(WrittenMicrophone(f"mic{m + 1}", marks_of(pose, GROUND_Z_M), clips, annotations(layout, pose)))
    labels = tuple(dict.fromkeys(body.label for body in layout.bodies if body.sound != "silent"))
    return WrittenScene(layout.id, rgb, labels, tuple(mics))


def annotations(layout: Layout, pose: Pose) -> tuple[tuple[str, str], ...]:
    """What is heard from which of six directions: the one nearest to the middle of each thing that sounds."""
    found: list[tuple[str, str]] = []
    for body in layout.bodies:
        if body.sound != "silent":
            ahead, left, above = (np.array(body.centre) - pose.origin) @ pose.rotation
            sides = {"front": ahead, "behind": -ahead, "left": left, "right": -left, "up": above, "down": -above}
            found.append((max(sides, key=lambda side: float(sides[side])), body.label))
    return tuple(found)


def _sounding(body: Body, mask: Bool[np.ndarray, "h w"]) -> Sounding:
    spread = Spread.POINT if body.kind == "ball" else Spread.AREA
    return Sounding(body.label, body.label, spread, body.level_db, 1.0, "truth", mask=mask)


def _wind(level_db: float) -> Sounding:
    return Sounding("wind", "wind", Spread.AMBIENT, level_db, 1.0, "truth")


def _clip(samples: np.ndarray) -> Clip:
    return Clip(samples.astype(np.float32), RATE_HZ, True, 0.0, "synthetic scene", "CC0-1.0")


def _true_source(body: Body, at: int, clip: Clip) -> Source:
    """All of it, also what the eye does not see."""
    points = surface(body).astype(np.float32)
    weights = np.full(len(points), 1 / len(points), np.float32)
    normals = np.tile(np.array([[0.0, 0.0, 1.0]], np.float32), (len(points), 1))
    spread = Spread.POINT if body.kind == "ball" else Spread.AREA
    return Source(
        f"true-{at}", body.label, body.label, spread, body.level_db, 1.0, "truth", points, normals, weights, 0.1,
        clip=clip,
    )  # fmt: skip


def surface(body: Body, sides: tuple[int, int] = (48, 12)) -> Float64[np.ndarray, "m 3"]:
    """A ball's centre, or even points of a whole surface."""
    centre = np.array(body.centre)
    if body.kind == "ball":
        return centre[None]
    many = sides[0] * sides[1]
    at, turn = (np.arange(many) + 0.5) / many, np.pi * (1 + np.sqrt(5)) * np.arange(many)
    if body.kind == "shell":
        z = 1 - 2 * at
        flat = np.sqrt(1 - z**2)
        return centre + body.half[0] * np.stack([flat * np.cos(turn), flat * np.sin(turn), z], -1)
    across, up = rectangle_axes(body)
    if body.kind == "disc":
        a, b = body.half[0] * np.sqrt(at) * np.stack([np.cos(turn), np.sin(turn)])
        return centre + a[:, None] * across + b[:, None] * up
    a, b = (((np.arange(n) + 0.5) / n * 2 - 1) * half for n, half in zip(sides, body.half, strict=True))
    return (centre + a[:, None, None] * across + b[None, :, None] * up).reshape(-1, 3)
