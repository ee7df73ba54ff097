"""The sky as a dome: a smooth colour model fitted to the visible sky, with clouds in its own colours.

Letters: e elevation, a azimuth (radians); s = sin e. Clouds are 1/f noise on a flat layer overhead, so that they
widen towards the zenith and crowd towards the horizon; noise ranks are mapped to the ranks of what the photo's sky
shows beyond the smooth model, so that contrast, colour and whether clouds are rare or common are the photo's own.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64
from scipy.ndimage import gaussian_filter1d

from sonoworld.panorama.texture import local_residual, spot_noise
from sonoworld.sphere import row_elevations

MIN_SHARE = 2e-4
"""Least share of the panorama that must be sky for a dome to be fitted."""

RIDGE = np.array([1e-6, 40.0, 120.0, 800.0, 800.0])
"""How much each feature is held back, for 20 000 samples: across azimuths hardly anything is known."""

SAMPLES = 20_000

CLOUD_SLOPE = 1.7
"""Amplitude of the cloud noise falls as frequency^−slope."""

CLOUD_GRID, CLOUD_REACH = 1024, 5.0
"""Noise image size, and the range of layer coordinates it covers on each side of the zenith."""


CLOUD_GAIN, LEAST_CONTRAST, LIVELY_CONTRAST = 2.6, 11.0, 28.0
"""The sky overhead varies more than the strip a photo shows: most gain, least deviation of brightness (0..255), and
the deviation beyond which a sky needs no gain."""


CLOUDS_FROM, CALM = np.radians(30.0), 0.15
"""Beside the photo clouds begin with this share of their contrast, and have all of it so far away from it."""

DARK = 22.0
"""Clouds are not darker than the sky around them by more than this."""

ZENITH, DEEPENED = (70.0, 114.0, 176.0), 0.75
"""Colour of a clear sky overhead, and the share of it that a blue sky takes on from what was seen to the zenith."""

DARKEST, FLOOR = 5.0, 0.6
"""Sky is not darker than the median by so many median deviations; the dome not than this share of what was seen."""

LEAST_ROW, LEAST_ROWS = 1 / 50, 1 / 60
"""Share of a row that must be visible sky for the row to count, and share of rows that must count."""

QUIET = 0.5
"""Share of the visible sky's contrast that the low sky has: noise shows more than clouds do."""

CARRY = np.radians(10.0)
"""How far above the visible sky its colour is carried into the dome."""


def _features(azimuth: Float64[np.ndarray, "*n"], s: Float64[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n 5"]:
    c = np.sqrt(1 - s * s)
    return np.stack([np.ones_like(s), s, s * s, 0.3 * c * np.cos(azimuth), 0.3 * c * np.sin(azimuth)], -1)


def _sphere_angles(height: int) -> tuple[Float64[np.ndarray, "1 w"], Float64[np.ndarray, "h 1"]]:
    azimuth = np.pi - np.pi * (np.arange(2 * height) + 0.5) / height
    return azimuth[None], np.sin(row_elevations(height))[:, None]


def _pink_noise(rng: np.random.Generator) -> Float32[np.ndarray, "n n"]:
    n = CLOUD_GRID
    f = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None]) * n
    spectrum = np.fft.rfft2(rng.standard_normal((n, n))) / np.maximum(f, 6.0) ** CLOUD_SLOPE
    spectrum[0, 0] = 0
    return np.fft.irfft2(spectrum, (n, n)).astype(np.float32)


