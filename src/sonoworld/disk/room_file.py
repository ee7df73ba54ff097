"""A room as `room.json`, and beside it, where there is one, its measured residue as a sound file.

Bands are octaves from 125 Hz to 16 kHz; lengths in m, world axes; levels in dB re the direct sound at 1 m.
"""

import shutil
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonoworld.acoustics import OCTAVES_HZ, Emitter, LateField, Room, Walls
from sonoworld.disk import atomic, wav
from sonoworld.errors import UnsafeFileError

ROOM_FILE, RESIDUE_FILE, WAVELET_FILE = "room.json", "room.residue.wav", "room.source.wav"
PICTURE_FILE = "room.fit.png"
FORMAT = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Wall(_Part):
    normal: list[float] = Field(min_length=3, max_length=3)
    offset_m: float
    material: str
    absorption: list[float]


class _Late(_Part):
    t60_s: list[float]
    level_db: list[float]
    mixing_s: float
    covariance: list[list[list[float]]]
    residue: str | None = None


class _Emitter(_Part):
    gain_db: list[float]
    directivity: list[float]
    facing: list[float]
    onset: int = Field(ge=0)
    wavelet: str | None = None


class _Document(_Part):
    format: int = Field(ge=FORMAT, le=FORMAT)
    bands_hz: list[float]
    order: int = Field(ge=0, le=6)
    guessed: bool
    walls: list[_Wall] = Field(max_length=64)
    late: _Late | None
    emitter: _Emitter | None


def write_room(folder: Path, room: Room, emitter: Emitter | None = None, rate_hz: int = wav.RATE_HZ) -> tuple[str, ...]:
    """Write a room, and the source with which it was measured; names of the files in `folder`."""
    names = [ROOM_FILE]
    late, residue = room.late, None
    if late is not None and late.measured is not None:
        residue = RESIDUE_FILE
        wav.write_wav(folder / residue, late.measured, late.measured_rate_hz, note="residue W Y Z X (ACN, SN3D)")
        names.append(residue)
    wavelet = None
    if emitter is not None and emitter.wavelet is not None:
        wavelet = WAVELET_FILE
        wav.write_wav(folder / wavelet, emitter.wavelet[None].astype(np.float32), rate_hz, note="direct sound at 1 m")
        names.append(wavelet)
    document = _Document(
        format=FORMAT,
        bands_hz=list(OCTAVES_HZ),
        order=room.order,
        guessed=room.guessed,
        walls=_walls(room.walls),
        late=None if late is None else _late(late, residue),
        emitter=None if emitter is None else _emitter(emitter, wavelet),
    )
    atomic.write_json(folder / ROOM_FILE, document.model_dump())
    for old in {RESIDUE_FILE, WAVELET_FILE} - set(names):
        (folder / old).unlink(missing_ok=True)
    return tuple(names)


def carry_room(old: Path, new: Path) -> None:
    """Take what was learnt of a scene's room over into its remade self."""
    for name in (ROOM_FILE, RESIDUE_FILE, WAVELET_FILE, PICTURE_FILE):
        if (old / name).is_file():
            shutil.copy2(old / name, new / name)


def read_room(folder: Path) -> tuple[Room, Emitter | None]:
    """A room, and the source with which it was measured, if it was.

    Raises:
        UnsafeFileError: missing, malformed, other bands, or a file that it names is not there.
    """
    where = folder / ROOM_FILE
    try:
        d = _Document.model_validate(atomic.read_json(where))
    except ValidationError as error:
        raise UnsafeFileError(f"{where}: {error}") from error
    if tuple(d.bands_hz) != OCTAVES_HZ:
        raise UnsafeFileError(f"{where}: expected the bands {OCTAVES_HZ} Hz, got {d.bands_hz}")
    bands = len(OCTAVES_HZ)
    walls = Walls(
        np.array([w.normal for w in d.walls]).reshape(-1, 3),
        np.array([w.offset_m for w in d.walls]),
        np.array([w.absorption for w in d.walls]).reshape(-1, bands),
        tuple(w.material for w in d.walls),
    )
    late = None if d.late is None else _read_late(folder, d.late)
    emitter = None if d.emitter is None else _read_emitter(folder, d.emitter)
    return Room(walls, late, d.order, d.guessed), emitter


def _read_late(folder: Path, late: _Late) -> LateField:
    covariance = np.array(late.covariance)
    if late.residue is None:
        return LateField(np.array(late.t60_s), np.array(late.level_db), late.mixing_s, covariance)
    samples, rate_hz = wav.read_wav(atomic.inside(folder, late.residue))
    return LateField(np.array(late.t60_s), np.array(late.level_db), late.mixing_s, covariance, samples, rate_hz)


def _read_emitter(folder: Path, e: _Emitter) -> Emitter:
    wavelet = None
    if e.wavelet is not None:
        wavelet = wav.read_wav(atomic.inside(folder, e.wavelet))[0][0].astype(np.float64)
    return Emitter(np.array(e.gain_db), np.array(e.directivity), np.array(e.facing), wavelet, e.onset)


def _walls(walls: Walls) -> list[_Wall]:
    rows = zip(walls.normals, walls.offsets_m, walls.materials, walls.absorption, strict=True)
    return [_Wall(normal=n.tolist(), offset_m=float(q), material=m, absorption=_short(a)) for n, q, m, a in rows]


def _late(late: LateField, residue: str | None) -> _Late:
    return _Late(
        t60_s=_short(late.t60_s),
        level_db=_short(late.level_db),
        mixing_s=late.mixing_s,
        covariance=late.covariance.tolist(),
        residue=residue,
    )


def _emitter(e: Emitter, wavelet: str | None) -> _Emitter:
    return _Emitter(
        gain_db=_short(e.gain_db),
        directivity=_short(e.directivity),
        facing=e.facing.tolist(),
        onset=e.onset,
        wavelet=wavelet,
    )


def _short(values: Float64[np.ndarray, "b"]) -> list[float]:
    return [float(f"{v:.6g}") for v in values]
