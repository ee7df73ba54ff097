"""Separation as rendering backwards: waveforms whose rendered sound field is the mixture, by gradient descent.

Letters: s [q t] waveforms at 1 m; A the torch reference renderer (`render.reference.field_reference`); x mixture.
Loss: Σ_n |STFT_n(x − A s)|₁ over windows n, + λ Σ_n |STFT_n(s)|₁ (few bins of a source sound at once).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import ShapeError
from sonoworld.render.reference import Around, Clock, Head, Sources, field_reference

WINDOWS = (256, 1024)
SPARSITY = 0.05


def spectral_l1(signal: Float[Tensor, "*b t"], sizes: Sequence[int] = WINDOWS) -> Float[Tensor, ""]:
    """Mean magnitude of short-time spectra over windows of several lengths; smooth at 0 (√(|X|² + ε²))."""
    flat = signal.flatten(0, -2)
    total = signal.new_zeros(())
    for size in sizes:
        hann = torch.hann_window(size, dtype=signal.dtype, device=signal.device)
        X = torch.stft(flat, size, size // 4, window=hann, center=True, pad_mode="constant", return_complex=True)
        total = total + torch.sqrt(X.real**2 + X.imag**2 + 1e-10).mean() / size**0.5
    return total


def loss(
    waveforms: Float[Tensor, "q t"], mixture: Float[Tensor, "c t"], around: Around, law: EncodeOptions, clock: Clock
) -> Float[Tensor, ""]:
    """How badly waveforms explain the mixture, and how dense they are; differentiable in waveforms and `around`."""
    rendered = field_reference(waveforms, around, law, clock)
    return spectral_l1(mixture - rendered) + SPARSITY * spectral_l1(waveforms)


def recovered(
    mixture: Float[Tensor, "c t"],
    around: Around,
    start: Float[Tensor, "q t"],
    clock: Clock,
    steps: int = 150,
) -> Float[Tensor, "q t"]:
    """Waveforms at 1 m, level 100 dB SPL, from Adam steps (Kingma and Ba 2015) that begin at `start`.

    Sources may move and the listener may turn: `around` says so per block. Deterministic on CPU.

    Raises:
        ShapeError: start and mixture of different lengths, or no steps.
    """
    if start.shape[-1] != mixture.shape[-1] or steps < 1:
        raise ShapeError("start", expected=f"[q, {mixture.shape[-1]}] and steps >= 1", got=str(tuple(start.shape)))
    order = int(mixture.shape[-2] ** 0.5) - 1
    law = EncodeOptions(order=order)
    s = start.detach().clone().requires_grad_(True)
    rate = 0.02 * float(mixture.detach().square().mean().sqrt()) + 1e-12
    optimiser = torch.optim.Adam([s], lr=rate)
    best, least = start.detach().clone(), float("inf")
    for _ in range(steps):
        optimiser.zero_grad()
        value = loss(s, mixture, around, law, clock)
        now = float(value.detach())
        if now < least:
            best, least = s.detach().clone(), now
        torch.autograd.backward(value)
        optimiser.step()
    return best


def waveforms_of(
    mixture: Float32[np.ndarray, "c t"],
    directions: Float64[np.ndarray, "q 3"],
    start: Float32[np.ndarray, "q t"],
    steps: int,
) -> Float32[np.ndarray, "q t"]:
    """`recovered` for points that rest, one metre away, and a listener who looks ahead."""
    level = torch.full((1, len(directions)), 100.0, dtype=torch.float64)
    head = Head(torch.eye(3, dtype=torch.float64)[None], torch.zeros(1, 3, dtype=torch.float64))
    around = Around(Sources.at(torch.from_numpy(directions)[None], level), head)
    found = recovered(torch.from_numpy(mixture.copy()), around, torch.from_numpy(start.copy()), Clock(), steps)
    return found.numpy()