def _cloud_ranks(height: int, rng: np.random.Generator) -> Float32[np.ndarray, "h w"]:
    """Noise on a layer overhead, 0..1 uniformly; below the horizon it repeats what is above."""
    azimuth, s = _sphere_angles(height)
    s = np.abs(s)
    reach = np.sqrt(1 - s * s) / (s + 0.2)  # the layer bends down so that the horizon is at 5, not at infinity
    x = (reach * np.cos(azimuth) / (2 * CLOUD_REACH) + 0.5) * CLOUD_GRID
    y = (reach * np.sin(azimuth) / (2 * CLOUD_REACH) + 0.5) * CLOUD_GRID
    noise = _pink_noise(rng)
    seen = cv2.remap(noise, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    ladder = np.quantile(seen[: height // 2, ::7], np.linspace(0, 1, 513))
    return np.interp(seen, ladder, np.linspace(0, 1, 513)).astype(np.float32)


def _ladder(residual: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "64 3"]:
    """Mean residual colour at 64 ranks of brightness, the extreme 2 % left out, with at least some contrast."""
    order = np.argsort(residual.sum(1), kind="stable")
    order = order[int(0.02 * len(order)) : max(int(0.98 * len(order)), 1)]
    parts = np.array_split(residual[order], 64)
    steps = np.array([p.mean(0) if len(p) else np.zeros(3) for p in parts])
    steps = steps - steps.mean(0)
    steps = steps * np.clip(LIVELY_CONTRAST / (steps.mean(1).std() + 1e-6), 1, CLOUD_GAIN)
    steps = np.maximum(steps, -DARK)
    lacking = max(0.0, LEAST_CONTRAST - float(steps.mean(1).std()))
    return steps + lacking * np.linspace(-1.7, 1.7, 64)[:, None]  # a ramp of ±√3 has deviation 1


def _glow(height: int, colour: Float32[np.ndarray, "h w 3"], rng: np.random.Generator) -> Float32[np.ndarray, "h w 1"]:
    """Share of white around a sun behind the photographer, where it stands in most photos of a blue sky."""
    azimuth, s = _sphere_angles(height)
    side = rng.choice([-1.0, 1.0])
    at, up = side * np.radians(rng.uniform(105, 150)), np.radians(rng.uniform(45, 60))
    cosine = s * np.sin(up) + np.sqrt(1 - s * s) * np.cos(up) * np.cos(azimuth - at)
    apart = np.arccos(np.clip(cosine, -1, 1))
    upper = colour[: height // 2]
    blue = float(np.clip((upper[..., 2].mean() - upper[..., 0].mean() - 20) / 35, 0, 1))  # no sun in a grey sky
    disc = np.clip(1.5 - apart / np.radians(1.6), 0, 1)
    halo = 0.66 * np.exp(-((apart / np.radians(13)) ** 2)) + 0.5 * np.exp(-apart / np.radians(38)) * np.clip(
        1.2 - apart / np.radians(85), 0, 1
    )
    return (np.maximum(disc, np.minimum(halo, 0.97)) * blue)[..., None].astype(np.float32)


def _overhead(
    smooth: Float64[np.ndarray, "h w 3"], s: Float64[np.ndarray, "h 1"], top: float
) -> Float64[np.ndarray, "h w 3"]:
    """A blue sky deepens from the highest elevation seen to the zenith; a grey one stays."""
    blue = np.clip((smooth[..., 2] - smooth[..., 0] - 45) / 40, 0, 1)[..., None]
    rise = np.clip((s - top) / max(1 - top, 0.1), 0, 1)[..., None] ** 0.45
    return smooth + DEEPENED * blue * rise * (np.array(ZENITH) - smooth)


def _no_pinker(dome: Float32[np.ndarray, "h w 3"], seen: Float64[np.ndarray, "n 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The dome with no cloud redder than the sky that was seen."""
    most = float(np.quantile(seen[:, 0] - seen[:, 1], 0.98))
    red = np.minimum(dome[..., 0], dome[..., 1] + most)
    return np.concatenate([red[..., None], dome[..., 1:]], -1).astype(np.float32)


def _away(sky: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """0 beside the sky that was seen, 1 from CLOUDS_FROM away: clouds do not end at the photo's border."""
    height, width = sky.shape
    small = cv2.resize(sky.astype(np.uint8), (512, 256), interpolation=cv2.INTER_AREA)
    apart = cv2.distanceTransform(np.tile((small == 0).astype(np.uint8), 3), cv2.DIST_L2, 5)[:, 512:1024]
    x = np.clip(apart * (np.pi / 256) / CLOUDS_FROM, 0, 1)
    return np.asarray(cv2.resize(x * x * (3 - 2 * x), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def sky_dome(
    rgb: Float32[np.ndarray, "h w 3"], sky: Bool[np.ndarray, "h w"], rng: np.random.Generator
) -> Float32[np.ndarray, "h w 3"] | None:
    """Colour of the sky in every direction, 0..255, or None where the photo shows too little sky to say."""
    height = len(sky)
    px = max(3, height // 128)
    inner = cv2.erode(sky.astype(np.uint8), np.ones((px, px), np.uint8))  # skylines are neither sky nor land
    where = np.flatnonzero(inner.ravel())
    if len(where) < MIN_SHARE * sky.size:
        return None
    some = rng.choice(where, min(SAMPLES, len(where)), replace=False)
    azimuth, s = _sphere_angles(height)
    rows, columns = np.divmod(some, 2 * height)
    X = _features(azimuth[0, columns], s[rows, 0])
    Y = rgb.reshape(-1, 3)[some].astype(np.float64)
    mean = Y.mean(0)
    weights = np.linalg.solve(X.T @ X + np.diag(RIDGE * len(some) / SAMPLES), X.T @ (Y - mean))
    top = float(np.quantile(s[rows, 0], 0.98))
    held = np.where(s > top, top + 0.25 * (s - top), np.maximum(s, 0))  # beyond what was seen, change slowly
    smooth = _features(*np.broadcast_arrays(azimuth, held)) @ weights + mean
    residual = Y - (X @ weights + mean)
    bright = residual.sum(1)
    usual = float(np.median(np.abs(bright - np.median(bright))))
    ladder = _ladder(residual[bright > np.median(bright) - DARKEST * usual])  # darker: the tips of trees
    smooth = _overhead(smooth, s, top)
    ranks = _cloud_ranks(height, rng)
    clouds = np.stack([np.interp(ranks, np.linspace(0, 1, 64), ladder[:, k]) for k in range(3)], -1)
    low, high = np.percentile(Y, [1, 99], axis=0)
    clouds = clouds * (CALM + (1 - CALM) * _away(sky))[..., None]
    dome = np.clip(smooth + clouds, FLOOR * low, np.minimum(255, 1.05 * high)).astype(np.float32)
    dome = _no_pinker(dome, Y)
    return dome + (255 - dome) * _glow(height, dome, rng)


def low_sky(
    dome: Float32[np.ndarray, "h w 3"],
    rgb: Float32[np.ndarray, "h w 3"],
    sky: Bool[np.ndarray, "h w"],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "h w 3"]:
    """The dome, at the elevations of the visible sky with its colour by row, and its detail as random-phase noise.

    Above them the dome takes over, shifted in colour to agree and ever less so.
    """
    height, width = sky.shape
    px = max(3, height // 100)
    inner = cv2.erode(sky.astype(np.uint8), np.ones((px, px), np.uint8)) > 0
    count = inner.sum(1)
    rows = np.flatnonzero(count >= LEAST_ROW * width)
    if len(rows) < LEAST_ROWS * height:
        return dome
    first, last = int(rows[0]), int(rows[-1])
    sigma = height / 256
    mean = np.stack([(rgb[r] * inner[r, :, None]).sum(0) / count[r] for r in rows])
    at = np.arange(first, last + 1)
    profile = np.stack([np.interp(at, rows, mean[:, k]) for k in range(3)], -1)
    profile = gaussian_filter1d(profile, sigma, axis=0, mode="nearest").astype(np.float32)
    mask = inner[first : last + 1]
    residual = local_residual(rgb[first : last + 1], mask, height / 40)
    power = (residual**2).mean(-1).sum(1) / np.maximum(mask.sum(1), 1)
    strength = np.sqrt(gaussian_filter1d(power, 3 * sigma, mode="nearest"))[:, None, None] + 1
    noise = spot_noise((residual / strength).astype(np.float32), mask, (len(at), width), rng)
    calm = (CALM + (1 - CALM) * _away(sky)[first : last + 1])[..., None]
    low = (profile[:, None] + QUIET * noise * strength * calm).astype(np.float32)
    share = np.clip((at - first) / max(1, len(at) // 2), 0, 1).astype(np.float32)[:, None, None]
    share = share * share * (3 - 2 * share)
    reach = np.exp(-((first - np.arange(first)) / (CARRY / np.pi * height))).astype(np.float32)
    offset = profile[: max(2, len(at) // 4)].mean(0) - dome[first : first + max(2, len(at) // 4)].mean((0, 1))
    out = dome.copy()
    out[:first] += reach[:, None, None] * offset
    out[first : last + 1] = (out[first : last + 1] + offset) * (1 - share) + low * share
    out[last + 1 :] = low[-1]
    return out


def plain_sky(height: int, brightness: float, rng: np.random.Generator) -> Float32[np.ndarray, "h w 3"]:
    """A pale, lightly clouded sky where the photo shows none; `brightness` 0..255 at the horizon."""
    s = np.clip(np.sin(row_elevations(height)), 0, 1)[:, None, None].astype(np.float32)
    colour = brightness * (np.array([1.0, 1.0, 1.0], np.float32) - s * np.array([0.28, 0.18, 0.04], np.float32))
    clouds = 0.12 * brightness * (_cloud_ranks(height, rng)[..., None] - 0.5)
    return np.clip(colour + clouds, 0, 255).astype(np.float32)
