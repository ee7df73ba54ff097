"""Splats fitted to the panorama they were seeded from, by gradients through the splat renderer.

Letters: n splats; p what is optimised, 0 at first: colour is free, the others are bounded, offset = b·tanh(p): log
distance along the ray from the panorama's eye, log scales, opacity logit. No splat leaves its surface, swells or
vanishes. Adam (Kingma and Ba 2015) on one view from the eye and one from a step aside at a time.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from sonoworld.backend import Run
from sonoworld.frames import Pose
from sonoworld.lift.refine_views import View, pairs
from sonoworld.render.splat_torch import SplatTensors, TensorImage
from sonoworld.types import Geometry, Panorama, Splats

Draw = Callable[[SplatTensors, Float64[np.ndarray, "3 3"], tuple[int, int], Pose], TensorImage]
"""`render.splat_torch.render_view_torch`, or a twin of it."""

MOST_LOG_DISTANCE = 0.01
"""Surfaces are told apart from 8 % on (`surface.EDGE_RATIO`): a hundredth leaves every splat on its own."""

MOST_LOG_SCALE, MOST_LOGIT = 0.25, 2.0
RATE = 0.02
HOLE_WEIGHT, STAY_WEIGHT = 0.5, 0.3
"""Squared loss of cover, and change where a side view is not sure, against squared error of colour."""

EVERY, PATIENCE, LEAST_GAIN, CHECKS = 20, 3, 0.005, 4
"""Steps between checks on the same few pairs of views; so many checks without this gain end it."""

REACH = 3.0
"""Sigmas of a splat that may show in a view."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`steps` at most; side views from up to `walk_m` away; views of at most `most_px` a side; torch's `device`."""

    steps: int
    walk_m: float
    most_px: int
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Fit:
    """Refined splats; the loss on the checked views before and after; steps done."""

    splats: Splats
    before: float
    after: float
    steps: int


def refined(seeded: Splats, panorama: Panorama, geometry: Geometry, settings: Settings, draw: Draw, run: Run) -> Fit:
    """Splats whose pictures are nearer to the panorama, from the eye and from around it.

    The same bytes again on the CPU. Harmonics above degree 0 are left out.
    """
    views = pairs(seeded, panorama, geometry, (settings.walk_m, settings.most_px), run.rng)
    checks = [next(views) for _ in range(CHECKS)]
    model = _Model(seeded, settings.device)
    optimiser = torch.optim.Adam(model.parameters, lr=RATE)
    with _repeatable(settings.device):
        best = before = _checked(model, checks, draw)
        kept, waited, step = model.copied(), 0, 0
        while step < settings.steps and waited < PATIENCE:
            step += 1
            optimiser.zero_grad()
            for view in next(views):
                _loss(model, view, draw).backward()
            optimiser.step()
            if step % EVERY == 0 or step == settings.steps:
                now = _checked(model, checks, draw)
                waited = 0 if now < (1 - LEAST_GAIN) * best else waited + 1
                best, kept = (now, model.copied()) if now < best else (best, kept)
                run.tell(step / settings.steps, f"step {step}: {now / before:.0%} of the error is left")
    return Fit(model.baked(kept), before, best, step)


class _Model:
    """Seeded splats on a device, and what is optimised of them."""

    def __init__(self, seeded: Splats, device: str) -> None:
        self.seeded = SplatTensors.of(seeded, device)
        n = len(seeded)
        # colour, log scales, opacity, log distance
        self.parameters = [
            torch.zeros(shape, device=device, requires_grad=True) for shape in ((n, 1, 3), (n, 3), (n,), (n, 1))
        ]

    def splats(self, i: Int64[Tensor, "m"] | slice, parameters: list[Tensor]) -> SplatTensors:
        own = self.seeded
        colour, scale, opacity, ray = (one[i] for one in parameters)
        return SplatTensors(
            own.means[i] * torch.exp(MOST_LOG_DISTANCE * torch.tanh(ray)),
            own.log_scales[i] + MOST_LOG_SCALE * torch.tanh(scale),
            own.quats[i],
            own.opacity_logits[i] + MOST_LOGIT * torch.tanh(opacity),
            own.sh[i] + colour,
        )

    def copied(self) -> list[Tensor]:
        return [one.detach().clone() for one in self.parameters]

    def baked(self, parameters: list[Tensor]) -> Splats:
        return self.splats(slice(None), parameters).numpy()

    @torch.no_grad()
    def around(self, view: View) -> Int64[Tensor, "m"]:
        """Splats that a view may show: the renderer need not look at the others."""
        means = self.seeded.means
        eye = torch.tensor(view.pose.origin, dtype=means.dtype, device=means.device)
        axis = torch.tensor(view.pose.rotation[:, 2], dtype=means.dtype, device=means.device)
        away = means - eye
        distance = torch.linalg.norm(away, dim=1)
        sigma = torch.exp(self.seeded.log_scales.amax(1) + MOST_LOG_SCALE)
        half = float(np.arctan(np.hypot(*view.size_px) / (2 * view.K[0, 0])))
        wide = half + torch.arcsin(torch.clamp(REACH * sigma / distance, max=1.0))
        angle = torch.arccos(torch.clamp((away @ axis) / distance, -1.0, 1.0))
        return torch.nonzero(angle < wide)[:, 0]


def _loss(model: _Model, view: View, draw: Draw) -> Float[Tensor, ""]:
    seen = draw(model.splats(model.around(view), model.parameters), view.K, view.size_px, view.pose)
    device = seen.rgb.device
    rgb, alpha = torch.tensor(view.rgb, device=device), torch.tensor(view.alpha, device=device)
    weight = torch.where(torch.tensor(view.sure, device=device), 1.0, STAY_WEIGHT)
    error = (weight * ((seen.rgb - rgb) ** 2).mean(-1)).mean()
    return error + HOLE_WEIGHT * (torch.clamp(alpha - seen.alpha, min=0) ** 2).mean()


@torch.no_grad()
def _checked(model: _Model, checks: list[tuple[View, View]], draw: Draw) -> float:
    return float(sum(_loss(model, view, draw) for pair in checks for view in pair)) / (2 * len(checks))


@contextmanager
def _repeatable(device: str) -> Generator[None]:
    """On the CPU: the same sums in the same order, whatever ran before and however many cores there are."""
    if device != "cpu":
        yield
        return
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
