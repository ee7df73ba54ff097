"""MoGe's field of view, and the embedded calibration of what it does not know."""

import math
from dataclasses import replace

from sonoworld.backend import Calibrate, Run
from sonoworld.calibrate.camera import MAX_FOV, MIN_FOV, fov_from_focal, require_perspective
from sonoworld.calibrate.moge_fov import MogeFovOptions
from sonoworld.calibrate.posterior import Fixed, estimator
from sonoworld.errors import StageError
from sonoworld.perceive.moge_net import loaded, shapes
from sonoworld.types import Camera, Photo

SIGMA = math.radians(4.0)
"""Assumed, of the size of the errors that its authors report; MoGe says none itself."""


def calibrator(options: MogeFovOptions) -> Calibrate:
    """The stage function of `calibrate.moge_fov`; the model is loaded now."""
    model = loaded(options, "calibrate.moge_fov")

    def calibrate(photo: Photo, run: Run) -> Camera:
        require_perspective(photo)
        if options.trust_file and photo.focal_px is not None:
            return upright(photo, fov_from_focal(photo.focal_px, photo.size_px[0]), 0.0, run)
        run.tell(0.0, "MoGe")
        (shape,) = shapes(model, [photo.rgb], None)
        if not MIN_FOV <= shape.fov <= MAX_FOV:
            raise StageError(f"MoGe says a field of view of {math.degrees(shape.fov):.1f}°: expected 1..175°")
        return upright(photo, shape.fov, SIGMA, run)

    return calibrate


def upright(photo: Photo, fov: float, sigma: float, run: Run) -> Camera:
    """The camera of this field of view (rad), upright as lines and skyline say."""
    camera = estimator(Fixed(fov=fov, pitch=None, roll=None))(photo, run)
    return replace(camera, sigma=replace(camera.sigma, fov=sigma))
