"""Models of a batch in actors of a cluster: loaded once for many worlds, near them, back after they died."""

import os
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import testing
from sonoworld.backend import Backend, Options, Run
from sonoworld.batch import places
from sonoworld.batch.cluster import ray_cluster
from sonoworld.batch.head import Progress, Wanted, run
from sonoworld.batch.ledger import entries
from sonoworld.batch.photos import find_photos
from sonoworld.batch.places import Call, Done, Place, modelled, shared_out
from sonoworld.disk.arrays import write_image
from sonoworld.disk.atomic import sha256
from sonoworld.disk.scene import check_scene
from sonoworld.errors import InputError, SonoworldError
from sonoworld.recipe import load

SMALL = ("panorama.width=256", "sound.seconds=4")
PLUG = """
import os, signal
from pathlib import Path
from sonoworld.backend import Backend, Options

RULES = Path({rules!r})

class Chosen(Options):
    device: str = "auto"

def note(what):
    with (RULES / what).open("a") as file:
        file.write(f"{{os.getpid()}} {{os.environ.get('CUDA_VISIBLE_DEVICES', '')}}\\n")

def make(options):
    from sonoworld import testing
    note("loaded")
    def see(photo, run):
        note("seen")
        if photo.rgb[0, 0, 0] == 13 and not (RULES / "died").exists():
            (RULES / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if photo.rgb[0, 0, 0] == 14:
            raise ZeroDivisionError("a model's bad day")
        run.leave_out("a lens", "nobody looked")
        run.credit("tiny/eye", "MIT")
        return testing.tiny_camera()
    return see

SEER = Backend("calibrate", "seer", "1", "a model that says when it is loaded", Chosen, make)
"""
"""A plug-in whose `device` makes it one with models; a photo that begins with 13 kills it once, with 14 it fails."""


def test_every_place_serves_one_stage_where_there_are_enough_and_all_otherwise() -> None:
    assert shared_out(("panorama", "sound"), 5) == [("panorama",), ("sound",)] * 2 + [("panorama",)]
    assert shared_out(("panorama", "sound"), 1) == [("panorama", "sound")]


@given(st.integers(1, 7), st.integers(1, 40))
def test_every_stage_has_a_place_and_none_is_idle(stages: int, count: int) -> None:
    named = tuple(f"s{i}" for i in range(stages))
    served = shared_out(named, count)
    assert len(served) == count
    assert {stage for mine in served for stage in mine} == set(named)
    assert all(served)


def test_the_embedded_recipe_has_nothing_for_a_gpu_and_says_so() -> None:
    assert modelled(load("embedded")) == ()
    with pytest.raises(InputError, match="--gpus: expected a recipe with models"):
        places.hired(None, load("embedded"), 0.5, {})


@pytest.mark.parametrize(
    ("have", "wanted", "count"), [((1,), 0.5, 2), ((1, 3), 0.4, 8), ((2,), 2, 1), ((1, 1), 2, 0), ((0,), 0.1, 0)]
)
def test_a_share_below_one_lies_on_one_gpu_and_one_above_on_one_machine(
    have: tuple[int, ...], wanted: float, count: int
) -> None:
    assert sum(places._shares(one, wanted) for one in have) == count  # pyright: ignore[reportPrivateUsage]


def test_a_share_that_no_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ray:
        @staticmethod
        def nodes() -> list[dict[str, object]]:
            return [{"Alive": True, "Resources": {"CPU": 4.0}}, {"Alive": False, "Resources": {"GPU": 4.0}}]

    monkeypatch.setattr(places, "modelled", lambda recipe: ("sound",))
    with pytest.raises(InputError, match=r"at most the 0 that a machine of the cluster has, got 0\.5"):
        places.hired(Ray, load("embedded"), 0.5, {})


def call(stage_run: Callable[[Run], object], monkeypatch: pytest.MonkeyPatch) -> tuple[Place, Call]:
    spec = Backend(
        "calibrate", "fake", "1", "cheap", Options, lambda options: lambda photo, run: stage_run(run)
    )  # fmt: skip
    monkeypatch.setattr(places, "find", lambda stage, name: spec)
    photo = testing.tiny_photo()
    return Place(1, 1.0), Call(
        "calibrate", "fake", Options(), "", (photo,), np.random.default_rng(7), None, lambda source: None
    )


