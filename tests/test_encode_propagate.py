"""Level, distance and air against their formulas and ISO 9613-1's own table."""

import math

import array_api_strict as strict
import numpy as np
import pytest
from pydantic import ValidationError

from sonoworld.encode import EncodeOptions
from sonoworld.encode.level import source_gain
from sonoworld.encode.propagate import air_absorption_db_m, attenuation, distance, fade
from sonoworld.errors import ShapeError


def test_one_hundred_db_is_full_scale() -> None:
    assert source_gain(100.0, 0.0) == 1.0
    assert source_gain(80.0, 23.0) == pytest.approx(10 ** (3 / 20))
    assert source_gain(60.0, 23.0, "paper") == pytest.approx(1000.0)


def test_six_db_per_doubling() -> None:
    d = distance(np.array([[2.0, 0, 0], [0, 4.0, 0], [0, 0, 8.0]]), 0.1)
    level_db = 20 * np.log10(attenuation(d, 0.0))
    np.testing.assert_allclose(np.diff(level_db), -20 * np.log10(2), atol=0.01)
    assert attenuation(np.array([1.0]), 0.3)[0] == 1.0


def test_inside_the_source_is_finite() -> None:
    assert fade(np.zeros((1, 3)), EncodeOptions())[0] == pytest.approx(10.0)


def test_paper_law_has_no_floor() -> None:
    paper = EncodeOptions(mode="paper", alpha=0.1)
    assert paper.order == 1
    assert fade(np.array([[0.0, 3.0, 4.0]]), paper)[0] == pytest.approx(math.exp(-0.5) / 5)
    with pytest.raises(ShapeError, match="away from every source"):
        fade(np.zeros((1, 3)), paper)


def test_any_array_library() -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    for options in (EncodeOptions(alpha=0.2), EncodeOptions(mode="paper", alpha=0.2)):
        np.testing.assert_allclose(np.asarray(fade(strict.asarray(x), options)), fade(x, options), rtol=1e-14)


@pytest.mark.parametrize(
    "bad",
    [
        {"alpha": 0.1, "air": "none"},
        {"alpha": 0.1, "air": "iso9613"},
        {"mode": "paper", "order": 3},
        {"mode": "paper", "air": "iso9613"},
        {"order": 11},
        {"near_m": 0.0},
        {"unknown": 1},
    ],
)
def test_options_that_contradict(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EncodeOptions.model_validate(bad)


@pytest.mark.parametrize(
    ("hz", "celsius", "humidity", "db_per_km"),
    # ISO 9613-2:1996, table 2 (rounded there to three digits; exact midband frequencies)
    [
        (63, 10, 70, 0.1), (125, 10, 70, 0.4), (250, 10, 70, 1.0), (500, 10, 70, 1.9), (1000, 10, 70, 3.7),
        (2000, 10, 70, 9.7), (4000, 10, 70, 32.8), (8000, 10, 70, 117.0), (1000, 20, 70, 5.0), (4000, 20, 70, 22.9),
        (8000, 20, 70, 76.6), (1000, 15, 20, 8.2), (8000, 15, 20, 202.0), (2000, 15, 50, 10.8), (8000, 30, 70, 59.3),
    ],
)  # fmt: skip
def test_air_is_the_standards_table(hz: float, celsius: float, humidity: float, db_per_km: float) -> None:
    exact = 1000 * 10 ** (0.3 * round(math.log10(hz / 1000) / 0.3))
    ours = 1000 * air_absorption_db_m(np.array([exact]), celsius, humidity)[0]
    assert ours == pytest.approx(db_per_km, rel=0.012, abs=0.06)
