"""Sound by MMAudio (Cheng et al., CVPR 2025): clips from words, and from words with a picture of the source."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, MakeSound, Weights
from sonoworld.sound.generative import GenerativeOptions
from sonoworld.weights import folder_files, packages_missing

HUB_ID = "hkchengrex/MMAudio"
VOCODER_ID = "nvidia/bigvgan_v2_44khz_128band_512x"
CLIP_ID = "apple/DFN5B-CLIP-ViT-H-14-384"
KNOWN = (
    Weights(
        HUB_ID,
        5.1,
        "CC BY-NC 4.0",
        f"hf download {HUB_ID} README.md weights/mmaudio_large_44k_v2.pth ext_weights/v1-44.pth",
    ),
    Weights(CLIP_ID, 3.9, "Apple Sample Code", f"hf download {CLIP_ID}"),
    Weights(VOCODER_ID, 0.5, "MIT", f"hf download {VOCODER_ID}"),
)
"""Network and autoencoder; the encoder of words and pictures; the vocoder (only of the 44.1 kHz variants)."""

Variant = Literal["small_16k", "small_44k", "medium_44k", "large_44k", "large_44k_v2"]


class MMAudioOptions(GenerativeOptions):
    """How the model is run."""

    model: str = Field(default=HUB_ID, description="model id on the hub, or a folder with weights/ and ext_weights/")
    variant: Variant = Field(default="large_44k_v2", description="which network of the model")
    clip_model: str = Field(default=CLIP_ID, description="CLIP of open_clip: model id on the hub, or a local folder")
    seconds: float = Field(
        default=6.5, ge=2, le=10.5, description="length of every loop, s, about; made from 8 s, as trained"
    )
    steps: int = Field(default=25, ge=1, le=500, description="Euler steps")
    guidance: float = Field(default=4.5, ge=1, le=30, description="how closely words are followed")
    pictures: bool = Field(default=True, description="sources that are seen also show the model their picture")


def _make(options: MMAudioOptions) -> MakeSound:
    from sonoworld.sound.candidates import maker  # noqa: PLC0415  heavy only where used
    from sonoworld.sound.mmaudio_net import generator  # noqa: PLC0415

    return maker(generator(options), options, "sound.mmaudio", pictures=options.pictures)


MMAUDIO = Backend(
    stage="sound",
    name="mmaudio",
    version="1",
    summary="MMAudio: clips from words and the source's picture, several for each source, the best by CLAP",
    options=MMAudioOptions,
    make=_make,
    extra="models",
    licence="CC BY-NC 4.0 (weights)",
    commercial=False,
    weights=KNOWN,
    missing=packages_missing("torch", "mmaudio", "open_clip"),
    files=lambda options: folder_files(options.model, options.clip_model, options.rank_model),
)
