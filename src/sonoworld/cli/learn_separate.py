"""The verb that takes a recorded sound field apart by where a world's sources are."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from rich.console import Console
from tyro.conf import Positional

from sonoworld.acoustics.room import plain_emitter
from sonoworld.cli.progress import StageWatch
from sonoworld.disk import atomic
from sonoworld.disk.ambix import Convention, read_ambix, write_ambix
from sonoworld.disk.room_file import ROOM_FILE, read_room
from sonoworld.disk.scene import load_sources
from sonoworld.disk.wav import read_wav, write_wav
from sonoworld.encode.exchange import order_of
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.propagate import fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import InputError
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.learn.separate import Estimator, Separating, Separation, pieces, require_fit
from sonoworld.learn.separation.spatial import Target, heard_through, targets_of
from sonoworld.types import SoundField, Source, Spread

_Place = tuple[float, float, float]
RESPONSE_S = 0.5
"""Of a fitted room's response; what comes later is counted as coming from all around."""


@dataclass(frozen=True)
class Separate:
    """Take a recording apart: one stem per source of a world, and the rest.

    Written to OUT: <id>.wav (mono: what comes straight from the source), <id>.field.wav (its whole sound field),
    residual.wav, and stems.json. Fields and residual add up to the recording.
    """

    mixture: Positional[Path]
    """Ambisonic recording of order 1 or more."""
    scene: Path
    """Folder of a world whose sources sound in it."""
    out: Path
    """Folder to write; it must not exist, or be empty."""
    estimator: Estimator = "auto"
    """auto (Wiener filters; the recording says whether it is in a room), or another way."""
    convention: Convention = "ambix"
    """Of the recording."""
    at: _Place = (0.0, 0.0, 0.0)
    """Where it was recorded, in metres from the photo's eye: ahead, left, up."""
    yaw_deg: float = 0.0
    """Where the microphone looked, + left of the photo's view."""
    room: bool = False
    """Believe the ways through the world's fitted room (room.json, from `learn room`)."""
    responses: Path | None = None
    """Folder with measured responses of the room, <id>.wav, in the recording's order (ambix)."""
    share: float | None = None
    """Part of every source that arrives from all around, 0..1; default: the recording says."""
    reach_deg: float = 30.0
    """How far from their places points may be found."""
    seed: int = 0
    """Of random starts (nmf)."""


def separate(do: Separate) -> None:
    """Carry it out."""
    console = Console()
    how = Separating(estimator=do.estimator, share=do.share, reach_deg=do.reach_deg, seed=do.seed)
    out = do.out
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: expected a folder that is empty or does not exist yet, got one with something in it")
    sources, field = load_sources(do.scene), read_ambix(do.mixture, do.convention)
    listener = Pose(world_from_head_rotation(float(np.radians(do.yaw_deg)), 0.0), np.array(do.at, np.float64))
    targets = targets_of(sources, listener, field.order)
    if do.room:
        targets = heard_through(targets, fitted_responses(do.scene, sources, listener, field))
    targets = _with_responses(targets, do.responses, field)
    require_fit(field, targets)
    out.mkdir(parents=True, exist_ok=True)
    with StageWatch(console) as watch, tempfile.TemporaryDirectory(dir=out) as scratch:
        watch.started("separate", do.estimator)
        found = _gathered(field, targets, how, _Kept(Path(scratch), len(targets), field), watch)
        _write(out, field, targets, found)
        watch.finished("separate", 0.0, stored=False)
    atomic.write_json(out / "stems.json", _record(sources, listener, found[1], how))
    console.print(
        f"{out}: {len(targets)} stems of {field.signal.shape[1] / field.rate_hz:.1f} s, "
        f"diffuse share {found[1].share:.2g}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def fitted_responses(
    scene: Path, sources: Sequence[Source], listener: Pose, field: SoundField
) -> dict[str, np.ndarray]:
    """Responses [c taps] of the world's room from every source with one place, in the listener's head axes.

    Raises:
        InputError: the world has no room, or one whose late field was measured at another rate.
    """
    from sonoworld.acoustics.heard import room_response  # noqa: PLC0415  torch
    from sonoworld.acoustics.response import Grid  # noqa: PLC0415

    if not (scene / ROOM_FILE).is_file():
        raise InputError(f"{scene}: it has no {ROOM_FILE} yet; `sonoworld learn room` makes one")
    room, emitter = read_room(scene)
    grid = Grid(int(RESPONSE_S * field.rate_hz), field.rate_hz, field.order)
    M = rotation_matrix(listener.rotation.T, field.order)
    return {
        source.id: M @ room_response(room, emitter or plain_emitter(), source.centroid, listener.origin, grid)
        for source in sources
        if source.spread is Spread.POINT and source.centroid is not None
    }


