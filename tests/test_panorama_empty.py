"""What stood in a photo is replaced by what is beside it at the same height."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.panorama.empty import emptied


def rows(height: int = 120, width: int = 200) -> np.ndarray:
    """Sky over a textured wall over striped ground: alike along the rows, unlike across."""
    rng = np.random.default_rng(3)
    out = np.zeros((height, width, 3), np.float32)
    out[: height // 3] = (150, 190, 240)
    out[height // 3 : 2 * height // 3] = (60, 90, 50)
    out[2 * height // 3 :] = (90, 85, 80)
    out += rng.normal(0, 6, (height, width, 1))
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("left", "right"), [(60, 110), (0, 50), (140, 200)])
def test_a_thing_gives_way_to_its_surroundings(left: int, right: int) -> None:
    clean = rows()
    there = np.zeros(clean.shape[:2], bool)
    there[30:110, left:right] = True
    with_thing = clean.copy()
    with_thing[there] = (230, 20, 20)
    shown = emptied(with_thing, there).astype(float)
    apart = np.abs(shown - clean)[there].mean()
    assert apart < 9  # two draws of the texture differ by 6·2/√π = 6.8 in the mean
    assert shown[there][:, 0].max() < 200
    texture = shown[45:75, left:right].std()
    assert texture == pytest.approx(clean[45:75, left:right].std(), rel=0.25)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 150), st.integers(0, 90), st.integers(1, 49), st.integers(1, 29))
def test_everything_else_stays(left: int, top: int, wide: int, tall: int) -> None:
    clean = rows()
    there = np.zeros(clean.shape[:2], bool)
    there[top : top + tall, left : left + wide] = True
    np.testing.assert_array_equal(emptied(clean, there)[~there], clean[~there])


def test_nothing_there_or_nothing_else() -> None:
    clean = rows(40, 60)
    for there in (np.zeros((40, 60), bool), np.ones((40, 60), bool)):
        np.testing.assert_array_equal(emptied(clean, there), clean)


def test_a_hole_wider_than_its_surroundings_is_filled_in_pieces() -> None:
    clean = rows()
    there = np.zeros(clean.shape[:2], bool)
    there[20:100, 20:180] = True
    with_thing = clean.copy()
    with_thing[there] = (230, 20, 20)
    shown = emptied(with_thing, there)
    assert np.abs(shown.astype(float) - clean)[there].mean() < 14
