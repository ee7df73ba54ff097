"""Gradients of the laws of encoding in torch against finite differences, and finite where directions or sizes end."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from sonoworld.encode import EncodeOptions
from sonoworld.encode.area import area_gains, cap_gains, point_gains, seen_width
from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.propagate import attenuation, distance, fade, paper_attenuation
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.render.reference import Aim, Around, Head, Sources, gains_reference, head_rotations

RNG = np.random.default_rng(11)
AXES = ((0.0, 0.0, 1.0), (0.0, 0.0, -2.0), (-3.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (5.0, 0.0, 0.0))
"""The poles, directly behind, left, right, ahead."""


def leaf(*shape: int, low: float = -2.0, high: float = 2.0) -> torch.Tensor:
    return torch.tensor(RNG.uniform(low, high, shape), requires_grad=True)


def at(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def weighed(value: torch.Tensor) -> torch.Tensor:
    """One number that every entry reaches with a weight of its own: one backward pass instead of one per entry."""
    return (value * torch.cos(torch.arange(value.numel(), dtype=value.dtype)).view(value.shape)).sum()


def finite_gradient(value: torch.Tensor, *inputs: torch.Tensor) -> bool:
    return all(bool(g.isfinite().all()) for g in torch.autograd.grad(value.sum(), inputs))


@pytest.mark.parametrize("order", [0, 1, 3, 10])
def test_harmonics(order: int) -> None:
    assert gradcheck(lambda x: weighed(harmonics(x, order)), leaf(4, 3))


@pytest.mark.parametrize("axis", AXES)
def test_harmonics_at_poles_and_axes(axis: tuple[float, ...]) -> None:
    assert gradcheck(lambda x: harmonics(x, 5), at(axis))


def test_harmonics_do_not_change_with_length() -> None:
    x = leaf(20, 3)
    Y = harmonics(x, 4)
    for c in range(25):
        (gradient,) = torch.autograd.grad(Y[:, c].sum(), x, retain_graph=True)
        assert (gradient * x).sum(-1).abs().max() < 1e-13


@pytest.mark.parametrize("order", [1, 4])
def test_rotation(order: int) -> None:
    assert gradcheck(lambda a: weighed(rotation_matrix(head_rotations(a), order)), leaf(2, 3))
    assert gradcheck(lambda R: weighed(rotation_matrix(R, order)), leaf(3, 3))


def test_rotation_at_its_own_poles() -> None:
    for pitch in (-np.pi / 2, np.pi / 2):
        assert gradcheck(lambda a: weighed(rotation_matrix(head_rotations(a), 3)), at([0.3, pitch, 0.2]))


def test_fade() -> None:
    x, alpha = leaf(5, 3), at([0.0, 0.1, 0.5, 1.0, 3.0])
    for law in (EncodeOptions(), EncodeOptions(alpha=0.4), EncodeOptions(mode="paper", alpha=0.4)):
        assert gradcheck(lambda v, law=law: fade(v, law), x)
    assert gradcheck(lambda v: distance(v, 0.1), at([[0.0, 0.0, 0.0], [0.0, 0.0, 1e-3]]))
    world = Around(Sources.at(x.detach()[None], torch.full((1, 5), 100.0)), still_head())
    for mode in ("physical", "paper"):
        law = EncodeOptions(order=1, mode=mode)
        assert gradcheck(lambda a, law=law: gains_reference(Around(world.sources, world.head, None, a), law), alpha)
    assert attenuation(at(1.0), 0.3) == 1.0
    assert paper_attenuation(at(1.0), 0.0) == 1.0


def still_head() -> Head:
    return Head(torch.eye(3, dtype=torch.float64)[None], torch.zeros(1, 3, dtype=torch.float64))


def test_areas() -> None:
    x, weights, law = leaf(2, 6, 3), leaf(6, low=0.1, high=1.0), EncodeOptions()
    assert gradcheck(lambda v, w: area_gains(v, w, fade(v, law), 3), (x, weights))
    assert gradcheck(lambda v: point_gains(v, fade(v, law), 3), leaf(4, 3))
    energy = leaf(2, 6, low=0.1, high=1.0)
    assert gradcheck(seen_width, (x, energy))


def test_caps() -> None:
    for order in (1, 2, 7):
        assert gradcheck(lambda a, order=order: cap_gains(a, order), leaf(5, low=0.1, high=3.0))
        # at 0 and π only one side can be tried; the gains are even around both, so their slopes are 0
        ends = at([0.0, np.pi])
        (slope,) = torch.autograd.grad(cap_gains(ends, order).sum(), ends)
        inside = cap_gains(at([1e-5, np.pi - 1e-5]), order) - cap_gains(ends.detach(), order)
        assert slope.abs().max() < 1e-12
        assert (inside / 1e-5).abs().max() < 1e-3


@pytest.mark.parametrize("sharpness", [1.5, 2.0, 4.0])
def test_directivity(sharpness: float) -> None:
    x, facing = leaf(6, 3), at([0.6, 0.0, -0.8])
    pattern, n = leaf(6, low=0.1, high=0.9), at([sharpness] * 6)
    assert gradcheck(lambda v, f, a, n: directivity_gain(v, f, a, n, 0.1), (x, facing, pattern, n))
    assert gradcheck(lambda v, f, a: directivity_gain(v, f, a, 1.0, 0.1), (x, facing, pattern))


@pytest.mark.parametrize("sharpness", [1.0, 1.2, 2.0, 3.5])
def test_directivity_is_finite_where_a_cardioid_is_silent(sharpness: float) -> None:
    x, facing = at([[1e9, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 0.0]]), at([1.0, 0.0, 0.0])
    pattern, n = at([0.5, 0.5, 0.5]), at([sharpness] * 3)
    value = directivity_gain(x, facing, pattern, n, 0.1)
    assert value[0] == 0
    assert finite_gradient(value, x, facing, pattern, n)


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (1e-9, 0.0, 0.0), *AXES])
@pytest.mark.parametrize("order", [1, 5])
def test_every_gain_has_a_finite_gradient(place: tuple[float, ...], order: int) -> None:
    for half_angle in (0.0, np.pi):
        position, level, cap, facing = at([[place]]), at([[100.0]]), at([[half_angle]]), at([[[-1.0, 0.0, 0.0]]])
        pattern, sharpness, alpha, angles, origin = at([[0.5]]), at([[1.5]]), at(0.2), at([[0.0] * 3]), at([[0.0] * 3])
        sources = Sources.at(position, level, cap, Aim(facing, pattern, sharpness))
        gains = gains_reference(Around(sources, Head.looking(origin, angles), None, alpha), EncodeOptions(order=order))
        leaves = (position, level, cap, facing, pattern, sharpness, alpha, angles, origin)
        assert finite_gradient(gains, *leaves)


def test_silence_has_no_gradient() -> None:
    position, level = at([[[1.0, 2.0, 3.0]]]), at([[-np.inf]])
    gains = gains_reference(Around(Sources.at(position, level), still_head()), EncodeOptions())
    assert all((g == 0).all() for g in torch.autograd.grad(gains.sum(), (position, level)))
