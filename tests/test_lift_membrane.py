"""The membrane against what is harmonic by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.lift.membrane import KNOWN, MISSING, OUTSIDE, fill
from sonoworld.lift.nearest import nearest_of


def test_a_band_between_two_rows_is_linear():
    values = np.zeros((64, 128, 2), np.float32)
    kind = np.full((64, 128), MISSING, np.uint8)
    kind[:8], kind[40:] = KNOWN, KNOWN
    values[40:] = [1.0, -3.0]
    out = fill(values, kind)
    expected = np.clip((np.arange(64) - 7) / 33, 0, 1)
    np.testing.assert_allclose(out[..., 0], np.broadcast_to(expected[:, None], (64, 128)), atol=0.01)
    np.testing.assert_allclose(out[..., 1], -3 * out[..., 0], atol=1e-5)


def test_columns_wrap():
    values = np.zeros((32, 64, 1), np.float32)
    kind = np.full((32, 64), KNOWN, np.uint8)
    kind[:, :8], kind[:, -8:] = MISSING, MISSING
    values[:, 8:32], values[:, 32:-8] = 1.0, 3.0
    out = fill(values, kind)[16, :, 0]
    across = np.concatenate([out[-8:], out[:8]])
    np.testing.assert_allclose(across, np.linspace(3, 1, 18)[1:-1], atol=0.02)


def test_nothing_flows_from_outside():
    values = np.full((64, 128, 1), 5.0, np.float32)
    kind = np.full((64, 128), KNOWN, np.uint8)
    kind[20:40, 30:60], values[20:40, 30:60] = OUTSIDE, 1e6
    kind[20:40, 60:75], values[20:40, 60:75] = MISSING, -1e6
    out = fill(values, kind)
    np.testing.assert_allclose(out[kind == MISSING], 5, rtol=1e-4)
    np.testing.assert_array_equal(out[kind != MISSING], values[kind != MISSING])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), height=st.sampled_from([8, 15, 32]))
def test_values_stay_between_what_is_known(seed: int, height: int):
    rng = np.random.default_rng(seed)
    kind = rng.choice(np.array([OUTSIDE, KNOWN, MISSING], np.uint8), (height, 2 * height), p=[0.2, 0.2, 0.6])
    values = rng.normal(size=(height, 2 * height, 1)).astype(np.float32)
    out = fill(values, kind)
    if (kind == KNOWN).any():
        known, filled = values[kind == KNOWN], out[kind == MISSING]
        slack = 0.1 * (known.max() - known.min()) + 1e-6  # over-relaxation may overshoot a little before it settles
        assert np.all(filled > known.min() - slack)
        assert np.all(filled < known.max() + slack)


def test_nearest_wraps_and_is_exact_enough():
    these = np.zeros((40, 80), bool)
    these[20, 2] = these[10, 40] = True
    away, index = nearest_of(these, 20)
    assert index[20, 78] == 20 * 80 + 2
    assert abs(away[20, 78] - 4) < 0.1
    assert index[10, 45] == 10 * 80 + 40
    assert away[20, 2] == 0
