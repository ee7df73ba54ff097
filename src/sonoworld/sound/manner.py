"""How a sound is meant, from the words beside it: strong or gentle, near or far, busy or quiet, large or small."""

import re
from dataclasses import dataclass

WORDS: dict[str, dict[str, float]] = {
    "strength": {
        **dict.fromkeys(("heavy", "strong", "loud", "roaring", "fierce", "rough", "pouring", "raging", "howling"), 1.0),
        **dict.fromkeys(("powerful", "rushing", "crashing", "fast", "blazing", "hard", "rapid", "big"), 0.7),
        **dict.fromkeys(("moderate", "steady"), 0.0),
        **dict.fromkeys(("light", "gentle", "soft", "softly", "gently", "faint", "calm", "slow", "slowly"), -0.8),
        **dict.fromkeys(("weak", "trickling", "whispering", "drizzle", "breeze", "idling", "quietly"), -0.8),
    },
    "distance": {
        **dict.fromkeys(("distant", "far", "faraway", "afar", "remote", "background"), 1.0),
        **dict.fromkeys(("close", "near", "nearby", "foreground"), -1.0),
    },
    "density": {
        **dict.fromkeys(("busy", "crowded", "dense", "many", "chorus", "constant", "packed", "lively", "several"), 1.0),
        **dict.fromkeys(("few", "sparse", "occasional", "occasionally", "lone", "single", "quiet", "one"), -1.0),
    },
    "size": {
        **dict.fromkeys(("large", "huge", "giant", "deep", "low", "wide", "tall", "old"), 1.0),
        **dict.fromkeys(("small", "tiny", "little", "young", "high", "narrow", "puppy"), -1.0),
    },
}
"""What each word says, on its scale from −1 to 1."""


@dataclass(frozen=True, slots=True)
class Manner:
    """Four scales from −1 to 1; 0 is as usual. `distance` 1 = far away; `density` = how much is going on."""

    strength: float = 0.0
    distance: float = 0.0
    density: float = 0.0
    size: float = 0.0

    @property
    def busier(self) -> float:
        """A factor on how many or how often: 1/3 for quiet, 3 for busy."""
        return 3.0**self.density

    @property
    def larger(self) -> float:
        """A factor on lengths of bodies: 0.67 for small, 1.5 for large."""
        return 1.5**self.size


def manner_of(text: str) -> Manner:
    """The mean of what the words say on each scale; words that say nothing about manner count for nothing."""
    words = re.findall(r"[a-z]+", text.lower())
    scales = {name: _mean([says[w] for w in words if w in says]) for name, says in WORDS.items()}
    return Manner(scales["strength"], scales["distance"], scales["density"], scales["size"])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
