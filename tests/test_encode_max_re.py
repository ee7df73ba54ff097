"""Max-rE weights: the largest energy vector there is, against a search that knows no Legendre polynomial's root."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import eval_legendre

from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import ShapeError


def energy_vector(weights: np.ndarray) -> float:
    """r_E = 2 Σ n w_n w_(n−1) / Σ (2n + 1) w_n² (Zotter and Frank 2012, eq. 8)."""
    n = np.arange(len(weights))
    return float(2 * np.sum(n[1:] * weights[1:] * weights[:-1]) / np.sum((2 * n + 1) * weights**2))


@pytest.mark.parametrize("order", range(1, 11))
def test_no_other_weights_do_better(order: int) -> None:
    weights = max_re_weights(order)
    best = minimize(lambda w: -energy_vector(w), np.linspace(1, 0.3, order + 1), tol=1e-12)
    assert energy_vector(weights) == pytest.approx(-best.fun, abs=1e-9)
    np.testing.assert_allclose(weights, best.x / best.x[0], atol=1e-4)
    approximate = math.cos(math.radians(137.9) / (order + 1.51))
    np.testing.assert_allclose(weights, eval_legendre(np.arange(order + 1), approximate), atol=0.006)


def test_known_values() -> None:
    # order 3: P_1, P_2, P_3 at √((15 + 2√30)/35), the outer root of P_4; order 1: 1/√3
    r = math.sqrt((15 + 2 * math.sqrt(30)) / 35)
    np.testing.assert_allclose(max_re_weights(3), [1, r, (3 * r**2 - 1) / 2, (5 * r**3 - 3 * r) / 2], atol=1e-14)
    assert max_re_weights(1)[1] == pytest.approx(1 / math.sqrt(3), abs=1e-15)
    np.testing.assert_array_equal(max_re_weights(0), [1.0])
    with pytest.raises(ShapeError, match=r"0\.\.10"):
        max_re_weights(11)
