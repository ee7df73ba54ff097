"""How much of a sound materials swallow, per octave band.

Energy coefficients at random incidence, 125 Hz..4 kHz, as handbooks give them (Everest & Pohlmann, Master Handbook of
Acoustics, appendix; Vorländer, Auralization, annex). 8 and 16 kHz are those of 4 kHz: nobody measures them.
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import InputError

_MEASURED: dict[str, tuple[float, float, float, float, float, float]] = {
    "concrete": (0.01, 0.01, 0.02, 0.02, 0.02, 0.03),
    "brick": (0.03, 0.03, 0.03, 0.04, 0.05, 0.07),
    "plasterboard": (0.29, 0.10, 0.05, 0.04, 0.07, 0.09),
    "plaster": (0.14, 0.10, 0.06, 0.05, 0.04, 0.03),
    "wood": (0.15, 0.11, 0.10, 0.07, 0.06, 0.07),
    "glass": (0.35, 0.25, 0.18, 0.12, 0.07, 0.04),
    "carpet": (0.02, 0.06, 0.14, 0.37, 0.60, 0.65),
    "curtain": (0.07, 0.31, 0.49, 0.75, 0.70, 0.60),
    "acoustic ceiling": (0.50, 0.70, 0.60, 0.70, 0.70, 0.50),
    "grass": (0.11, 0.26, 0.60, 0.69, 0.92, 0.99),
    "soil": (0.15, 0.25, 0.40, 0.55, 0.60, 0.60),
    "asphalt": (0.02, 0.03, 0.03, 0.03, 0.03, 0.04),
    "water": (0.01, 0.01, 0.01, 0.02, 0.02, 0.03),
    "snow": (0.45, 0.75, 0.90, 0.95, 0.95, 0.95),
}
MATERIALS = tuple(_MEASURED)


def absorption_of(material: str) -> Float64[np.ndarray, "b"]:
    """Of one material, octaves 125 Hz..16 kHz.

    Raises:
        InputError: an unknown material.
    """
    if material not in _MEASURED:
        raise InputError(f"material: expected one of {', '.join(MATERIALS)}, got {material!r}")
    row = _MEASURED[material]
    return np.array([*row, row[-1], row[-1]])
