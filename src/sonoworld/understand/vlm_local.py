"""Vision-language models that run in this process, by transformers: what their backends have in common."""

from importlib.util import find_spec

from pydantic import Field

from sonoworld.weights import ModelOptions, packages_missing

missing = packages_missing("torch", "torchvision", "transformers", "accelerate")
"""Why no such model can run here, or "", found out without importing anything heavy."""

FOR_FOUR_BIT = "bitsandbytes"


class LocalVlmOptions(ModelOptions):
    """Which checkpoint, where it runs, what it is shown, and how much it may say."""

    four_bit: bool = Field(
        default=False, description="weights in 4 bits (NF4): a third of the memory; needs the package bitsandbytes"
    )
    batch: int = Field(default=4, ge=1, le=64, description="pictures asked about at a time, where each is asked alone")
    max_new_tokens: int = Field(default=512, ge=64, le=32_768, description="longest answer")
    known_sources: tuple[str, ...] = Field(default=(), description="labels of what is known to sound here")
    views: int = Field(default=6, ge=0, le=12, description="views around the horizon, beside the panorama")
    side_px: int = Field(default=672, ge=56, le=2048, description="side of a view, at most")
    panorama_width_px: int = Field(default=1344, ge=112, le=8192, description="width of the panorama as shown, at most")
    most: int = Field(default=12, ge=1, le=64, description="most soundings reported")
    cache: bool = Field(default=True, description="keep answers in the user's cache folder, and use them again")


def missing_for(options: LocalVlmOptions) -> str:
    """Why these options cannot run here, or ""."""
    if why := missing():
        return why
    if options.four_bit and find_spec(FOR_FOUR_BIT) is None:
        return f"four_bit needs one more package: pip install {FOR_FOUR_BIT}"
    return ""
