"""Sound by MMAudio (Cheng et al., CVPR 2025): clips from words, and from words with a picture of the source."""

from typing import Literal

from pydantic import Field

from sonoworld.backend import Backend, MakeSound, Weights, weights_of
from sonoworld.sound.generative import CLAP_WEIGHTS, GenerativeOptions, judge_weights
from sonoworld.weights import folder_files, packages_missing

HUB_ID = "hkchengrex/MMAudio"
VOCODER_ID = "nvidia/bigvgan_v2_44khz_128band_512x"
CLIP_ID = "apple/DFN5B-CLIP-ViT-H-14-384"
Variant = Literal["small_16k", "small_44k", "medium_44k", "large_44k", "large_44k_v2"]
NETWORK_GB: dict[Variant, float] = {
    "small_16k": 0.63,
    "small_44k": 0.63,
    "medium_44k": 2.49,
    "large_44k": 4.12,
    "large_44k_v2": 4.12,
}
"""Files of the networks, as their pages on the hub say."""

AUTOENCODERS_GB = {"16k": 1.1, "44k": 1.2}
"""Autoencoder, and the vocoder where it comes with the model (16 kHz)."""


def network_weights(variant: Variant) -> Weights:
    """Network and autoencoder of a variant."""
    mode = variant.split("_")[1]
    parts = "ext_weights/v1-44.pth" if mode == "44k" else "ext_weights/v1-16.pth ext_weights/best_netG.pt"
    command = f"hf download {HUB_ID} README.md weights/mmaudio_{variant}.pth {parts}"
    return Weights(HUB_ID, round(NETWORK_GB[variant] + AUTOENCODERS_GB[mode], 1), "CC BY-NC 4.0", command)


KNOWN = (
    network_weights("large_44k_v2"),
    Weights(CLIP_ID, 3.9, "Apple Sample Code", f"hf download {CLIP_ID} --include 'open_clip*'"),
    Weights(VOCODER_ID, 0.5, "MIT", f"hf download {VOCODER_ID} config.json bigvgan_generator.pt"),
)
"""Network and autoencoder; the encoder of words and pictures; the vocoder (only of the 44.1 kHz variants)."""


HOW = (
    "pip install --no-deps git+https://github.com/hkchengrex/MMAudio && "
    "pip install torchdiffeq einops open_clip_torch librosa omegaconf"
)
"""It is not on PyPI, and its own list of packages asks for an old NumPy."""


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


def weights_for(options: MMAudioOptions) -> tuple[Weights, ...]:
    """The network asked for, CLIP, the vocoder that MMAudio takes from the hub for 44.1 kHz, and who chooses."""
    known = (network_weights(options.variant), *KNOWN[1:])
    vocoder = (VOCODER_ID,) if options.variant != "small_16k" else ()
    return weights_of(known, options.model, options.clip_model, *vocoder) + judge_weights(options)


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
    weights=KNOWN + CLAP_WEIGHTS,
    weights_for=weights_for,
    missing=packages_missing("torch", "mmaudio", "open_clip", how=HOW),
    files=lambda options: folder_files(options.model, options.clip_model, options.rank_model),
)
