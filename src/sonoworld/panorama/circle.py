"""The circle that a flat picture does not know: columns kept twice, and made one again.

Letters: w columns go around once; n of them (n even) are shared. The opened picture has w + n columns: half of the
shared ones are added on each side, so that its first n and its last n columns are the same places on the sphere. A
painter that sees the opened picture sees across ±180°; what it says twice is blended by a straight ramp, each copy
counting for more the farther it lies from its own edge (the blending that WorldGen does at its right side).
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from sonoworld.errors import InputError


def opened(image: np.ndarray, shared: int) -> np.ndarray:
    """An image [h w ...] that goes around once, with half of `shared` columns more on each side.

    Raises:
        InputError: `shared` is odd, negative, or more than the columns there are.
    """
    if shared % 2 or not 0 <= shared <= image.shape[1]:
        raise InputError(f"shared columns: expected an even number of 0..{image.shape[1]}, got {shared}")
    half = shared // 2
    return np.concatenate([image[:, image.shape[1] - half :], image, image[:, :half]], axis=1)


def agreed(image: Any, shared: int) -> Any:
    """An opened array [... w+n c] (NumPy or torch) whose shared columns are both set to their blend."""
    if not shared:
        return image
    xp = array_namespace(image)
    last = image.shape[-2] - shared
    ramp = (np.arange(shared) + 0.5) / shared  # of the left copy, whose own edge is at the first column
    t = xp.asarray(ramp[:, None], dtype=image.dtype, device=image.device)
    mix = image[..., last:, :] * (1 - t) + image[..., :shared, :] * t
    return xp.concat([mix, image[..., shared:last, :], mix], axis=-2)


def closed(image: np.ndarray, shared: int) -> np.ndarray:
    """The image [h w c] that goes around once, of an opened one: shared columns blended, then one copy kept."""
    half = shared // 2
    whole = agreed(image, shared)
    return whole[:, half : whole.shape[1] - half]
