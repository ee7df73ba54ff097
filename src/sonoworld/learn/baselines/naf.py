"""Neural acoustic fields (Luo et al., NeurIPS 2022), re-implemented from the paper, small, adapted to first order.

Kept: (emitter, listener, frequency, time) -> ln magnitude by an MLP over encoded coordinates and features of a learned
grid at both places; ln-magnitude L1; random phase. Smaller: 4 × 128 instead of 8 × 512, a grid of 16 channels at
0.5 m, 1500 steps of 2000 pixels. Adapted: seven outputs (`field`) instead of two ears.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from sonoworld.learn.baselines.field import encoded, features, response_of
from sonoworld.learn.room import Shot

PIXELS, STEPS, RATE = 2000, 1500, 5e-4
GRID, CELL_M, CHANNELS = 24, 0.5, 16
FREQUENCIES = 10

Field = Callable[[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]], Float64[np.ndarray, "4 t"]]


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.grid = nn.Parameter(0.1 * torch.randn(1, CHANNELS, GRID, GRID))
        inputs = 8 * (1 + 2 * FREQUENCIES) + 2 * CHANNELS
        layers: list[nn.Module] = [nn.Linear(inputs, 128), nn.LeakyReLU(0.1)]
        for _ in range(3):
            layers += [nn.Linear(128, 128), nn.LeakyReLU(0.1)]
        self.body = nn.Sequential(*layers, nn.Linear(128, 7))

    def forward(self, source: Tensor, listener: Tensor, pixel: Tensor) -> Tensor:
        """Values at pixels [n 2] (time, frequency, −1..1) for places [3], m."""
        places = torch.cat([source, listener])[None].expand(len(pixel), -1) / (GRID * CELL_M / 2)
        local = torch.cat([self._local(source), self._local(listener)])[None].expand(len(pixel), -1)
        return self.body(torch.cat([encoded(torch.cat([places, pixel], -1), FREQUENCIES), local], -1))

    def _local(self, place: Tensor) -> Tensor:
        at = (place[:2] / (GRID * CELL_M / 2)).reshape(1, 1, 1, 2)
        return nn.functional.grid_sample(self.grid, at, align_corners=True).reshape(-1)


def naf(shots: tuple[Shot, ...], seed: int, steps: int = STEPS) -> Field:
    """Train on shots; gives (source, listener) -> response."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _Net()
        truths = [features(s.response) for s in shots]
        places = [(torch.tensor(s.source).float(), torch.tensor(s.listener).float()) for s in shots]
        groups = [{"params": [net.grid], "weight_decay": 1e-2}, {"params": net.body.parameters(), "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=RATE)
        mean = truths[0].mean((0, 1))
        for step in range(steps):
            truth, (source, listener) = truths[step % len(shots)], places[step % len(shots)]
            i, j = torch.randint(truth.shape[0], (PIXELS,)), torch.randint(truth.shape[1], (PIXELS,))
            loss = (net(source, listener, _pixel(i, j, truth)) + mean - truth[i, j]).abs().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return lambda source, listener: _asked(net, mean, truths[0], (source, listener), (shots[0].response.shape[1], seed))


def _pixel(i: Tensor, j: Tensor, truth: Float[Tensor, "m f 7"]) -> Tensor:
    return torch.stack([2 * i / truth.shape[0] - 1, 2 * j / truth.shape[1] - 1], -1)


def _asked(
    net: _Net,
    mean: Tensor,
    like: Float[Tensor, "m f 7"],
    places: tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]],
    size_seed: tuple[int, int],
) -> Float64[np.ndarray, "4 t"]:
    m, f, _ = like.shape
    i, j = torch.meshgrid(torch.arange(m), torch.arange(f), indexing="ij")
    source, listener = (torch.tensor(p).float() for p in places)
    with torch.no_grad():
        values = net(source, listener, _pixel(i.reshape(-1), j.reshape(-1), like)) + mean
    return response_of(values.reshape(m, f, 7), *size_seed)
