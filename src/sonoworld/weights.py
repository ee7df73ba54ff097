"""Checkpoints of other people's models: one rule for finding, loading and naming them.

A checkpoint is an id on the Hugging Face hub or a local folder in the same format. Nothing is looked up before a
backend is made; with `offline` nothing is looked up at all. What goes wrong becomes one message that says which model,
how large, under which licence, and how to get it.
"""

import hashlib
import importlib
import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from sonoworld.backend import Options, Run, Weights
from sonoworld.errors import BackendMissingError

HUB_PAGE = "https://huggingface.co"
DTypeName = Literal["auto", "float32", "bfloat16", "float16"]
_MAX_CARD_BYTES = 2**20
_DIGITS = 12


class ModelOptions(Options):
    """Which checkpoint, and where it runs."""

    model: str = Field(min_length=1, description="model id on the hub, or a local folder in the same format")
    revision: str | None = Field(default=None, description="commit, tag or branch of the model; a commit pins it")
    offline: bool = Field(default=False, description="never ask the hub: only the local cache or a folder")
    device: str = Field(
        default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps"
    )
    dtype: DTypeName = Field(default="auto", description="auto (16 bits on a GPU, float32 on the CPU) or its name")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One model to load.

    `known`: what is written about the ids that a backend expects. `option`: the backend's option that names it, for
    messages ("" = it cannot be changed).
    """

    model: str
    revision: str | None
    offline: bool
    known: tuple[Weights, ...] = ()
    option: str = "model"

    @property
    def is_folder(self) -> bool:
        """Whether `model` is a folder here rather than an id."""
        return Path(self.model).expanduser().is_dir()

    @property
    def place(self) -> str:
        """What to hand to `from_pretrained`."""
        return str(Path(self.model).expanduser()) if self.is_folder else self.model

    @property
    def name(self) -> str:
        """The id, or the folder's own name: what credits say."""
        return Path(self.place).resolve().name if self.is_folder else self.model

    @property
    def facts(self) -> Weights | None:
        """What is known about this id."""
        return next((w for w in self.known if w.model == self.model), None)


def library(name: str, extra: str = "models") -> Any:
    """An optional package, imported now.

    Raises:
        BackendMissingError: it is not installed, or broken; says how to get it.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:  # a package built for another torch fails with RuntimeError
        raise BackendMissingError(
            f"the package {name} cannot be used ({error}): pip install 'sonoworld[{extra}]'"
        ) from error


def packages_missing(*names: str, how: str = "") -> Callable[[], str]:
    """For `Backend.missing`: which of these packages are not installed, found out without importing any.

    `how`: the command for what an extra of ours cannot bring.
    """

    def missing() -> str:
        absent = [name for name in names if find_spec(name) is None]
        return f"not installed: {', '.join(absent)}" + (f"; {how}" if how else "") if absent else ""

    return missing


def folder_files(*models: str) -> tuple[str, ...]:
    """For `Backend.files`: all files of those models that are local folders; ids have none."""
    folders = [Path(model).expanduser() for model in models]
    files = [file for folder in folders if folder.is_dir() for file in folder.rglob("*") if file.is_file()]
    return tuple(sorted(str(file) for file in files))


@contextmanager
def loading(checkpoint: Checkpoint, who: str) -> Generator[None]:
    """Turns whatever a library raises while it loads a checkpoint into one message for people.

    Raises:
        BackendMissingError: not found, gated, not in the cache, unreadable, or of another architecture.
    """
    _require_folder(checkpoint, who)
    try:
        with _hub_closed(checkpoint.offline):
            yield
    except BackendMissingError:
        raise
    except Exception as error:  # libraries raise OSError, ValueError, KeyError and types of their own
        raise BackendMissingError(_advice(checkpoint, who, _reason(error, checkpoint.offline))) from error


@contextmanager
def _hub_closed(closed: bool) -> Generator[None]:
    """Parts that a library fetches by itself obey `offline`, too: the hub's own switch, for this long."""
    if find_spec("huggingface_hub") is None:  # then nothing here can fetch
        yield
        return
    constants: Any = library("huggingface_hub.constants")
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or closed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def hub_file(checkpoint: Checkpoint, *names: str) -> Path:
    """One file of a checkpoint, the first of these names that it has; call it inside `loading`.

    Raises:
        FileNotFoundError: a local folder has none of them. The hub raises errors of its own.
    """
    if checkpoint.is_folder:
        found = [file for name in names if (file := Path(checkpoint.place) / name).is_file()]
        if not found:
            raise FileNotFoundError(f"expected {' or '.join(names)} in {checkpoint.model}, got none")
        return found[0]
    hub = library("huggingface_hub")
    for i, name in enumerate(names):
        try:
            return Path(
                hub.hf_hub_download(
                    checkpoint.model, name, revision=checkpoint.revision, local_files_only=checkpoint.offline
                )
            )
        except (hub.errors.EntryNotFoundError, hub.errors.LocalEntryNotFoundError):
            if i == len(names) - 1:
                raise
    raise FileNotFoundError(checkpoint.model)


