"""One world at World Labs: asked for once, found again after any interruption, downloaded.

What was asked is kept in the user's cache folder: `job.json` before and after each step, then `world.spz` and
`world.json`. The job's key is also a tag of the world at World Labs, so that a world whose answer was lost is found.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import platformdirs

from sonoworld.disk import atomic
from sonoworld.disk.lock import held
from sonoworld.errors import StageError, UnsafeFileError
from sonoworld.lift.marble import MarbleOptions
from sonoworld.lift.marble_address import Service
from sonoworld.lift.marble_answer import (
    Json,
    id_of,
    id_of_world,
    length,
    object_of,
    progress,
    ready,
    semantics,
    splat_urls,
)
from sonoworld.lift.marble_http import NotThereError, Patience, Question, UncertainError, ask, pause, said
from sonoworld.lift.marble_transfer import download, upload

USUAL_S = 300.0
"""About how long Marble takes; for the progress bar alone."""

MAX_ADDRESSES = 3
"""Signed addresses expire; so often a new one is asked for."""

LIVING = ("SUCCEEDED", "RUNNING", "PENDING")


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: a PNG of the panorama and Marble's seed. `key` names all of it."""

    png: bytes
    seed: int
    options: MarbleOptions

    @property
    def key(self) -> str:
        """Of everything that makes another world."""
        o = self.options
        facts = [hashlib.sha256(self.png).hexdigest(), self.seed, o.model, o.text_prompt, o.take, o.base_url]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @property
    def tag(self) -> str:
        """The key as a tag of the world (at most 32 characters)."""
        return f"sonoworld-{self.key[:20]}"


@dataclass(frozen=True, slots=True)
class MadeWorld:
    """The files of a world here, and the numbers that Marble gave for it."""

    spz: Path
    metric_scale_factor: float | None
    ground_plane_offset: float | None


@dataclass(frozen=True, slots=True)
class _Job:
    """An order on its way. `tell(fraction, note)` may raise to interrupt."""

    order: Order
    service: Service
    folder: Path
    tell: Callable[[float, str], None]

    @property
    def patience(self) -> Patience:
        options = self.order.options
        return Patience(options.timeout_s, options.retries, lambda note: self.tell(0.0, note))

    def ask(self, method: str, path: str, body: Json | None = None, *, charged: bool = False) -> Json:
        return ask(self.service, Question(method, path, body, charged), self.patience)

    def record(self) -> Json:
        path = self.folder / "job.json"
        if not path.is_file():
            return {}
        found = atomic.read_json(path, limit_bytes=2**20)
        if not isinstance(found, dict):
            raise UnsafeFileError(f"{path}: expected a JSON object")
        return cast("Json", found)

    def note(self, record: Json) -> None:
        atomic.write_json(self.folder / "job.json", record)


def cache_folder() -> Path:
    """Where worlds lie."""
    return platformdirs.user_cache_path("sonoworld") / "marble"


def made_world(order: Order, service: Service, tell: Callable[[float, str], None]) -> MadeWorld:
    """The world of an order: from the cache, else from World Labs, where it is asked for if it never was.

    Raises:
        BackendMissingError: the key is refused.
        StageError: World Labs could not make it, or does not answer; the same command goes on later.
        SonoworldError: another process is at it: two must not pay for one world.
    """
    folder = cache_folder() / order.key
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    job = _Job(order, service, folder, tell)
    spz, facts = folder / f"{order.options.splats}.spz", folder / "world.json"
    with held(folder / "lock", f"{folder}: another process asks Marble for the same world"):
        if not (spz.is_file() and facts.is_file()):
            _begin(job)
            world = _finished(job)
            atomic.write_json(facts, {name: world.get(name) for name in ("world_id", "model")} | semantics(world))
            _fetch(job, world, spz)
    found = atomic.read_json(facts, limit_bytes=2**20)
    numbers = cast("Json", found) if isinstance(found, dict) else {}
    scale, offset = (length(name, numbers.get(name)) for name in ("metric_scale_factor", "ground_plane_offset"))
    return MadeWorld(spz, scale, offset)


def _begin(job: _Job) -> None:
    """Leave a record of a world that is being made or is made: found again, or asked for now."""
    record = job.record()
    if record.get("operation_id") or record.get("world_id"):
        return
    job.tell(0.0, "asking whether this world exists")
    if (world_id := _existing(job)) is not None:
        job.note({**record, "world_id": world_id})
        return
    if not record.get("media_asset_id"):
        record = {**record, "media_asset_id": _uploaded(job)}
        job.note(record)
    job.tell(0.05, "asking for the world")
    try:
        operation = job.ask("POST", "worlds:generate", _wish(job.order, record), charged=True)
        operation_id = id_of(operation, "operation_id", job.service)
    except UncertainError as error:
        raise StageError(
            f"{error}\n  It is not known whether the world was begun. Run the same command again: it looks for it "
            f"first (tag {job.order.tag}) and asks again only if it is not there."
        ) from None
    job.note({**record, "operation_id": operation_id})


