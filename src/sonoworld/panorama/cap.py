"""A cap around a pole: the ground under the feet, or the canopy overhead.

Letters: θ angle from the pole; r = tan(kθ)/k the chart on which texture is drawn (k = 1 is a plane in perspective,
k = 1/2 keeps shapes; between them texture shrinks and flattens towards the horizon without smearing at the pole).
Colour comes from the rim, ever more mixed towards the pole; texture is laid anew from what the photo shows.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.panorama.texture import calm, local_residual, spot_noise
from sonoworld.panorama.tile import Exemplar, tile

K = 0.75

SOURCE_REACH = np.radians(17.0)
"""How far from the visible part's pole-side edge texture is taken, radians of elevation."""

COARSEST, COARSEST_BUILT = np.radians(6.0), np.radians(3.0)
"""Texture is what differs from the mean over this radius; anything coarser is colour. Floors are plainer."""

RIM = np.radians(5.0)
"""Rows of the rim that are averaged into its colour."""

LIVELY = 46.0, 41.0
"""Deviation of brightness (0..255) that ground has at least, built and grown: it is never as even as far away."""

PATCH_SLOPE, PATCH_HARDNESS = 1.7, 1.5
"""Light and shade on the ground: amplitude falls as frequency^−slope; 0 ends softly, above 1 sharply."""

DEEPEST, BRIGHTEST, WHITE = 0.55, 0.85, 0.1
"""How dark shade and how bright light are at most, as shares of the ground's brightness; the share of light that is
white, not of the ground's own colour."""

FADE_IN = np.radians(9.0)
"""Light and shade begin over this height under the rim, where the photo's own still rules."""

WORN = 0.4
"""How much of its hue ground loses from the rim to the pole: who takes a photo stands on a path, a floor, a rock."""

SAND = np.array([1.06, 1.0, 0.9], np.float32)
"""Hue of trodden ground: red, green and blue against their mean."""

GRAIN, GRAIN_PX = (2.6, 0.6), 512
"""What is near shows more detail than the photo holds: noise like its texture, so many times smaller, at this strength;
and the side of the piece of it that is made."""

LEAST_SOURCE = 1e-3
"""Least share of the panorama from which texture is taken."""

BLOCK = np.radians(9.0)
"""Size of the pieces of ground that are laid, at the rim."""

MOST_CHART = 0.7
"""Largest radius of the chart, as a share of the panorama's height; beyond it texture is mirrored."""


