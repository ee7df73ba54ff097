"""`sonoworld export` in all its kinds."""

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
    with pytest.raises(SystemExit):
        main(["export", str(world), str(world / "site")])
    assert "expected a place outside of the world" in capsys.readouterr().err
    for arguments, says in (
        (("a.spz", "--to", "ply"), "expected a name that ends in .ply"),
        (("a.ply", "--to", "ply", "--axes", "RUF"), "right-handed"),
        (("site", "--axes", "RDF"), "--axes is not for folders"),
        (("a.ply", "--to", "html"), "expected a name that ends in .html"),
        (("a.html", "--to", "html", "--url", "javascript:1"), "expected an address like https"),
        (("a.tar", "--to", "tar"), "expected one of folder, html, ply"),
        (("a.ply", "--to", "ply", "--title", "x"), "--title is not for splat files"),
        (("a.ply", "--to", "ply", "--hrtf", "sphere"), "not for splat files"),
    ):
        with pytest.raises(SystemExit):
            main(["export", str(world), str(tmp_path / arguments[0]), *arguments[1:]])
        assert says in capsys.readouterr().err


def test_a_page_and_a_folder_say_what_they_weigh(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["export", str(world), str(tmp_path / "w.html"), "--to", "html", "--lite", "--title", "A meadow"])
    said = capsys.readouterr().out
    assert f"of {(tmp_path / 'w.html').stat().st_size / 1e6:.1f} MB" in said
    page = (tmp_path / "w.html").read_text("utf-8")
    assert "<title>A meadow</title>" in page
    assert "Here sound: " in page
    main(["export", str(world), str(tmp_path / "w"), "--url", "https://example.org/w", "--credit", "Jane Doe"])
    said = capsys.readouterr().out
    sizes = {line[2:20].strip(): float(line[20:].removesuffix("MB")) for line in said.splitlines() if line[-2:] == "MB"}
    files = sum(file.stat().st_size for file in (tmp_path / "w").rglob("*") if file.is_file()) / 1e6
    assert sum(sizes.values()) == pytest.approx(files, abs=0.03)
    assert sizes["sounds"] > 0.1
    assert "https://example.org/w/poster.jpg" in (tmp_path / "w" / "index.html").read_text("utf-8")
    assert '"photo": "Jane Doe"' in (tmp_path / "w" / "world.json").read_text("utf-8")


def test_a_place_that_cannot_be_written_is_one_clear_error(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit):
        main(["export", str(world), str(tmp_path / "file" / "w.html"), "--to", "html", "--lite"])
    assert "cannot be written" in capsys.readouterr().err


def test_sounds_for_a_studio(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", str(world), str(tmp_path / "w.adm.wav"), "--to", "adm", "--seconds", "1"])
    assert "1 s of ADM" in capsys.readouterr().out
    assert b"audioFormatExtended" in (tmp_path / "w.adm.wav").read_bytes()
