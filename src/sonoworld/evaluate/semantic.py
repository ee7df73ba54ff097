"""Does each direction sound as its label says: D-CLAP with text and audio, R-Precision and qa_accuracy.

Letters: `s_d` = (W ± c) / √2, the cardioid towards one of six directions, c the channel of its axis; `e` embeddings;
cos(a, b) = a·b / |a||b|. A score without anything to ask, or with an embedding that is zero, is NaN.

The published R-Precision is not defined in what its authors wrote. `qa_accuracy` is what their evaluator computes; a
mono file, alike in all directions, can never be right by it, and yet MMAudio has 33.8 % in their table: so the table
ranks otherwise. `r_precision` ranks the labels for each direction, as the name says. Print both.
"""

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64

from sonoworld.errors import InputError
from sonoworld.perceive import clap
from sonoworld.weights import Checkpoint

DIRECTIONS = {"left": (1, 1), "right": (1, -1), "front": (3, 1), "behind": (3, -1), "up": (2, 1), "down": (2, -1)}
"""Direction -> channel (ACN) and sign."""

AROUND = ("left", "right", "front", "behind")

Label = tuple[str, str]
"""A direction and what is heard from there, as SonoScene360 annotates them."""

_WHO = "semantic metrics by CLAP"


@runtime_checkable
class Embedder(Protocol):
    """Sounds at 48 kHz and words in one space."""

    def words(self, texts: Sequence[str]) -> Float64[np.ndarray, "n d"]:
        """A vector for each text."""
        ...

    def sounds(self, clips: Sequence[np.ndarray]) -> Float64[np.ndarray, "n d"]:
        """A vector for each mono clip."""
        ...


def judge(
    model: str = clap.UNFUSED, revision: str | None = None, *, offline: bool = False, device: str = "auto"
) -> clap.Clap:
    """LAION-CLAP as an embedder; the default is the model of the release's evaluator.

    Raises:
        BackendMissingError: transformers or the checkpoint are not here; says how to get them.
    """
    return clap.Clap(Checkpoint(model, revision, offline, clap.WEIGHTS, option="clap_model"), device, _WHO)


def compare(
    estimated: Float[np.ndarray, "4 t"],
    reference: Float[np.ndarray, "4 u"],
    labels: Sequence[Label],
    embedder: Embedder,
    *,
    candidates: Sequence[str] | None = None,
) -> dict[str, float]:
    """Score one clip against the recorded one and its annotation.

    Args:
        estimated: ACN, SN3D, 48 kHz.
        reference: likewise.
        labels: what is heard from where.
        embedder: for example `judge()`.
        candidates: texts that `r_precision` ranks, the labels among them; by default the distinct labels of this clip.

    Returns:
        `clap_text` (cosine of the estimate's beams and the words there), `clap_audio` (of both clips' beams),
        `clap_text_ratio` (to the recording's own `clap_text`, label by label), all means over labels; `qa_accuracy`
        and `r_precision`, 0..1.

    Raises:
        InputError: a direction is unknown, a text empty, or a label is not among the candidates.
    """
    texts = _texts(labels, candidates)
    sounds = _unit(embedder.sounds([beam(clip, d) for clip in (estimated, reference) for d in DIRECTIONS]))
    words = dict(zip(texts, _unit(embedder.words(texts)), strict=True)) if texts else {}
    ours, theirs = (dict(zip(DIRECTIONS, half, strict=True)) for half in (sounds[:6], sounds[6:]))
    text = np.array([ours[d] @ words[t] for d, t in labels])
    true_text = np.array([theirs[d] @ words[t] for d, t in labels])
    audio = np.array([ours[d] @ theirs[d] for d, _ in labels])
    ratios = np.divide(text, true_text, out=np.full(len(labels), np.nan), where=true_text != 0)
    scores = {d: {t: float(ours[d] @ words[t]) for t in texts} for d in DIRECTIONS}
    return {
        "clap_text": _mean(text),
        "clap_audio": _mean(audio),
        "clap_text_ratio": _mean(ratios),
        "qa_accuracy": qa_accuracy(scores, labels),
        "r_precision": r_precision(scores, labels),
    }


def beam(foa: Float[np.ndarray, "4 t"], direction: str) -> Float64[np.ndarray, "t"]:
    """The cardioid towards a direction, as the release listens.

    Raises:
        InputError: the direction is none of six.
    """
    if direction not in DIRECTIONS:
        raise InputError(f"expected one of {', '.join(DIRECTIONS)}, got {direction!r}")
    channel, sign = DIRECTIONS[direction]
    x = foa.astype(np.float64)
    return (x[0] + sign * x[channel]) / math.sqrt(2)


def qa_accuracy(scores: dict[str, dict[str, float]], labels: Sequence[Label]) -> float:
    """Share of texts that fit all of their true horizontal directions better than each of the others, by the release.

    Args:
        scores: direction -> text -> cosine.
        labels: what is heard from where; texts with no horizontal direction, or all four, ask nothing.

    Returns:
        0..1; NaN where nothing is asked (the release counts 0).
    """
    true: dict[str, set[str]] = {}
    for direction, text in labels:
        if direction in AROUND:
            true.setdefault(text, set()).add(direction)
    right = [
        min(scores[d][text] for d in directions) > max(scores[d][text] for d in AROUND if d not in directions)
        for text, directions in true.items()
        if len(directions) < len(AROUND)
    ]
    return sum(right) / len(right) if right else math.nan


def r_precision(scores: dict[str, dict[str, float]], labels: Sequence[Label]) -> float:
    """Of the R best texts for a direction that has R labels, the share that are these labels; mean over directions.

    Args:
        scores: direction -> text -> cosine, of all texts that are ranked.
        labels: what is heard from where.

    Returns:
        0..1, with ties against us; NaN where no direction has both a true and a false text.
    """
    shares: list[float] = []
    for direction in DIRECTIONS:
        true = {text for d, text in labels if d == direction}
        ranked = sorted(scores[direction], key=lambda text: (-scores[direction][text], text in true))
        if 0 < len(true) < len(ranked):
            shares.append(len(true.intersection(ranked[: len(true)])) / len(true))
    return _mean(np.array(shares))


def _texts(labels: Sequence[Label], candidates: Sequence[str] | None) -> list[str]:
    for direction, text in labels:
        if direction not in DIRECTIONS or not text.strip():
            raise InputError(f"expected one of {', '.join(DIRECTIONS)} and a text, got {direction!r}, {text!r}")
    own = list(dict.fromkeys(text for _, text in labels))
    if candidates is None:
        return own
    if lacking := sorted(set(own) - set(candidates)):
        raise InputError(f"labels that are not among the candidates: {', '.join(lacking[:3])}")
    return list(dict.fromkeys(candidates))


def _unit(vectors: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, sizes, out=np.full(vectors.shape, np.nan), where=sizes > 0)


def _mean(values: Float64[np.ndarray, "n"]) -> float:
    return float(values.mean()) if values.size else math.nan
