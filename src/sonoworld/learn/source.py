"""Sources of a recorded sound field told from it by gradients: where they are, how loud, how wide, of what colour.

Letters: q sources, k blocks, c channels, b octave bands; x dry sounds; y heard field; p places, L levels, α absorption,
e colour (dB per band, mean 0), θ half angle of a cap. Loss: Σ over windows of |Y − Ŷ|²/|Y|², waveform and spectra.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from sonoworld.acoustics.bands import BANDS, minimum_phase_basis
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import ShapeError
from sonoworld.render.reference import Around, Clock, Head, Sources, field_reference

WIDEST = math.pi / 2
POLISH = 100
"""Iterations of L-BFGS that follow the steps."""


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of sources, before or after: m (world), dB SPL at 1 m, nepers per m, dB per octave, rad."""

    places: Float64[np.ndarray, "q 3"]
    level_db: Float64[np.ndarray, "q"]
    alpha: float
    colour_db: Float64[np.ndarray, "q b"]
    half_angle: Float64[np.ndarray, "q"]


@dataclass(frozen=True, slots=True)
class SourceFit:
    """What was told, and the loss at every step."""

    told: Believed
    losses: tuple[float, ...]


def fit_sources(
    heard: Float32[np.ndarray, "c t"],
    dry: Float32[np.ndarray, "q t"],
    track: Track,
    start: Believed,
    steps: int = 150,
    rate_hz: int = 48000,
) -> SourceFit:
    """Fit sources to a sound field that a walking listener recorded.

    Distance and absorption part only where the way to a source changes: walk towards them. Where it does not, they
    trade against the level.

    Args:
        heard: ACN, SN3D, head axes, any order.
        dry: what the sources sounded like, at RMS 1 for their level.
        track: the listener's head.
        start: where to begin, as a picture tells it.
        steps: of Adam, before L-BFGS.
        rate_hz: of all sounds.

    Raises:
        ShapeError: numbers of sources or samples do not fit.
    """
    if dry.shape[0] != len(start.places) or dry.shape[1] != heard.shape[1]:
        expected = f"{len(start.places)} of {heard.shape[1]} samples"
        raise ShapeError("dry", expected=expected, got=str(dry.shape))
    free = _freed(start)
    modelled = _model(dry, track, math.isqrt(len(heard)) - 1, rate_hz)
    counted = slice(track.block, None)  # in the reference nothing moves within the first block
    truth = torch.from_numpy(heard)[:, counted]
    rates = (0.05, 0.4, 0.1, 0.4, 0.1)
    optimiser = torch.optim.Adam([{"params": [x], "lr": r} for x, r in zip(free, rates, strict=True)])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses: list[float] = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = field_loss(modelled(free)[:, counted], truth)
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
    # absorption and distance make a long, narrow valley: curvature finds its end, plain steps do not
    polish = torch.optim.LBFGS(
        free, max_iter=POLISH, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        polish.zero_grad()
        loss = field_loss(modelled(free)[:, counted], truth)
        loss.backward()
        losses.append(float(loss.detach()))
        return losses[-1]

    polish.step(closure)
    return SourceFit(_told(free), tuple(losses))


def field_loss(x: Float[Tensor, "c t"], y: Float[Tensor, "c t"]) -> Float[Tensor, ""]:
    """|y − x|²/|y|², of samples and of magnitudes in windows of 1024: the latter finds its way from farther off."""
    window = torch.hann_window(1024, dtype=x.dtype)
    X, Y = (
        torch.stft(h, 1024, 256, window=window, pad_mode="constant", return_complex=True).abs() + 1e-9 for h in (x, y)
    )
    return ((x - y) ** 2).sum() / (y**2).sum() + ((X - Y) ** 2).sum() / (Y**2).sum()


Free = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Places, levels, ln α, colour, logit of the half angle's share of 90°."""


def _freed(start: Believed) -> Free:
    share = np.clip(start.half_angle / WIDEST, 0.02, 0.98)
    leaves = (
        torch.tensor(start.places),
        torch.tensor(start.level_db),
        torch.tensor(math.log(max(start.alpha, 1e-3)), dtype=torch.float64),
        torch.tensor(start.colour_db),
        torch.tensor(np.log(share / (1 - share))),
    )
    for leaf in leaves:
        leaf.requires_grad_()
    return leaves


def _model(
    dry: Float32[np.ndarray, "q t"], track: Track, order: int, rate_hz: int
) -> Callable[[Free], Float[Tensor, "c t"]]:
    law, clock = EncodeOptions(order=order), Clock(rate_hz, track.block)
    t = dry.shape[1]
    n = 1 << (t + 2047).bit_length()
    spectra = torch.fft.rfft(torch.from_numpy(dry).to(torch.float64), n)
    basis = torch.from_numpy(minimum_phase_basis(n, rate_hz).copy())
    # row k of the reference holds at the end of block k
    part = track.every(1, -(-t // track.block))
    head = Head(torch.from_numpy(part.rotations.copy()), torch.from_numpy(part.origins.copy()))

    def modelled(free: Free) -> Float[Tensor, "c t"]:
        places, level_db, log_alpha, colour_db, _ = free
        centred = colour_db - colour_db.mean(-1, keepdim=True)
        filters = torch.exp((centred * (math.log(10) / 20)).to(basis.dtype) @ basis.T)
        audio = torch.fft.irfft(spectra * filters, n)[:, :t].to(torch.float32)
        sources = Sources.at(places[None], level_db[None], _half_angles(free)[None])
        return field_reference(audio, Around(sources, head, alpha=torch.exp(log_alpha)), law, clock)

    return modelled


def _half_angles(free: Free) -> Float[Tensor, "q"]:
    return WIDEST * torch.sigmoid(free[4])


def _told(free: Free) -> Believed:
    places, level_db, log_alpha, colour_db, _ = (x.detach() for x in free)
    colour = (colour_db - colour_db.mean(-1, keepdim=True)).numpy().copy()
    assert colour.shape[1] == BANDS
    angles = _half_angles(free).detach().numpy().copy()
    return Believed(places.numpy().copy(), level_db.numpy().copy(), math.exp(float(log_alpha)), colour, angles)
