"""CLAP, a model of sound and language (Wu et al., ICASSP 2023): clips and words as directions in one space.

The cosine between a clip and words, −1..1, orders clips for the same words; it says little across words.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from sonoworld.backend import Weights
from sonoworld.errors import StageError
from sonoworld.weights import Checkpoint, chosen_device, complete, library, licence, loading, used

RATE_HZ = 48_000
"""What CLAP listens at."""

GENERAL = "laion/larger_clap_general"
UNFUSED = "laion/clap-htsat-unfused"
WEIGHTS = (
    Weights(GENERAL, 0.8, "Apache-2.0", f"hf download {GENERAL}"),
    Weights(UNFUSED, 0.6, "Apache-2.0", f"hf download {UNFUSED}"),
)


class Clap:
    """One loaded checkpoint, in float32.

    Attributes:
        name: what was loaded, with its licence.
    """

    def __init__(self, checkpoint: Checkpoint, device: str, who: str) -> None:
        """Load it.

        Args:
            checkpoint: of the architecture `ClapModel` of transformers.
            device: as in `ModelOptions.device`.
            who: asks, for messages.

        Raises:
            BackendMissingError: transformers or the checkpoint are not here; says how to get them.
        """
        torch, transformers = library("torch"), library("transformers")
        self._who, self._used, self._where = who, used(checkpoint), chosen_device(device)
        with loading(checkpoint, who):
            source = {"revision": checkpoint.revision, "local_files_only": checkpoint.offline}
            self._processor = transformers.AutoProcessor.from_pretrained(checkpoint.place, **source)
            loaded = transformers.ClapModel.from_pretrained(
                checkpoint.place, dtype=torch.float32, output_loading_info=True, **source
            )
        self._net: Any = complete(loaded, checkpoint, who).to(self._where).eval()
        self._quiet = torch.inference_mode
        self.name = f"{used(checkpoint)}, {licence(checkpoint)}"

    def words(self, texts: Sequence[str]) -> Float64[np.ndarray, "n d"]:
        """A unit vector for each text.

        Raises:
            StageError: the model gave NaN.
        """
        found: list[np.ndarray] = []
        with self._quiet():
            for text in texts:
                tokens = self._processor(text=[text], return_tensors="pt", truncation=True).to(self._where)
                found.append(self._unit(self._net.get_text_features(**tokens), repr(text)))
        return np.array(found)

    def sounds(self, clips: Sequence[np.ndarray]) -> Float64[np.ndarray, "n d"]:
        """A unit vector for each mono clip at 48 kHz.

        Raises:
            StageError: the model gave NaN.
        """
        with self._quiet():
            heard = [self._net.get_audio_features(**self._heard(clip).to(self._where)) for clip in clips]
        return np.array([self._unit(features, "a clip") for features in heard])

    def _heard(self, clip: Float64[np.ndarray, "t"]) -> Any:
        """One clip as CLAP takes it: its middle, at most a window long, so that no chance need choose a part.

        One at a time: for checkpoints that fuse windows the processor marks one random clip of a batch as long.
        """
        window = int(self._processor.feature_extractor.nb_max_samples)
        begin = max(0, clip.size - window) // 2
        piece = np.asarray(clip[begin : begin + window], np.float32)
        return self._processor(audio=[piece], sampling_rate=RATE_HZ, return_tensors="pt")

    def _unit(self, features: Any, what: str) -> Float64[np.ndarray, "d"]:
        pooled = getattr(features, "pooler_output", features)  # transformers before 5 gives the tensor itself
        vector = np.asarray(pooled[0].cpu().numpy(), np.float64)
        vector = vector / np.linalg.norm(vector)
        if not np.isfinite(vector).all():
            raise StageError(f"{self._who}: {self._used} gave NaN for {what}")
        return vector
