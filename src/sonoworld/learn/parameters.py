"""What a fit may change, as free numbers, and back: absorption in 0..1, directivity in 0..½.

Letters: α = sigmoid(free); a = sigmoid(free)/2.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from sonoworld.acoustics.bands import BANDS
from sonoworld.acoustics.room import LEAST_ABSORPTION, MOST_ABSORPTION


@dataclass(frozen=True, slots=True)
class Free:
    """Unbounded leaves of the optimiser."""

    absorption: Float[Tensor, "w b"]
    directivity: Float[Tensor, "b"]

    def leaves(self) -> list[Tensor]:
        """For an optimiser."""
        return [self.absorption, self.directivity]

    def log_reflection(self) -> Float[Tensor, "w b"]:
        """Ln √(1 − α) without ever forming 1 − α."""
        return 0.5 * torch.nn.functional.logsigmoid(-self.absorption)

    def directivities(self) -> Float[Tensor, "b"]:
        """A per band."""
        return 0.5 * torch.sigmoid(self.directivity)

    def values(self) -> tuple[Float64[np.ndarray, "w b"], Float64[np.ndarray, "b"]]:
        """Absorption and directivity."""
        return torch.sigmoid(self.absorption).detach().numpy().copy(), self.directivities().detach().numpy().copy()


def freed(absorption: Float64[np.ndarray, "w b"], jitter: float, seed: int, *, directional: bool) -> Free:
    """Start at these absorptions, each moved by `jitter` (of the free numbers) at random."""
    rng = np.random.default_rng(seed)
    a = np.clip(absorption, LEAST_ABSORPTION, MOST_ABSORPTION)
    free = np.log(a / (1 - a)) + jitter * rng.standard_normal(a.shape)
    towards = torch.full((BANDS,), -2.0 if directional else -30.0, dtype=torch.float64, requires_grad=directional)
    return Free(torch.tensor(free).requires_grad_(), towards)
