"""Delay and air on the way from every source to the head, in torch: what `travel_stream` computes block by block.

Letters: D delay, samples; p = t − D the place that is heard at t, f its fraction; r = (i + 1)/B at sample i of a
block; j filters of the air; s their shares. Laws: `encode.travel`, `encode.air`.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sonoworld.encode.air import WAYS_M, air_bank, air_blend
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import LEAST_DELAY, SPEED_OF_SOUND_M_S, TAPS, interpolation_table
from sonoworld.render.reference_blocks import block_ramp, fft_size, held_before
from sonoworld.render.reference_scene import Clock

_BEHIND = 7
"""The interpolator's taps are the samples −7..8 around a place."""


def travelled(
    audio: Float[Tensor, "*#b q t"],
    distance_m: Float[Tensor, "*#b k q"],
    heard: Bool[Tensor, "*#b k q"],
    law: EncodeOptions,
    clock: Clock,
) -> Float[Tensor, "*b q t"]:
    """Audio as it arrives, delayed and through the air where the law says so.

    Args:
        audio: k blocks of samples.
        distance_m: at the end of every block.
        heard: whether a source had any gain at the end of a block. One that starts to be heard does so from where it
            is, not from where it was; and what was not heard leaves nothing in the air's filters.
        law: `delay` and `air`.
        clock: rate and block.
    """
    live = heard | held_before(heard, -2)
    before = torch.where(held_before(live, -2), held_before(distance_m, -2), distance_m)
    before, after, live = before.mT, distance_m.mT, live.mT  # [*b q k]
    x = audio
    if law.delay:
        x = delayed(x, _delay(before, clock), _delay(after, clock))
    if law.air == "iso9613":
        x = x * live.repeat_interleave(clock.block, -1)
        x = through_air(x, before - 1.0, after - 1.0, clock.rate_hz)
    return x


def delayed(
    audio: Float[Tensor, "*#b q t"], before: Float[Tensor, "*#b q k"], after: Float[Tensor, "*#b q k"]
) -> Float[Tensor, "*b q t"]:
    """Audio read at t − D, D on a straight line per sample within a block; a jump fades from one place to the other.

    Args:
        audio: k blocks of samples; silence before the first.
        before: D when a block begins, at least `LEAST_DELAY`, samples.
        after: D when it ends.
    """
    block = audio.shape[-1] // after.shape[-1]
    r, i = block_ramp(block, after), torch.arange(block, dtype=after.dtype, device=after.device)
    old, new = before[..., None], after[..., None]
    moved = _read(audio, i - (old + (new - old) * r))
    jumps = (new - old).abs() > block / 2  # a jump, not a motion
    if not bool(jumps.any()):
        return moved
    fade = r.repeat(after.shape[-1]).to(audio.dtype)
    jumped = (1 - fade) * _read(audio, i - old) + fade * _read(audio, i - new)
    return torch.where(jumps.expand(*jumps.shape[:-1], block).flatten(-2), jumped, moved)


def through_air(
    audio: Float[Tensor, "*#b q t"],
    before_m: Float[Tensor, "*#b q k"],
    after_m: Float[Tensor, "*#b q k"],
    rate_hz: int,
) -> Float[Tensor, "*b q t"]:
    """Audio through the air of a way that changes: y = Σ_j s_j(t)·(h_j * x)(t), s on a straight line within a block.

    Args:
        audio: k blocks of samples.
        before_m: way beyond the first metre when a block begins, m.
        after_m: when it ends.
        rate_hz: of the audio.
    """
    bank = torch.from_numpy(air_bank(rate_hz)).to(audio)
    old, new = (air_shares(way)[..., None].to(audio.dtype) for way in (before_m, after_m))  # [*b q k j 1]
    t, blocks = audio.shape[-1], new.shape[-3]
    r, size = block_ramp(t // blocks, audio), fft_size(t + bank.shape[-1] - 1)
    spectrum, heard = torch.fft.rfft(audio, size), torch.zeros_like(audio)
    used = ((old != 0) | (new != 0)).movedim(-2, 0).flatten(1).any(1)
    for j in used.nonzero()[:, 0].tolist():
        share = (old[..., j, :] + (new - old)[..., j, :] * r).flatten(-2)
        through = torch.fft.irfft(spectrum * torch.fft.rfft(bank[j], size), size)[..., :t]
        heard = heard + share * through
    return heard


def air_shares(way_m: Float[Tensor, "*b"]) -> Float[Tensor, "*b j"]:
    """How much of each filter of the bank is heard after a way: `encode.air.air_blend`, sum 1."""
    left, share = air_blend(way_m)
    one = torch.eye(len(WAYS_M), dtype=way_m.dtype, device=way_m.device)
    return (1 - share[..., None]) * one[left] + share[..., None] * one[left + 1]


def longest_delay(clock: Clock) -> float:
    """Samples that the engine's memory of every input reaches back: at least a second, 343 m. Farther is as far."""
    length = 64
    while length < clock.rate_hz + 2 * clock.block:
        length *= 2
    return length - clock.block - 2.0 * TAPS


def _delay(distance_m: Float[Tensor, "*b"], clock: Clock) -> Float[Tensor, "*b"]:
    return (distance_m * (clock.rate_hz / SPEED_OF_SOUND_M_S)).clamp(LEAST_DELAY, longest_delay(clock))


def _read(audio: Float[Tensor, "*#b q t"], p: Float[Tensor, "*#b q k n"]) -> Float[Tensor, "*b q t"]:
    """Audio at places between samples; p counts from the start of each block and is below the sample that asks."""
    blocks, block = p.shape[-2:]
    columns = torch.from_numpy(interpolation_table()).to(audio).T.contiguous()
    slopes = columns.diff(dim=1)
    whole = p.detach().floor()
    row = (p - whole) * slopes.shape[1]
    j = row.detach().long()
    share, j = (row - j).to(audio.dtype).flatten(-2), j.flatten(-2)
    starts = torch.arange(blocks, device=p.device)[:, None] * block
    first = (starts + whole.long() - _BEHIND).flatten(-2)
    silence = max(0, -int(first.min()))
    x = torch.nn.functional.pad(audio, (silence, 0))
    batch = torch.broadcast_shapes(x.shape[:-1], first.shape[:-1])
    x, first = x.expand(*batch, -1), first.expand(*batch, -1) + silence
    y = torch.zeros((), dtype=audio.dtype, device=audio.device)
    for k in range(TAPS):
        y = y + (columns[k][j] + slopes[k][j] * share) * x.gather(-1, first + k)
    return y
