"""Which weights a recipe needs, and which of them are here; nothing is asked of the hub.

How weights are got is their `command`: what `hf download` would fetch is what `sonoworld models get` fetches.
"""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sonoworld.backend import Weights, needed_weights
from sonoworld.errors import BackendMissingError
from sonoworld.recipe import Recipe
from sonoworld.weights import HUB_PAGE, library

State = Literal["here", "in part", "no"]
LEAST_SHARE = 0.5
"""Of the stated size; a snapshot with less is taken for a part of the model."""


@dataclass(frozen=True, slots=True)
class Download:
    """What a command of the form `hf download ID [FILES] [--include P] [--exclude P] [--local-dir D]` fetches."""

    model: str
    allow: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    revision: str | None = None
    local_dir: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Weights that stages of a recipe need. `download` None: they are not on the hub, and `command` is for people."""

    stages: tuple[str, ...]
    weights: Weights
    download: Download | None
    state: State

    @property
    def command(self) -> str:
        """The command that gets exactly these files."""
        pinned = self.download.revision if self.download else None
        added = f" --revision {pinned}" if pinned and "--revision" not in self.weights.command else ""
        return self.weights.command + added

    @property
    def page(self) -> str:
        """Where their licence stands; "" where they are not on the hub."""
        return f"{HUB_PAGE}/{self.download.model}" if self.download else ""


def items(recipe: Recipe) -> tuple[Item, ...]:
    """All weights of a recipe, each once, in the order of the stages."""
    found: dict[str, tuple[list[str], Weights, str | None]] = {}
    for choice in recipe.choices.values():
        name = f"{choice.backend.stage}.{choice.backend.name}"
        options = choice.options.model_dump()
        for weights in needed_weights(choice.backend, choice.options):
            revision = options.get("revision") if options.get("model") == weights.model else None
            found.setdefault(weights.command, ([], weights, revision))[0].append(name)
    return tuple(_item(tuple(stages), weights, revision) for stages, weights, revision in found.values())


def total_gb(some: Iterable[Item]) -> float:
    """Their sizes together; what is unknown counts nothing."""
    return sum(item.weights.size_gb for item in some)


def parse(command: str) -> Download | None:
    """What `hf download` fetches; None for other commands."""
    words = shlex.split(command)
    if words[:2] != ["hf", "download"] or len(words) < 3:
        return None
    plain: list[str] = []
    flags: dict[str, list[str]] = {}
    rest = iter(words[2:])
    for word in rest:
        if word.startswith("--"):
            flags.setdefault(word, []).append(next(rest, ""))
        else:
            plain.append(word)
    if set(flags) - {"--include", "--exclude", "--revision", "--local-dir"}:
        return None
    allow = (*plain[1:], *flags.get("--include", ()))
    one = {name: values[0] for name, values in flags.items()}
    ignore = tuple(flags.get("--exclude", ()))
    return Download(plain[0], allow, ignore, one.get("--revision"), one.get("--local-dir"))


def _item(stages: tuple[str, ...], weights: Weights, revision: str | None) -> Item:
    download = parse(weights.command)
    if download is not None and revision is not None:
        download = Download(download.model, download.allow, download.ignore, revision, download.local_dir)
    return Item(stages, weights, download, "no" if download is None else _state(download, weights.size_gb))


def _state(download: Download, size_gb: float) -> State:
    folder = snapshot(download)
    if folder is None:
        return "no"
    parts = [list(folder.glob(pattern)) for pattern in download.allow or ("**/*",)]
    files = [file for part in parts for file in part if file.is_file()]
    if not all(parts):
        return "in part" if files else "no"
    unfinished = [] if download.local_dir else list((folder.parent.parent / "blobs").glob("*.incomplete"))
    enough = sum(file.stat().st_size for file in files) >= LEAST_SHARE * 1e9 * size_gb
    return "here" if enough and not unfinished else "in part"


def snapshot(download: Download) -> Path | None:
    """The folder of the model in the hub's cache (or where its command puts it); None where there is none."""
    if download.local_dir is not None:
        folder = Path(download.local_dir)
        return folder if folder.is_dir() else None
    try:
        hub: Any = library("huggingface_hub")
        found = hub.snapshot_download(download.model, revision=download.revision, local_files_only=True)
    except BackendMissingError:
        return None
    except Exception:  # noqa: BLE001  the hub's client says "not here" by exceptions of several kinds
        return None
    return Path(found)
