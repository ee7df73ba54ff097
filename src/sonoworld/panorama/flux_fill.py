"""FLUX.1 Fill paints what the photo does not show, on a panorama that closes and in views of the poles."""

from pydantic import Field

from sonoworld.backend import Backend, MakePanorama, Weights
from sonoworld.panorama.diffusion import DiffusionOptions, missing, missing_with
from sonoworld.weights import folder_files

PARAMETERS = {
    "transformer": 11_902_391_360,
    "text_encoder": 123_060_480,
    "text_encoder_2": 4_762_310_656,
    "vae": 83_819_683,
}
"""Of `black-forest-labs/FLUX.1-Fill-dev`, all in 16 bits."""

WEIGHTS = (
    Weights(
        "black-forest-labs/FLUX.1-Fill-dev",
        round(2 * sum(PARAMETERS.values()) / 1e9, 1),
        "FLUX.1 [dev] Non-Commercial License",
        # its folder holds the transformer and the VAE once more, for other programs
        "hf download black-forest-labs/FLUX.1-Fill-dev --exclude flux1-fill-dev.safetensors --exclude ae.safetensors",
        gated=True,
        largest_part_gb=round(2 * PARAMETERS["transformer"] / 1e9, 1),
        largest_part_8bit_gb=round(PARAMETERS["transformer"] / 1e9, 1),
    ),
)
AROUND = "A 360 degree equirectangular panorama photo of {}, seamless, level horizon, natural light, sharp"


class FluxFillOptions(DiffusionOptions):
    """Which checkpoint, what is painted, and where it runs."""

    model: str = Field(
        default="black-forest-labs/FLUX.1-Fill-dev", min_length=1, description="model id on the hub, or a local folder"
    )


def _make(options: FluxFillOptions) -> MakePanorama:
    from sonoworld.panorama.flux_fill_net import panoramas  # noqa: PLC0415  heavy only where used

    return panoramas(options)


FLUX_FILL = Backend(
    stage="panorama",
    name="flux_fill",
    version="1",
    summary="FLUX.1 Fill paints the rest of the sphere around the photo",
    options=FluxFillOptions,
    make=_make,
    extra="models",
    licence="FLUX.1 [dev] Non-Commercial License",
    commercial=False,
    weights=WEIGHTS,
    missing=missing,
    files=lambda options: folder_files(options.model),
    missing_for=missing_with(),
)
