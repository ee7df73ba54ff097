"""Qwen-VL on this machine: the panorama and its views as pictures of one conversation."""

from pydantic import Field

from sonoworld.backend import Backend, Understand, Weights
from sonoworld.understand.vlm_local import LocalVlmOptions, missing, missing_for
from sonoworld.weights import folder_files


def _weights(model: str, size_gb: float) -> Weights:
    return Weights(model, size_gb, "Apache-2.0", f"hf download {model}")


WEIGHTS = (
    _weights("Qwen/Qwen3-VL-8B-Instruct", 17.5),
    _weights("Qwen/Qwen3-VL-4B-Instruct", 8.9),
    _weights("Qwen/Qwen3-VL-32B-Instruct", 66.7),
    _weights("Qwen/Qwen2.5-VL-7B-Instruct", 16.6),
)
TYPES = ("qwen3_vl", "qwen3_vl_moe", "qwen2_5_vl", "qwen2_vl")


class QwenVlOptions(LocalVlmOptions):
    """Which checkpoint, where it runs, what it is shown, and how much it may say."""

    model: str = Field(
        default="Qwen/Qwen3-VL-8B-Instruct", min_length=1, description="model id on the hub, or a local folder"
    )
    together: bool = Field(
        default=True, description="all pictures in one conversation; otherwise each is asked about alone, in batches"
    )
    max_new_tokens: int = Field(default=1536, ge=64, le=32_768, description="longest answer")
    side_px: int = Field(default=768, ge=56, le=2048, description="side of a view, at most")
    panorama_width_px: int = Field(default=2048, ge=112, le=8192, description="width of the panorama as shown, at most")


def _make(options: QwenVlOptions) -> Understand:
    from sonoworld.understand.vlm_local_listen import Family, listener  # noqa: PLC0415  heavy only where used

    return listener(options, Family("qwen_vl", TYPES, WEIGHTS, together=options.together))


QWEN_VL = Backend(
    stage="understand",
    name="qwen_vl",
    version="1",
    summary="Qwen-VL (Qwen3-VL, Qwen2.5-VL) on this machine names what can be heard",
    options=QwenVlOptions,
    make=_make,
    extra="models",
    licence="Apache-2.0",
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
    missing_for=missing_for,
)
