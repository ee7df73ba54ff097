"""The applications: a gallery of worlds, or one world that can be edited; both behind a guard."""

import contextlib
import tempfile
from collections.abc import Callable, Generator
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from sonoworld.disk.scene import manifest
from sonoworld.errors import BackendMissingError, InputError, SonoworldError
from sonoworld.recipe import DEFAULT, load
from sonoworld.server import editor, gallery
from sonoworld.server.bodies import failed
from sonoworld.server.guard import Guard
from sonoworld.server.jobs import Jobs
from sonoworld.server.sites import Sites
from sonoworld.server.worlds import world_at
from sonoworld.view.server import file_answer

PAGE = ("gallery.html", "gallery.js", "gallery.css", "icon.svg")
ENTRANCES = ("", "index.html", "world.json")
"""Asking for one of these is entering: only then it is looked whether the world sounds otherwise by now."""


@contextlib.contextmanager
def gallery_app(
    folder: Path, bound: str, token: str, *, recipe: str = DEFAULT, settings: tuple[str, ...] = ()
) -> Generator[Guard]:
    """The gallery of a folder's worlds, where photos can be dropped.

    Args:
        folder: where worlds are and will be; made where it is missing.
        bound: the address that the server is bound to.
        token: first part of every path.
        recipe: with which photos become worlds, name or file.
        settings: laid over it, as `--set` has them.

    Raises:
        RecipeError: no such recipe or option.
        BackendMissingError: a chosen backend cannot run here, or the page was not built at install.
    """
    load(recipe, settings).require_available()
    page = _page()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: expected a folder for worlds ({error.strerror})") from error
    root = folder.resolve()
    with tempfile.TemporaryDirectory(prefix="sonoworld-serve-") as cache:
        jobs, sites = Jobs(root, recipe, settings), Sites(Path(cache) / "sites")

        def scene_of(request: Request) -> Path:
            return world_at(root, request.path_params["world"])

        async def send_page(request: Request) -> Response:
            name = request.path_params.get("name", "gallery.html")
            return file_answer(page, name if name in PAGE else "", request)

        async def poster(request: Request) -> Response:
            return file_answer(await run_in_threadpool(sites.poster, scene_of(request)), "poster.jpg", request)

        routes: list[BaseRoute] = [
            Mount("/api", routes=gallery.routes(root, jobs)),
            Route("/worlds/{world}/poster.jpg", poster),
            *_world_routes("/worlds/{world}", scene_of, sites, Path(cache) / "recordings"),
            Route("/", send_page),
            Route("/{name}", send_page),
        ]
        try:
            yield Guard(_starlette(routes), bound, token)
        finally:
            jobs.close()


@contextlib.contextmanager
def world_app(scene: Path, bound: str, token: str, *, editable: bool = True, ears: str = "kemar") -> Generator[Guard]:
    """One world, to walk through and, where it is `editable`, to edit; `ears` as in `export_folder`.

    Raises:
        InputError: it is no scene.
        UnsafeFileError: the SOFA file of the ears cannot be used.
    """
    manifest(scene)
    root = scene.resolve()
    with tempfile.TemporaryDirectory(prefix="sonoworld-view-") as cache:
        sites = Sites(Path(cache) / "sites", ears)
        sites.site(root)
        routes = _world_routes("", lambda _: root, sites, Path(cache) / "recordings" if editable else None)
        yield Guard(_starlette(routes), bound, token)


def _world_routes(at: str, scene_of: Callable[[Request], Path], sites: Sites, uploads: Path | None) -> list[BaseRoute]:
    """A world's page and, where there is a place for `uploads`, its editing protocol, below a path."""

    async def send(request: Request) -> Response:
        scene, name = scene_of(request), request.path_params.get("path", "")
        made = sites.site if name in ENTRANCES else sites.entered
        return file_answer(await run_in_threadpool(made, scene), name or "index.html", request)

    async def enter(request: Request) -> Response:
        return RedirectResponse(f"{request.path_params['world']}/")

    first: list[BaseRoute] = [Route(at, enter)] if at else []
    if uploads is not None:
        uploads.mkdir(parents=True, exist_ok=True)
        first.append(Mount(f"{at}/edit", routes=editor.routes(scene_of, uploads)))
    return [*first, Route(f"{at}/{{path:path}}", send)]


def _starlette(routes: list[BaseRoute]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={SonoworldError: failed, HTTPException: failed, OSError: failed})


def _page() -> Path:
    page = Path(str(files("sonoworld").joinpath("products", "viewer")))
    if not all((page / name).is_file() for name in PAGE):
        raise BackendMissingError(
            "the gallery's page was not built: `pip install --force-reinstall --no-deps sonoworld`, or "
            "`pip install -e .` in a checkout, builds it"
        )
    return page
