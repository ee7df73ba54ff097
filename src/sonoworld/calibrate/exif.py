"""Calibration from the file: EXIF focal length, and a camera assumed to be held level."""

from sonoworld.backend import Backend, Calibrate, Options, Run
from sonoworld.calibrate.camera import PITCH_SIGMA, ROLL_SIGMA, camera_from_angles, fov_from_focal
from sonoworld.errors import InputError
from sonoworld.types import Camera, CameraSigma, Photo


class ExifOptions(Options):
    """Nothing to choose."""


def calibrate(photo: Photo, run: Run) -> Camera:
    """Field of view from `photo.focal_px`; pitch and roll 0 with the spread of how people hold cameras.

    Raises:
        InputError: the file gives no focal length, or the photo is a panorama.
    """
    del run
    if photo.focal_px is None:
        raise InputError(
            "calibrate.exif: expected a focal length in the photo's EXIF, got none; "
            "use calibrate.backend=lines, or calibrate.backend=given with calibrate.fov_deg"
        )
    fov = fov_from_focal(photo.focal_px, photo.size_px[0])
    return camera_from_angles(photo, fov, 0.0, 0.0, CameraSigma(fov=0.0, pitch=PITCH_SIGMA, roll=ROLL_SIGMA))


def make(options: ExifOptions) -> Calibrate:
    """The stage function."""
    del options
    return calibrate


EXIF = Backend(
    stage="calibrate",
    name="exif",
    version="1",
    summary="focal length from the file, camera held level",
    options=ExifOptions,
    make=make,
)
