"""`sonoworld models`: what a recipe needs, what of it is here; downloads are asked for, resumed and checked."""

from pathlib import Path
from typing import Any

import pytest

from hub_stub import Hub, named
from sonoworld import fetch, stock
from sonoworld.backend import Weights
from sonoworld.cli import main
from sonoworld.cli import models as verb
from sonoworld.errors import BackendMissingError, SonoworldError
from sonoworld.fetch import DamagedError, get, git_digest, require_login
from sonoworld.recipe import load
from sonoworld.stock import Download, Item, items, parse, total_gb

FILES = {"config.json": b'{"a": 1}', "model.safetensors": bytes(range(256)) * 40, "model.pt": b"twice the same"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub(tmp_path / "hub", FILES)
    monkeypatch.setattr(stock, "library", lambda name: made)
    monkeypatch.setattr(verb, "library", lambda name: made)
    return made


def item(command: str = "hf download a/model --exclude '*.pt'", **facts: Any) -> Item:
    weights = Weights("a/model", facts.pop("size_gb", 1e-5), "Apache-2.0", command, **facts)
    return stock._item(("lift.trial",), weights, None)


@pytest.mark.parametrize(
    ("command", "means"),
    [
        ("hf download a/b", Download("a/b")),
        ("hf download a/b model.pt x/y.bin", Download("a/b", ("model.pt", "x/y.bin"))),
        ("hf download a/b --exclude '*.pt' --exclude '*.bin'", Download("a/b", (), ("*.pt", "*.bin"))),
        ("hf download a/b f.pt --local-dir .", Download("a/b", ("f.pt",), (), None, ".")),
        ("hf download a/b --include '*.json' --revision v1", Download("a/b", ("*.json",), (), "v1")),
        ("curl -L -o a https://b", None),
        ("hf download", None),
        ("hf download a/b --token x", None),
    ],
)
def test_commands_say_what_is_fetched(command: str, means: Download | None) -> None:
    assert parse(command) == means


def test_what_is_here(hub: Hub) -> None:
    assert item().state == "no"
    hub.breaks = ["model.safetensors"]
    with pytest.raises(BackendMissingError, match="what has arrived is kept"):
        get(item(), hub, lambda note: None)
    assert item().state == "in part"
    get(item(), hub, lambda note: None)
    assert item().state == "here"
    assert item(size_gb=9.0).state == "in part"
    assert item("hf download a/model other.bin").state == "no"
    assert item("hf download a/model config.json other.bin").state == "in part"
    assert item("curl -o x y").state == "no"


def test_a_download_goes_on_and_is_checked(hub: Hub) -> None:
    told: list[str] = []
    hub.breaks = ["model.safetensors"]
    with pytest.raises(BackendMissingError):
        get(item(), hub, told.append)
    folder = get(item(), hub, told.append)
    assert hub.downloads == ["config.json", "model.safetensors"]  # each once, and not what is excluded
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert told[-2:] == ["checking config.json", "checking model.safetensors"]
    assert "a/model at 0123456789ab: 2 files" in told[0]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_spoilt_file_is_found_and_fetched_again(hub: Hub, name: str) -> None:
    hub.spoils = [name]
    with pytest.raises(DamagedError, match=rf"{name} is not the file that the hub describes"):
        get(item(), hub, lambda note: None)
    folder = get(item(), hub, lambda note: None)
    assert (folder / name).read_bytes() == FILES[name]
    assert hub.downloads.count(name) == 2


def test_a_cut_file_is_found(hub: Hub) -> None:
    folder = get(item(), hub, lambda note: None)
    (folder / "model.safetensors").write_bytes(FILES["model.safetensors"][:-1])
    with pytest.raises(DamagedError):
        get(item(), hub, lambda note: None)
    hub.downloads.clear()
    get(item(), hub, lambda note: None)
    assert hub.downloads == ["model.safetensors"]


def test_gits_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello\n")
    assert git_digest(tmp_path / "a") == "ce013625030ba8dba906f756967f9e9ca394464a"  # `git hash-object`


def test_names_that_climb_are_not_looked_at(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    hub.files = {"../../../../mine": b"theirs"}
    hub._bring = lambda name, folder, blobs: folder.mkdir(parents=True, exist_ok=True)  # type: ignore[method-assign]
    with pytest.raises(DamagedError, match="was not looked at"):
        get(item(), hub, lambda note: None)
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gated": True}, "it is gated. Accept its licence at https://huggingface.co/a/model, then `hf auth login`"),
        ({"model": "b/other"}, "the hub has no such model, or it is private"),
        ({"error": named("ConnectError")}, "the hub cannot be reached; what has arrived is kept"),
        ({"error": named("HfHubHTTPError", "500 Server Error\nlong")}, "HfHubHTTPError: 500 Server Error; what"),
    ],
)
def test_what_the_hub_refuses_is_one_message(hub: Hub, change: dict[str, Any], says: str) -> None:
    for name, value in change.items():
        setattr(hub, name, value)
    with pytest.raises(BackendMissingError) as caught:
        get(item(), hub, lambda note: None)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_room_is_said_before_anything_is_fetched(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SPARE_GB", 1e9)
    with pytest.raises(SonoworldError, match="HF_HOME names another place"):
        get(item(), hub, lambda note: None)
    assert not hub.downloads


def test_gates_are_asked_for_before_anything_is_fetched(hub: Hub) -> None:
    gated = item(gated=True)
    with pytest.raises(
        BackendMissingError, match=r"hf auth login`, then run this again:\n  https://huggingface\.co/a/mod"
    ):
        require_login([item(), gated], hub)
    require_login([item()], hub)
    hub.token = "hf_x"
    require_login([gated], hub)


def test_weights_of_two_stages_count_once(hub: Hub) -> None:
    chosen = load("embedded", ["segment.backend=sam2", "segment.revision=v1"])
    found = items(chosen)
    assert [one.stages for one in found] == [("segment.sam2",), ("segment.sam2",)]
    assert found[0].command.endswith("--exclude '*.pt' --revision v1")
    assert found[0].download is not None and found[0].download.revision == "v1"
    assert found[1].download is not None and found[1].download.revision is None  # the revision is the model's own
    assert total_gb(found) == pytest.approx(sum(one.weights.size_gb for one in found))


SETTINGS = ("--set", "segment.backend=clipseg")


def test_the_verb_lists(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    main(["models", *SETTINGS])
    said = capsys.readouterr().out
    assert "0.60 GB in all, 0.00 GB of it here" in said
    assert "sonoworld models get --recipe embedded --set segment.backend=clipseg" in said
    assert "  hf download CIDAS/clipseg-rd64-refined\n" in said
    main(["models"])
    assert "needs no weights" in capsys.readouterr().out


def test_the_verb_gets_what_was_agreed_to(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.model, hub.files = "CIDAS/clipseg-rd64-refined", {"config.json": b"{}"}
    monkeypatch.setattr(stock, "LEAST_SHARE", 0.0)
    with pytest.raises(SystemExit) as caught:  # standard input is no terminal here
        main(["models", "get", *SETTINGS])
    assert caught.value.code == 2
    assert "accept them with --yes" in capsys.readouterr().err
    assert not hub.downloads
    main(["models", "get", *SETTINGS, "--yes"])
    said = capsys.readouterr().out
    assert "Apache-2.0: https://huggingface.co/CIDAS/clipseg-rd64-refined" in said
    assert "Downloaded and checked." in said
    main(["models", "get", *SETTINGS, "--yes"])
    assert "Everything is here." in capsys.readouterr().out
    assert hub.downloads == ["config.json"]


@pytest.mark.parametrize(("answer", "gets"), [("y", True), ("", False), ("no", False)])
def test_the_verb_asks(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, gets: bool
) -> None:
    hub.model, hub.files = "CIDAS/clipseg-rd64-refined", {"config.json": b"{}"}
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    if gets:
        main(["models", "get", *SETTINGS])
    else:
        with pytest.raises(SystemExit):
            main(["models", "get", *SETTINGS])
        assert "not accepted" in capsys.readouterr().err
    assert bool(hub.downloads) == gets


def test_weights_elsewhere_are_named(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stock, "items", lambda recipe: (item("curl -L -o w.tar https://example.org/w.tar"),))
    with pytest.raises(SystemExit) as caught:
        main(["models", "get", "--yes"])
    assert caught.value.code == 3
    assert "not on the hub; get them by\n  curl -L -o w.tar" in capsys.readouterr().err
