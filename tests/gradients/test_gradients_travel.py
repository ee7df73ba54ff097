"""Gradients of delay and air against finite differences, and against the derivative of a sine."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from sonoworld.encode import EncodeOptions
from sonoworld.encode.air import WAYS_M
from sonoworld.encode.propagate import air_absorption_db_m
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.render.reference import Clock
from sonoworld.render.reference_travel import air_shares, delayed, through_air, travelled

RNG = np.random.default_rng(12)
BLOCK = 16


def leaf(*shape: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    return torch.tensor(RNG.uniform(low, high, shape), requires_grad=True)


def test_delay() -> None:
    # the table of the interpolator is linear between its rows: no place here lies on a row
    audio, before, after = leaf(2, 3 * BLOCK), leaf(2, 3, low=9, high=12), leaf(2, 3, low=9, high=12)
    assert gradcheck(delayed, (audio, before, after))


def test_a_jump() -> None:
    audio, before = (
        leaf(1, 4 * BLOCK),
        torch.tensor([[9.31, 10.13, 30.77, 30.23]], dtype=torch.float64, requires_grad=True),
    )
    after = torch.tensor([[10.13, 30.77, 30.23, 9.41]], dtype=torch.float64, requires_grad=True)
    assert gradcheck(delayed, (audio, before, after))


@pytest.mark.parametrize("hz", [200.0, 1000.0, 6000.0])
def test_the_gradient_of_a_late_sine_is_its_derivative(hz: float) -> None:
    w, t = 2 * np.pi * hz / 48000, np.arange(2048)
    D = torch.full((1, 8), 100.3, dtype=torch.float64, requires_grad=True)
    heard = delayed(torch.from_numpy(np.sin(w * t))[None], D, D)[0, 512:]
    np.testing.assert_allclose(heard.detach().numpy(), np.sin(w * (t[512:] - 100.3)), atol=1e-4)
    weight = torch.from_numpy(np.cos(w * (t[512:] - 100.3)))
    (gradient,) = torch.autograd.grad((heard * weight).sum(), D)
    assert float(gradient.sum()) == pytest.approx(-w * float((weight**2).sum()), rel=2e-3)


def test_air() -> None:
    audio, before, after = leaf(2, 2 * BLOCK), leaf(2, 2, low=-0.8, high=500.0), leaf(2, 2, low=1.0, high=200.0)
    assert gradcheck(lambda x, a, b: through_air(x, a, b, 48000), (audio, before, after))


def test_shares_of_the_air() -> None:
    assert gradcheck(air_shares, leaf(20, low=0.1, high=470.0))
    ends = torch.tensor([-5.0, *WAYS_M, 2 * WAYS_M[-1]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((air_shares(ends) ** 2).sum(), ends)
    assert gradient.isfinite().all()
    assert gradient[0] == gradient[-1] == 0


@pytest.mark.parametrize("hz", [2000.0, 8000.0])
def test_the_gradient_of_air_is_the_standards_absorption(hz: float) -> None:
    # half way between the first two filters the level falls by a(f) dB a metre (ISO 9613-1)
    t = np.arange(4800)
    tone = torch.from_numpy(np.sin(2 * np.pi * hz / 48000 * t))[None]
    way = torch.full((1, 1), WAYS_M[1] / 2, dtype=torch.float64, requires_grad=True)
    level_db = 10 * torch.log10((through_air(tone, way, way, 48000)[0, 480:] ** 2).mean())
    (gradient,) = torch.autograd.grad(level_db, way)
    assert float(gradient) == pytest.approx(-float(air_absorption_db_m(np.array([hz]))[0]), rel=0.03)


def test_distance_through_delay_and_air() -> None:
    audio, clock = leaf(2, 4 * BLOCK), Clock(16000, BLOCK)
    distance_m = torch.tensor(RNG.uniform(10, 12, (4, 2)) * SPEED_OF_SOUND_M_S / 16000, requires_grad=True)
    heard = torch.tensor([[True, True], [True, False], [True, False], [True, True]])
    for law in (EncodeOptions(delay=True), EncodeOptions(air="iso9613"), EncodeOptions(delay=True, air="iso9613")):
        assert gradcheck(lambda x, d, law=law: travelled(x, d, heard, law, clock), (audio, distance_m))
