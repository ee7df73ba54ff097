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


def ramped_mix(gains: Float[Tensor, "*#b k o i"], signals: Float[Tensor, "*#b i t"]) -> Float[Tensor, "*b o t"]:
    """Σ_i g_oi(t)·x_i(t): each set of gains is reached at the end of its block, on a straight line per sample.

    The k blocks divide t evenly; one set alone holds throughout.
    """
    after = gains.to(signals.dtype)
    blocks = after.shape[-3]
    if blocks == 1:
        return after[..., 0, :, :] @ signals
    before = held_before(after, -3)
    x = signals.unflatten(-1, (blocks, -1)).movedim(-2, -3)  # [*b k i B]
    mixed = before @ x + (after - before) @ (x * block_ramp(x.shape[-1], x))
    return mixed.movedim(-3, -2).flatten(-2)


def fft_size(least: int) -> int:
    """The smallest 2^a·{1, 3, 5, 9, 15}/8 that is at least `least`: sizes on which every FFT library is fast."""
    return min(odd << max(0, (-(-least // odd) - 1).bit_length()) for odd in (1, 3, 5, 9, 15))


def to_ears(field: Float[Tensor, "*#b c t"], filters: Float[Tensor, "*#b e c taps"]) -> Float[Tensor, "*b e t"]:
    """Y_e = Σ_c h_ec * x_c (causal convolution), cut to the field's length; in the wider of both dtypes."""
    t, dtype = field.shape[-1], torch.promote_types(field.dtype, filters.dtype)
    size = fft_size(t + filters.shape[-1] - 1)
    x, h = torch.fft.rfft(field.to(dtype), size), torch.fft.rfft(filters.to(dtype), size)
    return torch.fft.irfft(torch.einsum("...cf,...ecf->...ef", x, h), size)[..., :t]
