"""Sources that face somewhere: the first-order (cardioid) family, sharpened. Any array library.

Letters: x offset from listener to source; d = √(|x|² + ε²); θ angle between the source's axis and its way to the
listener; a share of the dipole (0 alike to all sides, 0.5 cardioid, 1 figure of eight); n sharpness.
"""

from typing import Any

from array_api_compat import array_namespace
from jaxtyping import Float

from sonoworld.encode.propagate import distance


def directivity_gain(
    offset: Float[Any, "*b 3"], facing: Float[Any, "*f 3"], pattern: Any, sharpness: Any, near_m: float
) -> Float[Any, "*b"]:
    """b·|b|^(n − 1) with b = (1 − a) + a·cos θ and cos θ = −(facing·x)/d: 1 on the axis far away.

    With ε > 0 the gradient in every argument is continuous, in nulls and at the source too.

    Args:
        offset: source − listener, m; in the same axes as `facing`.
        facing: unit vectors; one for all, or one for each offset.
        pattern: a, 0..1; a number or an array.
        sharpness: n >= 1; a number or an array.
        near_m: ε, m.

    Returns:
        Factors on the level; negative in the back lobe of patterns above 0.5, as pressure is.
    """
    xp = array_namespace(offset)
    cosine = -xp.sum(offset * facing, axis=-1) / distance(offset, near_m)
    b = (1 - pattern) + pattern * cosine
    if isinstance(sharpness, (int, float)) and sharpness == 1:
        return b
    # |b|^(n − 1) as a power of b² that is never 0, so that no gradient is infinite or undefined in a null
    return b * (b * b + xp.finfo(b.dtype).smallest_normal) ** ((sharpness - 1) / 2)
