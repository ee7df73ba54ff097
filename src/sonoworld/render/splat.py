"""Pictures of splats through a pinhole camera, on the CPU: the definition, in plain numpy, and its fast twin.

Letters: p a splat's centre in camera axes (RDF, m), z its depth; f_x f_y c_x c_y from K; t = (x/z, y/z) clamped;
S the 3D covariance, C the 2D one in px²; a the opacity of a splat at a pixel; T what light still passes.
Formulas: Zwicker et al. 2001, "EWA Volume Splatting" (local affine approximation), and Kerbl et al. 2023,
"3D Gaussian Splatting" (low pass, order, thresholds). Pixel (0.5, 0.5) is the centre of the first.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.errors import InputError
from sonoworld.frames import Pose
from sonoworld.types import Splats

NEAR_M = 0.05
LOW_PASS_PX2 = 0.3
"""Added to C's diagonal, so that no splat is thinner than a pixel (Kerbl et al. 2023, reference code)."""

MAX_ALPHA = 0.99
MIN_ALPHA = 1 / 255
MIN_TRANSMITTANCE = 1e-3
GUARD = 0.15
"""Part of the picture's side by which t may lie outside before it is clamped (1.3 half-sides in the reference)."""


@dataclass(frozen=True, slots=True)
class SplatImage:
    """A view of splats. `rgb` over black, 0..1; `alpha` 0..1 is what covers the pixel (1 = no hole).

    `depth` in m is the mean of z, along the optical axis, weighted by what each splat adds; infinite where alpha is 0.
    """

    rgb: Float32[np.ndarray, "h w 3"]
    depth: Float32[np.ndarray, "h w"]
    alpha: Float32[np.ndarray, "h w"]


def render_view(
    splats: Splats, K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> SplatImage:
    """See splats through a pinhole camera; the fast twin of `render_view_plain`.

    Args:
        splats: what is there, world axes, m.
        K: intrinsics in px, no skew.
        size_px: (width, height).
        world_from_camera: where the camera is; camera axes RDF.

    Raises:
        InputError: the picture is empty or the camera is not a pinhole without skew.
    """
    from sonoworld.render.splat_tiles import rasterise  # noqa: PLC0415  numba takes its time to import

    check_camera(K, size_px)
    rgb, depth, alpha = rasterise(splats, K, size_px, world_from_camera)
    return _finish(rgb, depth, alpha)


def render_view_plain(
    splats: Splats, K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> SplatImage:
    """What `render_view` means, one splat after the other over the whole picture; for tiny scenes and tests."""
    check_camera(K, size_px)
    centres, covariances, z = project(splats, K, size_px, world_from_camera)
    colours = seen_colours(splats, world_from_camera.origin)
    opacities = 1 / (1 + np.exp(-splats.opacity_logits.astype(np.float64)))
    width, height = size_px
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
    rgb, depth, passes = np.zeros((height, width, 3)), np.zeros((height, width)), np.ones((height, width))
    visible = np.flatnonzero(z >= NEAR_M)
    for i in visible[np.argsort(z[visible], kind="stable")]:
        offset = pixels - centres[i]
        power = 0.5 * np.einsum("hwi,ij,hwj->hw", offset, np.linalg.inv(covariances[i]), offset)
        alpha = np.minimum(MAX_ALPHA, opacities[i] * np.exp(-power))
        alpha = np.where((alpha >= MIN_ALPHA) & (passes >= MIN_TRANSMITTANCE), alpha, 0.0)
        rgb += (alpha * passes)[..., None] * colours[i]
        depth += alpha * passes * z[i]
        passes *= 1 - alpha
    return _finish(rgb.astype(np.float32), depth.astype(np.float32), (1 - passes).astype(np.float32))


def project(
    splats: Splats, K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int], world_from_camera: Pose
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, "n 2 2"], Float64[np.ndarray, "n"]]:
    """Centres in px, 2D covariances in px² (low pass included) and depths in m of all splats, behind or ahead."""
    R = world_from_camera.rotation
    p = world_from_camera.inverse() @ splats.means.astype(np.float64)
    z = np.where(np.abs(p[:, 2]) < 1e-9, 1e-9, p[:, 2])
    f = np.array([K[0, 0], K[1, 1]])
    c = np.array([K[0, 2], K[1, 2]])
    size = np.array(size_px, np.float64)
    ratio = p[:, :2] / z[:, None]
    t = np.clip(ratio, (-GUARD * size - c) / f, ((1 + GUARD) * size - c) / f)
    # Zwicker et al. 2001 eq. 29: C = J W S Wᵀ Jᵀ, J = f/z · [I | −t]
    J = np.zeros((len(z), 2, 3))
    J[:, 0, 0], J[:, 1, 1] = f[0] / z, f[1] / z
    J[:, :, 2] = -t * f / z[:, None]
    axes = R.T @ rotations(splats.quats) * np.exp(splats.log_scales.astype(np.float64))[:, None, :]
    half = J @ axes
    return ratio * f + c, half @ half.transpose(0, 2, 1) + LOW_PASS_PX2 * np.eye(2), p[:, 2]