class _Kept:
    """Stems on disk while they grow. Files are mapped only while a piece is written: memory holds one piece."""

    def __init__(self, folder: Path, count: int, field: SoundField) -> None:
        c, t = field.signal.shape
        self._shapes = {folder / "residual": (c, t)}
        for k in range(count):
            self._shapes |= {folder / f"image{k}": (c, t), folder / f"dry{k}": (1, t)}
        self._folder = folder
        for file, shape in self._shapes.items():
            np.memmap(file, np.float32, "w+", shape=shape)

    def put(self, start: int, found: Separation) -> int:
        """Write what was found from sample `start` on; the sample after it."""
        stop = start + found.residual.shape[1]
        parts = {"residual": found.residual}
        for k, image in enumerate(found.images):
            parts |= {f"image{k}": image, f"dry{k}": found.dry[k : k + 1]}
        for name, part in parts.items():
            self._mapped(name, "r+")[:, start:stop] = part
        return stop

    def signal(self, name: str) -> np.ndarray:
        """`residual`, `image<k>` [c t] or `dry<k>` [1 t], read when it is used."""
        return self._mapped(name, "r")

    def _mapped(self, name: str, mode: Literal["r", "r+"]) -> np.ndarray:
        return np.memmap(self._folder / name, np.float32, mode, shape=self._shapes[self._folder / name])


def _gathered(
    field: SoundField, targets: Sequence[Target], how: Separating, kept: _Kept, watch: StageWatch
) -> tuple[_Kept, Separation]:
    start = 0
    last: Separation | None = None
    for done, last in pieces(field, targets, how):
        start = kept.put(start, last)
        watch.progress("separate", done, f"{start / field.rate_hz:.0f} s")
    assert last is not None
    return kept, last


def _write(out: Path, field: SoundField, targets: Sequence[Target], found: tuple[_Kept, Separation]) -> None:
    kept = found[0]
    for k, target in enumerate(targets):
        write_wav(out / f"{target.name}.wav", kept.signal(f"dry{k}"), field.rate_hz, note=f"stem of {target.name}")
        image = SoundField(kept.signal(f"image{k}"), field.rate_hz, field.full_scale_db)
        write_ambix(out / f"{target.name}.field.wav", image)
    write_ambix(out / "residual.wav", SoundField(kept.signal("residual"), field.rate_hz, field.full_scale_db))


def _with_responses(targets: Sequence[Target], folder: Path | None, field: SoundField) -> tuple[Target, ...]:
    if folder is None:
        return tuple(targets)
    read: dict[str, np.ndarray] = {}
    for target in targets:
        samples, rate_hz = read_wav(folder / f"{target.name}.wav")
        if rate_hz != field.rate_hz or order_of(samples.shape[0]) != field.order:
            raise InputError(
                f"{folder / target.name}.wav: expected {field.signal.shape[0]} channels at {field.rate_hz} Hz, "
                f"got {samples.shape[0]} at {rate_hz} Hz"
            )
        read[target.name] = samples.astype(np.float64)
    return heard_through(targets, read)


def _record(sources: Sequence[Source], listener: Pose, found: Separation, how: Separating) -> dict[str, Any]:
    """What was done, and the gain that brings each stem to 1 m: 1/σ(d)."""
    law = EncodeOptions()
    stems: list[dict[str, Any]] = []
    for source, target in zip(sources, found.targets, strict=True):
        centroid = source.centroid
        gain = 0.0 if centroid is None else -20 * float(np.log10(fade(centroid - listener.origin, law)))
        stems.append(
            {"id": source.id, "label": source.label, "gain_to_1m_db": gain, "direction": target.gains[1:4].tolist()}
        )
    return {"how": asdict(how), "used": found.estimator, "diffuse_share": found.share, "stems": stems}
