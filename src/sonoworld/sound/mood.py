"""What the words of a prompt ask of a voice: stronger, farther, busier, larger."""

import re
from dataclasses import dataclass

import numpy as np

_STRONG = {"heavy", "strong", "loud", "violent", "rushing", "roaring", "stormy", "fierce", "powerful", "hard", "fast"}
_GENTLE = {"light", "gentle", "soft", "calm", "quiet", "faint", "slow", "still", "weak", "subtle", "lapping"}
_FAR = {"distant", "far", "faraway", "remote", "background", "muffled"}
_NEAR = {"close", "near", "nearby", "closeup"}
_BUSY = {"busy", "many", "several", "crowded", "lively", "dense", "chorus", "flock", "constant", "continuous"}
_SPARSE = {"few", "single", "lone", "occasional", "sparse", "sometimes", "lonely", "one"}
_LARGE = {"large", "big", "huge", "deep", "great", "giant", "old"}
_SMALL = {"small", "little", "tiny", "young", "high"}


@dataclass(frozen=True, slots=True)
class Mood:
    """Each 0..1, 0.5 when nothing was said; drawn with a spread of its own, so that seeds differ."""

    strength: float
    distance: float
    activity: float
    size: float


def read_mood(text: str, rng: np.random.Generator) -> Mood:
    """The mood of a prompt. Every word pulls a third of the way; the seed moves what is left open."""
    words = set(re.findall(r"[a-z]+", text.lower()))

    def pull(up: set[str], down: set[str]) -> float:
        said = 0.33 * len(words & up) - 0.33 * len(words & down)
        return float(np.clip(0.5 + said + rng.normal(0, 0.13), 0.0, 1.0))

    return Mood(pull(_STRONG, _GENTLE), pull(_FAR, _NEAR), pull(_BUSY, _SPARSE), pull(_LARGE, _SMALL))
