"""Which of several clips suits the words best, by CLAP (`sonoworld.perceive.clap`).

`agreement` is the cosine between the embeddings of a text and a clip, −1..1; it orders candidates for one prompt, and
says little across prompts.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64

from sonoworld.perceive.clap import WEIGHTS, Clap
from sonoworld.weights import Checkpoint

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
    judge = Clap(Checkpoint(model, revision, offline, WEIGHTS, option="rank_model"), device, "ranking by CLAP")

    def agreement(prompt: str, clips: Sequence[Float64[np.ndarray, "_"]]) -> Float64[np.ndarray, "n"]:
        return judge.sounds(clips) @ judge.words([prompt])[0]

    return agreement, judge.name