def _existing(job: _Job) -> str | None:
    """A world with this order's tag."""
    for status in LIVING:
        body: Json = {"tags": [job.order.tag], "status": status, "page_size": 1, "sort_by": "created_at"}
        worlds = job.ask("POST", "worlds:list", body).get("worlds")
        if not isinstance(worlds, list):
            raise StageError(f"{job.service.host}: expected a list of worlds, got {said(str(worlds), 60)!r}")
        if worlds:
            return id_of_world(object_of(worlds[0], "a world", job.service), job.service)
    return None


def _uploaded(job: _Job) -> str:
    job.tell(0.0, "uploading the panorama")
    body: Json = {"file_name": "panorama.png", "extension": "png", "kind": "image"}
    answer = job.ask("POST", "media-assets:prepare_upload", body)
    asset = object_of(answer.get("media_asset"), "media_asset", job.service)
    name = "media_asset_id" if "media_asset_id" in asset else "id"
    upload(job.service, object_of(answer.get("upload_info"), "upload_info", job.service), job.order.png, job.patience)
    return id_of(asset, name, job.service)


def _wish(order: Order, record: Json) -> Json:
    options = order.options
    prompt: Json = {
        "type": "image",
        "image_prompt": {"source": "media_asset", "media_asset_id": record["media_asset_id"]},
        "is_pano": True,
    }
    if options.text_prompt:
        prompt["text_prompt"] = options.text_prompt
    return {
        "display_name": f"sonoworld {order.key[:8]}",
        "model": options.model,
        "seed": order.seed,
        "tags": [order.tag],
        "world_prompt": prompt,
        "permission": {"public": False},
    }


def _finished(job: _Job) -> Json:
    """The world, once it is made."""
    options, began = job.order.options, time.monotonic()
    while True:
        world, note = _look(job, job.record())
        if world is not None:
            return world
        waited = time.monotonic() - began
        if waited > options.wait_s:
            raise StageError(
                f"{job.service.host}: the world is not made after {waited:.0f} s ({note}); the same command waits on, "
                "and it is not charged again"
            )
        done = 0.1 + 0.7 * waited / (waited + USUAL_S)
        pause(options.poll_s, lambda d=done, n=note: job.tell(d, n))


def _look(job: _Job, record: Json) -> tuple[Json | None, str]:
    """The world, or None and what Marble says about its progress."""
    if not record.get("operation_id"):
        return ready(_world(job, str(record["world_id"]))), "being made"
    try:
        operation = job.ask("GET", f"operations/{record['operation_id']}")
    except NotThereError:
        world_id = _recovered(job, record)
        job.note({"world_id": world_id})
        return ready(_world(job, world_id)), "being made"
    if operation.get("done") is not True:
        return None, progress(operation)
    _require_success(job, operation)
    world = object_of(operation.get("response"), "a world", job.service)
    world_id = id_of_world(world, job.service)
    job.note({**record, "world_id": world_id})
    return ready(world) or ready(_world(job, world_id)), "its files are being written"


def _recovered(job: _Job, record: Json) -> str:
    """The world of an operation that World Labs has forgotten."""
    world_id = record.get("world_id") or _existing(job)
    if not isinstance(world_id, str):
        raise StageError(
            f"{job.service.host}: the world that was asked for is not there any more (operation "
            f"{record['operation_id']}); --set lift.take={job.order.options.take + 1} asks, and pays, for another"
        )
    return world_id


def _require_success(job: _Job, operation: Json) -> None:
    error = operation.get("error")
    if not error and operation.get("response"):
        return
    facts = cast("Json", error) if isinstance(error, dict) else {}
    message = said(str(facts.get("message") or error or "neither world nor error"), 200)
    (job.folder / "job.json").unlink(missing_ok=True)  # it will never be made: the next run asks anew
    raise StageError(f"{job.service.host}: Marble did not make the world: {message}; the next run asks again")


def _world(job: _Job, world_id: str) -> Json:
    answer = job.ask("GET", f"worlds/{world_id}")
    return object_of(answer.get("world", answer), "a world", job.service)


def _fetch(job: _Job, world: Json, path: Path) -> None:
    for _ in range(MAX_ADDRESSES):
        urls = splat_urls(world)
        url = urls.get(job.order.options.splats)
        if not isinstance(url, str):
            names = said(", ".join(sorted(map(str, urls))), 100)
            raise StageError(f"{job.service.host}: the world has no file {job.order.options.splats!r} (it has {names})")
        patience = Patience(
            job.order.options.timeout_s, job.order.options.retries, lambda note: job.tell(0.85, f"downloading {note}")
        )
        try:
            return download(job.service, url, path, patience)
        except NotThereError:
            world = _world(job, id_of_world(world, job.service))
    raise StageError(f"{job.service.host}: the addresses of the world's files expire before they can be downloaded")
