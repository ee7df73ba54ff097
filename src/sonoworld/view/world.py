"""A scene as the document that tells the page what is where and how loud.

Letters: σ fade with distance, w weight of a surface point, g linear factor from a stored clip to pressure re full scale
at 1 m.
"""

import math

import numpy as np
from jaxtyping import Float64

from sonoworld.encode.area import split_surface
from sonoworld.encode.decorrelate import decorrelator
from sonoworld.encode.gains import source_gains
from sonoworld.encode.level import source_gain
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.frames import Pose
from sonoworld.pointset import thin
from sonoworld.terrain import walk_surface
from sonoworld.types import FULL_SCALE_DB, Camera, Scene, Source, Spread, WalkSurface
from sonoworld.view.document import (
    ClipPart,
    CopiesPart,
    DirectivityPart,
    GroundPart,
    HearingPart,
    PathPart,
    Point,
    SoundPart,
    SourcePart,
    SplatsPart,
    StartPart,
    WorldDocument,
)

SCREEN_TARGET_DBFS = -24.0
"""RMS at which all sources together play at the start: as loud as films are mixed (EBU R 128 speaks of −23 LUFS)."""

COPIES_RATE_HZ = 48000
MAX_POINTS = 256
"""Points that stand for an area in the page."""
MILLIMETRES = 3
GROUND_FILE = "ground.bin"


def world_document(
    scene: Scene,
    title: str,
    pictures: tuple[SplatsPart, ...],
    hearing: HearingPart,
    poster: str | None,
    laws: EncodeOptions,
) -> WorldDocument:
    """What the page needs to know of a scene, apart from pictures and samples. `pictures`: the finest first.

    Clip files are named `clips/<number>.flac`, in the order of the sources, scaled to the peak `CLIP_PEAK`; filters of
    their copies `clips/<number>.copies.bin`; the ground is `GROUND_FILE`.
    """
    ground = scene.ground
    return WorldDocument(
        title=title,
        notice=_notice(scene.camera),
        poster=poster,
        splats=pictures[0],
        lighter=pictures[1:],
        start=StartPart(),
        comfortable_radius_m=round(comfortable_radius_m(scene), 2),
        ground=None if ground is None else ground_part(ground),
        sound=SoundPart(
            **dict(hearing),
            full_scale_db=FULL_SCALE_DB,
            screen_gain_db=round(screen_gain_db(scene.sources, laws), 2),
        ),
        sources=tuple(_source_part(source, number, laws) for number, source in enumerate(scene.sources)),
    )


def with_sources(
    document: WorldDocument, sources: tuple[Source, ...], laws: EncodeOptions | None = None
) -> WorldDocument:
    """The same world with other sources, their files named as in `world_document`; `laws` as in `export_folder`."""
    chosen = laws or EncodeOptions()
    gain_db = round(screen_gain_db(sources, chosen), 2)
    return document.model_copy(
        update={
            "sound": document.sound.model_copy(update={"screen_gain_db": gain_db}),
            "sources": tuple(_source_part(source, number, chosen) for number, source in enumerate(sources)),
        }
    )


CLIP_PEAK = 0.98


def clip_scale(source: Source) -> float:
    """Factor on a source's samples when they are stored: the loudest sample becomes `CLIP_PEAK`. Silence stays."""
    peak = float(np.abs(source.clip.samples).max()) if source.clip else 0.0
    return CLIP_PEAK / peak if peak > 0 else 1.0


def comfortable_radius_m(scene: Scene) -> float:
    """How far a visitor may walk before the picture shows what it does not know; see `WalkSurface`."""
    ground = walk_surface(scene.geometry) if scene.ground is None else scene.ground
    return ground.comfortable_radius_m


def ground_part(ground: WalkSurface) -> GroundPart:
    """What `world.json` says of the grid in `GROUND_FILE`."""
    return GroundPart(file=GROUND_FILE, cells=ground.floor_m.shape[0], cell_m=float(f"{ground.cell_m:.6g}"))


def ground_bytes(ground: WalkSurface) -> bytes:
    """The grid as the page reads it: z of the ground in m, float32, then where one walks, a byte each."""
    return ground.floor_m.astype("<f4").tobytes() + ground.walkable.astype(np.uint8).tobytes()


