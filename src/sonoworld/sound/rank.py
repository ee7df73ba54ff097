"""Which of several clips suits the words best: CLAP, a model of sound and language (Wu et al., ICASSP 2023).

`agreement` is the cosine between the embeddings of a text and a clip, −1..1; it orders candidates for one prompt, and
says little across prompts.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import StageError
from sonoworld.sound.generative import CLAP_WEIGHTS
from sonoworld.weights import Checkpoint, chosen_device, complete, library, licence, loading, used

RATE_HZ = 48_000
"""What CLAP listens at."""

_WHO = "ranking by CLAP"

Agreement = Callable[[str, Sequence[Float64[np.ndarray, "_"]]], Float64[np.ndarray, "n"]]
"""(prompt, mono clips at 48 kHz) -> one cosine per clip."""


def clap(model: str, revision: str | None, *, offline: bool, device: str) -> tuple[Agreement, str]:
    """Load a CLAP checkpoint, in float32.

    Args:
        model: id on the hub, or a local folder.
        revision: commit, tag or branch; None for the newest.
        offline: never ask the hub.
        device: as in `ModelOptions.device`.

    Returns:
        The function that ranks, and the name of what was loaded, with its licence.

    Raises:
        BackendMissingError: transformers or the checkpoint are not here; says how to get them.
    """
    torch, transformers = library("torch"), library("transformers")
    checkpoint = Checkpoint(model, revision, offline, CLAP_WEIGHTS, option="rank_model")
    where = chosen_device(device)
    with loading(checkpoint, _WHO):
        source = {"revision": revision, "local_files_only": offline}
        processor = transformers.AutoProcessor.from_pretrained(checkpoint.place, **source)
        loaded = transformers.ClapModel.from_pretrained(
            checkpoint.place, dtype=torch.float32, output_loading_info=True, **source
        )
    net = complete(loaded, checkpoint, _WHO).to(where).eval()

    def agreement(prompt: str, clips: Sequence[Float64[np.ndarray, "_"]]) -> Float64[np.ndarray, "n"]:
        with torch.inference_mode():
            words = processor(text=[prompt], return_tensors="pt", truncation=True).to(where)
            text = _unit(net.get_text_features(**words))
            sounds = [_unit(net.get_audio_features(**_heard(processor, clip).to(where))) for clip in clips]
        cosines = np.array([float((text @ sound.T)[0, 0]) for sound in sounds])
        if not np.isfinite(cosines).all():
            raise StageError(f"{_WHO}: {used(checkpoint)} gave NaN for {prompt!r}")
        return cosines

    return agreement, f"{used(checkpoint)}, {licence(checkpoint)}"


def _heard(processor: Any, clip: Float64[np.ndarray, "t"]) -> Any:
    """One clip as CLAP takes it: its middle, at most a window long, so that the processor need not choose by chance.

    One at a time: for checkpoints that fuse windows the processor marks one random clip of a batch as long.
    """
    window = int(processor.feature_extractor.nb_max_samples)
    begin = max(0, clip.size - window) // 2
    piece = np.asarray(clip[begin : begin + window], np.float32)
    return processor(audio=[piece], sampling_rate=RATE_HZ, return_tensors="pt")


def _unit(features: Any) -> Any:
    pooled = getattr(features, "pooler_output", features)  # transformers before 5 gives the tensor itself
    return pooled / pooled.norm(dim=-1, keepdim=True)
