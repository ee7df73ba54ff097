"""Options by which a backend of a bundled recipe runs with a tiny random model, made here in the official format."""

# pyright: basic
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_depth
import tiny_depth_anything
import tiny_painters
import tiny_segmenters
import tiny_vlm

from sonoworld.backend import find
from sonoworld.types import Stage

HERE: dict[str, object] = {"offline": True, "device": "cpu"}
PAINTED: dict[str, object] = {**HERE, "width": 256, "canvas_width": 128, "shared_px": 32, "steps": 2, "prompt": "hills"}
LISTENS: dict[str, object] = {
    **HERE, "views": 1, "side_px": 56, "panorama_width_px": 112, "max_new_tokens": 800, "batch": 3,
}  # fmt: skip
SOUNDS: dict[str, object] = {**HERE, "seconds": 2, "steps": 2, "candidates": 2}
Options = dict[str, object]


def flux_fill(folder: Path) -> Options:
    tiny_painters.flux_fill_pipeline().save_pretrained(folder / "fill")
    return {**PAINTED, "model": folder / "fill", "pole_px": 64}


def worldgen(folder: Path) -> Options:
    tiny_painters.flux_fill_pipeline().save_pretrained(folder / "fill")
    lora = tiny_painters.save_lora(folder / "lora", "panorama.safetensors")
    return {**PAINTED, "model": folder / "fill", "lora": lora, "lora_file": "panorama.safetensors"}


def flux2_klein(folder: Path) -> Options:
    tiny_painters.flux2_klein_pipeline().save_pretrained(folder / "klein")
    return {**PAINTED, "model": folder / "klein", "pole_px": 64}


def moge_fov(folder: Path) -> Options:
    return {**HERE, "model": tiny_depth.save_moge(folder / "moge", tiny_depth.moge_2(), across=-0.02)}


def moge(folder: Path) -> Options:
    made = tiny_depth.save_moge(folder / "moge", tiny_depth.moge_2())
    return {**HERE, "model": made, "side_px": 112}


def depth_anything(folder: Path) -> Options:
    made = tiny_depth_anything.save(folder / "depth", "metric")
    return {**HERE, "model": made, "side_px": 112}


def qwen_vl(folder: Path) -> Options:
    return {**LISTENS, "model": tiny_vlm.save("qwen3_vl", folder / "qwen")}


def llava_next(folder: Path) -> Options:
    return {**LISTENS, "model": tiny_vlm.save("llava_next", folder / "llava")}


def sam2(folder: Path) -> Options:
    shape, words = tiny_segmenters.save_sam2(folder / "sam2"), tiny_segmenters.save_clipseg(folder / "clipseg")
    loose = {"least_iou": 0.0, "least_stability": 0.0}
    return {**HERE, "model": shape, "semantics": "clipseg", "semantics_model": words, **loose}


def sam3(folder: Path) -> Options:
    return {**HERE, "model": tiny_segmenters.save_sam3(folder / "sam3"), "least_score": 0.0}


def stable_audio(folder: Path) -> Options:
    import tiny_sound  # noqa: PLC0415  torch and diffusers

    made, judge = tiny_sound.stable_audio_3(folder / "sound"), tiny_sound.clap(folder / "clap")
    return {**SOUNDS, "model": made, "rank_model": judge}


def mmaudio(folder: Path) -> Options:
    """The stand-in's, for MMAudio is not on PyPI."""
    import mmaudio_stand_in  # noqa: PLC0415
    import tiny_sound  # noqa: PLC0415

    made, judge = mmaudio_stand_in.save(folder / "sound"), tiny_sound.clap(folder / "clap")
    return {**SOUNDS, "model": made, "clip_model": made, "variant": "small_16k", "rank_model": judge}


TINY: dict[tuple[Stage, str], Callable[[Path], Options]] = {
    ("calibrate", "moge_fov"): moge_fov,
    ("panorama", "flux_fill"): flux_fill,
    ("panorama", "worldgen"): worldgen,
    ("panorama", "flux2_klein"): flux2_klein,
    ("lift", "moge"): moge,
    ("lift", "depth_anything"): depth_anything,
    ("understand", "qwen_vl"): qwen_vl,
    ("understand", "llava_next"): llava_next,
    ("segment", "sam2"): sam2,
    ("segment", "sam3"): sam3,
    ("sound", "stable_audio"): stable_audio,
    ("sound", "mmaudio"): mmaudio,
}
"""(stage, backend) -> folder to make a model in -> options of the backend."""


def maker(stage: Stage, backend: str) -> Callable[[Path], Options] | None:
    """Of `TINY`, if what the backend needs is installed."""
    return None if lacking(stage, backend) else TINY.get((stage, backend))


def lacking(stage: Stage, backend: str) -> str:
    """What the backend of a tiny model needs that is not installed, and how to get it; "" for others."""
    return find(stage, backend).missing() if (stage, backend) in TINY else ""


def told(options: Options) -> dict[str, Any]:
    """Options as `--set` takes them: text stays text."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}
