"""What the two neural fields share here: a first-order response as four magnitudes and three signed ratios, and back.

Adapted to Ambisonics, said so: both papers speak of two ears. Spectrogram of 512, hop 128 (NAF's n_fft). Phase is
random, as in NAF. Letters: S spectra [4 f m]; A ln magnitudes; r ratios of Y, Z, X to W, −1..1.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

FFT, HOP = 512, 128
FLOOR = 1e-3
"""NAF's: ln(|S| + 1e-3)."""


def features(h: Float64[np.ndarray, "4 t"]) -> Float[Tensor, "m f 7"]:
    """[frames, bins, (ln|W| ln|Y| ln|Z| ln|X| r_Y r_Z r_X)]."""
    S = _spectra(torch.from_numpy(h))
    A = torch.log(S.abs() + FLOOR)
    r = (S[1:] * S[0].conj()).real / (S[0].abs() ** 2 + FLOOR**2)
    return torch.cat([A, r.clamp(-1, 1)]).permute(2, 1, 0).float()


def response_of(values: Float[Tensor, "m f 7"], samples: int, seed: int) -> Float64[np.ndarray, "4 t"]:
    """A response with these magnitudes: W with random phase, the others W times their signed ratio."""
    A, r = values[..., 0].T.double(), values[..., 4:].permute(2, 1, 0).double().clamp(-1, 1)
    turns = torch.from_numpy(np.random.default_rng(seed).random(A.shape))
    W = torch.polar((torch.exp(A) - FLOOR).clamp_min(0), 2 * np.pi * turns)
    S = torch.cat([W[None], r * W])
    return torch.istft(S, FFT, HOP, window=torch.hann_window(FFT, dtype=torch.float64), length=samples).numpy()


def encoded(x: Float[Tensor, "n k"], frequencies: int) -> Float[Tensor, "n e"]:
    """Sines and cosines of 1, 2, 4, ... half turns, and x itself (NeRF's positional encoding)."""
    turns = x[..., None] * (np.pi * 2.0 ** torch.arange(frequencies))
    return torch.cat([x, turns.sin().flatten(-2), turns.cos().flatten(-2)], -1)


def _spectra(h: Tensor) -> Tensor:
    window = torch.hann_window(FFT, dtype=h.dtype)
    return torch.stft(h, FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True)
