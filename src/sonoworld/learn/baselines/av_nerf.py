"""AV-NeRF (Liang et al., NeurIPS 2023), re-implemented from the paper, small, adapted to first order.

Kept: a 4 × 128 MLP with a skip, asked per frequency with the pose, gives a mask of the mixture and masks of
differences, which multiply the source's own spectrogram; MSE of magnitudes, mixture plus channels; Adam 5e-4. Left out:
features of rendered pictures (no scene is trained here; azimuth of the source relative to the listener stands for them)
and the convolutional refinement. The source's spectrogram is the known response's, so the mask says how others differ.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from sonoworld.learn.baselines.field import encoded, features, response_of
from sonoworld.learn.baselines.naf import Field
from sonoworld.learn.room import Shot

STEPS, RATE, FREQUENCIES = 300, 5e-4, 10


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inputs = 9 * (1 + 2 * FREQUENCIES)
        self.first = nn.Sequential(nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.second = nn.Sequential(nn.Linear(128 + inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
        self.masks = nn.Linear(128, 4)

    def forward(self, source: Tensor, listener: Tensor, bins: int) -> Tensor:
        """Mask of W, and signed masks of Y, Z, X, per bin."""
        way = source - listener
        pose = torch.cat([source / 6, listener / 6, way[:2] / way.norm()])
        f = torch.linspace(-1, 1, bins)[:, None]
        x = encoded(torch.cat([pose[None].expand(bins, -1), f], -1), FREQUENCIES)
        out = self.masks(self.second(torch.cat([self.first(x), x], -1)))
        return torch.cat([2 * torch.sigmoid(out[:, :1]), torch.tanh(out[:, 1:])], -1)


def av_nerf(shots: tuple[Shot, ...], seed: int, steps: int = STEPS) -> Field:
    """Train on shots; gives (source, listener) -> response."""
    known = features(shots[0].response)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _Net()
        optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
        truths = [features(s.response) for s in shots]
        places = [(torch.tensor(s.source).float(), torch.tensor(s.listener).float()) for s in shots]
        for step in range(steps):
            truth, (source, listener) = truths[step % len(shots)], places[step % len(shots)]
            masks = net(source, listener, known.shape[1])
            mixture = torch.exp(known[..., 0])
            whole = (masks[:, 0] * mixture - torch.exp(truth[..., 0])) ** 2
            signed = truth[..., 4:] * torch.exp(truth[..., 0])[..., None]
            parts = (masks[:, 1:] * (masks[:, 0] * mixture)[..., None] - signed) ** 2
            loss = whole.mean() + parts.mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return lambda source, listener: _asked(net, known, (source, listener), (shots[0].response.shape[1], seed))


def _asked(
    net: _Net,
    known: Float[Tensor, "m f 7"],
    places: tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]],
    size_seed: tuple[int, int],
) -> Float64[np.ndarray, "4 t"]:
    source, listener = (torch.tensor(p).float() for p in places)
    with torch.no_grad():
        masks = net(source, listener, known.shape[1])
    W = known[..., 0] + torch.log(masks[:, 0])
    values = torch.cat([W[..., None].expand(-1, -1, 4), masks[:, 1:].expand(len(known), -1, -1)], -1)
    return response_of(values, *size_seed)
