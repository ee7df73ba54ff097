"""Worlds for an object store (`s3://`, `gs://`, ... by fsspec): made here, and brought there when finished.

A world's `scene.json` goes last: what has none over there is not whole, and what has this one has all of its files.
"""

import hashlib
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from sonoworld.batch.head import Progress
from sonoworld.batch.photos import Item
from sonoworld.disk.workspace import SCENE
from sonoworld.errors import SonoworldError
from sonoworld.weights import library

MARK = "://"


def is_store(out: str) -> bool:
    """Whether this is an address rather than a folder."""
    return MARK in out


def staging(out: str) -> Path:
    """The folder of this machine in which worlds for an address are made, and kept for the next run."""
    from platformdirs import user_cache_path  # noqa: PLC0415

    return user_cache_path("sonoworld") / "batch" / hashlib.sha256(out.encode()).hexdigest()[:16]


def brought(steps: Iterable[Progress], items: Sequence[Item], here: Path, out: str) -> Generator[Progress]:
    """The same steps; every world that is there here is there over there too when its step comes out.

    Raises:
        BackendMissingError: fsspec, or its part for this kind of store, is not installed.
        SonoworldError: the store cannot be reached or written.
    """
    fsspec: Any = library("fsspec", "store")
    try:
        store, root = fsspec.core.url_to_fs(out)
        told = False
        for step in steps:
            if not told:  # worlds of earlier runs, perhaps of one that was killed before it could bring them
                told = True
                for item in items:
                    _bring(store, root, here / item.id)
            elif step.entry is not None and step.entry.state == "done":
                _bring(store, root, here / step.entry.id)
            yield step
        for ledger in sorted(here.glob("manifest*.jsonl")):
            store.pipe_file(f"{root}/{ledger.name}", ledger.read_bytes())
    except (OSError, ValueError) as error:
        kept = f"finished worlds are kept in {here}; run the same command again to go on"
        raise SonoworldError(f"{out}: {error or type(error).__name__}; {kept}") from error


def _bring(store: Any, root: str, world: Path) -> None:
    if not (world / SCENE).is_file():
        return
    scene, there = (world / SCENE).read_bytes(), f"{root}/{world.name}"
    if store.exists(f"{there}/{SCENE}"):
        if store.cat_file(f"{there}/{SCENE}") == scene:
            return
        store.rm_file(f"{there}/{SCENE}")
        store.rm(there, recursive=True)
    for path in sorted(p for p in world.rglob("*") if p.is_file() and p != world / SCENE):
        target = f"{there}/{path.relative_to(world).as_posix()}"
        store.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        store.put_file(str(path), target)
    store.pipe_file(f"{there}/{SCENE}", scene)
