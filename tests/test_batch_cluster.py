"""The same worlds by Ray, on a cluster of two nodes of this machine."""

import functools
import sys
from pathlib import Path

import pytest

from sonoworld import cli, testing
from sonoworld.batch.cluster import ray_cluster
from sonoworld.batch.head import Wanted, run
from sonoworld.batch.ledger import entries
from sonoworld.batch.photos import find_photos
from sonoworld.disk.arrays import write_image
from sonoworld.disk.atomic import sha256
from sonoworld.errors import BackendMissingError

SMALL = ("panorama.width=512", "sound.seconds=4")


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendMissingError, match=r"sonoworld\[cluster\]"):
        next(ray_cluster((), "local"))


@pytest.mark.parametrize("wrong", [["--ray", "local", "--workers", "2"], ["--gpus", "1"], ["--workers", "0"]])
def test_options_that_exclude_each_other(tmp_path: Path, wrong: list[str]) -> None:
    write_image(tmp_path / "p" / "a.png", testing.tiny_photo().rgb)
    with pytest.raises(SystemExit) as end:
        cli.main(["batch", str(tmp_path / "p"), str(tmp_path / "o"), *wrong])
    assert end.value.code == 2
    assert not (tmp_path / "o").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own: pipes and sockets that it leaves to the collector
def test_a_cluster_of_two_nodes_makes_the_same_worlds(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'sonoworld[cluster]'")
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    photos, out = tmp_path / "photos", tmp_path / "worlds"
    for i in range(2):
        write_image(photos / f"p{i}.png", testing.tiny_photo().rgb + i)
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        makers = functools.partial(ray_cluster, address=cluster.address)
        items = find_photos(str(photos), out)
        last = list(run(items, out, Wanted("embedded", SMALL), makers))[-1]
        assert (last.done, last.failed) == (2, 1)
        assert sum(step.entry is None and step.kept for step in run(items, out, Wanted("embedded", SMALL), makers)) == 2
    finally:
        cluster.shutdown()
    settings = [word for setting in SMALL for word in ("--set", setting)]
    cli.main(["create", str(photos / "p1.png"), str(tmp_path / "one"), "--no-film", *settings])
    assert entries(out)["p1"].digest == sha256(tmp_path / "one" / "scene.json")
    assert "broken.jpg" in entries(out)["broken"].error
