"""The hub's client has what our stand-in for it pretends: names, arguments, and the rule of patterns."""

import inspect

import pytest

from hub_stub import chosen

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
