"""ComfyUI nodes: a photo becomes a world that sounds; its panorama, its sound on a walk, and a page of it go on.

Link or copy this folder into ComfyUI's `custom_nodes` and `pip install sonoworld` into ComfyUI's Python.
"""

import re
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sonoworld import recipe as recipes
from sonoworld.cli.containers import CONTAINERS, Choices
from sonoworld.disk.photo import read_photo
from sonoworld.disk.scene import load_scene
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.render import default_walk, render_walk
from sonoworld.render.loudness import file_gain

CATEGORY = "sonoworld"
RATE_HZ = 48_000
Inputs = dict[str, dict[str, Any]]


def _folder(name: str) -> Path:
    """A world's folder in ComfyUI's output; outside of ComfyUI, in the current folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,60}", name):
        raise InputError(f"name: expected letters, digits, spaces, - and _, got {name!r}")
    try:
        output = Path(import_module("folder_paths").get_output_directory())
    except ImportError:
        output = Path("output")
    return output / "sonoworld" / name


def _image(rgb: np.ndarray) -> Any:
    """Pixels as ComfyUI's IMAGE: float32 [1 h w 3], 0..1."""
    torch = import_module("torch")
    return torch.from_numpy(np.ascontiguousarray(rgb, np.float32))[None]


class PhotoToWorld:
    """Makes a world of the first picture of a batch; the same again costs nothing, other settings their steps."""

    CATEGORY = CATEGORY
    FUNCTION = "run"
    RETURN_TYPES = ("SONOWORLD", "STRING")
    RETURN_NAMES = ("world", "folder")
    DESCRIPTION = "One photo in; a 3D world out that you can walk through and hear."

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "image": ("IMAGE",),
                "name": ("STRING", {"default": "world"}),
                "recipe": (list(recipes.names()), {"default": recipes.DEFAULT}),
                "settings": ("STRING", {"multiline": True, "default": "", "tooltip": "stage.key=value, one a line"}),
                "seed": ("INT", {"default": 0, "min": 0, "max": 2**31 - 1}),
            }
        }

    def run(self, image: Any, name: str, recipe: str, settings: str, seed: int) -> tuple[str, str]:
        chosen = recipes.load(recipe, [line.strip() for line in settings.splitlines() if line.strip()])
        pixels = np.clip(np.rint(255 * np.asarray(image[0].cpu())), 0, 255).astype(np.uint8)
        folder = _folder(name)
        with tempfile.TemporaryDirectory() as scratch:
            from PIL import Image  # noqa: PLC0415

            file = Path(scratch) / "photo.png"
            Image.fromarray(pixels[..., :3]).save(file)
            make_scene(read_photo(file), chosen, folder, seed=seed)
        return str(folder), str(folder)


class WorldPictures:
    """The panorama all around, and its depth: near is white, the sky is black."""

    CATEGORY = CATEGORY
    FUNCTION = "run"
    RETURN_TYPES = ("IMAGE", "IMAGE", "STRING")
    RETURN_NAMES = ("panorama", "depth", "what_sounds")
    INPUT: ClassVar[Inputs] = {"required": {"world": ("SONOWORLD",)}}

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return cls.INPUT

    def run(self, world: str) -> tuple[Any, Any, str]:
        scene = load_scene(Path(world))
        near = 1 / np.maximum(scene.geometry.distance, 1e-3)
        near[scene.geometry.sky | ~scene.geometry.valid] = 0
        depth = np.repeat((near / max(float(near.max()), 1e-9))[..., None], 3, axis=2)
        lines = [f"{s.label}: {s.spread.value}, {s.level_db:.0f} dB SPL at 1 m" for s in scene.sources]
        return _image(scene.panorama.rgb / np.float32(255)), _image(depth), "\n".join(lines)


class WorldToWalkAudio:
    """What is heard on a tour to what sounds most: two ears (for headphones), or first- to third-order AmbiX."""

    CATEGORY = CATEGORY
    FUNCTION = "run"
    RETURN_TYPES = ("AUDIO",)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "world": ("SONOWORLD",),
                "seconds": ("FLOAT", {"default": 20.0, "min": 1.0, "max": 600.0}),
                "sound": (["binaural", "ambix"], {"default": "binaural"}),
                "order": ("INT", {"default": 3, "min": 1, "max": 7}),
            }
        }

    def run(self, world: str, seconds: float, sound: str, order: int) -> tuple[dict[str, Any]]:
        torch = import_module("torch")
        scene = load_scene(Path(world))
        walk = default_walk(seconds, scene.sources, scene.ground)
        if sound == "ambix":
            signal = render_walk(scene, walk, "ambix", order, seconds).signal
        else:
            raw = render_walk(scene, walk, "binaural", order, seconds)
            signal = file_gain(raw, RATE_HZ).apply(raw)
        waveform = torch.from_numpy(np.array(signal, np.float32, order="C"))[None]
        return ({"waveform": waveform, "sample_rate": RATE_HZ},)


class WorldToPage:
    """One HTML file to walk through, with sound, beside the world's folder."""

    CATEGORY = CATEGORY
    FUNCTION = "run"
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("page",)
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {"required": {"world": ("SONOWORLD",), "title": ("STRING", {"default": "A world to hear"})}}

    def run(self, world: str, title: str) -> tuple[str]:
        folder = Path(world)
        page = folder.with_name(f"{folder.name}.html")
        CONTAINERS["html"].write(folder, page, Choices(title=title), lambda part: None)
        return (str(page),)


NODE_CLASS_MAPPINGS = {
    "SonoworldPhotoToWorld": PhotoToWorld,
    "SonoworldPictures": WorldPictures,
    "SonoworldWalkAudio": WorldToWalkAudio,
    "SonoworldPage": WorldToPage,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "SonoworldPhotoToWorld": "Photo → World",
    "SonoworldPictures": "World → Panorama, Depth",
    "SonoworldWalkAudio": "World → Walk Audio",
    "SonoworldPage": "World → Page",
}
