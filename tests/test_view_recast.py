"""Other sources in a world that plays already: what stays goes on where it is in its sound, what is new begins."""

import numpy as np

from test_view_worklet import BLOCK, assert_same, db, noise, opened, packed, played, reference, voice

FIRST, LEFT, RIGHT = (np.array([place]) for place in ([1.0, 0.5, 0.0], [0.0, 2.0, 0.0], [0.0, -2.0, 0.0]))
LATER = 20
NO_SOUND = np.empty(0, np.float32)


def gains(*values: float) -> dict[str, str]:
    return packed(np.array(values, np.float32))


def test_what_stays_goes_on_and_what_is_new_begins() -> None:
    """The first of two is removed, the second goes elsewhere without its samples being sent again, a third comes."""
    gone, kept, new = (noise(seed, 3000 + 100 * seed) for seed in (1, 2, 3))
    stays = {**voice(NO_SOUND, RIGHT), "samples": []}
    with opened([voice(gone, FIRST), voice(kept, LEFT)], [0.8, 0.6]) as page:
        page.hear(LATER)
        page.tell(kind="voices", voices=[stays, voice(new, FIRST)], goesOn=[1, -1], gains=gains(0.6, 0.5))
        heard = page.hear(40)
    engine = reference(rows=2)
    engine.set_source(0, RIGHT[0], db(1.0))
    engine.set_source(1, FIRST[0], db(1.0))
    shifted = np.roll(kept, -LATER * BLOCK)
    assert_same(heard, played(engine, 40, 0, 0.6 * shifted, 0.5 * new))


def test_a_level_that_changes_with_the_sources_moves_on_a_straight_line() -> None:
    sound, steps = noise(4, 2500), 6  # of 128 frames: 15 ms
    with opened([voice(sound, LEFT)], [0.8]) as page:
        page.hear(LATER)
        stays = {**voice(NO_SOUND, LEFT), "samples": []}
        page.tell(kind="voices", voices=[None, stays], goesOn=[-1, 0], gains=gains(0.0, 0.2))
        heard = page.hear(20)
    engine = reference(rows=1)
    engine.set_source(0, LEFT[0], db(1.0))
    ramp = np.concatenate([np.linspace(0.8, 0.2, BLOCK * steps + 1)[1:], np.full(BLOCK * (20 - steps), 0.2)])
    assert_same(heard, played(engine, 20, 0, np.roll(sound, -LATER * BLOCK), gains=ramp[None]))


def test_a_source_that_gets_copies_goes_on_with_its_sound_sent_again() -> None:
    """A point becomes a surface: its samples come once more, with those of its copies."""
    sound, copy = noise(5, 2000), noise(6, 2000)
    wide = np.array([[2.0, 0.2, 0.0], [2.0, -0.2, 0.0]])  # seen 11° wide: no copy is heard
    with opened([voice(sound, FIRST)], [0.7]) as page:
        page.hear(LATER)
        body = voice(sound, wide, labels=np.array([0, 0]), copies=(copy,))
        page.tell(kind="voices", voices=[body], goesOn=[0], gains=gains(0.7))
        heard = page.hear(30)
    with opened([voice(np.roll(sound, -LATER * BLOCK), wide)], [0.7]) as page:
        expected = page.hear(30)
    assert_same(heard, expected)


def test_everything_may_go() -> None:
    with opened([voice(noise(7, 1000), FIRST)], [0.7]) as page:
        page.hear(LATER)
        page.tell(kind="voices", voices=[], goesOn=[], gains=gains())
        assert not page.hear(10).any()
        page.tell(kind="voices", voices=[voice(noise(8, 1000), LEFT)], goesOn=[-1], gains=gains(0.5))
        assert page.hear(10).any()