def filled(net: Any, file: Path, checkpoint: Checkpoint, who: str, prefix: str = "") -> Any:
    """The model with the tensors of a file (.safetensors, or torch's own format), all of them; call inside `loading`.

    `prefix`: what the names in the file begin with, beyond those of the model.

    Raises:
        BackendMissingError: the file lacks tensors of the model, which would have been left random.
    """
    torch = library("torch")
    if file.suffix == ".safetensors":
        library("safetensors")
        from safetensors.torch import load_file  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra

        state: dict[str, Any] = load_file(file)
    else:
        state = torch.load(file, map_location="cpu", weights_only=True)
    info = net.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()}, strict=False)
    return complete((net, {"missing_keys": info.missing_keys, "mismatched_keys": ()}), checkpoint, who)


def complete(loaded: tuple[Any, Any], checkpoint: Checkpoint, who: str) -> Any:
    """The model of a pair (model, loading info) as transformers gives it.

    Raises:
        BackendMissingError: the checkpoint lacks tensors of the model, which would have been left random.
    """
    model, info = loaded
    lacking = sorted({*info["missing_keys"], *(str(key) for key in info["mismatched_keys"])})
    if lacking:
        what = f"it lacks {len(lacking)} tensors of the model, such as {lacking[0]}: another architecture?"
        raise BackendMissingError(_advice(checkpoint, who, what))
    return model


def used(checkpoint: Checkpoint) -> str:
    """The model truly used, for the record: `id@commit`, or the folder's name with a digest of its configuration.

    Some models keep their configuration with their weights: then the digest is of all that lies in the folder.
    """
    if checkpoint.is_folder:
        folder = Path(checkpoint.place)
        texts = sorted(folder.glob("*.json"))
        if not texts:
            return f"{checkpoint.name} (local folder, files {_digest(folder)[:_DIGITS]})"
        total = hashlib.sha256(b"".join(file.read_bytes() for file in texts)).hexdigest()[:_DIGITS]
        return f"{checkpoint.name} (local folder, configuration {total})"
    snapshot = _snapshot(checkpoint)
    return f"{checkpoint.model}@{snapshot.name[:_DIGITS]}" if snapshot else checkpoint.model


