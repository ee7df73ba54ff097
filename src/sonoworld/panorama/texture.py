"""Texture without repeats: random-phase noise with the spectrum, colours and contrast of a patch of the photo.

Letters: s the spot (what the patch shows beyond its local mean colour, 0 outside its mask); white noise * s is the
asymptotic discrete spot noise of Galerne, Gousseau & Morel, Random Phase Textures (IEEE TIP 2011), eq. 6. It holds
no copy of anything, closes on itself, and is right for grass, gravel, asphalt, water, leaves, clouds.
"""

import cv2
import numpy as np
import scipy.fft
from jaxtyping import Bool, Complex64, Float32

RANKS = 256

CHROMA = 0.5
"""How much of the colour contrast is kept: what is beautiful in a flower is a speckle in noise."""


def local_residual(
    rgb: Float32[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], sigma_px: float
) -> Float32[np.ndarray, "h w 3"]:
    """What each masked pixel differs from the mean of the masked pixels around it; 0 outside."""
    weight = mask.astype(np.float32)
    total = cv2.GaussianBlur(rgb * weight[..., None], (0, 0), sigma_px)
    mass = cv2.GaussianBlur(weight, (0, 0), sigma_px)
    return np.asarray((rgb - total / np.maximum(mass, 1e-3)[..., None]) * weight[..., None], np.float32)


def calm(
    residual: Float32[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], sigma_px: float
) -> Bool[np.ndarray, "h w"]:
    """The masked pixels around which contrast is not above the usual: edges of things are not texture."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma_px)
    power = cv2.GaussianBlur((residual**2).sum(-1) * mask, (0, 0), sigma_px) / np.maximum(weight, 1e-3)
    if not mask.any():
        return mask
    low, usual = np.quantile(power[mask], [0.25, 0.85])
    return mask & (power <= min(usual, 8 * low))


def _match_ranks(
    noise: Float32[np.ndarray, "h w 3"], sample: Float32[np.ndarray, "n 3"]
) -> Float32[np.ndarray, "h w 3"]:
    """Give the noise's brightness the sample's distribution (noise alone would be Gaussian)."""
    at = np.linspace(0.002, 0.998, RANKS)
    bright = noise.mean(-1)
    have = np.quantile(bright[::3, ::3], at)
    want = np.quantile(sample.mean(-1), at)
    return (noise + (np.interp(bright, have, want) - bright)[..., None]).astype(np.float32)


def _spectrum(image: Float32[np.ndarray, "h w"], shape: tuple[int, int]) -> Complex64[np.ndarray, "k f"]:
    return np.asarray(scipy.fft.rfft2(np.ascontiguousarray(image, np.float32), shape))


def _wave(spectrum: Complex64[np.ndarray, "k f"], shape: tuple[int, int]) -> Float32[np.ndarray, "k l"]:
    return np.asarray(scipy.fft.irfft2(spectrum, shape), np.float32)


def spot_noise(
    residual: Float32[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k l 3"]:
    """A texture of that shape (closed at its sides) with the covariance and brightness ranks of `residual` in `mask`.

    A spot larger than the shape is cut to it.
    """
    rows, columns = min(residual.shape[0], shape[0]), min(residual.shape[1], shape[1])
    spot, mask = residual[:rows, :columns], mask[:rows, :columns]
    bright = spot.mean(-1, keepdims=True)
    spot = bright + CHROMA * (spot - bright)
    sample = spot[mask]
    if len(sample) < 16:
        return np.zeros((*shape, 3), np.float32)
    mean = sample.mean(0)
    centred = np.where(mask[..., None], spot - mean, np.float32(0)) / np.float32(np.sqrt(len(sample)))
    gain = _spectrum(rng.standard_normal(shape).astype(np.float32), shape)
    planes = [_wave(_spectrum(centred[..., k], shape) * gain, shape) for k in range(3)]
    return _match_ranks(np.stack(planes, -1), sample - mean)
