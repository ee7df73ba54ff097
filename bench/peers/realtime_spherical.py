"""spherical-array-processing 0.6.0 by its own functions, in an environment of its own."""

import numpy as np
from realtime_scene import RATE_HZ, scene, zyz
from realtime_serve import serve
from realtime_stream import Parts, Streamed
from scipy.signal import oaconvolve
from spherical_array_processing import sh
from spherical_array_processing.binaural import magls_binaural_filters
from spherical_array_processing.types import SHBasisSpec, SphericalGrid

TAPS, DIRECTIONS = 256, 512
DIFFERS = "NumPy, float64; no levels or distances, no ramps; 256 taps of two ears in free air, its MagLS"


def parts(order: int) -> Parts:
    """It has rotation matrices and filters; the convolution of its own renderer is SciPy's `oaconvolve`."""
    spec = SHBasisSpec(max_order=order, basis="real", angle_convention="az_colat")
    angles = np.array([zyz(rotation) for rotation in scene().rotations])
    return Parts(
        gains=lambda azimuth, zenith: np.asarray(sh.matrix(spec, grid(azimuth, zenith))),
        turn=lambda i: sh.sh_rotation_matrix_real(order, *angles[i]).T,
        decode=lambda field, filters: oaconvolve(field[None], filters, axes=-1).sum(1),
        filters=ear_filters(order),
    )


def grid(azimuth: np.ndarray, zenith: np.ndarray) -> SphericalGrid:
    weights = np.full(len(azimuth), 4 * np.pi / len(azimuth))
    return SphericalGrid(azimuth=azimuth, angle2=zenith, weights=weights, convention="az_colat")


def ear_filters(order: int) -> np.ndarray:
    """[2 c taps]: two ears 0.2 m apart without a head: the cost does not depend on what the filters hold."""
    v = np.random.default_rng(1).standard_normal((DIRECTIONS, 3))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    hz = np.fft.rfftfreq(TAPS, 1 / RATE_HZ)
    arrival_s = 2e-3 + 3e-4 * v[:, 1:2] * np.array([-1, 1])
    responses = np.exp(-2j * np.pi * hz[:, None, None] * arrival_s)
    everywhere = grid(np.arctan2(v[:, 1], v[:, 0]), np.arccos(v[:, 2]))
    return np.fft.irfft(magls_binaural_filters(responses, hz, everywhere, order), TAPS, axis=0).transpose(2, 1, 0)


if __name__ == "__main__":
    serve(Streamed("0.6.0", DIFFERS, parts))
