"""`world.json`, format 1: what the page is told. Axes are the world's (FLU: x ahead, y left, z up; metres)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FORMAT = 1

Point = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class StartPart(_Part):
    """Where a visitor begins: m, radians (yaw + left, pitch + up)."""

    position: Point = (0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0


class SplatsPart(_Part):
    """The picture: splats in world axes, a SOG or a 3DGS PLY file."""

    file: str
    count: int


class GroundPart(_Part):
    """Where feet may go: `cells` × `cells` values, cell [i, j] centred on ((i − m)·cell_m, (j − m)·cell_m), m middle.

    The file holds first float32 little-endian [i, j], the ground's z in m (world); then one byte [i, j] each: 1 where a
    walker gets to from the start without meeting walls, things or steps higher than 0.4 m, else 0.
    """

    file: str
    cells: int
    cell_m: float


class FiltersPart(_Part):
    """Two channels to listen to: float32 little-endian [channel out, channel in, tap], ACN/SN3D, head axes.

    Headphones get ears, two loudspeakers before the listener (±30°) a panned picture.
    """

    file: str
    output: Literal["headphones", "speakers"] = "headphones"
    name: str
    order: int
    taps: int
    rate_hz: int


class DelayPart(_Part):
    """Sound takes its time: float32 [phase + 1, 16], weights of the samples around a place between two of them."""

    file: str
    phases: int


class AirPart(_Part):
    """What air takes: float32 [way, tap], filters at ways beyond the first metre."""

    file: str
    ways_m: tuple[float, ...]
    taps: int
    rate_hz: int


class NearPart(_Part):
    """Bass of sources nearer than `reference_m`; `roots` of degrees 1, 2, .., real and imaginary part."""

    reference_m: float
    nearest_m: float
    most_boost_db: float
    roots: tuple[tuple[float, float], ...]


class WallFiltersPart(_Part):
    """Two biquads (b0 b1 b2 a1 a2) of every wall, for one sample rate."""

    rate_hz: int
    numbers: tuple[float, ...]


class RoomPart(_Part):
    """What a place adds: its flat walls (normals; offsets, m; world), and what lingers.

    `late`: file of float32 [channel, tap], W Y Z X in world axes. `branches`: of `travel.branch_filters`, row by row.
    """

    normals: tuple[float, ...]
    offsets_m: tuple[float, ...]
    filters: tuple[WallFiltersPart, ...]
    branches: tuple[float, ...]
    longest_m: float
    late: str | None = None
    late_taps: int = 1
    rate_hz: int


class HearingPart(_Part):
    """Laws of distance, and the files the page hears with.

    `filters`: for every pair of ears on offer (the first is worn) all their orders, and for loudspeakers.
    """

    epsilon_m: float
    alpha_per_m: float
    speed_m_s: float
    delay: DelayPart | None = None
    air: AirPart | None = None
    near: NearPart | None = None
    room: RoomPart | None = None
    filters: tuple[FiltersPart, ...]


class SoundPart(HearingPart):
    """All of it, with levels. `screen_gain_db` is for playback only: one factor on everything."""

    full_scale_db: float
    screen_gain_db: float


class DirectivityPart(_Part):
    """Where a source radiates to; see `types.Directivity`."""

    pattern: float
    sharpness: float
    facing: Point


class PathPart(_Part):
    """Where the centre of a source goes, seconds after sound began; see `types.Motion`."""

    times_s: tuple[float, ...]
    positions: tuple[Point, ...]
    loops: bool
    faces_ahead: bool


class CopiesPart(_Part):
    """Filters of decorrelated copies, one for every label: float32 [copy, tap], centred at half their length."""

    file: str
    taps: int
    rate_hz: int


class ClipPart(_Part):
    """A mono recording beside the document."""

    file: str
    loops: bool
    made_by: str
    licence: str
    author: str
    copies: CopiesPart | None


class SourcePart(_Part):
    """One sounding thing. `gain` brings the stored clip to pressure re full scale at 1 m (ambience: anywhere).

    `labels`: which part of a surface a point belongs to; looking wide, every part sounds through a copy of its own.
    """

    id: str
    label: str
    prompt: str
    spread: Literal["point", "area", "ambient"]
    level_db: float
    gain: float
    confidence: float
    backend: str
    reason: str
    imagined: bool
    centre: Point | None
    points: tuple[Point, ...]
    weights: tuple[float, ...]
    labels: tuple[int, ...]
    directivity: DirectivityPart | None
    path: PathPart | None
    clip: ClipPart | None


class CreditPart(_Part):
    """Something that a world owes to somebody: what, by whom, under which licence."""

    what: str
    by: str
    licence: str


class CreditsPart(_Part):
    """Whose work a world is besides its sounds, which say so themselves.

    `made`: the steps that made it and the models they used; `shown`: what the page shows and hears with.
    """

    photo: str = ""
    made: tuple[CreditPart, ...] = ()
    shown: tuple[CreditPart, ...] = ()


class WorldDocument(_Part):
    """All of `world.json`. Every text in it is data: the page shows it as text, never as HTML.

    `lighter`: the same picture of fewer and fewer splats, for phones.
    """

    format: Literal[1] = FORMAT
    axes: Literal["FLU"] = "FLU"
    title: str
    notice: str
    poster: str | None
    splats: SplatsPart
    lighter: tuple[SplatsPart, ...] = ()
    start: StartPart
    comfortable_radius_m: float
    ground: GroundPart | None = None
    sound: SoundPart
    sources: tuple[SourcePart, ...]
    credits: CreditsPart = CreditsPart()
