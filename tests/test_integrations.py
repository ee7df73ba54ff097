"""The thin files for other programs: ComfyUI's contract of nodes, and the Gradio app, each run on a small photo."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.disk.arrays import write_image
from sonoworld.errors import InputError

INTEGRATIONS = Path(__file__).parent.parent / "integrations"
SMALL = ("panorama.width=256", "sound.seconds=4")


def loaded(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nodes() -> ModuleType:
    return loaded(INTEGRATIONS / "comfyui" / "__init__.py", "sonoworld_comfyui")


def test_nodes_keep_the_contract(nodes: ModuleType) -> None:
    assert set(nodes.NODE_CLASS_MAPPINGS) == set(nodes.NODE_DISPLAY_NAME_MAPPINGS)
    for node in nodes.NODE_CLASS_MAPPINGS.values():
        inputs = node.INPUT_TYPES()["required"]
        code = getattr(node, node.FUNCTION).__code__
        assert list(inputs) == list(code.co_varnames[1 : code.co_argcount])
        assert node.CATEGORY == "sonoworld"
        assert all(isinstance(kind, str) for kind in node.RETURN_TYPES)
        assert len(getattr(node, "RETURN_NAMES", node.RETURN_TYPES)) == len(node.RETURN_TYPES)
        for kind, *options in inputs.values():
            assert isinstance(kind, str | list)
            chosen = options[0].get("default") if options else None
            assert not isinstance(kind, list) or chosen in kind


def test_nodes_go_the_whole_way(nodes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    image = torch.from_numpy(testing.tiny_photo().rgb.astype(np.float32) / 255)[None]
    world, folder = nodes.PhotoToWorld().run(image, "a garden", "embedded", "\n".join(SMALL), 0)
    assert Path(folder) == Path("output/sonoworld/a garden")
    panorama, depth, heard = nodes.WorldPictures().run(world)
    assert panorama.shape == depth.shape == (1, 128, 256, 3)
    assert panorama.dtype == torch.float32
    assert 0 <= float(depth.min()) <= float(depth.max()) <= 1
    assert "dB SPL at 1 m" in heard
    (audio,) = nodes.WorldToWalkAudio().run(world, 2.0, "binaural", 3)
    assert (tuple(audio["waveform"].shape), audio["sample_rate"]) == ((1, 2, 96_000), 48_000)
    assert float(audio["waveform"].abs().max()) > 0.001
    (ambix,) = nodes.WorldToWalkAudio().run(world, 1.0, "ambix", 1)
    assert tuple(ambix["waveform"].shape) == (1, 4, 48_000)
    (page,) = nodes.WorldToPage().run(world, "A <garden>")
    assert "A &lt;garden&gt;" in Path(page).read_text("utf-8")


@pytest.mark.parametrize("name", ["../outside", "/tmp/x", "a/b", "", ".hidden", "a\0b"])
def test_names_stay_in_the_output_folder(nodes: ModuleType, name: str) -> None:
    with pytest.raises(InputError, match="name: expected"):
        nodes._folder(name)


@pytest.fixture(scope="module")
def app() -> ModuleType:
    pytest.importorskip("gradio", reason="gradio is not installed (pip install gradio)")
    return loaded(INTEGRATIONS / "gradio" / "app.py", "sonoworld_gradio")


@pytest.mark.filterwarnings("ignore")  # of gradio's own dependencies
def test_the_app_makes_a_world_and_serves_it(app: Any, tmp_path: Path) -> None:
    from starlette.testclient import TestClient  # noqa: PLC0415

    write_image(tmp_path / "photo.png", testing.tiny_photo().rgb)
    worlds = tmp_path / "worlds"
    worlds.mkdir()
    client = TestClient(app.application(worlds, SMALL))
    frame, (rate_hz, samples), table, page = app.world(str(tmp_path / "photo.png"), 2, 0, worlds, SMALL)
    assert (rate_hz, samples.shape, samples.dtype) == (48_000, (96_000, 2), np.int16)
    assert np.abs(samples).max() > 100
    assert all(len(row) == 3 for row in table)
    assert Path(page).stat().st_size > 10_000
    address = frame.split('src="')[1].split('"')[0]
    shown = client.get(address)
    assert shown.status_code == 200
    assert "text/html" in shown.headers["content-type"]
    assert client.get(address.replace("index.html", "world.json")).status_code == 200
    assert "sonoworld" in client.get("/").text
    assert client.get("/worlds/../photo.png").status_code == 404


@pytest.mark.filterwarnings("ignore")
def test_the_app_says_what_is_no_photo(app: Any, tmp_path: Path) -> None:
    import gradio as gr  # noqa: PLC0415

    (tmp_path / "photo.jpg").write_text("no photo")
    (tmp_path / "worlds").mkdir()
    for photo, says in ((None, "Choose a photo"), (str(tmp_path / "photo.jpg"), "the photo: expected an image")):
        with pytest.raises(gr.Error, match=says):
            app.world(photo, 2, 0, tmp_path / "worlds", SMALL)
