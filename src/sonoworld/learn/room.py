"""One measured response -> the room: what its walls swallow, how it rings, and what the source radiates.

Letters: y heard response, [4 t], W Y Z X (SN3D), time 0 when the sound was sent; d distance of the source, m;
x model of direct sound and first reflections; r = y − x, the residue.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from sonoworld.acoustics.bands import BANDS, in_bands
from sonoworld.acoustics.decay import late_field_of
from sonoworld.acoustics.heard import early_part
from sonoworld.acoustics.images import heard_images
from sonoworld.acoustics.response import Grid, Radiation, early_spectrum
from sonoworld.acoustics.room import SPEED_OF_SOUND_M_S, Emitter, LateField, Room, Walls
from sonoworld.errors import InputError, ShapeError
from sonoworld.learn.losses import early_loss
from sonoworld.learn.parameters import Free, freed
from sonoworld.learn.settle import explained, settled
from sonoworld.learn.walls import Reflected, placed_walls

LEAST_RATE_HZ = 44_100
BEFORE_S, DIRECT_S, FADE_S = 0.004, 0.0025, 0.0005
"""The direct sound: from 4 ms before its largest sample (measured responses ring ahead) to 2.5 ms after."""
PLACING_HZ = 1700.0
"""Walls are placed by what is below: waves there are 20 cm and longer, and small arrays still know directions."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A measured response, W Y Z X (SN3D), and where source and listener stood (m, world; listener looks along x)."""

    response: Float64[np.ndarray, "4 t"]
    rate_hz: int
    source: Float64[np.ndarray, "3"]
    listener: Float64[np.ndarray, "3"]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How a room is fitted.

    `foa_limit_hz`: above it only W is trusted (0: everything), as of microphone arrays. `reach_m`: walls are first
    moved by up to this to where their reflections are heard. With `keep_residue` the measured response minus its model
    stays in the room; with `moving`, reflections that explain at least `least_share` of their band leave it and move
    with the source, else they all stay where they were measured. `directional` fits the source's directivity too,
    which one response hardly tells from absorption.
    """

    order: int = 2
    steps: int = 150
    learning_rate: float = 1e-1
    patience: int = 25
    early_s: float = 0.03
    late_from_s: float = 0.01
    jitter: float = 0.3
    seed: int = 0
    foa_limit_hz: float = 0.0
    reach_m: float = 0.0
    keep_residue: bool = True
    moving: bool = True
    least_share: float = 0.02
    directional: bool = False


@dataclass(frozen=True, slots=True)
class RoomFit:
    """A fitted room, its source, and how it went.

    `room` has the measured residue if it was kept; `parameters` is the room in numbers alone. `explained` is the share
    of early energy per band, after the direct sound, that the walls' reflections account for: 1 all, below 0 harm.
    """

    room: Room
    parameters: Room
    emitter: Emitter
    losses: tuple[float, ...]
    seconds: float
    explained: Float64[np.ndarray, "b"]


Watch = Callable[[int, int, float], None]
"""Called with step, steps and loss."""


def fit_room(shots: tuple[Shot, ...], walls: Walls, options: FitOptions, watch: Watch | None = None) -> RoomFit:
    """Fit walls' absorption and the source's directivity by gradients, the late field in closed form.

    The source's waveform is the direct sound of the first shot; the late field, and the residue that is kept with it,
    are the first shot's. Further shots only help to tell the walls.

    Args:
        shots: at least one; time 0 need not be known, the direct sound is put where distance says.
        walls: where they are; their absorption is where the fit begins.
        options: how.
        watch: sees every step.

    Raises:
        InputError: no shot, silence, rates differ, or no decay by 25 dB.
        ShapeError: source or listener behind a wall, or in the same place.
    """
    began = time.perf_counter()
    if not shots or len({s.rate_hz for s in shots}) != 1:
        raise InputError("shots: expected at least one, all of one rate")
    if shots[0].rate_hz < LEAST_RATE_HZ:
        raise InputError(f"shots: expected {LEAST_RATE_HZ} Hz or more (bands up to 16 kHz), got {shots[0].rate_hz}")
    heard = [aligned(shot) for shot in shots]
    emitter = emitter_of(heard[0], shots[0])
    reflected = _reflected(heard[0], shots[0], emitter, options)
    if options.reach_m > 0:
        walls = placed_walls(walls, reflected, options.reach_m, PLACING_HZ)
    free, losses = _fit_early(shots, heard, walls, emitter, options, watch)
    absorption, directivity = free.values()
    emitter = replace(emitter, directivity=directivity)
    early = Room(replace(walls, absorption=absorption), None, options.order)
    shares = explained(early, replace(reflected, emitter=emitter), options.foa_limit_hz)
    late = _late(heard[0], shots[0], early, emitter, options)
    room = parameters = replace(early, late=late)
    if options.keep_residue:
        room = replace(early, order=0)
        if options.moving:
            room = settled(early, replace(reflected, emitter=emitter), options.foa_limit_hz, options.least_share)
        residue = residue_of(heard[0], shots[0], room, emitter).astype(np.float32)
        room = replace(room, late=replace(late, measured=residue, measured_rate_hz=shots[0].rate_hz))
    return RoomFit(room, parameters, emitter, tuple(losses), time.perf_counter() - began, shares)


def _late(
    heard: Float64[np.ndarray, "4 t"], shot: Shot, early: Room, emitter: Emitter, options: FitOptions
) -> LateField:
    """Times of the response, energy of what its reflections leave over."""
    left = heard - early_part(early, emitter, shot.source, shot.listener, Grid(heard.shape[1], shot.rate_hz, air=False))
    return late_field_of(heard, left, _wavelet(emitter), options.late_from_s, shot.rate_hz)


def aligned(shot: Shot) -> Float64[np.ndarray, "4 t"]:
    """The response with its largest sample of W where the direct sound arrives, d/c after it was sent."""
    peak = int(np.argmax(np.abs(shot.response[0])))
    if shot.response[0, peak] == 0:
        raise InputError("response: expected a sound, got silence")
    shift = round(_distance(shot) / SPEED_OF_SOUND_M_S * shot.rate_hz) - peak
    kept = shot.response[:, max(0, -shift) :]
    return np.pad(kept, ((0, 0), (max(0, shift), 0)))


def emitter_of(heard: Float64[np.ndarray, "4 t"], shot: Shot) -> Emitter:
    """Waveform at 1 m of the direct sound, and its gain per band; the source faces the listener."""
    rate, d = shot.rate_hz, _distance(shot)
    arrives = d / SPEED_OF_SOUND_M_S * rate
    at, before = round(arrives), round(BEFORE_S * rate)
    window = direct_window(heard.shape[1], at, rate)
    first, last = max(0, at - before), at + round(DIRECT_S * rate) + 1
    wavelet = _shifted((heard[0] * window)[first:last] * d, at - arrives)
    impulse = np.zeros(len(wavelet))
    impulse[at - first] = 1.0
    energy = (in_bands(np.stack([wavelet, impulse]), rate) ** 2).sum(-1)
    gain_db = 10 * np.log10(np.maximum(energy[0], 1e-12) / energy[1])
    return Emitter(gain_db, np.zeros(BANDS), (shot.listener - shot.source) / d, wavelet, at - first)


def _shifted(x: Float64[np.ndarray, "t"], samples: float) -> Float64[np.ndarray, "t"]:
    """Later by a part of a sample, band-limited: `aligned` knows only whole ones."""
    n = 2 * len(x)
    return np.fft.irfft(np.fft.rfft(x, n) * np.exp(-2j * np.pi * np.fft.rfftfreq(n) * samples), n)[: len(x)]


def direct_window(samples: int, at: int, rate_hz: int) -> Float64[np.ndarray, "t"]:
    """1 over the direct sound around sample `at`, soft ends, else 0."""
    t = (np.arange(samples) - at) / rate_hz
    rise = np.clip((t + BEFORE_S) / FADE_S, 0, 1)
    fall = np.clip((DIRECT_S - t) / FADE_S, 0, 1)
    return np.sin(0.5 * np.pi * np.minimum(rise, fall)) ** 2


def residue_of(
    heard: Float64[np.ndarray, "4 t"], shot: Shot, room: Room, emitter: Emitter
) -> Float64[np.ndarray, "4 u"]:
    """What the early part leaves over, from the direct sound's arrival on (less the wavelet's onset).

    Of the direct sound only W's error is left; its direction stands where the source stands.
    """
    grid = Grid(heard.shape[1], shot.rate_hz, air=False)
    model = early_part(room, emitter, shot.source, shot.listener, grid)
    at = round(_distance(shot) / SPEED_OF_SOUND_M_S * shot.rate_hz)
    keep = np.repeat((1 - direct_window(heard.shape[1], at, shot.rate_hz))[None], 4, 0)
    keep[0] = 1.0
    return ((heard - model) * keep)[:, at - emitter.onset :]


def _reflected(heard: Float64[np.ndarray, "4 t"], shot: Shot, emitter: Emitter, options: FitOptions) -> Reflected:
    at = round(_distance(shot) / SPEED_OF_SOUND_M_S * shot.rate_hz)
    rest = heard * (1 - direct_window(heard.shape[1], at, shot.rate_hz))
    taps = round(options.early_s * shot.rate_hz)
    return Reflected(rest[:, :taps], emitter, shot.source, shot.listener, shot.rate_hz)


def _fit_early(
    shots: tuple[Shot, ...],
    heard: list[Float64[np.ndarray, "4 t"]],
    walls: Walls,
    emitter: Emitter,
    options: FitOptions,
    watch: Watch | None,
) -> tuple[Free, list[float]]:
    free = freed(walls.absorption, options.jitter, options.seed, directional=options.directional)
    models = [_early_model(shot, y, walls, emitter, options) for shot, y in zip(shots, heard, strict=True)]
    optimiser = torch.optim.Adam([x for x in free.leaves() if x.requires_grad], lr=options.learning_rate)
    losses: list[float] = []
    best, kept, since = float("inf"), free, 0
    for step in range(options.steps):
        optimiser.zero_grad()
        loss = torch.stack([model(free) for model in models]).mean()
        losses.append(float(loss.detach()))
        if watch is not None:
            watch(step + 1, options.steps, losses[-1])
        if losses[-1] < best - 1e-5:
            best, since = losses[-1], 0
            kept = Free(free.absorption.detach().clone(), free.directivity.detach().clone())
        elif (since := since + 1) >= options.patience:
            break
        loss.backward()
        optimiser.step()
    return kept, losses


def _early_model(
    shot: Shot, heard: Float64[np.ndarray, "4 t"], walls: Walls, emitter: Emitter, options: FitOptions
) -> Callable[[Free], Tensor]:
    """The loss of one shot as a function of what is fitted."""
    grid = Grid(round(options.early_s * shot.rate_hz), shot.rate_hz, air=False)
    images = heard_images(walls, shot.source, shot.listener, options.order)
    wave = np.fft.rfft(_wavelet(emitter), grid.fft)
    hz = np.fft.rfftfreq(grid.fft, 1 / grid.rate_hz)
    wave = wave * np.exp(2j * np.pi * hz * emitter.onset / grid.rate_hz)
    target = np.fft.rfft(heard[:, : grid.taps], grid.fft)
    trusted = np.ones((4, len(hz)))
    if options.foa_limit_hz > 0:
        trusted[1:] = 1 / (1 + (hz / options.foa_limit_hz) ** 8)
    y = torch.fft.irfft(torch.from_numpy(target * trusted), grid.fft)[:, : grid.taps]
    shaping = torch.from_numpy(wave * trusted)
    places = torch.tensor(shot.source), torch.tensor(shot.listener)
    facing = torch.tensor((shot.listener - shot.source) / _distance(shot))

    def loss(free: Free) -> Tensor:
        radiation = Radiation(torch.zeros(BANDS, dtype=torch.float64), free.directivities(), facing)
        spectrum = early_spectrum(images, free.log_reflection(), radiation, *places, grid) * shaping
        return early_loss(torch.fft.irfft(spectrum, grid.fft)[:, : grid.taps], y)

    return loss


def _wavelet(emitter: Emitter) -> Float64[np.ndarray, "t"]:
    if emitter.wavelet is None:
        raise InputError("emitter: expected a measured waveform, got a gain alone")
    return emitter.wavelet


def _distance(shot: Shot) -> float:
    d = float(np.linalg.norm(shot.source - shot.listener))
    if d < 0.05:
        raise ShapeError("source", expected="5 cm or more from the listener", got=f"{d:g} m")
    return d
