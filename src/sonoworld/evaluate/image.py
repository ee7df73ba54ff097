"""How near one picture is to another, and whether a panorama closes and stands upright.

Letters: `a`, `b` pictures, 0..255; `w` weights of pixels, sum 1: alike, or for panoramas their solid angles;
μ, σ², σ_ab local means, variances and covariance under a Gaussian window.
"""

import importlib
import math
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, UInt8

from sonoworld.errors import BackendMissingError, InputError, ShapeError
from sonoworld.sphere import pixel_solid_angles

Picture = UInt8[np.ndarray, "_ _ 3"]

_WINDOW_PX = 11
_SIGMA_PX = 1.5
_BESIDE_PX = 16


def compare(estimated: Picture, reference: Picture, *, spherical: bool = False) -> dict[str, float]:
    """PSNR and SSIM of two pictures.

    Args:
        estimated: sRGB.
        reference: likewise, of the same size.
        spherical: they are equirectangular panoramas: pixels count by solid angle, windows go over ±180°.

    Returns:
        `psnr_db` (∞ for equal pictures) and `ssim`, −1..1; NaN nowhere.

    Raises:
        InputError: the sizes differ, are below the window of SSIM, or for panoramas not 2:1.
    """
    return {
        "psnr_db": psnr_db(estimated, reference, spherical=spherical),
        "ssim": ssim(estimated, reference, spherical=spherical),
    }


def psnr_db(estimated: Picture, reference: Picture, *, spherical: bool = False) -> float:
    """10 log10 255² / Σ w (a − b)²; with solid angles that is WS-PSNR (Sun, Lu & Yu 2017, eq. 4, exact weights)."""
    _check(estimated, reference, spherical)
    squares = ((estimated.astype(np.float64) - reference) ** 2).mean(axis=2)
    error = float((_weights(squares.shape, spherical) * squares).sum())
    return 10 * math.log10(255**2 / error) if error > 0 else math.inf


def ssim(estimated: Picture, reference: Picture, *, spherical: bool = False) -> float:
    """Structural similarity (Wang et al. 2004, eq. 13: Gaussian window of 11 pixels, σ = 1.5), mean over channels.

    Windows that would leave a plane picture are left out. On a panorama they go around, and only those over the poles
    are left out.
    """
    from skimage.metrics import structural_similarity  # noqa: PLC0415 - heavy

    _check(estimated, reference, spherical)
    reach = _WINDOW_PX // 2
    pair = [np.pad(p, ((0, 0), (reach, reach), (0, 0)), mode="wrap") for p in (estimated, reference)]
    whole: Any = structural_similarity(
        *(pair if spherical else (estimated, reference)),
        gaussian_weights=True, sigma=_SIGMA_PX, use_sample_covariance=False, channel_axis=2, data_range=255, full=True,
    )  # fmt: skip
    inner = np.asarray(whole[1])[reach:-reach, reach:-reach].mean(axis=2)
    weights = _weights(estimated.shape[:2], spherical)[reach:-reach]
    weights = weights if spherical else weights[:, reach:-reach]
    return float((weights * inner).sum() / weights.sum())


def lpips(estimated: Picture, reference: Picture, *, net: str = "alex", device: str = "cpu") -> float:
    """Learned perceptual distance (Zhang et al., CVPR 2018), by the package of its authors; 0 for equal pictures.

    Args:
        estimated: sRGB.
        reference: likewise, of the same size.
        net: `alex`, `vgg` or `squeeze`: which features are compared.
        device: as torch names it.

    Returns:
        The distance.

    Raises:
        BackendMissingError: the package is not installed.
        InputError: the sizes differ.
    """
    _check(estimated, reference, spherical=False)
    try:
        package: Any = importlib.import_module("lpips")
        torch: Any = importlib.import_module("torch")
    except ImportError as error:
        raise BackendMissingError(
            f"LPIPS needs the package lpips ({error}): pip install lpips; it fetches torchvision's weights for {net!r}"
        ) from error
    model = package.LPIPS(net=net, verbose=False).to(device).eval()

    def tensor(picture: Picture) -> Any:
        scaled = picture.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        return torch.from_numpy(np.ascontiguousarray(scaled)).to(device)

    with torch.no_grad():
        return float(model(tensor(estimated), tensor(reference)))


def seam_error(panorama: Picture) -> float:
    """How much larger the step over ±180° is than steps between the columns beside it; 1: there is no seam.

    Args:
        panorama: equirectangular sRGB.

    Returns:
        Mean |step| over the seam by the mean over the 16 steps on either side, all by solid angle; ∞ where those are
        0, NaN where all are.

    Raises:
        InputError: not 2:1.
    """
    _check(panorama, panorama, spherical=True)
    around = np.roll(panorama, _BESIDE_PX + 1, axis=1)[:, : 2 * _BESIDE_PX + 2].astype(np.float64)
    weights = pixel_solid_angles(len(panorama))
    steps = np.average(np.abs(np.diff(around, axis=1)).mean(axis=2), axis=0, weights=weights)
    beside = float(np.delete(steps, _BESIDE_PX).mean())
    if beside == 0:
        return math.inf if steps[_BESIDE_PX] > 0 else math.nan
    return float(steps[_BESIDE_PX]) / beside


def horizon_up(directions: Float[np.ndarray, "n 3"]) -> Float64[np.ndarray, "3"]:
    """The upward normal of the great circle that lies nearest to directions seen on the horizon.

    Args:
        directions: unit, world FLU, for example along the line where sea and sky meet; two or more apart.

    Returns:
        The unit vector that the picture takes for up, z ≥ 0.

    Raises:
        InputError: the directions leave the circle open (all in one line).
    """
    d = directions.astype(np.float64)
    values, vectors = np.linalg.eigh(d.T @ d)
    if len(d) < 2 or values[1] <= 1e-9 * values[2]:
        raise InputError("expected at least two directions that are not in one line: they do not say where up is")
    up = vectors[:, 0]  # least squares of n·d
    return up if up[2] >= 0 else -up


def horizon_error_rad(up: Float[np.ndarray, "3"], true_up: Float[np.ndarray, "3"]) -> float:
    """Angle by which one horizon is tilted against the other, 0..π.

    Args:
        up: of a camera or panorama, any length but 0.
        true_up: likewise.

    Returns:
        The angle.

    Raises:
        InputError: a vector is zero or not finite.
    """
    for vector in (up, true_up):
        if not (np.isfinite(vector).all() and np.any(vector)):
            raise InputError(f"expected a direction, got {vector.tolist()}")
    return math.atan2(float(np.linalg.norm(np.cross(up, true_up))), float(up @ true_up))


def _weights(shape: tuple[int, ...], spherical: bool) -> Float64[np.ndarray, "h w"]:
    rows = pixel_solid_angles(shape[0]) if spherical else np.ones(shape[0])
    return np.repeat(rows[:, None] / (rows.sum() * shape[1]), shape[1], axis=1)


def _check(estimated: Picture, reference: Picture, spherical: bool) -> None:
    if estimated.shape != reference.shape:
        raise ShapeError("pictures to compare", expected=str(reference.shape), got=str(estimated.shape))
    height, width = estimated.shape[:2]
    if min(height, width) < _WINDOW_PX:
        raise InputError(f"expected pictures of at least {_WINDOW_PX} pixels, got {width}x{height}")
    if spherical and (width != 2 * height or width < 2 * _BESIDE_PX + 2):
        raise InputError(f"expected a panorama, 2:1 and at least 34 pixels wide, got {width}x{height}")
