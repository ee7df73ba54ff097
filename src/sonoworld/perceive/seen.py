"""All that the embedded stages see of a panorama, stuff and things, seen once although several stages ask."""

import hashlib
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from jaxtyping import Bool

from sonoworld.perceive.around import Thing, detect_panorama
from sonoworld.perceive.lively import LIVELY, LIVELY_SCORE
from sonoworld.perceive.stuff import Parse, Stuff
from sonoworld.perceive.survey import Survey, survey
from sonoworld.types import Panorama


@dataclass(frozen=True, slots=True)
class Seen:
    """A panorama surveyed, with its things (none when the detector was not asked).

    People, vehicles and animals are no stuff: where they stand, the survey says `Stuff.OTHER`.
    """

    view: Survey
    things: tuple[Thing, ...]


_last: dict[bytes, Seen] = {}
_lock = Lock()


def look(panorama: Panorama, *, detect: bool) -> Seen:
    """Survey a panorama and detect its things; the last answer is kept, so that asking again costs nothing.

    Raises:
        BackendMissingError: `detect` is asked for and the install lacks the detector.
    """
    key = hashlib.sha256(panorama.rgb.tobytes() + panorama.known.tobytes() + bytes([detect])).digest()
    with _lock:
        if key not in _last:
            seen = _look(panorama, detect=detect)
            _last.clear()
            _last[key] = seen
        return _last[key]


def _look(panorama: Panorama, *, detect: bool) -> Seen:
    view = survey(panorama, learned=detect)
    things = detect_panorama(panorama.rgb, panorama.known) if detect else ()
    lively = [t.mask for t in things if t.label in LIVELY and t.score >= LIVELY_SCORE]
    if not lively:
        return Seen(view, things)
    there = np.logical_or.reduce(lively)
    stuff = as_other(view.stuff, there)
    return Seen(replace(view, stuff=stuff, labels=stuff.labels), things)


def as_other(parsed: Parse, there: Bool[np.ndarray, "h w"], certainty: float = 0.8) -> Parse:
    """The parse with pixels of things handed to `Stuff.OTHER`."""
    probability = parsed.probability.copy()
    probability[there] *= np.float32(1 - certainty)
    probability[there, Stuff.OTHER] += np.float32(certainty)
    return replace(parsed, probability=probability)


def forget() -> None:
    """Let the last answer go, for who wants to know how long looking takes."""
    with _lock:
        _last.clear()
