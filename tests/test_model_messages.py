"""What is said when a package, weights, a key, a GPU or memory is missing: one message, with the command that mends it.

Messages are compared whole: who changes one sees it here as a person will.
"""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_world

from sonoworld import plan, testing, weights
from sonoworld.backend import Backend, Run, Weights, find, require_available
from sonoworld.cli import main
from sonoworld.errors import BackendMissingError, SonoworldError, StageError
from sonoworld.fetch import require_login
from sonoworld.flow import make_scene
from sonoworld.lift.marble import MarbleOptions
from sonoworld.plan import Need, Wish, arranged, decide
from sonoworld.recipe import Choice, load, names
from sonoworld.stock import Item, parse
from sonoworld.types import Stage
from sonoworld.weights import Checkpoint, chosen_device, loading


def said(kind: type[SonoworldError], do: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        do()
    return str(caught.value)


SAM3 = find("segment", "sam3")


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    assert said(BackendMissingError, lambda: require_available(SAM3)) == (
        "segment.sam3 cannot run here: not installed: torch, transformers\n"
        "  packages: pip install 'sonoworld[models]'\n"
        "  weights: facebook/sam3 (3.44 GB, SAM License): hf download facebook/sam3 --exclude '*.pt'"
    )


def test_a_package_that_does_not_load() -> None:
    assert said(BackendMissingError, lambda: weights.library("no_such_package")) == (
        "the package no_such_package cannot be used (No module named 'no_such_package'): "
        "pip install 'sonoworld[models]'"
    )


KNOWN = (Weights("a/model", 1.5, "Apache-2.0", "hf download a/model"),)


@pytest.mark.parametrize(
    ("error", "offline", "why"),
    [
        ("LocalEntryNotFoundError", True, "it is not in the local cache, and offline = true"),
        ("LocalEntryNotFoundError", False, "it is not in the local cache, and the hub cannot be reached"),
        ("GatedRepoError", False, "it is gated: accept its licence on its page, then `hf auth login`"),
        ("RepositoryNotFoundError", False, "the hub has no such model, or it is private"),
    ],
)
def test_missing_weights(error: str, offline: bool, why: str) -> None:
    def load_it() -> None:
        with loading(Checkpoint("a/model", None, offline, KNOWN), "lift.trial"):
            raise type(error, (Exception,), {})("no")

    message = said(BackendMissingError, load_it)
    assert message.startswith(
        f"lift.trial: the model 'a/model' cannot be loaded: {why}\n"
        "  1.5 GB, licence Apache-2.0: https://huggingface.co/a/model\n"
        "  download: hf download a/model\n"
    )
    assert len(message.splitlines()) == 4


def test_a_folder_that_is_none() -> None:
    def load_it() -> None:
        with loading(Checkpoint("./no-such-folder", None, False, KNOWN), "lift.trial"):
            pass

    assert said(BackendMissingError, load_it) == (
        "lift.trial: ./no-such-folder: expected a folder with a model, got nothing there"
    )


def test_a_missing_login() -> None:
    gated = Weights("a/gated", 1.5, "SAM License", "hf download a/gated", gated=True)
    item = Item(("segment.trial",), gated, parse(gated.command), "no")
    hub: Any = type("Hub", (), {"get_token": staticmethod(lambda: None)})
    assert said(BackendMissingError, lambda: require_login([item], hub)) == (
        "accept these licences on their pages, then `hf auth login`, then run this again:\n"
        "  https://huggingface.co/a/gated (SAM License)"
    )


def test_missing_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLDLABS_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert said(BackendMissingError, lambda: require_available(find("lift", "marble"), MarbleOptions())) == (
        "lift.marble cannot run here: no key: get one at https://platform.worldlabs.ai/api-keys and set the "
        "environment variable WORLDLABS_API_KEY: export WORLDLABS_API_KEY=...\n"
        "  packages: pip install 'sonoworld[marble]'"
    )
    assert "set the environment variable OPENAI_API_KEY" in said(
        BackendMissingError, lambda: require_available(find("understand", "vlm"))
    )


def test_a_missing_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        assert said(BackendMissingError, lambda: chosen_device("cuda")) == (
            "device 'cuda': torch sees no CUDA GPU here; use device = 'cpu' or 'auto'"
        )
    need = Need("understand", "qwen_vl", 17.5, 17.5)
    assert said(BackendMissingError, lambda: decide(need, None, "auto")) == (
        "understand.qwen_vl has 17.5 GB of weights and torch sees no GPU here\n"
        "  on the CPU all the same, slowly: --device cpu, or --set understand.device=cpu"
    )


def test_too_small_a_gpu() -> None:
    chosen = load("embedded", ["understand.backend=qwen_vl", "understand.model=Qwen/Qwen3-VL-32B-Instruct"])
    assert said(BackendMissingError, lambda: arranged(chosen, Wish(vram_gb=16.0), 80.0)) == (
        "understand.qwen_vl needs about 24 GB of GPU memory, 16 GB are to be used\n"
        "  a larger --vram, a smaller model: --set understand.model=..., or slowly: --set understand.device=cpu"
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        (
            "OutOfMemoryError",
            "  the GPU has too little memory: --vram with less than it has (such as --vram 16GB) plans with less,\n"
            "  a smaller model takes less, and --device cpu takes none of it, slowly\n",
        ),
        ("MemoryError", "  this machine has too little memory for it: a smaller panorama or model takes less\n"),
    ],
)
def test_memory_that_runs_out(tmp_path: Path, name: str, advice: str) -> None:
    kind = MemoryError if name == "MemoryError" else type(name, (RuntimeError,), {})  # torch's own, by its name

    def greedy(photo: Any, run: Run) -> Any:
        raise kind("tried to allocate")

    plain = small_world.recipe()
    spec: Backend = replace(plain.choices["calibrate"].backend, make=lambda options: greedy)
    chosen = replace(plain, choices={**plain.choices, "calibrate": Choice(spec, plain.choices["calibrate"].options)})
    message = said(StageError, lambda: make_scene(testing.tiny_photo(), chosen, tmp_path / "world"))
    assert message == (
        f"calibrate.fake failed: {name}: tried to allocate\n{advice}"
        f"  finished steps are kept in {tmp_path / 'world.partial'}; SONOWORLD_DEBUG=1 shows the traceback"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("models", "--set", "segment.backend=sam3", "--set", "understand.backend=qwen_vl"),
        ("backends",),
        ("recipe", "embedded"),
        ("doctor",),
    ],
)
def test_nothing_is_fetched_by_looking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    reached: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        reached.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    main(list(words))
    assert capsys.readouterr().out
    assert not reached


