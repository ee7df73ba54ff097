"""The editing protocol over HTTP: what sounds in a world, operations on it, and what helps to choose them."""

import io
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import soundfile as sf
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sonoworld.disk import atomic, versions
from sonoworld.disk.draft_file import Draft
from sonoworld.disk.wav import read_tags, read_wav
from sonoworld.edit import desk, places
from sonoworld.edit.drafting import World
from sonoworld.edit.operations import parse_operation
from sonoworld.edit.steps import redo_target, undo_target
from sonoworld.edit.suggest import suggestions
from sonoworld.edit.voice import maker_of, voiced
from sonoworld.errors import InputError
from sonoworld.server.bodies import document, save_body
from sonoworld.server.sites import as_made
from sonoworld.types import Clip, Source

MOST_RECORDING_BYTES = 200 * 2**20
PEAK = 0.98
_LOOKING = threading.Lock()

SceneOf = Callable[[Request], Path]


def routes(scene_of: SceneOf, uploads: Path) -> list[Route]:
    """Everything below `edit/` of a world. Recordings that come in are kept in `uploads`."""
    return [
        Route("/state", _reading(scene_of, _state)),
        Route("/log", _reading(scene_of, _log)),
        Route("/hit", _reading(scene_of, _hit)),
        Route("/suggest", _reading(scene_of, _suggest)),
        Route("/region.png", _reading(scene_of, _region)),
        Route("/panorama.jpg", _reading(scene_of, _panorama)),
        Route("/sound.flac", _reading(scene_of, _sound)),
        Route("/operation", _editing(scene_of, uploads), methods=["POST"]),
        Route("/undo", _stepping(scene_of, desk.undo), methods=["POST"]),
        Route("/redo", _stepping(scene_of, desk.redo), methods=["POST"]),
        Route("/recordings", _receiving(uploads), methods=["POST"]),
    ]


Endpoint = Callable[[Request], Awaitable[Response]]


def _reading(scene_of: SceneOf, answer: Callable[[Path, Request], Response]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, scene_of(request), request)

    return endpoint


def _editing(scene_of: SceneOf, uploads: Path) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        scene, fields = scene_of(request), await document(request)
        operation, base = parse_operation(fields.get("operation")), _base(fields)
        saved = await run_in_threadpool(
            desk.edit_scene, scene, operation, base, recording=lambda name: _upload(uploads, name), world=world_of
        )
        return await run_in_threadpool(_saved, scene, saved)

    return endpoint


