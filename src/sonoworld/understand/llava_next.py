"""LLaVA-NeXT, the paper's open model: every picture is asked about alone, all of them in one batch.

It was trained on one picture a conversation, and sees a 2:1 panorama as 672×336 pixels: the views bring the detail.
"""

from pydantic import Field

from sonoworld.backend import Backend, Understand, Weights
from sonoworld.understand.vlm_local import LocalVlmOptions, missing, missing_for
from sonoworld.weights import folder_files

_APACHE = "Apache-2.0 as its card says"
_PAPER = "llava-hf/llava-v1.6-34b-hf"
_MISTRAL = "llava-hf/llava-v1.6-mistral-7b-hf"
_VICUNA = "llava-hf/llava-v1.6-vicuna-7b-hf"
WEIGHTS = (
    Weights(_PAPER, 69.5, f"{_APACHE}; its text model is Nous-Hermes-2-Yi-34B", f"hf download {_PAPER}"),
    Weights(_MISTRAL, 15.1, _APACHE, f"hf download {_MISTRAL}"),
    Weights(_VICUNA, 14.1, "Llama 2 Community License", f"hf download {_VICUNA}"),
)


class LlavaNextOptions(LocalVlmOptions):
    """Which checkpoint, where it runs, what it is shown, and how much it may say."""

    model: str = Field(default=_PAPER, min_length=1, description="model id on the hub, or a local folder")


def _make(options: LlavaNextOptions) -> Understand:
    from sonoworld.understand.vlm_local_listen import Family, listener  # noqa: PLC0415  heavy only where used

    return listener(options, Family("llava_next", ("llava_next",), WEIGHTS, together=False))


LLAVA_NEXT = Backend(
    stage="understand",
    name="llava_next",
    version="1",
    summary="LLaVA-NeXT (34B or 7B) on this machine names what can be heard",
    options=LlavaNextOptions,
    make=_make,
    extra="models",
    licence="the checkpoint's: Apache-2.0 or Llama 2",
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
    missing_for=missing_for,
)
