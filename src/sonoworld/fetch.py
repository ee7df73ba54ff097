"""Downloads of weights from the hub: asked for, resumed, and checked against the digests that the hub states.

Files in large-file storage are checked by SHA-256, others by git's blob digest: SHA-1 of "blob LENGTH" NUL CONTENT.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from sonoworld.errors import BackendMissingError, SonoworldError
from sonoworld.stock import Download, Item

SPARE_GB = 1.0
"""Room on the disk that is left beside the weights."""

CHUNK = 1 << 22


class DamagedError(SonoworldError):
    """A downloaded file is not the one that the hub describes."""


def require_login(some: Iterable[Item], hub: Any) -> None:
    """Before anything is downloaded: gated models need someone who is logged in.

    Raises:
        BackendMissingError: some are gated and nobody is; says where to accept the licences, and how to log in.
    """
    gated = [item for item in some if item.weights.gated]
    if not gated or hub.get_token() is not None:
        return
    pages = "\n".join(f"  {item.page} ({item.weights.licence})" for item in gated)
    raise BackendMissingError(
        f"accept these licences on their pages, then `hf auth login`, then run this again:\n{pages}"
    )


def get(item: Item, hub: Any, tell: Callable[[str], None]) -> Path:
    """Download what is not here yet of one item, and check all of it; its folder.

    Args:
        item: weights on the hub.
        hub: the package huggingface_hub.
        tell: is told what is being done.

    Raises:
        BackendMissingError: gated, not there, or the hub cannot be reached; says what to do.
        DamagedError: a file is not what the hub says it is; it was removed.
        SonoworldError: no room on the disk.
    """
    download = item.download
    if download is None:
        raise BackendMissingError(f"{item.weights.model} is not on the hub; get it by: {item.command}")
    try:
        facts = hub.HfApi().model_info(download.model, revision=download.revision, files_metadata=True)
        wanted = _wanted(facts.siblings, download, hub)
        _require_room(wanted, download, hub)
        tell(f"{download.model} at {facts.sha[:12]}: {len(wanted)} files, {_bytes(wanted) / 1e9:.2f} GB")
        folder = Path(
            hub.snapshot_download(
                download.model,
                revision=facts.sha,
                allow_patterns=list(download.allow) or None,
                ignore_patterns=list(download.ignore) or None,
                local_dir=download.local_dir,
            )
        )
    except SonoworldError:
        raise
    except Exception as error:  # the hub's client raises many types of its own
        raise BackendMissingError(_why(item, error)) from error
    for file in wanted:
        tell(f"checking {file.rfilename}")
        _check(folder / file.rfilename, file, download)
    return folder


def git_digest(path: Path) -> str:
    """Git's name for a file's content."""
    total = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _wanted(siblings: Any, download: Download, hub: Any) -> list[Any]:
    kept = hub.utils.filter_repo_objects(
        siblings,
        allow_patterns=list(download.allow) or None,
        ignore_patterns=list(download.ignore) or None,
        key=lambda file: file.rfilename,
    )
    return list(kept)


def _bytes(files: Iterable[Any]) -> int:
    return sum(file.size or 0 for file in files)


def _require_room(files: list[Any], download: Download, hub: Any) -> None:
    place = Path(download.local_dir or hub.constants.HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    free, asked = shutil.disk_usage(place).free, _bytes(files)
    if free < asked + SPARE_GB * 1e9:
        raise SonoworldError(
            f"{download.model}: {asked / 1e9:.1f} GB and {SPARE_GB:g} GB to spare are wanted at {place}, "
            f"{free / 1e9:.1f} GB are free; HF_HOME names another place"
        )


def _check(path: Path, file: Any, download: Download) -> None:
    """Compare one file with what the hub says of it."""
    name = PurePosixPath(file.rfilename)
    if name.is_absolute() or ".." in name.parts:
        raise DamagedError(f"{download.model}: a file called {file.rfilename[:100]!r} was not looked at")
    if not path.is_file():
        raise DamagedError(f"{download.model}: {file.rfilename} did not arrive; run the same command again")
    size = path.stat().st_size
    if file.lfs is not None:
        right = size == file.lfs.size and _sha256(path) == file.lfs.sha256
    else:
        right = file.blob_id is None or git_digest(path) == file.blob_id
    if not right:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise DamagedError(
            f"{download.model}: {file.rfilename} is not the file that the hub describes (its digest differs); "
            "it was removed: run the same command again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _why(item: Item, error: Exception) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    head = f"{item.weights.model} cannot be downloaded:"
    if "GatedRepoError" in names:
        return f"{head} it is gated. Accept its licence at {item.page}, then `hf auth login`, then run this again"
    if "RevisionNotFoundError" in names:
        return f"{head} it has no revision {item.download.revision if item.download else ''!r}"
    if "RepositoryNotFoundError" in names:
        return f"{head} the hub has no such model, or it is private: {item.page}"
    if names & {"ConnectError", "ConnectTimeout", "ConnectionError", "LocalEntryNotFoundError", "OfflineModeIsEnabled"}:
        return f"{head} the hub cannot be reached; what has arrived is kept: run the same command again"
    first = str(error).strip().split("\n")[0][:300]
    return f"{head} {type(error).__name__}: {first}; what has arrived is kept: run the same command again"
