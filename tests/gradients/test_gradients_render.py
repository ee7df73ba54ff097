"""Gradients of the whole rendering, to two ears, against finite differences: every tensor that goes in."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from sonoworld.encode import EncodeOptions
from sonoworld.render.reference import Aim, Around, Bed, Clock, Head, Sources, render_reference

CLOCK = Clock(16000, 20)
BLOCKS, T, Q, M, ORDER, TAPS = 3, 60, 2, 3, 2, 5
NAMES = (
    "audio", "points", "weights", "level_db", "half_angle", "facing", "pattern", "sharpness", "origins", "angles",
    "bed", "alpha", "filters",
)  # fmt: skip
LAWS = (
    EncodeOptions(order=ORDER),
    EncodeOptions(order=ORDER, delay=True, air="iso9613"),
    EncodeOptions(mode="paper", delay=True),
)

CASES = [(law, name) for law in LAWS for name in NAMES if name != "alpha" or law.air == "alpha"]


def inputs(order: int) -> dict[str, torch.Tensor]:
    rng, c = np.random.default_rng(13), (order + 1) ** 2
    middle = rng.uniform(0.3, 0.5, (BLOCKS, Q, 1, 3))  # near: what is late still arrives in these few samples
    made = {
        "audio": rng.standard_normal((Q, T)),
        "points": middle + rng.uniform(-0.1, 0.1, (BLOCKS, Q, M, 3)),
        "weights": rng.uniform(0.2, 0.5, (Q, M)),
        "level_db": rng.uniform(95, 100, (BLOCKS, Q)),
        "half_angle": rng.uniform(0.1, 1.0, (BLOCKS, Q)),
        "facing": rng.standard_normal((BLOCKS, Q, 3)),
        "pattern": rng.uniform(0.1, 0.4, (BLOCKS, Q)),
        "sharpness": rng.uniform(1.5, 3.0, (BLOCKS, Q)),
        "origins": rng.uniform(-0.1, 0.1, (BLOCKS, 3)),
        "angles": rng.standard_normal((BLOCKS, 3)),
        "bed": rng.standard_normal((4, 9)),
        "alpha": np.array(0.3),
        "filters": rng.standard_normal((2, c, TAPS)),
    }
    return {name: torch.from_numpy(made[name]) for name in NAMES}


def render(given: dict[str, torch.Tensor], law: EncodeOptions) -> torch.Tensor:
    aim = Aim(given["facing"], given["pattern"], given["sharpness"])
    sources = Sources(given["points"], given["weights"], given["level_db"], given["half_angle"], aim)
    alpha = given["alpha"] if law.air == "alpha" else None
    around = Around(sources, Head.looking(given["origins"], given["angles"]), Bed(given["bed"]), alpha)
    return render_reference(given["audio"], around, given["filters"], law, CLOCK)


@pytest.mark.parametrize(("law", "name"), CASES)
def test_the_whole_rendering(law: EncodeOptions, name: str) -> None:
    given = inputs(law.order)
    weight = torch.cos(torch.arange(2 * T, dtype=torch.float64)).view(2, T)

    def weighed(tensor: torch.Tensor) -> torch.Tensor:
        return (render({**given, name: tensor}, law) * weight).sum()

    leaf = given[name].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(weighed(leaf), leaf)
    assert gradient.abs().max() > 1e-6
    # the interpolator's table is linear between its rows: steps short enough to stay between two of them
    assert gradcheck(weighed, leaf, eps=1e-8, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("law", LAWS[:2])
@pytest.mark.parametrize("half_angle", [0.0, np.pi])
@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (0.0, 0.0, 0.5), (0.0, 0.0, -0.5), (-0.5, 0.0, 0.0)])
def test_at_the_head_at_the_poles_and_behind(place: tuple[float, ...], half_angle: float, law: EncodeOptions) -> None:
    given = inputs(ORDER)
    given["points"] = torch.tensor(place, dtype=torch.float64).expand(BLOCKS, Q, M, 3)
    given["facing"] = -given["points"][:, :, 0] / 0.5  # silent side of a cardioid
    given["pattern"], given["sharpness"] = torch.full((BLOCKS, Q), 0.5), torch.full((BLOCKS, Q), 1.5)
    given["half_angle"] = torch.full((BLOCKS, Q), half_angle, dtype=torch.float64)
    given["origins"], given["angles"] = torch.zeros(BLOCKS, 3), torch.zeros(BLOCKS, 3)
    given = {name: tensor.double().clone().requires_grad_() for name, tensor in given.items()}
    ears = render(given, law)
    used = [tensor for name, tensor in given.items() if name != "alpha" or law.air == "alpha"]
    assert ears.isfinite().all()
    assert all(bool(g.isfinite().all()) for g in torch.autograd.grad((ears**2).sum(), used))


def test_a_batch_has_its_own_gradients() -> None:
    given, law = inputs(ORDER), LAWS[0]
    leaf = torch.stack([given["points"], given["points"] + 0.1]).requires_grad_()
    (both,) = torch.autograd.grad((render({**given, "points": leaf}, law) ** 2).sum(), leaf)
    for i in range(2):
        one = leaf.detach()[i].clone().requires_grad_()
        (alone,) = torch.autograd.grad((render({**given, "points": one}, law) ** 2).sum(), one)
        np.testing.assert_allclose(both[i].numpy(), alone.numpy(), rtol=1e-10, atol=1e-10)


def test_float32_gradients_are_float64s() -> None:
    given, law = inputs(ORDER), LAWS[0]
    grads = []
    for dtype in (torch.float32, torch.float64):
        leaf = given["points"].clone().requires_grad_()
        cast = {**given, "audio": given["audio"].to(dtype), "filters": given["filters"].to(dtype), "points": leaf}
        ears = render(cast, law)
        assert ears.dtype == dtype
        grads.append(torch.autograd.grad((ears**2).sum(), leaf)[0].numpy())
    np.testing.assert_allclose(grads[0], grads[1], atol=1e-5 * np.abs(grads[1]).max())