def screen_gain_db(sources: tuple[Source, ...], laws: EncodeOptions) -> float:
    """The one gain with which a screen plays a scene: all sources at the start reach `SCREEN_TARGET_DBFS` RMS.

    Sources add in power (they are not coherent). No source, or none that sounds: 0 dB.
    """
    power = 0.0
    for source in sources:
        if source.clip is None:
            continue
        pressure = 10.0 ** ((source.level_db - FULL_SCALE_DB) / 20)
        power += (pressure * _loudness_at_start(source, laws)) ** 2
    return SCREEN_TARGET_DBFS - 10 * math.log10(power) if power > 0 else 0.0


def _loudness_at_start(source: Source, laws: EncodeOptions) -> float:
    """Pressure at the start re 1 m: Σ w σ(d), on its axis or off it, where the source is at time 0."""
    return abs(float(source_gains(source, Track.still(Pose.identity()), laws)[0, 0]))


def _surface(source: Source) -> tuple[Float64[np.ndarray, "k 3"], Float64[np.ndarray, "k"]]:
    """Points and weights that the page gets: a point source is its centroid, an area is thinned, ambience has none."""
    centroid = source.centroid
    if centroid is None:
        return np.empty((0, 3)), np.empty(0)
    if source.spread is Spread.POINT:
        return centroid[None], np.ones(1)
    return thin(np.asarray(source.points, np.float64), np.asarray(source.weights, np.float64), MAX_POINTS)


def _labels(source: Source, points: Float64[np.ndarray, "k 3"], weights: Float64[np.ndarray, "k"]) -> tuple[int, ...]:
    """Parts of a surface, where it has more than one place."""
    if source.spread is not Spread.AREA or len(np.unique(points, axis=0)) < 2:
        return ()
    return tuple(int(label) for label in split_surface(points, weights))


def _source_part(source: Source, number: int, laws: EncodeOptions) -> SourcePart:
    points, weights = _surface(source)
    labels = _labels(source, points, weights) if laws.area == "clusters" else ()
    clip = source.clip
    gain = source_gain(source.level_db, clip.clip_gain_db) / clip_scale(source) if clip else 0.0
    return SourcePart(
        id=source.id,
        label=source.label,
        prompt=source.prompt,
        spread=source.spread.value,
        level_db=round(source.level_db, 2),
        gain=float(f"{gain:.9g}"),
        confidence=round(source.confidence, 4),
        backend=source.backend,
        reason=source.reason,
        imagined=source.imagined,
        centre=None if source.centroid is None else _rounded(source.centroid),
        points=tuple(_rounded(point) for point in points),
        weights=tuple(float(f"{w:.6g}") for w in weights),
        labels=labels,
        directivity=_directivity_part(source),
        path=_path_part(source),
        clip=_clip_part(source, number, copied=bool(labels)),
    )


def _directivity_part(source: Source) -> DirectivityPart | None:
    aim = source.directivity
    if aim is None:
        return None
    x, y, z = aim.facing.tolist()
    return DirectivityPart(pattern=aim.pattern, sharpness=aim.sharpness, facing=(x, y, z))


def _path_part(source: Source) -> PathPart | None:
    path = source.path
    if path is None:
        return None
    return PathPart(
        times_s=tuple(path.times_s.tolist()),
        positions=tuple(_rounded(place) for place in path.positions),
        loops=path.loops,
        faces_ahead=path.faces_ahead,
    )


def _clip_part(source: Source, number: int, copied: bool) -> ClipPart | None:
    clip = source.clip
    if clip is None:
        return None
    taps = decorrelator(source.id, 0, COPIES_RATE_HZ).size
    copies = CopiesPart(file=f"clips/{number:03d}.copies.bin", taps=taps, rate_hz=COPIES_RATE_HZ)
    return ClipPart(
        file=f"clips/{number:03d}.flac",
        loops=clip.loops,
        made_by=clip.made_by,
        licence=clip.licence,
        author=clip.author,
        copies=copies if copied else None,
    )


def _rounded(point: Float64[np.ndarray, "3"]) -> Point:
    x, y, z = (round(float(value), MILLIMETRES) for value in point)
    return x, y, z


def _notice(camera: Camera | None) -> str:
    if camera is None or camera.sigma.confident:
        return ""
    pitch, fov = math.degrees(camera.sigma.pitch), math.degrees(camera.sigma.fov)
    return f"The camera's view is a guess (tilt ±{pitch:.0f}°, width ±{fov:.0f}°): sizes and distances may be off."
