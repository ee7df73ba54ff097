"""Which of the fitted reflections are really there: wall by wall, band by band.

Letters: y heard and x modelled response after the direct sound, [4 t]; x without (i, b) leaves out what wall i gives
back in band b; the share it explains is (|y − x without|² − |y − x|²)/|y|² in its band and the two beside it.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from sonoworld.acoustics.bands import BANDS, in_bands
from sonoworld.acoustics.heard import early_part
from sonoworld.acoustics.response import Grid
from sonoworld.acoustics.room import MOST_ABSORPTION, Room
from sonoworld.learn.walls import Reflected


def settled(room: Room, heard: Reflected, foa_limit_hz: float, least_share: float) -> Room:
    """The room with reflections only where they explain at least `least_share` of what is heard in their band.

    Elsewhere the wall swallows all, so that what was measured stays in the residue, untouched.
    """
    absorption = room.walls.absorption.copy()
    whole = _energies(heard, heard.rest, foa_limit_hz)
    left = _left(room, heard, foa_limit_hz)
    for wall, band in np.ndindex(*absorption.shape):
        without = room.walls.absorption.copy()
        without[wall, band] = MOST_ABSORPTION
        changed = replace(room, walls=replace(room.walls, absorption=without))
        near = slice(max(0, band - 1), band + 2)
        gained = (_left(changed, heard, foa_limit_hz) - left)[near].sum()
        if gained < least_share * whole[near].sum():
            absorption[wall, band] = MOST_ABSORPTION
    return replace(room, walls=replace(room.walls, absorption=absorption))


def explained(room: Room, heard: Reflected, foa_limit_hz: float) -> Float64[np.ndarray, "b"]:
    """1 − |y − x|²/|y|² per band: 1 all of it, below 0 worse than nothing."""
    return 1 - _left(room, heard, foa_limit_hz) / _energies(heard, heard.rest, foa_limit_hz)


def _left(room: Room, heard: Reflected, foa_limit_hz: float) -> Float64[np.ndarray, "b"]:
    grid = Grid(heard.rest.shape[1], heard.rate_hz, air=False)
    model = early_part(room, heard.emitter, heard.source, heard.listener, grid, reflections_only=True)
    return _energies(heard, heard.rest - model, foa_limit_hz)


def _energies(heard: Reflected, x: Float64[np.ndarray, "4 t"], foa_limit_hz: float) -> Float64[np.ndarray, "b"]:
    """Per band, all channels; directions count up to their limit only."""
    n = 2 * x.shape[1]
    trust = np.ones((4, n // 2 + 1))
    if foa_limit_hz > 0:
        trust[1:] = 1 / (1 + (np.fft.rfftfreq(n, 1 / heard.rate_hz) / foa_limit_hz) ** 8)
    bands = in_bands(np.fft.irfft(np.fft.rfft(x, n) * trust, n)[:, : x.shape[1]], heard.rate_hz)
    energies = (bands**2).sum((0, 2))
    assert energies.shape == (BANDS,)
    return energies
