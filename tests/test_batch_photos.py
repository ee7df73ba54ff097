"""Which photos a batch is about, what their worlds are called, its parts, and the lines that say what became."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.batch.ledger import Entry, append, entries, ledger_path
from sonoworld.batch.photos import Item, find_photos, named, shard
from sonoworld.errors import InputError
from sonoworld.localize.names import slug

NAMES = st.lists(
    st.text("ab./é ", min_size=1, max_size=6).map(lambda s: s + ".jpg"), min_size=1, max_size=8, unique=True
)


def items(*names: str) -> tuple[Item, ...]:
    return named([Item("", name, Path(name)) for name in names])


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_photos_of_a_folder_and_no_worlds(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "notes.txt", ".hidden/x.jpg", ".y.jpg", "trip/a.png")
    touch(tmp_path, "out/w/photo.png", "old/w/scene.json", "old/w/photo.png", "half.partial/photo.png")
    found = find_photos(str(tmp_path), tmp_path / "out")
    assert [item.name for item in found] == ["a.png", "b.JPG", "trip/a.png"]
    assert found[1].id == "b"
    assert found[0].id != found[2].id
    assert all(item.id.startswith("a-") for item in (found[0], found[2]))


def test_photos_of_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "p/x/a.jpg", "p/y/b.jpg", "p/y/c.txt", "c.jpg")
    found = find_photos(str(tmp_path / "p" / "*" / "*"), tmp_path / "out")
    assert [(item.id, item.name) for item in found] == [("a", "x/a.jpg"), ("b", "y/b.jpg")]
    monkeypatch.chdir(tmp_path)
    assert [item.name for item in find_photos("*.jpg", tmp_path / "out")] == ["c.jpg"]


def test_photos_of_a_list_keep_its_order_and_need_not_be_there(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("# ours\nz.jpg\n\n sub/a.jpg\n")
    assert [(i.id, i.path) for i in find_photos(str(tmp_path / "list.txt"), tmp_path)] == [
        ("z", tmp_path / "z.jpg"),
        ("a", tmp_path / "sub/a.jpg"),
    ]
    (tmp_path / "list.jsonl").write_text('{"photo": "q.jpg", "id": "hall", "panorama": true}\n')
    (found,) = find_photos(str(tmp_path / "list.jsonl"), tmp_path)
    assert (found.id, found.panorama) == ("hall", True)


@pytest.mark.parametrize(
    "line", ['{"photo": 3}', "[]", "{", '{"photo": "a", "pano": true}', '{"photo": "a", "id": "A/b"}']
)
def test_lines_that_are_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "list.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match="expected"):
        find_photos(str(tmp_path / "list.jsonl"), tmp_path)


@pytest.mark.parametrize("given_", ["nowhere", "nowhere/*.jpg", "."])
def test_no_photos(tmp_path: Path, given_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="expected"):
        find_photos(given_, tmp_path / "out")


def test_an_id_given_twice(tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text('{"photo": "a.jpg", "id": "x"}\n{"photo": "b.jpg", "id": "x"}\n')
    with pytest.raises(InputError, match=r"got a\.jpg, b\.jpg"):
        find_photos(str(tmp_path / "list.jsonl"), tmp_path)


@given(NAMES, st.randoms())
def test_ids_are_distinct_plain_and_do_not_depend_on_the_order(names: list[str], random: Random) -> None:
    ids = {item.name: item.id for item in items(*names)}
    assert len(set(ids.values())) == len(names)
    assert all(slug(id_) == id_ for id_ in ids.values())
    random.shuffle(names)
    assert {item.name: item.id for item in items(*names)} == ids


@given(st.integers(1, 12), st.integers(0, 40))
def test_parts_are_disjoint_and_whole(n: int, count: int) -> None:
    all_ = items(*(f"{i}.jpg" for i in range(count))) if count else ()
    parts = [shard(all_, f"{i}/{n}") for i in range(1, n + 1)]
    assert sorted(item.id for part in parts for item in part) == sorted(item.id for item in all_)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/b", "1/", "-1/2", "1/2/3"])
def test_parts_that_are_none(part: str) -> None:
    with pytest.raises(InputError, match="--shard"):
        shard(items("a.jpg"), part)


def test_the_last_word_counts_and_parts_add_up(tmp_path: Path) -> None:
    ledger = ledger_path(tmp_path, "")
    append(ledger, Entry("a", "a.jpg", "failed", 1.0, error="dark"))
    append(ledger, Entry("a", "a.jpg", "done", 2.0, "d1"))
    append(ledger_path(tmp_path, "2/3"), Entry("b", "b.jpg", "done", 2.0, "d2"))
    assert {id_: entry.digest for id_, entry in entries(tmp_path).items()} == {"a": "d1", "b": "d2"}
    assert len(ledger.read_text().splitlines()) == 2


def test_wherever_a_line_is_torn_the_others_stand(tmp_path: Path) -> None:
    ledger = ledger_path(tmp_path, "")
    append(ledger, Entry("a", "ä.jpg", "done", 1.0, "d"))
    first = ledger.read_bytes()
    append(ledger, Entry("b", "b.jpg", "done", 1.0, "d"))
    both = ledger.read_bytes()
    for cut in range(len(first) + 1, len(both)):
        ledger.write_bytes(both[:cut])
        append(ledger, Entry("c", "c.jpg", "done", 1.0, "d"))
        assert set(entries(tmp_path)) >= {"a", "c"}, cut
    ledger.write_bytes(b'\xff\x00\n[1]\n"x"\n{"id": 3}\n\n' + first)
    assert set(entries(tmp_path)) == {"a"}
    assert json.loads(first)["photo"] == "ä.jpg"
