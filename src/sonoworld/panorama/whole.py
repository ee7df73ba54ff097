"""What every way of making a panorama begins with: a photo that is one passes, any other comes with its camera."""

from collections.abc import Callable

import numpy as np

from sonoworld.backend import MakePanorama, Run
from sonoworld.errors import InputError
from sonoworld.panorama.place import resample_panorama
from sonoworld.types import Camera, Panorama, Photo, Projection


def whole(height: int, make: Callable[[Photo, Camera, Run], Panorama]) -> MakePanorama:
    """The stage function that resamples panoramas to that height and lets `make` complete other photos.

    Raises (when called):
        InputError: a perspective photo came without a camera, or a panorama with one, or with another photo's.
    """

    def make_panorama(photo: Photo, camera: Camera | None, run: Run) -> Panorama:
        panoramic = photo.projection is Projection.EQUIRECTANGULAR
        if panoramic != (camera is None):
            got = "a panorama with a camera" if panoramic else "a perspective photo without a camera"
            raise InputError(f"panorama: expected a camera for a perspective photo and none for a panorama, got {got}")
        if camera is None:
            rgb = resample_panorama(photo.rgb, height)
            return Panorama(rgb=rgb, known=np.ones(rgb.shape[:2], bool))
        if camera.size_px != photo.size_px:
            raise InputError(
                f"panorama: expected a camera for a photo of {photo.size_px} px, got one for {camera.size_px} px"
            )
        return make(photo, camera, run)

    return make_panorama
