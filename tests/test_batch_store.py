"""Worlds brought to an object store: whole, once, and healed after a run that was ended."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sonoworld.batch.head import Progress
from sonoworld.batch.ledger import Entry, append, ledger_path
from sonoworld.batch.photos import Item
from sonoworld.batch.store import brought, is_store, staging
from sonoworld.errors import SonoworldError

fsspec = pytest.importorskip("fsspec", reason="needs fsspec: pip install 'sonoworld[store]'")
ITEMS = tuple(Item(id_, f"{id_}.jpg", Path(f"{id_}.jpg")) for id_ in "ab")


def make(here: Path, id_: str, text: str = "1") -> Progress:
    (here / id_ / "sources").mkdir(parents=True, exist_ok=True)
    (here / id_ / "sources" / "x.wav").write_text(text)
    (here / id_ / "scene.json").write_text(text)
    entry = Entry(id_, f"{id_}.jpg", "done", 1.0, "d")
    append(ledger_path(here, ""), entry)
    return Progress(entry, 2, 0, 1, 0, 0.0)


def steps(here: Path, *ids: str) -> Iterator[Progress]:
    yield Progress(None, 2, 0, 0, 0, None)
    for id_ in ids:
        yield make(here, id_)


def held(out: str) -> dict[str, bytes]:
    store, root = fsspec.core.url_to_fs(out)
    return {path.removeprefix(f"{root}/"): store.cat_file(path) for path in store.find(root)}


@pytest.fixture
def out() -> str:
    return f"memory://{uuid4().hex}/worlds"


def test_finished_worlds_are_there_as_they_come(tmp_path: Path, out: str) -> None:
    coming = brought(steps(tmp_path, "a", "b"), ITEMS, tmp_path, out)
    next(coming)
    next(coming)
    assert set(held(out)) == {"a/scene.json", "a/sources/x.wav"}
    assert len(list(coming)) == 1
    assert set(held(out)) == {f"{w}/{f}" for w in "ab" for f in ("scene.json", "sources/x.wav")} | {"manifest.jsonl"}
    assert held(out)["manifest.jsonl"] == ledger_path(tmp_path, "").read_bytes()


def test_what_an_ended_run_did_not_bring_is_brought_and_what_changed_is_replaced(tmp_path: Path, out: str) -> None:
    make(tmp_path, "a")
    list(brought(steps(tmp_path), ITEMS, tmp_path, out))
    assert "a/scene.json" in held(out)
    (tmp_path / "a" / "sources" / "x.wav").unlink()
    (tmp_path / "a" / "scene.json").write_text("2")
    list(brought(steps(tmp_path), ITEMS, tmp_path, out))
    assert held(out)["a/scene.json"] == b"2"
    assert "a/sources/x.wav" not in held(out)


def test_a_store_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SonoworldError, match=r"nothing://x: .*run the same command again"):
        list(brought(steps(tmp_path), ITEMS, tmp_path, "nothing://x"))


def test_addresses() -> None:
    assert is_store("s3://bucket/worlds")
    assert not is_store("worlds")
    assert staging("s3://a") != staging("s3://b")