def test_four_bits_are_a_way_out() -> None:
    chosen = load("embedded", ["understand.backend=qwen_vl"])
    planned, (placed,) = arranged(chosen, Wish(vram_gb=12.0), 80.0)
    assert placed.way == "four_bit"
    assert planned.choices["understand"].options.four_bit  # type: ignore[attr-defined]
    assert placed.gpu_gb == pytest.approx(plan.FOUR_BIT_SHARE * 17.5 + plan.WORKING_GB)
    assert np.isfinite(placed.gpu_gb)


def of_recipes() -> list[tuple[str, str]]:
    """(stage, backend) of every bundled recipe that the embedded one does not have."""
    embedded = load("embedded").choices
    found = {
        (stage, choice.backend.name)
        for name in names()
        for stage, choice in load(name).choices.items()
        if choice.backend.name != embedded[stage].backend.name
    }
    return sorted(found)


@pytest.mark.parametrize(("stage", "name"), of_recipes())
def test_every_backend_of_a_recipe_says_how_to_get_what_it_lacks(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without packages and keys: one message that names the backend, and a command or page for each thing."""
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    for key in ("OPENAI_API_KEY", "WORLDLABS_API_KEY", "MARBLE_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    spec = find(stage, name)
    if not spec.missing():
        assert not spec.weights
        return
    text = said(BackendMissingError, lambda: require_available(spec))
    assert text.startswith(f"{stage}.{name} cannot run here: ")
    assert "pip install" in text or "git clone" in text or "https://" in text or "export " in text
    own = {"mmaudio": "hkchengrex/MMAudio", "moge": "dlr-moge", "geocalib": "cvg/GeoCalib"}  # no extra brings them
    assert own.get(name, "") in text.split("weights:")[0]
    for one in spec.weights[:1]:
        assert one.model in text
        assert one.command in text
        assert one.licence in text
    assert "\n\n" not in text
    assert len(text) < 2000
