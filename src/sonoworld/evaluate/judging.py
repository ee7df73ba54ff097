"""How an estimate is scored against a recording: by directions, and, where asked for, by what CLAP hears in each."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.evaluate import semantic, spatial
from sonoworld.evaluate.datasets.foa_folder import RATE_HZ
from sonoworld.evaluate.datasets.values import RecordedScene

Score = Callable[[Float32[np.ndarray, "4 t"], Float32[np.ndarray, "4 u"]], dict[str, float]]
"""(estimate, reference) -> metrics."""

REMEMBERED = 256
"""Embeddings kept: a recording is heard by every method, an estimate at every recording."""


def by_direction(estimate: Float32[np.ndarray, "4 t"], reference: Float32[np.ndarray, "4 u"]) -> dict[str, float]:
    """The spatial metrics."""
    return spatial.compare(estimate, reference, RATE_HZ)


@dataclass(frozen=True, slots=True)
class ByMeaning:
    """The spatial metrics, and D-CLAP.

    Attributes:
        model: LAION-CLAP, as hub id or folder.
        labels: what is heard from where at this microphone.
        candidates: texts that R-Precision ranks.
    """

    model: str
    labels: tuple[semantic.Label, ...]
    candidates: tuple[str, ...]

    def __call__(self, estimate: Float32[np.ndarray, "4 t"], reference: Float32[np.ndarray, "4 u"]) -> dict[str, float]:
        """Score one pair.

        Raises:
            BackendMissingError: transformers or the checkpoint are not here.
            InputError: a direction that is none.
        """
        heard = semantic.compare(estimate, reference, self.labels, _embedder(self.model), candidates=self.candidates)
        return {**by_direction(estimate, reference), **heard}


def scoring(model: str | None, scene: RecordedScene, mic: str) -> Score:
    """How estimates at a microphone are scored; R-Precision ranks all texts annotated in the scene."""
    if model is None:
        return by_direction
    labels = next(one.annotations for one in scene.microphones if one.id == mic)
    texts = dict.fromkeys(text for one in scene.microphones for _, text in one.annotations)
    return ByMeaning(model, labels, tuple(texts))


class Remembering:
    """An embedder that hears no clip twice."""

    def __init__(self, embedder: semantic.Embedder) -> None:
        """Nothing is remembered yet."""
        self._embedder = embedder
        self._heard: dict[bytes, np.ndarray] = {}

    def words(self, texts: Sequence[str]) -> Float64[np.ndarray, "n d"]:
        """As the embedder."""
        return self._embedder.words(texts)

    def sounds(self, clips: Sequence[np.ndarray]) -> Float64[np.ndarray, "n d"]:
        """As the embedder; the oldest are forgotten."""
        keys = [hashlib.sha256(np.ascontiguousarray(clip).tobytes()).digest() for clip in clips]
        new = {key: clip for key, clip in zip(keys, clips, strict=True) if key not in self._heard}
        found = {key: self._heard[key] for key in keys if key not in new}
        if new:
            found.update(zip(new, self._embedder.sounds(list(new.values())), strict=True))
        self._heard.update(found)
        for key in list(self._heard)[: max(0, len(self._heard) - REMEMBERED)]:
            del self._heard[key]
        return np.stack([found[key] for key in keys])


@lru_cache(maxsize=1)
def _embedder(model: str) -> Remembering:
    return Remembering(semantic.judge(model))