def _mix_to_pole(rim: Float32[np.ndarray, "w 3"], rows: int) -> Float32[np.ndarray, "k w 3"]:
    """The rim's colour carried to the pole, smoothed along each circle ever more: one colour at the pole."""
    width = len(rim)
    share = (np.arange(rows) + 0.5) / rows
    angle = 0.08 + 0.35 * share + 2.0 * share**4 / (1 - share)
    gain = np.exp(-0.5 * (angle[:, None] * np.arange(width // 2 + 1)[None]) ** 2)
    return np.fft.irfft(np.fft.rfft(rim, axis=0)[None] * gain[..., None], width, axis=1).astype(np.float32)


def _worn(colour: Float32[np.ndarray, "k w 3"]) -> Float32[np.ndarray, "k w 3"]:
    """The colour ever less green or blue towards the pole, and a little lighter, as trodden ground is."""
    share = (np.arange(len(colour), dtype=np.float32)[:, None, None] + 0.5) / len(colour)
    grey = colour.mean(-1, keepdims=True)
    return colour + WORN * np.minimum(1, 1.6 * share) * (1.06 * grey * SAND - colour)


def _chart_scale(height: int, rows: int) -> float:
    """Chart px per unit of r: the panorama's own resolution along the rim."""
    rim = np.pi * rows / height
    return float(height / np.pi * np.sin(rim) * K / np.tan(K * rim))


def _exemplar(
    rgb: Float32[np.ndarray, "h w 3"], source: Bool[np.ndarray, "h w"], scale: float, built: bool
) -> Exemplar | None:
    """The ground nearest to the feet as it lies in the chart, without its broad colours, and where it is valid."""
    count = source.sum(1)
    rows = np.flatnonzero(count >= max(8, 0.15 * count.max()))
    if len(rows) < 3 or source.mean() < LEAST_SOURCE:
        return None
    last, height = int(rows[-1]), len(rgb)
    first = max(0, last - round(SOURCE_REACH / np.pi * height))
    near = np.zeros_like(source)
    near[first : last + 1] = source[first : last + 1]
    sigma = float((COARSEST_BUILT if built else COARSEST) / np.pi * height)
    residual = local_residual(rgb, near, sigma)
    plain = calm(residual, near, sigma / 2) if built else near
    azimuth = np.pi - np.pi * (np.flatnonzero(near.any(0)) + 0.5) / height
    middle = float(np.arctan2(np.sin(azimuth).mean(), np.cos(azimuth).mean()))
    reach = np.tan(min(K * np.pi * (1 - (first + 0.5) / height), 1.2)) / K * scale
    across, ahead = np.arange(-reach, reach + 1), np.arange(reach, -reach - 1, -1)
    X, Y = np.meshgrid(across, ahead)
    theta = np.arctan(np.hypot(X, Y) / scale * K) / K
    x = ((np.pi - middle + np.arctan2(X, Y)) % (2 * np.pi)) / np.pi * height - 0.5
    y = (np.pi - theta) / np.pi * height - 0.5
    at = x.astype(np.float32), y.astype(np.float32)
    seen = cv2.remap(residual, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    mask = cv2.remap(plain.astype(np.float32), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) > 0.99
    if mask.sum() < 200:
        return None
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    return Exemplar(np.asarray(seen[box], np.float32), mask[box])


def _soil(rng: np.random.Generator) -> Exemplar:
    """A patch of soft grain, for ground that was never seen."""
    grain = sum(cv2.GaussianBlur(rng.standard_normal((128, 128)), (0, 0), s) * s for s in (1.0, 3.0, 9.0))
    patch = np.asarray(grain, np.float32)[..., None] * np.array([8.0, 8.0, 7.0], np.float32)
    return Exemplar(patch, np.ones((128, 128), bool))


def _drawn(
    exemplar: Exemplar,
    height: int,
    rows: int,
    scale: float,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "r w 3"]:
    """Texture for the last `rows` rows: the exemplar quilted over the chart."""
    azimuth = np.pi - np.pi * (np.arange(2 * height) + 0.5) / height
    theta = np.pi * (rows - np.arange(rows) - 0.5) / height
    r = np.minimum(np.tan(K * theta) / K * scale, MOST_CHART * height)[:, None]
    size = int(2 * np.ceil(r.max()) + 4)
    chart = tile(exemplar, size, max(12, round(BLOCK / np.pi * height)), rng)
    if chart is None:
        chart = spot_noise(exemplar.image, exemplar.mask, (size, size), rng)
    x, y = (size / 2 - r * np.sin(azimuth)).astype(np.float32), (size / 2 - r * np.cos(azimuth)).astype(np.float32)
    seen = np.asarray(cv2.remap(chart, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)
    noise = spot_noise(exemplar.image, exemplar.mask, (GRAIN_PX, GRAIN_PX), rng)
    fine = noise - cv2.GaussianBlur(noise, (0, 0), 2 * GRAIN[0])
    u, v = GRAIN[0] * x % GRAIN_PX, GRAIN[0] * y % GRAIN_PX
    grain = cv2.remap(fine, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    nearer = ((np.arange(rows, dtype=np.float32) + 0.5) / rows)[:, None, None]
    return seen + GRAIN[1] * np.minimum(1, 3 * nearer) * np.asarray(grain, np.float32)


def _patches(height: int, rows: int, rng: np.random.Generator) -> Float32[np.ndarray, "r w 1"]:
    """Light and shade as they lie on a plane underfoot, deviation 1: paths, tufts, slabs, the shadows of things."""
    n = 512
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None]) * n
    spectrum = np.fft.rfft2(rng.standard_normal((n, n))) / np.maximum(frequency, 5.0) ** PATCH_SLOPE
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, (n, n))
    noise = np.tanh(PATCH_HARDNESS * noise / noise.std()).astype(np.float32)
    azimuth = np.pi - np.pi * (np.arange(2 * height) + 0.5) / height
    theta = np.pi * (rows - np.arange(rows) - 0.5) / height
    r = (np.tan(K * theta) / K * 0.16 * n)[:, None]
    x, y = (-r * np.sin(azimuth)).astype(np.float32), (-r * np.cos(azimuth)).astype(np.float32)
    seen = cv2.remap(noise, x % n, y % n, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    seen = seen - seen.mean(1, keepdims=True)  # each circle keeps its colour
    return (seen / noise.std())[..., None]


def ground_cap(
    rgb: Float32[np.ndarray, "h w 3"],
    source: Bool[np.ndarray, "h w"],
    rim: Float32[np.ndarray, "k w 3"],
    first: int,
    built: bool,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "r w 3"]:
    """Rows `first`.. of the panorama: the colours of `rim` (the rows above them), the texture of `source`.

    Without enough source pixels the texture is a soft grain. `built` leaves out what has more
    contrast than a floor. For a cap around the zenith, turn everything upside down.
    """
    height = len(rgb)
    low, high = np.quantile(rim.mean(0), [0.08, 0.92], axis=0)  # one white thing at the rim is not the ground's colour
    colour = _worn(_mix_to_pole(np.clip(rim.mean(0), low, high).astype(np.float32), height - first))
    scale = _chart_scale(height, height - first)
    exemplar = _exemplar(rgb, source, scale, built) or _soil(rng)
    drawn = _drawn(exemplar, height, height - first, scale, rng)
    lively = LIVELY[0 if built else 1] * min(1.0, float(colour.mean()) / 110)
    lacking = np.sqrt(max(0.0, lively**2 - float(drawn.mean(-1).std()) ** 2))
    begin = np.minimum(1.0, np.arange(height - first) / (FADE_IN / np.pi * height))[:, None, None]
    shade = (lacking * begin * _patches(height, height - first, rng)).astype(np.float32)
    most = np.where(shade < 0, np.float32(DEEPEST), np.float32(BRIGHTEST)) * colour.mean(-1, keepdims=True)
    warm = colour / max(float(colour.mean()), 1.0)
    return colour + drawn + most * np.tanh(shade / most) * ((1 - WHITE) * warm + WHITE)