def fingerprint(checkpoint: Checkpoint) -> str:
    """What tells these weights from all others, or "" where nothing here does.

    The commit of an id; of a folder name, size and time of every file, because reading them all takes minutes.
    """
    if checkpoint.is_folder:
        root = Path(checkpoint.place).resolve()
        files = sorted(file for file in root.rglob("*") if file.is_file())
        facts = [(file.relative_to(root).as_posix(), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return hashlib.sha256(repr((str(root), facts)).encode()).hexdigest()
    snapshot = _snapshot(checkpoint)
    return f"{checkpoint.model}@{snapshot.name}" if snapshot else ""


def licence(checkpoint: Checkpoint) -> str:
    """The licence of the weights: as known for the id, else as the model's own card says, else that nobody said."""
    if checkpoint.facts:
        return checkpoint.facts.licence
    folder = Path(checkpoint.place) if checkpoint.is_folder else _snapshot(checkpoint)
    card = folder / "README.md" if folder else None
    if card and card.is_file() and card.stat().st_size <= _MAX_CARD_BYTES:
        said = re.search(r"^license(?:_name)?:\s*(\S.*)$", card.read_text("utf-8", errors="replace"), re.MULTILINE)
        if said:
            return said[1].strip()
    return "not stated"


def credited(checkpoint: Checkpoint, run: Run) -> None:
    """Put the model truly used, and its licence, into the record of a scene: call it where the model is asked."""
    run.credit(used(checkpoint), licence(checkpoint))


def chosen_device(name: str) -> str:
    """`auto` is CUDA where there is one, else the CPU; others as they stand.

    Raises:
        BackendMissingError: that device is not here.
    """
    torch = library("torch")
    cuda = bool(torch.cuda.is_available())
    if name == "auto":
        return "cuda" if cuda else "cpu"
    if name.startswith("cuda") and not cuda:
        raise BackendMissingError(f"device {name!r}: torch sees no CUDA GPU here; use device = 'cpu' or 'auto'")
    if name == "mps" and not torch.backends.mps.is_available():
        raise BackendMissingError("device 'mps': torch sees no Apple GPU here; use device = 'cpu' or 'auto'")
    return name


def chosen_dtype(name: DTypeName, device: str, *, on_gpu: Literal["bfloat16", "float16", "float32"]) -> Any:
    """The torch dtype; `auto` is float32 on the CPU and `on_gpu` elsewhere."""
    torch = library("torch")
    if name == "auto":
        return torch.float32 if device == "cpu" else getattr(torch, on_gpu)
    return getattr(torch, name)


def _require_folder(checkpoint: Checkpoint, who: str) -> None:
    looks_local = checkpoint.model.startswith((".", "~", "/", os.sep)) or checkpoint.model.count("/") > 1
    if looks_local and not checkpoint.is_folder:
        raise BackendMissingError(f"{who}: {checkpoint.model}: expected a folder with a model, got nothing there")


def _reason(error: BaseException, offline: bool) -> str:
    names: set[str] = set()
    link: BaseException | None = error
    while link is not None:
        names |= {kind.__name__ for kind in type(link).__mro__}
        link = link.__cause__ or link.__context__
    if "GatedRepoError" in names:
        return "it is gated: accept its licence on its page, then `hf auth login`"
    if "RevisionNotFoundError" in names:
        return "it has no such revision"
    if "RepositoryNotFoundError" in names:
        return "the hub has no such model, or it is private"
    if str(error).startswith("expected "):
        return str(error)
    if offline and names & {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "FileNotFoundError"}:
        return "it is not in the local cache, and offline = true"
    if names & {"LocalEntryNotFoundError", "ConnectError", "ConnectTimeout", "ConnectionError"}:
        return "it is not in the local cache, and the hub cannot be reached"
    first = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first[:300]}"


def _advice(checkpoint: Checkpoint, who: str, reason: str) -> str:
    head = f"{who}: the model {checkpoint.model!r} cannot be loaded: {reason}"
    if checkpoint.is_folder:
        return f"{head}\n  expected a folder in the format of the hub, with configuration, weights and processor"
    facts = checkpoint.facts
    size = f"{facts.size_gb:g} GB, licence {facts.licence}" if facts else "size and licence on its page"
    revision = f" --revision {checkpoint.revision}" if checkpoint.revision else ""
    command = facts.command if facts else f"hf download {checkpoint.model}"
    other = f"\n  or name a local folder: --set STAGE.{checkpoint.option}=FOLDER" if checkpoint.option else ""
    return f"{head}\n  {size}: {HUB_PAGE}/{checkpoint.model}\n  download: {command}{revision}{other}"


def _snapshot(checkpoint: Checkpoint) -> Path | None:
    """The cached folder of an id, named after its commit, whatever files it has."""
    hub: Any = library("huggingface_hub")
    try:
        return Path(hub.snapshot_download(checkpoint.model, revision=checkpoint.revision, local_files_only=True))
    except (hub.errors.LocalEntryNotFoundError, hub.errors.HFValidationError):
        return None


def _digest(folder: Path) -> str:
    """Of the files of a folder, each by its name and its content."""
    total = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        with file.open("rb") as stream:
            total.update(file.relative_to(folder).as_posix().encode() + hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
