"""What a room makes of one short sound: the response at a listener, as Ambisonics. Numbers in, numbers out.

Letters: h response, [c t]; time 0 is when the sound is sent.
"""

import math

import numpy as np
import torch
from jaxtyping import Float64

from sonoworld.acoustics.images import heard_images
from sonoworld.acoustics.late import late_response
from sonoworld.acoustics.noise import band_noise, covariance_roots
from sonoworld.acoustics.response import NEPER_DB, Grid, Radiation, early_response
from sonoworld.acoustics.room import (
    LEAST_ABSORPTION,
    MOST_ABSORPTION,
    SPEED_OF_SOUND_M_S,
    Emitter,
    LateField,
    Room,
)
from sonoworld.errors import InputError


def room_response(
    room: Room,
    emitter: Emitter,
    source: Float64[np.ndarray, "3"],
    listener: Float64[np.ndarray, "3"],
    grid: Grid,
    seed: int = 0,
) -> Float64[np.ndarray, "c t"]:
    """Response at a listener who looks along x: direct sound, first reflections and late field.

    Args:
        room: walls and late field; channels above first order get no late field.
        emitter: of the source; with a wavelet, its gain is not used.
        source: m, world.
        listener: m, world.
        grid: length, rate, order.
        seed: of the late noise; a measured late field needs none.

    Raises:
        ShapeError: somebody stands outside the walls.
        InputError: a measured late field at another rate.
    """
    h = early_part(room, emitter, source, listener, grid)
    if room.late is None:
        return h
    d = float(np.linalg.norm(source - listener))
    late = _late_part(room.late, emitter, d, grid, seed)
    channels = min(4, len(h))
    h[:channels] += late[:channels]
    return h


def early_part(
    room: Room,
    emitter: Emitter,
    source: Float64[np.ndarray, "3"],
    listener: Float64[np.ndarray, "3"],
    grid: Grid,
    *,
    reflections_only: bool = False,
) -> Float64[np.ndarray, "c t"]:
    """Direct sound and first reflections alone, or only the latter; see `room_response`."""
    images = heard_images(room.walls, source, listener, room.order)
    if reflections_only:
        images = images.chosen(images.hits.sum(1) > 0)
    places = torch.tensor(source), torch.tensor(listener)
    h = early_response(images, log_reflection(room.walls.absorption), radiation_of(emitter), *places, grid)
    return sounded(h.numpy(), emitter)


def radiation_of(emitter: Emitter) -> Radiation:
    """An emitter in tensors; one with a wavelet is flat here, its wavelet comes after."""
    gain_db = emitter.gain_db if emitter.wavelet is None else np.zeros_like(emitter.gain_db)
    return Radiation(
        torch.from_numpy(gain_db / NEPER_DB), torch.tensor(emitter.directivity), torch.tensor(emitter.facing)
    )


def log_reflection(absorption: Float64[np.ndarray, "w b"]) -> torch.Tensor:
    """Ln √(1 − α)."""
    return 0.5 * torch.log1p(-torch.tensor(absorption).clamp(LEAST_ABSORPTION, MOST_ABSORPTION))


def sounded(h: Float64[np.ndarray, "c t"], emitter: Emitter) -> Float64[np.ndarray, "c t"]:
    """A response to an impulse -> to the emitter's wavelet, whose onset stays where the impulse was."""
    if emitter.wavelet is None:
        return h
    t, k = h.shape[1], len(emitter.wavelet)
    n = 1 << (t + k - 1).bit_length()
    made = np.fft.irfft(np.fft.rfft(h, n) * np.fft.rfft(emitter.wavelet, n), n)
    return made[:, emitter.onset : emitter.onset + t]


def _late_part(
    late: LateField, emitter: Emitter, distance_m: float, grid: Grid, seed: int
) -> Float64[np.ndarray, "4 t"]:
    if late.measured is not None:
        if late.measured_rate_hz != grid.rate_hz:
            raise InputError(f"measured late field: expected {grid.rate_hz} Hz, got {late.measured_rate_hz}")
        out = np.zeros((4, grid.taps))
        first = round(distance_m / SPEED_OF_SOUND_M_S * grid.rate_hz) - emitter.onset
        arrived = late.measured[:, max(0, -first) : grid.taps - first]
        first = max(0, first)
        out[:, first : first + arrived.shape[1]] = arrived
        return out
    made = late_response(
        torch.from_numpy(band_noise(grid.taps, grid.rate_hz, seed)),
        torch.tensor(late.t60_s),
        torch.tensor((late.level_db + emitter.gain_db) * (math.log(10) / 10)),
        torch.tensor(late.mixing_s, dtype=torch.float64),
        torch.from_numpy(covariance_roots(late.covariance)),
        grid.rate_hz,
    )
    return made.numpy()
