"""How far a modelled response is from a heard one, in torch.

Letters: x model, y heard, [c t]; X, Y their short-time spectra; I intensity Re(W* · [Y Z X]); e floor.
"""

import torch
from jaxtyping import Float
from torch import Tensor

WINDOWS = (512, 1024, 2048, 4096)
FLOOR = 1e-6


def early_loss(x: Float[Tensor, "4 t"], y: Float[Tensor, "4 t"]) -> Float[Tensor, ""]:
    """Waveform, spectra (DiffRIR's L1 and log-L1 over windows of 512..4096) and directions of first reflections."""
    waveform = ((x - y) ** 2).sum() / (y**2).sum()
    return waveform + 0.1 * spectral_loss(x[0], y[0]) + 0.1 * direction_loss(x, y)


def spectral_loss(x: Float[Tensor, "t"], y: Float[Tensor, "t"]) -> Float[Tensor, ""]:
    """Mean over windows of the L1 distance of magnitudes and of their logarithms, each re the mean magnitude heard."""
    total = torch.zeros((), dtype=x.dtype)
    for n in WINDOWS:
        X, Y = _spectra(x[None], n)[0].abs(), _spectra(y[None], n)[0].abs()
        level = Y.mean()
        floor = 1e-2 * level
        total = total + (X - Y).abs().mean() / level + (torch.log(X + floor) - torch.log(Y + floor)).abs().mean()
    return total / len(WINDOWS)


def direction_loss(x: Float[Tensor, "4 t"], y: Float[Tensor, "4 t"], n: int = 256) -> Float[Tensor, ""]:
    """Σ |Y_W|² (1 − cos ∠(I, I')) / Σ |Y_W|²: energy counts, and where it comes from."""
    X, Y = _spectra(x, n), _spectra(y, n)
    ours, theirs = (X[:1].conj() * X[1:]).real, (Y[:1].conj() * Y[1:]).real
    norms = torch.sqrt((ours**2).sum(0) + FLOOR**2) * torch.sqrt((theirs**2).sum(0) + FLOOR**2)
    energy = Y[0].abs() ** 2
    return (energy * (1 - (ours * theirs).sum(0) / norms)).sum() / energy.sum()


def decay_loss(x: Float[Tensor, "b t"], y: Float[Tensor, "b t"]) -> Float[Tensor, ""]:
    """Mean L1 distance of Schroeder's decays in nepers, down to 40 dB below the beginning."""
    ours, theirs = _decay(x), _decay(y)
    counted = (theirs > theirs[:, :1] - 9.21).to(x.dtype)  # 40 dB of power are 9.21 nepers
    return ((ours - theirs).abs() * counted).sum() / counted.sum()


def _decay(x: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
    return torch.log((x**2).flip(-1).cumsum(-1).flip(-1) + FLOOR**2)


def _spectra(x: Float[Tensor, "c t"], n: int) -> Tensor:
    window = torch.hann_window(n, dtype=x.dtype)
    return torch.stft(x, n, n // 4, window=window, center=True, pad_mode="constant", return_complex=True)
