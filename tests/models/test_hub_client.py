"""The hub's client has what our stand-in for it pretends: names, arguments, and the rule of patterns."""

import inspect
from pathlib import Path

import pytest

from hub_stub import SHA, chosen
from sonoworld.weights import Checkpoint, licence, used

pytestmark = pytest.mark.models


def test_the_client_is_as_used() -> None:
    import huggingface_hub as hub  # noqa: PLC0415
    from huggingface_hub.hf_api import BlobLfsInfo, RepoSibling  # noqa: PLC0415

    wanted = {"revision", "allow_patterns", "ignore_patterns", "local_dir", "local_files_only"}
    assert wanted <= set(inspect.signature(hub.snapshot_download).parameters)
    assert {"revision", "files_metadata"} <= set(inspect.signature(hub.HfApi.model_info).parameters)
    assert {"rfilename", "size", "blob_id", "lfs"} <= set(inspect.signature(RepoSibling).parameters)
    assert {"size", "sha256"} <= set(inspect.signature(BlobLfsInfo).parameters)
    assert callable(hub.get_token) and hub.constants.HF_HUB_CACHE
    for name in ("GatedRepoError", "RepositoryNotFoundError", "RevisionNotFoundError", "LocalEntryNotFoundError"):
        assert hasattr(hub.errors, name)


@pytest.mark.parametrize(
    ("allow", "ignore"),
    [(None, None), (["*.json"], None), (None, ["*.pt"]), (["a/*", "x.pt"], ["*.bin"]), (["x.pt"], ["*.pt"])],
)
def test_patterns_mean_what_the_stand_in_says(allow: list[str] | None, ignore: list[str] | None) -> None:
    from huggingface_hub.utils import filter_repo_objects  # noqa: PLC0415

    names = ["a/b.json", "a/c/d.bin", "x.pt", "x.json", "model.safetensors"]
    real = list(filter_repo_objects(names, allow_patterns=allow, ignore_patterns=ignore))
    assert real == chosen(names, allow_patterns=allow, ignore_patterns=ignore)


def cached(cache: Path, name: str) -> Path:
    """A file in the hub's cache, as its client lays it out, and the model's card."""
    model = cache / "models--a--model"
    snapshot = model / "snapshots" / SHA
    for folder in (snapshot, model / "refs"):
        folder.mkdir(parents=True)
    (model / "refs" / "main").write_text(SHA)
    (snapshot / name).write_bytes(b"weights")
    (snapshot / "README.md").write_text("---\nlicense: mit\n---\n")
    return snapshot


@pytest.mark.parametrize("name", ["config.json", "model_index.json", "model.pt"])
def test_what_was_used_is_named_by_its_commit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of models, such as MoGe, that keep their configuration in the file of their weights."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    checkpoint = Checkpoint("a/model", None, offline=True)
    assert (used(checkpoint), licence(checkpoint)) == ("a/model", "not stated")
    cached(tmp_path, name)
    assert (used(checkpoint), licence(checkpoint)) == (f"a/model@{SHA[:12]}", "mit")
    pinned = Checkpoint("a/model", SHA, offline=True)
    assert used(pinned) == f"a/model@{SHA[:12]}"


def test_a_folder_is_named_by_what_tells_its_models_apart(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"some")
    checkpoint = Checkpoint(str(tmp_path), None, offline=True)
    first = used(checkpoint)
    assert first.startswith(f"{tmp_path.name} (local folder, files ")
    (tmp_path / "model.pt").write_bytes(b"other")
    second = used(checkpoint)
    (tmp_path / "model.pt").rename(tmp_path / "renamed.pt")
    assert len({first, second, used(checkpoint)}) == 3
    (tmp_path / "config.json").write_text("{}")
    assert "configuration 44136fa355b3" in used(checkpoint)  # sha256 of {}
