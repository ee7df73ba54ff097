"""Whose ears: decoding filters by name, with the one line that says what was loaded."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from sonoworld.render.hrtf import SHIPPED_RATE_HZ, hrir

OURS = {
    "kemar": "MIT KEMAR mannequin (Gardner and Martin 1994)",
    "sphere": "rigid sphere of 8.75 cm radius",
}


@dataclass(frozen=True, slots=True)
class Ears:
    """Filters as of `hrtf.hrir`, and what they are."""

    filters: Float32[np.ndarray, "2 c t"]
    line: str


def ears(name: str, order: int) -> Ears:
    """Filters at 48 kHz of "kemar", "sphere" or a SOFA file, with a line for people.

    Raises:
        ShapeError: the order is outside 1..7.
        UnsafeFileError: the SOFA file cannot be used.
    """
    if name in OURS:
        return Ears(hrir(name, order), OURS[name])
    from sonoworld.render.designed import loaded_filters  # noqa: PLC0415  slow imports
    from sonoworld.render.sofa import load_sofa  # noqa: PLC0415

    path = Path(name)
    sofa = load_sofa(path)
    return Ears(loaded_filters(path, sofa, order, SHIPPED_RATE_HZ), f"{path}: {sofa.line}")