def _stepping(scene_of: SceneOf, step: Callable[[Path, int | None], desk.Saved]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        scene, fields = scene_of(request), await document(request)
        saved = await run_in_threadpool(step, scene, _base(fields))
        return await run_in_threadpool(_saved, scene, saved)

    return endpoint


def _receiving(uploads: Path) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        incoming = uploads / f".{id(request):x}.part"
        await save_body(request, incoming, MOST_RECORDING_BYTES)
        return await run_in_threadpool(_received, uploads, incoming)

    return endpoint


def _received(uploads: Path, incoming: Path) -> Response:
    """A recording that can be read is kept under its digest; others are refused."""
    try:
        samples, rate_hz = read_wav(incoming)
        tags = read_tags(incoming)
        name = atomic.sha256(incoming)
        incoming.replace(uploads / name)
    except InputError as error:
        raise InputError(str(error).replace(str(incoming), "the recording")) from error
    finally:
        incoming.unlink(missing_ok=True)
    seconds = samples.shape[1] / rate_hz
    return JSONResponse({"file": name, "seconds": round(seconds, 3), **{k: v for k, v in asdict(tags).items() if v}})


def _upload(uploads: Path, name: str) -> Path:
    """A recording that came in; paths of this machine are none of a page's business."""
    if not (len(name) == 64 and name.isalnum() and (uploads / name).is_file()):
        raise InputError("edit: file: expected what an upload was answered with; send the recording again")
    return uploads / name


def _base(fields: dict[str, object]) -> int:
    base = fields.get("base")
    if not isinstance(base, int) or isinstance(base, bool) or set(fields) - {"base", "operation"}:
        raise HTTPException(400, "expected base, the version that the edit is for, and an operation, nothing else")
    return base


def _saved(scene: Path, saved: desk.Saved) -> Response:
    return JSONResponse(
        {"id": saved.id, "what": saved.version.what, **_told(scene, saved.version.version, saved.draft)}
    )


def _state(scene: Path, request: Request) -> Response:
    del request
    head = versions.head(scene)
    return JSONResponse(_told(scene, head, versions.load_version(scene, head)), headers={"ETag": f'"{head}"'})


def _told(scene: Path, version: int, draft: Draft) -> dict[str, object]:
    history = versions.history(scene)[: version + 1]
    undo, redo = undo_target(history), redo_target(history)
    return {
        "format": 1,
        "name": scene.name,
        "version": version,
        "can_undo": history[history[-1].of].what if undo else None,
        "can_redo": redo.what if redo else None,
        "sources": [{**_source(source), "muted": source.id in draft.muted} for source in draft.sources],
    }


def _source(source: Source) -> dict[str, object]:
    clip, path = source.clip, source.path
    return {
        "id": source.id,
        "label": source.label,
        "prompt": source.prompt,
        "spread": source.spread.value,
        "level_db": source.level_db,
        "centre": None if source.centroid is None else source.centroid.tolist(),
        "radius_m": _radius_m(source),
        "reason": source.reason,
        "imagined": source.imagined,
        "path": None if path is None else {
            "times_s": path.times_s.tolist(),
            "positions": path.positions.tolist(),
            "loops": path.loops,
            "faces_ahead": path.faces_ahead,
        },
        "sound": None if clip is None else {"made_by": clip.made_by, "licence": clip.licence, "author": clip.author},
    }  # fmt: skip


def _radius_m(source: Source) -> float | None:
    """What `widen` would have to say to leave the source as it is; None for ambience."""
    if source.centroid is None:
        return None
    away = source.points.astype(np.float64) - source.centroid
    return float(np.sqrt(2 * (source.weights.astype(np.float64) @ (away**2).sum(1))))


def _log(scene: Path, request: Request) -> Response:
    del request
    shown = ("version", "kind", "of", "what", "operation", "at")
    return JSONResponse({"versions": [{k: getattr(v, k) for k in shown} for v in versions.history(scene)]})


def _hit(scene: Path, request: Request) -> Response:
    """What a visitor at `ox`, `oy`, `oz` sees in the direction of `x`, `y`, `z`."""
    origin = np.array([_number(request, name, 0.0) for name in ("ox", "oy", "oz")])
    found = places.hit(world_of(scene).geometry, origin, _direction(request))
    return JSONResponse({"position": found.position.tolist(), "sky": found.sky})


def _suggest(scene: Path, request: Request) -> Response:
    world = world_of(scene)
    with _LOOKING:  # whoever asks meanwhile gets what was seen, instead of looking, too
        found = suggestions(world.panorama, world.soundings, _direction(request))
    return JSONResponse({"suggestions": [asdict(one) for one in found]})


def _region(scene: Path, request: Request) -> Response:
    mask = places.region(world_of(scene).panorama, _direction(request), _number(request, "tolerance", 12.0))
    return Response(cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes(), media_type="image/png")


def _panorama(scene: Path, request: Request) -> Response:
    del request
    picture = cv2.cvtColor(world_of(scene).panorama.rgb, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return Response(jpeg.tobytes(), media_type="image/jpeg")


def _sound(scene: Path, request: Request) -> Response:
    """A source's sound, or with `seed` the candidate that it would get."""
    query = request.query_params
    source = next((s for s in versions.load_version(scene).sources if s.id == query.get("id")), None)
    if source is None:
        raise InputError(f"edit: no source {query.get('id')!r}")
    clip = source.clip
    if "seed" in query:
        clip = voiced(source, maker_of(scene), int(_number(request, "seed", 0)), query.get("backend"))
    if clip is None:
        raise InputError(f"edit: {source.id} has no sound")
    return Response(_flac(clip), media_type="audio/flac")


def _flac(clip: Clip) -> bytes:
    """16 bits, its loudest sample at `PEAK`: for listening, its level is said elsewhere."""
    loudest = max(float(np.abs(clip.samples).max()), 1e-9)
    file = io.BytesIO()
    sf.write(file, clip.samples * np.float32(PEAK / loudest), clip.rate_hz, "PCM_16", format="FLAC")
    return file.getvalue()


def _direction(request: Request) -> np.ndarray:
    return places.unit((_number(request, "x"), _number(request, "y"), _number(request, "z")))


def _number(request: Request, name: str, otherwise: float | None = None) -> float:
    text = request.query_params.get(name)
    if text is None and otherwise is not None:
        return otherwise
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not -1e15 < value < 1e15:
        raise InputError(f"edit: {name}: expected a number, got {text!r}")
    return value


def world_of(scene: Path) -> World:
    """What is seen in a scene; the last two are kept."""
    return _world(scene, as_made(scene))


@lru_cache(maxsize=2)
def _world(scene: Path, made: str) -> World:
    del made
    return desk.load_world(scene)
