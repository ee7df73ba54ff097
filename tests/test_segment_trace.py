"""Outlines drawn anew: only where they agree with the old ones, and never another thing of the same name."""

from collections.abc import Callable

import numpy as np
import pytest
from jaxtyping import Bool
from numpy.testing import assert_array_equal

from sonoworld.backend import Run
from sonoworld.segment.semantics import DenseOptions, by_semantics
from sonoworld.segment.trace import TraceOptions, agreeing, tracing
from sonoworld.types import Panorama, Sounding, Spread

SHAPE = (64, 128)
RUN = Run(np.random.default_rng(0))
PANORAMA = Panorama(np.zeros((*SHAPE, 3), np.uint8), np.ones(SHAPE, bool))
Mask = Bool[np.ndarray, "h w"]


def block(rows: slice, *columns: slice) -> Mask:
    mask = np.zeros(SHAPE, bool)
    for some in columns:
        mask[rows, some] = True
    return mask


DOG = block(slice(30, 36), slice(20, 28))
OTHER_DOG = block(slice(30, 36), slice(80, 88))
BOX = block(slice(29, 37), slice(19, 29))


def sounding(mask: Mask | None, visible: bool | None = True, spread: Spread = Spread.POINT) -> Sounding:
    return Sounding(
        "dog", "a dog", spread, 60.0, 0.5, "test", mask=mask, visible=visible, grounding="dog", reason="why"
    )


def seeing(mask: Mask) -> Callable[..., tuple[Sounding, ...]]:
    scores = np.where(mask, np.float32(0.9), np.float32(0.0))[None]
    return by_semantics(lambda rgb, labels, run: scores, DenseOptions(least_of_sphere=0))


def traced(seen: Mask, *soundings: Sounding) -> tuple[Sounding, ...]:
    return tracing(seeing(seen), TraceOptions(trace=True))(PANORAMA, soundings, RUN)


def test_a_box_becomes_the_outline_of_its_own_dog_and_stays_a_point() -> None:
    first, second = traced(DOG | OTHER_DOG, sounding(BOX), sounding(OTHER_DOG))
    assert first.mask is not None and second.mask is not None
    assert_array_equal(first.mask, DOG)
    assert_array_equal(second.mask, OTHER_DOG)
    assert first.spread is Spread.POINT
    assert first.reason.startswith("why; ")


@pytest.mark.parametrize(
    "seen",
    [
        OTHER_DOG,  # elsewhere
        np.zeros(SHAPE, bool),
        block(slice(29, 32), slice(19, 22)),  # a piece
        np.ones(SHAPE, bool),  # everything
    ],
)
def test_what_does_not_agree_changes_nothing(seen: Mask) -> None:
    before = sounding(BOX)
    assert traced(seen, before) == (before,)


def test_what_is_not_seen_or_around_is_left_alone() -> None:
    hidden, around = sounding(BOX, visible=False), sounding(None, visible=False, spread=Spread.AMBIENT)
    assert traced(DOG, hidden, around) == (hidden, around)


def test_what_has_no_mask_is_sought_as_ever() -> None:
    (found,) = traced(DOG, sounding(None))
    assert found.mask is not None
    assert_array_equal(found.mask, DOG)


def test_without_the_option_nothing_with_a_mask_is_touched() -> None:
    before = sounding(BOX)
    assert tracing(seeing(DOG), TraceOptions())(PANORAMA, (before,), RUN) == (before,)


def test_a_patch_across_the_back_is_one() -> None:
    found = block(slice(30, 36), slice(0, 5), slice(123, 128))
    old = block(slice(30, 36), slice(0, 7), slice(122, 128))
    assert_array_equal(agreeing(found, old), found)
    assert_array_equal(agreeing(found, np.roll(old, 40, axis=1)), np.zeros(SHAPE, bool))