def test_randomness_notes_and_credits_are_as_if_it_had_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(run: Run) -> float:
        run.leave_out("a", "b")
        run.credit("m", "MIT")
        return float(run.rng.random())

    place, wanted = call(work, monkeypatch)
    done = place.do(wanted)
    assert done == Done(float(np.random.default_rng(7).random()), left_out=[("a", "b")], credits=[("m", "MIT")])


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (SonoworldError("a plain word"), SonoworldError, "a plain word"),
        (ZeroDivisionError("x"), RuntimeError, "x"),
        (MemoryError("y"), MemoryError, "y"),
    ],
)
def test_errors_come_back_by_name(
    error: Exception, kind: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(run: Run) -> None:
        raise error

    place, wanted = call(work, monkeypatch)
    done = place.do(wanted)
    with pytest.raises(kind, match=says) as raised:
        places._told(done, Run(np.random.default_rng(0)))  # pyright: ignore[reportPrivateUsage]
    assert type(raised.value).__name__ == type(error).__name__


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plug-in that all processes of a cluster started from here find."""
    rules, plug = tmp_path / "rules", tmp_path / "plug"
    rules.mkdir()
    (plug / "seer-1.dist-info").mkdir(parents=True)
    (plug / "seer.py").write_text(PLUG.format(rules=str(rules)))
    (plug / "seer-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: seer\nVersion: 1\n")
    (plug / "seer-1.dist-info" / "entry_points.txt").write_text(
        textwrap.dedent("""\
        [sonoworld.calibrate]
        seer = seer:SEER
        """)
    )
    monkeypatch.syspath_prepend(str(plug))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(plug), os.environ.get("PYTHONPATH", "")]))
    return rules


@pytest.fixture
def address(rules: Path) -> Iterator[str]:
    """Two nodes with a core each; the second says that it has a GPU, which is a number to Ray."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'sonoworld[cluster]'")
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    del rules
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1, num_gpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


def noted(rules: Path, what: str) -> list[str]:
    return (rules / what).read_text().splitlines() if (rules / what).exists() else []


def photos_of(first_values: list[int], folder: Path) -> Path:
    for i, value in enumerate(first_values):
        rgb = np.array(testing.tiny_photo().rgb)
        rgb[0, 0] = (value, i, 0)
        write_image(folder / f"p{i}.png", rgb)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own: pipes and sockets that it leaves to the collector
def test_a_model_is_loaded_once_for_many_worlds_and_again_after_it_died(
    tmp_path: Path, rules: Path, address: str
) -> None:
    wanted = Wanted("embedded", ("calibrate.backend=seer", *SMALL))

    def batch(out: Path, makers: Any) -> Progress:
        return list(run(find_photos(str(photos), out), out, wanted, makers))[-1]

    photos = photos_of([1, 13, 14], tmp_path / "photos")
    last = batch(tmp_path / "worlds", partial(ray_cluster, address=address, gpus=1.0))
    assert (last.done, last.failed) == (2, 1)
    assert "seer failed: ZeroDivisionError: a model's bad day" in entries(tmp_path / "worlds")["p2"].error
    loaded, seen = noted(rules, "loaded"), noted(rules, "seen")
    assert len(loaded) == 2, "once, and once more after it was killed"
    assert len(seen) == 4, "the photo over which it died was tried again"
    assert all(line.split()[1:] == ["0"] for line in loaded), "it has the GPU"
    assert all(check_scene(tmp_path / "worlds" / f"p{i}") == () for i in range(2))
    alone = batch(tmp_path / "alone", partial(ray_cluster, address=address))
    assert (alone.done, alone.failed) == (2, 1)
    assert len(noted(rules, "loaded")) == 2 + 3, "without places each world loads its own"
    for i in range(2):
        assert sha256(tmp_path / "worlds" / f"p{i}" / "scene.json") == sha256(
            tmp_path / "alone" / f"p{i}" / "scene.json"
        )
