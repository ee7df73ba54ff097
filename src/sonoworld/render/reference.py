"""The readable definition of what the block engine computes, in torch: whole signals, batches, gradients, any device.

Letters: *b batch axes; q sources; k blocks; c channels; t samples. Sound field: Σ_q g_q(t)·x_q(t), g on a straight
line per sample from the gains of the last block to this one's; then y_e = Σ_c h_ec * field_c for both ears.

Geometry is computed in the dtype of the positions and sound in the dtype of the audio: float64 and float32 for what
the engine does. Where a source is at the head its direction jumps; gradients there are finite and say nothing.
"""

from jaxtyping import Float

from sonoworld.errors import BackendMissingError, ShapeError

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise BackendMissingError(f"the torch reference needs torch ({error}): pip install 'sonoworld[learn]'") from error

from sonoworld.encode.exchange import order_of
from sonoworld.encode.harmonics import channel_count
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.render.reference_blocks import ramped_mix, to_ears
from sonoworld.render.reference_gains import distances_reference, gains_reference
from sonoworld.render.reference_scene import Aim, Around, Bed, Clock, Head, Sources, head_rotations
from sonoworld.render.reference_travel import travelled

__all__ = [
    "Aim",
    "Around",
    "Bed",
    "Clock",
    "Head",
    "Sources",
    "field_reference",
    "gains_reference",
    "head_rotations",
    "render_reference",
]

_LAW, _CLOCK = EncodeOptions(), Clock()


def render_reference(
    audio: Float[Tensor, "*#b q t"],
    around: Around,
    filters: Float[Tensor, "*#b 2 c taps"],
    law: EncodeOptions = _LAW,
    clock: Clock = _CLOCK,
) -> Float[Tensor, "*b 2 t"]:
    """What two ears hear of `audio`: equal to `Engine` fed block by block, and differentiable in every tensor.

    Args:
        audio: one signal per source.
        around: sources, listener, bed.
        filters: left, right; SN3D, head axes, as `torch.from_numpy(hrir("kemar", order))` or a parameter to learn.
        law: order, distance, air and delay; areas are coherent, as in the engine.
        clock: rate and samples per block.

    Returns:
        Left and right, in the wider dtype of audio and filters.

    Raises:
        ShapeError: numbers of sources, blocks or channels that do not fit, a law with `near_field`, or (paper mode) a
            source at the listener's place.
    """
    channels = channel_count(law.order)
    if filters.shape[-2] != channels:
        raise ShapeError("filters", expected=f"{channels} channels (order {law.order})", got=str(tuple(filters.shape)))
    return to_ears(field_reference(audio, around, law, clock), filters)


def field_reference(
    audio: Float[Tensor, "*#b q t"], around: Around, law: EncodeOptions = _LAW, clock: Clock = _CLOCK
) -> Float[Tensor, "*b c t"]:
    """The sound field at the head: ACN, SN3D, head axes; see `render_reference`."""
    t = audio.shape[-1]
    blocks = -(-t // clock.block)
    x = torch.nn.functional.pad(audio, (0, blocks * clock.block - t))
    gains = gains_reference(around, law)
    _require(audio, gains, blocks, law)
    if law.delay or law.air == "iso9613":
        way_m, heard = distances_reference(around, law), (gains != 0).any(-2)
        way_m, heard = (v.expand(*v.shape[:-2], blocks, v.shape[-1]) for v in (way_m, heard))
        x = travelled(x, way_m, heard, law, clock)
    field = ramped_mix(gains, x)
    if around.bed is not None:
        field = field + _turned(around.bed, around.head, law.order, field)
    return field[..., :t]


def _turned(bed: Bed, head: Head, order: int, field: Float[Tensor, "*f c t"]) -> Float[Tensor, "*b c t"]:
    """The bed in head axes, with silent channels up to the field's."""
    channels, length = bed.signal.shape[-2:]
    own, t = order_of(channels), field.shape[-1]
    if own > order:
        raise ShapeError("bed", expected=f"order <= {order}", got=f"order {own}")
    if bed.loops:
        x = bed.signal[..., torch.arange(t, device=bed.signal.device) % length]
    else:
        x = torch.nn.functional.pad(bed.signal[..., :t], (0, max(0, t - length)))
    turned = ramped_mix(rotation_matrix(head.rotations.mT, own), x.to(field.dtype))
    return torch.nn.functional.pad(turned, (0, 0, 0, field.shape[-2] - channels))


def _require(audio: Tensor, gains: Tensor, blocks: int, law: EncodeOptions) -> None:
    if law.near_field:
        raise ShapeError("law", expected="near_field=False, as in the engine", got="True")
    if blocks == 0 or audio.shape[-2] != gains.shape[-1]:
        raise ShapeError("audio", expected=f"[*b, {gains.shape[-1]}, t >= 1]", got=str(tuple(audio.shape)))
    if gains.shape[-3] not in (1, blocks):
        raise ShapeError("blocks", expected=f"1, or {blocks} for these samples", got=str(gains.shape[-3]))
