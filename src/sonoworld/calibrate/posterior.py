"""Pitch, roll and field of view as a posterior over a grid: its peak or mean, and an honest spread.

Evidence: line segments (manhattan), the skyline, and the prior of how people hold cameras. A hypothesis is one
(pitch, roll, fov) in radians. Where few lines follow gravity, lines are noise: their weight falls, sigmas rise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.backend import Calibrate, Run
from sonoworld.calibrate import manhattan, skyline
from sonoworld.calibrate.camera import (
    PITCH_SIGMA,
    ROLL_SIGMA,
    camera_from_angles,
    focal_from_fov,
    fov_from_focal,
    require_perspective,
)
from sonoworld.calibrate.segments import Segments, find_segments
from sonoworld.calibrate.skyline import Skyline, find_skyline
from sonoworld.frames import world_from_camera_rotation
from sonoworld.types import Camera, CameraSigma, Photo

FOV_MEAN, FOV_SIGMA = math.radians(68), math.radians(14)
"""Prior of the horizontal field of view: phones and kit lenses."""

GRIDS = (np.radians(np.arange(-33, 34, 2.0)), np.radians(np.arange(-14, 15, 2.0)), np.radians(np.arange(42, 106, 7.0)))
"""Pitch, roll and fov tried first; finer grids around the best follow."""

STEPS = np.radians([1.0, 1.0, 3.5])
"""First half-widths of the refinement, halved each round."""

REFINEMENTS = 4

PEAKED = np.radians([3.0, 2.5, 6.0])
"""Below these spreads the peak is believed, above them the mean."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Angles that are known, radians; None = estimate."""

    fov: float | None
    pitch: float | None
    roll: float | None


@dataclass(frozen=True, slots=True)
class _Evidence:
    segments: Segments
    skyline: Skyline
    width_px: int


Grid = tuple[Float64[np.ndarray, "p"], Float64[np.ndarray, "r"], Float64[np.ndarray, "f"]]


def _man_made(upright: float) -> float:
    """0..1 from the length of gravity-aligned segments in (width + height): a half at 0.3."""
    return 1 / (1 + math.exp(-(math.log(upright + 0.01) - math.log(0.30)) / 0.35))


def _log_posterior(evidence: _Evidence, grid: Grid, man_made: float) -> Float64[np.ndarray, "p r f"]:
    pitch, roll, fov = grid
    rotations = np.array([world_from_camera_rotation(p, r) for p in pitch for r in roll])
    focal = np.array([focal_from_fov(float(f), evidence.width_px) for f in fov])
    lines = np.stack([manhattan.log_likelihood(evidence.segments, rotations, float(f)) for f in focal], -1)
    up = np.repeat(rotations[:, 2], len(focal), 0)
    sky = skyline.log_likelihood(evidence.skyline, up, np.tile(focal, len(rotations)), man_made)
    prior = (
        -0.5 * (pitch[:, None, None] / PITCH_SIGMA) ** 2
        - 0.5 * (roll[None, :, None] / ROLL_SIGMA) ** 2
        - 0.5 * ((fov[None, None] - FOV_MEAN) / FOV_SIGMA) ** 2
    )
    weight = 0.03 + 0.42 * man_made  # segments of one edge or façade are not independent
    return prior + weight * lines.reshape(prior.shape) + sky.reshape(prior.shape)


def _peak(grid: Grid, log_posterior: Float64[np.ndarray, "p r f"]) -> Float64[np.ndarray, "3"]:
    where = np.unravel_index(np.argmax(log_posterior), log_posterior.shape)
    return np.array([axis[i] for axis, i in zip(grid, where, strict=True)])


def _moments(
    grid: Grid, log_posterior: Float64[np.ndarray, "p r f"]
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Mean and standard deviation of the posterior."""
    p = np.exp(log_posterior - log_posterior.max())
    p /= p.sum()
    axes = np.meshgrid(*grid, indexing="ij")
    mean = np.array([(p * a).sum() for a in axes])
    return mean, np.sqrt([(p * (a - m) ** 2).sum() for a, m in zip(axes, mean, strict=True)])


def _coarse(fixed: Fixed) -> Grid:
    known = (fixed.pitch, fixed.roll, fixed.fov)
    pitch, roll, fov = (axis if k is None else np.array([k]) for axis, k in zip(GRIDS, known, strict=True))
    return pitch, roll, fov


def _refine(
    score: Callable[[Grid], Float64[np.ndarray, "p r f"]], coarse: Grid, best: Float64[np.ndarray, "3"]
) -> Float64[np.ndarray, "3"]:
    """Halve a 5 × 5 × 5 grid around the best; a fixed axis keeps its one value."""
    for step in STEPS[None] * 0.5 ** np.arange(REFINEMENTS)[:, None]:
        around = [
            axis if len(axis) == 1 else b + s * np.linspace(-1, 1, 5)
            for axis, b, s in zip(coarse, best, step, strict=True)
        ]
        grid = (around[0], around[1], around[2])
        best = _peak(grid, score(grid))
    return best


def _spread(sd: Float64[np.ndarray, "3"], man_made: float) -> Float64[np.ndarray, "3"]:
    """What the posterior leaves out, added to its spread: model error, larger where lines are rare.

    Set on crops of three panoramas so that nearly 95 % of errors lie within two sigmas.
    """
    floor = np.radians([1.0 + 7.0 * (1 - man_made), 0.6 + 2.0 * (1 - man_made), 5.0 + 8.0 * (1 - man_made)])
    return np.hypot(1.3 * sd, floor)


def _estimate(evidence: _Evidence, fixed: Fixed) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """(angles, sigmas) in the order pitch, roll, fov, radians."""
    coarse = _coarse(fixed)
    first = _peak(coarse, _log_posterior(evidence, coarse, evidence.skyline.man_made))
    rotation = world_from_camera_rotation(float(first[0]), float(first[1]))
    focal = focal_from_fov(float(first[2]), evidence.width_px)
    man_made = _man_made(manhattan.upright_length(evidence.segments, rotation, focal))
    log_posterior = _log_posterior(evidence, coarse, man_made)
    mean, sd = _moments(coarse, log_posterior)
    peak = _refine(lambda g: _log_posterior(evidence, g, man_made), coarse, _peak(coarse, log_posterior))
    known = np.array([len(axis) == 1 for axis in coarse])
    angles = np.where(known, peak, np.where(sd > PEAKED, mean, peak))
    return angles, np.where(known, 0.0, _spread(sd, man_made))


def estimator(fixed: Fixed) -> Calibrate:
    """A stage function that estimates what is not fixed; the file's focal length counts as known.

    Raises (when called):
        InputError: the photo is a panorama.
    """

    def calibrate(photo: Photo, run: Run) -> Camera:
        require_perspective(photo)
        fov = fixed.fov
        if fov is None and photo.focal_px is not None:
            fov = fov_from_focal(photo.focal_px, photo.size_px[0])
        run.tell(0.0, "lines and skyline")
        evidence = _Evidence(find_segments(photo.rgb), find_skyline(photo.rgb), photo.size_px[0])
        run.tell(0.5, "horizon and field of view")
        angles, sigmas = _estimate(evidence, Fixed(fov=fov, pitch=fixed.pitch, roll=fixed.roll))
        pitch, roll, width = (float(a) for a in angles)
        sigma = CameraSigma(fov=float(sigmas[2]), pitch=float(sigmas[0]), roll=float(sigmas[1]))
        return camera_from_angles(photo, width, pitch, roll, sigma)

    return calibrate
