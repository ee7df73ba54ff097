"""The late field: noise per band that decays, with the covariance of where it comes from.

Letters: E_b energy on W re the direct sound at 1 m; T_b time for 60 dB; v_b(t) power per sample; C_b covariance.
v_b(t) = v0 · 10^(−6 t/T_b), and Σ_t v_b = E_b (Polack's model, 1988).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from sonoworld.acoustics.noise import RISE_S


def late_response(
    noise: Float[Tensor, "b 4 t"],
    t60_s: Float[Tensor, "b"],
    log_energy: Float[Tensor, "b"],
    mixing_s: Float[Tensor, ""],
    root: Float[Tensor, "b 4 4"],
    rate_hz: int,
) -> Float[Tensor, "4 t"]:
    """The late field of one sound, W Y Z X (SN3D), time 0 when it is sent.

    Args:
        noise: of `band_noise`.
        t60_s: per band.
        log_energy: ln E per band.
        mixing_s: when it has half risen.
        root: a factor R of the covariance per band, C = R Rᵀ.
        rate_hz: samples per second.
    """
    shaped = (late_envelope(noise.shape[-1], t60_s, log_energy, mixing_s, rate_hz))[:, None] * noise
    return torch.einsum("bij,bjt->it", root, shaped)


def late_envelope(
    taps: int, t60_s: Float[Tensor, "b"], log_energy: Float[Tensor, "b"], mixing_s: Float[Tensor, ""], rate_hz: int
) -> Float[Tensor, "b t"]:
    """√v_b(t), of total energy E_b."""
    t = torch.arange(taps, dtype=t60_s.dtype) / rate_hz
    rate = 6 * math.log(10) / t60_s  # nepers of power per second
    log_power = torch.nn.functional.logsigmoid((t - mixing_s) / (RISE_S / 4)) - rate[:, None] * (t - mixing_s)
    whole = torch.logsumexp(log_power, dim=1, keepdim=True)
    return torch.exp(0.5 * (log_power - whole + log_energy[:, None]))
