"""Soundings without a place are found by their words; what is not there stays without a mask."""

import numpy as np
import pytest

from sonoworld.perceive.coco import NAMES
from sonoworld.perceive.seen import Seen
from sonoworld.perceive.stuff import Stuff
from sonoworld.segment.find import find
from sonoworld.segment.words import TARGETS, targets
from sonoworld.types import Sounding, Spread
from test_understand_embedded import FOREST, LAKE, SHAPE, surveyed, thing

LAKE_VIEW = surveyed(LAKE, man_made=0.0)


def sought(label: str, spread: Spread = Spread.POINT, prompt: str = "") -> Sounding:
    return Sounding(label, prompt or label, spread, 60.0, 0.5, "test")


def test_stuff_is_found_by_its_words() -> None:
    (river, leaves) = find(
        (sought("river", Spread.AREA), sought("wind in the trees", Spread.AREA)), Seen(LAKE_VIEW, ())
    )
    assert river.mask is not None
    assert (river.mask == (LAKE_VIEW.labels == Stuff.WATER)).all()
    assert leaves.mask is not None
    assert (leaves.mask == (LAKE_VIEW.labels == Stuff.VEGETATION)).all()


def test_each_dog_is_found_once_and_the_third_is_not_there() -> None:
    near, far = thing("dog", 20, score=0.6, size_deg=12), thing("dog", -60, score=0.6, size_deg=4)
    found = find((sought("dog"), sought("a dog barking"), sought("dog")), Seen(LAKE_VIEW, (far, near)))
    assert [s.mask is not None for s in found] == [True, True, False]
    assert (found[0].mask == near.mask).all()
    assert (found[1].mask == far.mask).all()


def test_a_crowd_is_everybody() -> None:
    people = tuple(thing("person", a, size_deg=6) for a in (0, 20, 40))
    (crowd,) = find((sought("crowd murmur", Spread.AREA),), Seen(LAKE_VIEW, people))
    assert crowd.mask is not None
    assert (crowd.mask == np.logical_or.reduce([p.mask for p in people])).all()


def test_the_prompt_is_asked_when_the_label_says_nothing() -> None:
    (one,) = find((sought("calm", Spread.AREA, "water lapping at a shore"),), Seen(LAKE_VIEW, ()))
    assert one.mask is not None
    assert (LAKE_VIEW.labels[one.mask] == Stuff.WATER).all()


def test_birds_sit_in_trees_when_none_is_seen() -> None:
    (bird,) = find((sought("songbird"),), Seen(surveyed(FOREST, man_made=0.0), ()))
    assert bird.mask is not None


def test_only_known_pixels_are_found() -> None:
    known = np.zeros(SHAPE, bool)
    known[100:200, 100:200] = True
    (lake,) = find((sought("lake", Spread.AREA),), Seen(surveyed(LAKE, man_made=0.0, known=known), ()))
    assert lake.mask is not None
    assert known[lake.mask].all()


@pytest.mark.parametrize("label", ["violin", "dog", "traffic", "qwerty"])
def test_what_is_not_there_stays_without(label: str) -> None:
    (one,) = find((sought(label),), Seen(LAKE_VIEW, ()))
    assert one.mask is None


def test_what_has_a_place_or_needs_none_is_left_alone() -> None:
    given = (
        sought("river", Spread.AMBIENT),
        Sounding("river", "river", Spread.POINT, 60.0, 0.5, "t", direction=np.array([1.0, 0, 0])),
        Sounding("river", "river", Spread.AREA, 60.0, 0.5, "t", mask=np.ones(SHAPE, bool)),
    )
    assert all(a is b for a, b in zip(find(given, Seen(LAKE_VIEW, ())), given, strict=True))


def test_words_name_real_things() -> None:
    for target in TARGETS.values():
        assert target.things <= set(NAMES)
        assert target.things or target.stuff
    assert targets("traffic light", "")[0].things == {"traffic light"}
    assert targets("Church Bell", "")[0].stuff == {Stuff.BUILDING}
    assert targets("hum", "hum") == ()
