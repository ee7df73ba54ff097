import math

import numpy as np
import pytest

from sonoworld.evaluate import binaural


def test_a_later_and_quieter_ear_is_heard_so() -> None:
    x = np.random.default_rng(0).standard_normal(4000)
    centre = np.stack([x, x])
    side = np.stack([np.pad(x, (0, 20)), 0.5 * np.pad(x, (20, 0))])
    assert binaural.cues(side, 48_000) == pytest.approx((20 / 48_000, 20 * math.log10(2), 1))
    got = binaural.compare(side, centre, 48_000)
    assert got["itd_error_s"] == pytest.approx(20 / 48_000)
    assert got["ild_error_db"] == pytest.approx(6.0206, abs=1e-4)
    assert got["coherence_error"] == pytest.approx(0, abs=1e-9)


def test_a_silent_ear_is_undefined() -> None:
    ears = np.ones((2, 100))
    ears[1] = 0
    assert all(math.isnan(v) for v in binaural.compare(ears, np.ones((2, 100)), 48_000).values())