def rotations(quats: Float32[np.ndarray, "n 4"]) -> Float64[np.ndarray, "n 3 3"]:
    """Rotation matrices (columns: the splat's axes in the world) of quaternions wxyz of any length > 0."""
    w, x, y, z = (quats.astype(np.float64) / np.linalg.norm(quats, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def seen_colours(splats: Splats, eye: Float64[np.ndarray, "3"]) -> Float32[np.ndarray, "n 3"]:
    """Colour (>= 0) of every splat as seen from `eye` (m, world): SH of the direction from the eye, plus 0.5.

    Signs and constants are those of the 3DGS reference code (real SH with Condon-Shortley phase, degree 0..3).
    """
    return colours_from(splats.sh, splats.means, eye)


def colours_from(
    sh: Float32[np.ndarray, "n b 3"], means: Float32[np.ndarray, "n 3"] | None, eye: Float64[np.ndarray, "3"]
) -> Float32[np.ndarray, "n 3"]:
    """`seen_colours` of some splats; `means` are only asked for where `sh` has more than its first term."""
    if means is None or sh.shape[1] == 1:
        return np.maximum(np.float32(0.28209479177387814) * sh[:, 0] + np.float32(0.5), np.float32(0))
    d = means - eye.astype(np.float32)
    x, y, z = (d / np.maximum(np.linalg.norm(d, axis=1, keepdims=True), np.float32(1e-9))).T
    basis = _harmonics(x, y, z)[: sh.shape[1]]
    return np.maximum(sum(b[:, None] * sh[:, i] for i, b in enumerate(basis)) + np.float32(0.5), np.float32(0))


def _harmonics(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> list[np.ndarray]:
    """Sloan 2008, "Stupid Spherical Harmonics Tricks", appendix A2, with the signs of the 3DGS reference code."""
    xx, yy, zz = x * x, y * y, z * z
    terms = [
        *(0.28209479177387814 + 0 * x, -0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x),
        *(1.0925484305920792 * x * y, -1.0925484305920792 * y * z, 0.31539156525252005 * (2 * zz - xx - yy)),
        *(-1.0925484305920792 * x * z, 0.5462742152960396 * (xx - yy)),
        *(-0.5900435899266435 * y * (3 * xx - yy), 2.890611442640554 * x * y * z),
        *(-0.4570457994644658 * y * (4 * zz - xx - yy), 0.3731763325901154 * z * (2 * zz - 3 * xx - 3 * yy)),
        *(-0.4570457994644658 * x * (4 * zz - xx - yy), 1.445305721320277 * z * (xx - yy)),
        -0.5900435899266435 * x * (xx - 3 * yy),
    ]
    return [term.astype(np.float32) for term in terms]


def _finish(
    rgb: Float32[np.ndarray, "h w 3"], depth: Float32[np.ndarray, "h w"], alpha: Float32[np.ndarray, "h w"]
) -> SplatImage:
    covered = alpha > 0
    mean = np.divide(depth, alpha, out=np.full_like(depth, np.inf), where=covered)
    return SplatImage(np.minimum(rgb, np.float32(1)), mean, alpha)


def check_camera(K: Float64[np.ndarray, "3 3"], size_px: tuple[int, int]) -> None:
    """A picture of at least one pixel through a pinhole without skew.

    Raises:
        InputError: anything else.
    """
    if min(size_px) < 1:
        raise InputError(f"view: expected a picture of at least 1×1 px, got {size_px[0]}×{size_px[1]}")
    pinhole = np.array([[K[0, 0], 0, K[0, 2]], [0, K[1, 1], K[1, 2]], [0, 0, 1]])
    if not (np.isfinite(K).all() and np.array_equal(K, pinhole) and min(K[0, 0], K[1, 1]) > 0):
        raise InputError(f"view: expected K of a pinhole without skew, got {K.tolist()}")
