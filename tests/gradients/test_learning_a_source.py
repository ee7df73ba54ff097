"""What gradients are for: from what two ears heard, back to where a source was and how loud."""

import numpy as np
import torch

from sonoworld.encode import EncodeOptions
from sonoworld.render.hrtf import hrir
from sonoworld.render.reference import Around, Head, Sources, render_reference

RNG = np.random.default_rng(21)
NEVER_MOVES = Head(torch.eye(3, dtype=torch.float64)[None], torch.zeros(1, 3, dtype=torch.float64))


def unit(v: torch.Tensor) -> torch.Tensor:
    return v / torch.linalg.vector_norm(v, dim=-1, keepdim=True)


def heard(audio: torch.Tensor, direction: torch.Tensor, level_db: torch.Tensor, filters: torch.Tensor) -> torch.Tensor:
    """Point sources 2 m away: one world per row."""
    sources = Sources.at(2 * unit(direction)[:, None, None], level_db[:, None, None])
    return render_reference(audio, Around(sources, NEVER_MOVES), filters, EncodeOptions(order=3))


def test_direction_and_level_are_found() -> None:
    # five worlds, each from six starts (ahead, behind, left, right, up, down; 95 dB); the best of the six counts
    worlds, starts, steps = 5, 6, 100
    audio = torch.from_numpy((0.1 * RNG.standard_normal((1, 800))).astype(np.float32))
    filters = torch.from_numpy(hrir("kemar", 3))
    truth, true_db = (
        unit(torch.from_numpy(RNG.standard_normal((worlds, 3)))),
        torch.from_numpy(RNG.uniform(85, 105, worlds)),
    )
    target = heard(audio, truth, true_db, filters).repeat_interleave(starts, 0)
    axes = torch.cat([torch.eye(3, dtype=torch.float64), -torch.eye(3, dtype=torch.float64)])
    direction = axes.repeat(worlds, 1).requires_grad_()
    level_db = torch.full((worlds * starts,), 95.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([{"params": [direction], "lr": 0.1}, {"params": [level_db], "lr": 1.0}])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    error = torch.zeros(())
    for _ in range(steps):
        optimiser.zero_grad()
        missed = heard(audio, direction, level_db, filters) - target
        error = (missed**2).sum((-1, -2)) / (target**2).sum((-1, -2))
        error.sum().backward()
        optimiser.step()
        schedule.step()
    best = error.detach().view(worlds, starts).argmin(1) + starts * torch.arange(worlds)
    cosine = (unit(direction.detach()[best]) * truth).sum(-1).clamp(-1, 1)
    assert torch.rad2deg(torch.acos(cosine)).max() < 1.0
    assert (level_db.detach()[best] - true_db).abs().max() < 0.1
