"""A hub of one small model, as far as `huggingface_hub` is used: files, digests, gates, and lines that break."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SHA = "0123456789abcdef0123456789abcdef01234567"


def named(name: str, message: str = "no") -> Exception:
    """An error of the hub's client by its name: its own constructors want whole responses."""
    return type(name, (Exception,), {})(message)


def chosen(
    items: Iterable[Any],
    *,
    allow_patterns: Sequence[str] | None,
    ignore_patterns: Sequence[str] | None,
    key: Callable[[Any], str] = str,
) -> list[Any]:
    """As `huggingface_hub.utils.filter_repo_objects`."""

    def any_of(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatch(name, pattern) for pattern in patterns)

    return [
        item
        for item in items
        if (allow_patterns is None or any_of(key(item), allow_patterns))
        and not any_of(key(item), ignore_patterns or ())
    ]


@dataclass
class Hub:
    """`files` by name; those called *.safetensors or *.pt are in large-file storage."""

    cache: Path
    files: dict[str, bytes]
    model: str = "a/model"
    token: str | None = None
    gated: bool = False
    breaks: list[str] = field(default_factory=list[str])
    spoils: list[str] = field(default_factory=list[str])
    downloads: list[str] = field(default_factory=list[str])
    error: Exception | None = None

    @property
    def utils(self) -> Any:
        return SimpleNamespace(filter_repo_objects=chosen)

    @property
    def constants(self) -> Any:
        return SimpleNamespace(HF_HUB_CACHE=str(self.cache))

    def get_token(self) -> str | None:
        return self.token

    def HfApi(self) -> "Hub":  # noqa: N802  the name it has
        return self

    def model_info(self, model: str, revision: str | None, files_metadata: bool) -> Any:
        assert files_metadata
        if self.error is not None:
            raise self.error
        if self.gated and self.token is None:
            raise named("GatedRepoError")
        if model != self.model:
            raise named("RepositoryNotFoundError")
        if revision not in (None, "main", SHA):
            raise named("RevisionNotFoundError")
        return SimpleNamespace(sha=SHA, siblings=[self._sibling(name) for name in self.files])

    def _sibling(self, name: str) -> Any:
        data = self.files[name]
        large = name.endswith((".safetensors", ".pt"))
        lfs = SimpleNamespace(size=len(data), sha256=hashlib.sha256(data).hexdigest()) if large else None
        blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
        return SimpleNamespace(rfilename=name, size=len(data), blob_id=None if large else blob, lfs=lfs)

    def snapshot_download(
        self,
        model: str,
        *,
        revision: str | None = None,
        allow_patterns: Sequence[str] | None = None,
        ignore_patterns: Sequence[str] | None = None,
        local_dir: str | None = None,
        local_files_only: bool = False,
    ) -> str:
        top = self.cache / f"models--{model.replace('/', '--')}"
        folder = Path(local_dir) if local_dir else top / "snapshots" / SHA
        if local_files_only:
            if not folder.is_dir():
                raise named("LocalEntryNotFoundError")
            return str(folder)
        assert revision == SHA  # what was described is what is fetched
        names = chosen(self.files, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns)
        for name in names:
            self._bring(name, folder, top / "blobs")
        return str(folder)

    def _bring(self, name: str, folder: Path, blobs: Path) -> None:
        path = folder / name
        if path.exists():
            return
        blobs.mkdir(parents=True, exist_ok=True)
        part = blobs / f"{name.replace('/', '_')}.incomplete"
        if name in self.breaks:
            self.breaks.remove(name)
            part.write_bytes(self.files[name][: len(self.files[name]) // 2])
            raise named("ConnectionError")
        self.downloads.append(name)
        part.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.files[name]
        if name in self.spoils:
            self.spoils.remove(name)
            data = bytes([data[0] ^ 1]) + data[1:]
        path.write_bytes(data)
