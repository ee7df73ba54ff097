"""What changes from block to block, and filters over whole signals: the arithmetic of the torch reference.

Letters: *b batch; k blocks of B samples; r = (i + 1)/B at sample i of a block; i inputs, o outputs of a mixture.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor


def held_before(value: Shaped[Tensor, "*v"], axis: int) -> Shaped[Tensor, "*v"]:
    """What held when each block began: the value of the block before; the first block's holds from its start."""
    last = value.shape[axis] - 1
    return torch.cat([value.narrow(axis, 0, 1), value.narrow(axis, 0, last)], axis)


def block_ramp(block: int, like: Tensor) -> Float[Tensor, "t"]:
    """R: 1/B at the first sample of a block, 1 at its last."""
    return torch.arange(1, block + 1, dtype=like.dtype, device=like.device) / block


def ramped_mix(
    before: Float[Tensor, "*#b #k o i"], after: Float[Tensor, "*#b #k o i"], signals: Float[Tensor, "*#b i t"]
) -> Float[Tensor, "*b o t"]:
    """Σ_i g_oi(t)·x_i(t): g goes from `before` to `after` on a straight line per sample, anew in every block.

    The k blocks divide t evenly; one block alone that changes nothing holds throughout.
    """
    before, after = before.to(signals.dtype), after.to(signals.dtype)
    blocks = max(before.shape[-3], after.shape[-3])
    x = signals.unflatten(-1, (blocks, -1)).movedim(-2, -3)  # [*b k i B]
    mixed = before @ x
    if before is not after:
        mixed = mixed + (after - before) @ (x * block_ramp(x.shape[-1], x))
    return mixed.movedim(-3, -2).flatten(-2)


def ramped(values: Float[Tensor, "*#b k o i"], signals: Float[Tensor, "*#b i t"]) -> Float[Tensor, "*b o t"]:
    """`ramped_mix` of values each of which holds at the end of its block."""
    cast = values.to(signals.dtype)
    return ramped_mix(cast if cast.shape[-3] == 1 else held_before(cast, -3), cast, signals)


def fft_size(least: int) -> int:
    """The smallest 2^a·{1, 3, 5, 9, 15}/8 that is at least `least`: sizes on which every FFT library is fast."""
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15))


def filtered(signals: Float[Tensor, "*#b t"], filters: Float[Tensor, "*#b taps"]) -> Float[Tensor, "*b t"]:
    """Each signal through its filter (causal convolution), cut to its own length."""
    t = signals.shape[-1]
    size = fft_size(t + filters.shape[-1] - 1)
    return torch.fft.irfft(torch.fft.rfft(signals, size) * torch.fft.rfft(filters, size), size)[..., :t]


def to_ears(field: Float[Tensor, "*#b c t"], filters: Float[Tensor, "*#b e c taps"]) -> Float[Tensor, "*b e t"]:
    """Y_e = Σ_c h_ec * x_c (causal convolution), cut to the field's length; in the wider of both dtypes."""
    t, dtype = field.shape[-1], torch.promote_types(field.dtype, filters.dtype)
    size = fft_size(t + filters.shape[-1] - 1)
    x, h = torch.fft.rfft(field.to(dtype), size), torch.fft.rfft(filters.to(dtype), size)
    return torch.fft.irfft(torch.einsum("...cf,...ecf->...ef", x, h), size)[..., :t]
