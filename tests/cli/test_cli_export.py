"""`sonoworld export` as one file of splats."""

from pathlib import Path

import numpy as np
import pytest

from sonoworld.cli import main
from sonoworld.disk.scene import load_lite, load_scene
from sonoworld.disk.splat_file import read_splats


@pytest.mark.parametrize("kind", ["ply", "spz", "sog", "splat", "glb"])
def test_a_world_as_one_file(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    out = tmp_path / f"world.{kind}"
    main(["export", str(world), str(out), "--to", kind])
    splats = load_scene(world).splats
    assert f"{len(splats)} splats" in capsys.readouterr().out
    back = read_splats(out)
    assert len(back) == len(splats)
    # the ground is still below and the sky above, whatever axes the kind has
    np.testing.assert_allclose(np.sort(back.means[:, 2]), np.sort(splats.means[:, 2]), atol=0.05)


def test_axes_lite_and_names(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", str(world), str(tmp_path / "a.ply"), "--to", "ply", "--axes", "FLU", "--lite"])
    assert "x ahead, y left, z up" in capsys.readouterr().out
    np.testing.assert_array_equal(read_splats(tmp_path / "a.ply").means, load_lite(world).means)
    for arguments, says in (
        (("a.spz", "--to", "ply"), "expected a name that ends in .ply"),
        (("a.ply", "--to", "ply", "--axes", "RUF"), "right-handed"),
        (("site", "--axes", "RDF"), "not for folders"),
    ):
        with pytest.raises(SystemExit):
            main(["export", str(world), str(tmp_path / arguments[0]), *arguments[1:]])
        assert says in capsys.readouterr().err
