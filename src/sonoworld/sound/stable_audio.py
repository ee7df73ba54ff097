"""Sound by Stable Audio (Stability AI) in diffusers: Open 1.0, and 3 where the installed diffusers has it."""

from pydantic import Field

from sonoworld.backend import Backend, MakeSound, Weights, weights_of
from sonoworld.sound.generative import CLAP_WEIGHTS, GenerativeOptions, judge_weights
from sonoworld.weights import folder_files, packages_missing

OPEN = "stabilityai/stable-audio-open-1.0"
KNOWN = (
    Weights(OPEN, 5.3, "Stability AI Community", f"hf download {OPEN} --exclude 'model.*'", gated=True),
    Weights(
        "stabilityai/stable-audio-3-medium",
        10.4,
        "Stability AI Community, Gemma",
        "hf download stabilityai/stable-audio-3-medium",
        gated=True,
    ),
)


class StableAudioOptions(GenerativeOptions):
    """How the model is run."""

    model: str = Field(default=OPEN, description="model id on the hub (Open or 3), or a local folder")
    steps: int | None = Field(default=None, ge=1, le=500, description="denoising steps; by default the model's own")
    guidance: float | None = Field(
        default=None,
        ge=0,
        le=30,
        description="how closely words are followed (Open 7, 3: 1); negative prompts need > 1",
    )


def _make(options: StableAudioOptions) -> MakeSound:
    from sonoworld.sound.candidates import maker  # noqa: PLC0415  heavy only where used
    from sonoworld.sound.stable_audio_pipe import generator  # noqa: PLC0415

    return maker(generator(options), options, "sound.stable_audio")


STABLE_AUDIO = Backend(
    stage="sound",
    name="stable_audio",
    version="1",
    summary="Stable Audio Open or 3: clips from words, several for each source, the best by CLAP",
    options=StableAudioOptions,
    make=_make,
    extra="models",
    licence="Stability AI Community (weights)",
    weights=KNOWN + CLAP_WEIGHTS,
    missing=packages_missing("torch", "transformers", "diffusers", "torchsde"),
    files=lambda options: folder_files(options.model, options.rank_model),
    weights_for=lambda options: weights_of(KNOWN, options.model) + judge_weights(options),
)
