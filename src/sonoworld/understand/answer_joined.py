"""One answer out of several: a model was shown the pictures of a place one at a time."""

from collections.abc import Sequence

from sonoworld.types import Spread
from sonoworld.understand.answer_schema import Answer, Said, Setting
from sonoworld.understand.answer_soundings import SAME_PLACE_DEG, apart_deg, words

WHOLE = "panorama"


def joined(answers: Sequence[tuple[str, Answer]]) -> Answer:
    """What all pictures say, each source once; `answers` are (name of the picture, answer).

    A surface with the same name in several pictures is one; so are things of the same name, unless they are seen in
    different directions. Ambience and setting are those of the picture named `WHOLE`, which shows the whole place; the
    views' are taken where it says nothing of them.
    """
    if len(answers) == 1:
        return answers[0][1]
    left_out = [f"{name}: {line}" for name, answer in answers for line in answer.left_out]
    said = [(name, one) for name, answer in answers for one in answer.sources]
    has_ambience = any(one.spread is Spread.AMBIENT for name, one in said if name == WHOLE)
    kept: list[tuple[Said, set[str]]] = []
    for name, one in sorted(said, key=lambda pair: -pair[1].confidence):
        if has_ambience and name != WHOLE and one.spread is Spread.AMBIENT:
            left_out.append(f"{name}: {one.label}: ambience is taken from the {WHOLE}")
        elif known := next((names for other, names in kept if _same(one, other)), None):
            known.add(name)
        else:
            kept.append((one, {name}))
    return Answer(
        setting=_setting(answers),
        sources=tuple(_seen_in(one, len(names)) for one, names in kept),
        left_out=tuple(left_out),
    )


def _same(a: Said, b: Said) -> bool:
    if words(a.label) != words(b.label):
        return False
    things = a.spread is Spread.POINT and b.spread is Spread.POINT
    if not things or a.direction_deg is None or b.direction_deg is None:
        return True
    return apart_deg(a.direction_deg, b.direction_deg) < SAME_PLACE_DEG


def _seen_in(one: Said, pictures: int) -> Said:
    return one if pictures < 2 else one.model_copy(update={"notes": (*one.notes, f"named in {pictures} pictures")})


def _setting(answers: Sequence[tuple[str, Answer]]) -> Setting:
    """The panorama's, else what most views say."""
    whole: list[Setting] = [a.setting for name, a in answers if name == WHOLE and a.setting != "unknown"]
    said: list[Setting] = whole or [a.setting for _, a in answers if a.setting != "unknown"]
    return max(said, key=said.count) if said else "unknown"
