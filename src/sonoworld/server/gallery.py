"""The gallery over HTTP: worlds, photos that become worlds, and how far they are."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sonoworld.disk.photo import read_photo
from sonoworld.errors import InputError
from sonoworld.server.bodies import save_body
from sonoworld.server.job import Job
from sonoworld.server.jobs import Jobs
from sonoworld.server.worlds import listed

MOST_PHOTO_BYTES = 100 * 2**20
LEAST_FREE_BYTES = 2**30
"""A world takes a few hundred MB while it is made."""

LOOK_S = 0.15
ALIVE_S = 15.0
"""So often a line is sent in vain, so that a page that has gone is noticed."""


def routes(folder: Path, jobs: Jobs) -> list[Route]:
    """Everything below `api/`."""

    async def worlds(request: Request) -> Response:
        del request
        found = await run_in_threadpool(listed, folder)
        return JSONResponse({"worlds": [asdict(entry) for entry in found]})

    async def photos(request: Request) -> Response:
        jobs.require_room()
        if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
            raise HTTPException(507, "less than 1 GB is free on the disk; a world needs more while it is made")
        upload = jobs.upload_folder()
        try:
            await save_body(request, upload / "photo", MOST_PHOTO_BYTES)
            job = await run_in_threadpool(_queued, jobs, upload, _title(request))
        except BaseException:
            shutil.rmtree(upload, ignore_errors=True)
            raise
        return JSONResponse(job.shown(), 202)

    async def drop(request: Request) -> Response:
        await run_in_threadpool(jobs.drop, request.path_params["id"])
        return Response(status_code=204)

    async def retry(request: Request) -> Response:
        await run_in_threadpool(jobs.retry, request.path_params["id"])
        return Response(status_code=204)

    async def events(request: Request) -> Response:
        return StreamingResponse(_events(jobs, request), media_type="text/event-stream")

    return [
        Route("/worlds", worlds),
        Route("/photos", photos, methods=["POST"]),
        Route("/events", events),
        Route("/jobs/{id}", drop, methods=["DELETE"]),
        Route("/jobs/{id}/retry", retry, methods=["POST"]),
    ]


def _queued(jobs: Jobs, upload: Path, title: str) -> Job:
    """Queue what came in, if it is a photo that can be read."""
    photo = upload / "photo"
    try:
        read_photo(photo)
    except InputError as error:
        raise InputError(str(error).replace(str(photo), title)) from error
    return jobs.add(upload, title)


def _title(request: Request) -> str:
    """Name of the photo's file as the page says it, without folders; for people, and for a first name of the world."""
    name = request.query_params.get("name", "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in name if c.isprintable()).strip()[:100] or "photo"


async def _events(jobs: Jobs, request: Request) -> AsyncIterator[str]:
    """All jobs, now and whenever something about them changes."""
    told, at = -1, 0.0
    while not await request.is_disconnected():
        now = time.monotonic()
        if jobs.revision != told:
            told, at = jobs.revision, now
            yield f"data: {json.dumps({'jobs': jobs.shown()})}\n\n"
        elif now - at > ALIVE_S:
            at = now
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_S)
