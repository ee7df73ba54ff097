"""The early part of a room's response, in torch: differentiable in materials, source gains, places.

Letters: j images; b bands; f bins; c channels; d distance, m; u direction of arrival; ρ = √(1 − α) amplitude that a
wall gives back; M `minimum_phase_basis`; g ln of gains. h_c(f) = Σ_j y_c(u_j)/d_j · e^(M·(g + Σ_w n_jw ln ρ_w − a d_j))
· e^(−2πi f d_j/c0) (image source model, Allen & Berkley 1979, with filters).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

from sonoworld.acoustics.bands import OCTAVES_HZ, minimum_phase_basis
from sonoworld.acoustics.images import Images
from sonoworld.acoustics.room import SPEED_OF_SOUND_M_S
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.propagate import air_absorption_db_m

NEPER_DB = 20 / math.log(10)


@dataclass(frozen=True, slots=True)
class Grid:
    """Length and rate of a response, and Ambisonic order. `air` counts the absorption of air beyond the first metre."""

    taps: int
    rate_hz: int
    order: int = 1
    air: bool = True

    @property
    def fft(self) -> int:
        """FFT size at which nothing wraps round."""
        return 1 << (2 * self.taps - 1).bit_length()

    def basis(self, dtype: torch.dtype) -> Complex[Tensor, "f b"]:
        """`minimum_phase_basis` as a tensor of the complex type that goes with a real one."""
        return torch.from_numpy(minimum_phase_basis(self.fft, self.rate_hz).copy()).to(dtype.to_complex())


@dataclass(frozen=True, slots=True)
class Radiation:
    """A source in tensors: ln gain per band, directivity per band in 0..½, and its axis (unit)."""

    log_gain: Float[Tensor, "b"]
    directivity: Float[Tensor, "b"]
    facing: Float[Tensor, "3"]


def early_response(
    images: Images,
    log_reflection: Float[Tensor, "w b"],
    radiation: Radiation,
    source: Float[Tensor, "3"],
    listener: Float[Tensor, "3"],
    grid: Grid,
) -> Float[Tensor, "c t"]:
    """Direct sound and reflections at a listener looking along x (world axes), time 0 when the sound is sent.

    Args:
        images: those that are heard from about these places.
        log_reflection: ln ρ per wall and band.
        radiation: of the source.
        source: m, world.
        listener: m, world.
        grid: what is wanted. Arrivals beyond its end are left out.

    Returns:
        [(N + 1)², taps], ACN, SN3D.
    """
    return torch.fft.irfft(early_spectrum(images, log_reflection, radiation, source, listener, grid), grid.fft)[
        :, : grid.taps
    ]


def early_spectrum(
    images: Images,
    log_reflection: Float[Tensor, "w b"],
    radiation: Radiation,
    source: Float[Tensor, "3"],
    listener: Float[Tensor, "3"],
    grid: Grid,
) -> Complex[Tensor, "c f"]:
    """Spectrum of `early_response`, FFT size `grid.fft`."""
    turn = torch.from_numpy(images.turn).to(source)
    way = turn @ source + torch.from_numpy(images.shift_m).to(source) - listener
    d = way.norm(dim=-1)
    log_band = _log_bands(images, log_reflection, radiation, (turn, way, d), grid)
    filters = torch.exp(grid.basis(d.dtype) @ log_band.to(d.dtype.to_complex()).T)  # [f, j]
    hz = torch.arange(grid.fft // 2 + 1, dtype=torch.float64) * (grid.rate_hz / grid.fft)
    late = (d / SPEED_OF_SOUND_M_S).to(torch.float64)
    inside = (late * grid.rate_hz < grid.taps).to(d)
    turns = torch.remainder(hz[:, None] * late, 1.0)  # whole turns dropped in double precision
    shifted = filters * torch.polar(torch.ones_like(turns), -2 * math.pi * turns).to(filters.dtype)
    return (shifted @ (harmonics(way, grid.order) * (inside / d)[:, None]).to(filters.dtype)).T


def _log_bands(
    images: Images,
    log_reflection: Float[Tensor, "w b"],
    radiation: Radiation,
    ways: tuple[Float[Tensor, "j 3 3"], Float[Tensor, "j 3"], Float[Tensor, "j"]],
    grid: Grid,
) -> Float[Tensor, "j b"]:
    """What every image's way does to every band, as ln; spreading apart."""
    turn, way, d = ways
    leaving = -(turn.transpose(1, 2) @ way[:, :, None])[..., 0] / d[:, None]  # as it leaves the source itself
    cosine = leaving @ radiation.facing.to(d)
    a = radiation.directivity
    aimed = torch.log(((1 - a) + a * cosine[:, None]).clamp_min(1e-3))  # 60 dB down is silent; ln 0 is not finite
    bounced = torch.from_numpy(images.hits).to(d) @ log_reflection.to(d)
    total = radiation.log_gain + aimed + bounced
    if not grid.air:
        return total
    return total - (d[:, None] - 1).clamp_min(0) * _air_nepers().to(d)


def _air_nepers() -> Float[Tensor, "b"]:
    db_m = air_absorption_db_m(np.array(OCTAVES_HZ))
    return torch.from_numpy(db_m / NEPER_DB)
