"""A cap around a pole: the ground under the feet, or the canopy overhead.

Letters: θ angle from the pole; r = tan(kθ)/k the chart on which texture is drawn (k = 1 is a plane in perspective,
k = 1/2 keeps shapes; between them texture shrinks and flattens towards the horizon without smearing at the pole).
Colour comes from the rim, ever more mixed towards the pole; texture is random-phase noise from what the photo shows.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from sonoworld.panorama.texture import calm, local_residual, spot_noise

K = 0.75

SOURCE_REACH = np.radians(26.0)
"""How far from the visible part's pole-side edge texture is taken, radians of elevation."""

COARSEST, COARSEST_BUILT = np.radians(6.0), np.radians(3.0)
"""Texture is what differs from the mean over this radius; anything coarser is colour. Floors are plainer."""

RIM = np.radians(5.0)
"""Rows of the rim that are averaged into its colour."""

LIVELY = 24.0, 31.0
"""Deviation of brightness (0..255) that ground has at least, built and grown: it is never as even as far away."""

PATCH_SLOPE, PATCH_HARDNESS = 1.45, 0.9
"""Light and shade on the ground: amplitude falls as frequency^−slope; 0 ends softly, above 1 sharply."""

FADE_IN = np.radians(9.0)
"""Light and shade begin over this height under the rim, where the photo's own still rules."""

LEAST_SOURCE = 1e-3
"""Least share of the panorama from which texture is taken."""

TILE_PX = 256, 1024
"""Texture is made on a tile that closes on itself, as large as the panorama is high, within these bounds."""

TURNS = 4
"""Directions (45° apart) in which the texture is drawn, so that its grain stays radial."""


def _mix_to_pole(rim: Float32[np.ndarray, "w 3"], rows: int) -> Float32[np.ndarray, "k w 3"]:
    """The rim's colour carried to the pole, smoothed along each circle ever more: one colour at the pole."""
    width = len(rim)
    share = (np.arange(rows) + 0.5) / rows
    angle = 0.03 + 0.35 * share + 2.0 * share**4 / (1 - share)
    gain = np.exp(-0.5 * (angle[:, None] * np.arange(width // 2 + 1)[None]) ** 2)
    return np.fft.irfft(np.fft.rfft(rim, axis=0)[None] * gain[..., None], width, axis=1).astype(np.float32)


def _exemplar(
    rgb: Float32[np.ndarray, "h w 3"], source: Bool[np.ndarray, "h w"], built: bool
) -> tuple[Float32[np.ndarray, "k l 3"], Bool[np.ndarray, "k l"]] | None:
    """The texture nearest to the last row, and where it is valid; heights stretched to undo foreshortening."""
    count = source.sum(1)
    rows = np.flatnonzero(count >= max(8, 0.15 * count.max()))
    if len(rows) < 3 or source.mean() < LEAST_SOURCE:
        return None
    last, height = int(rows[-1]), len(rgb)
    first = max(0, last - round(SOURCE_REACH / np.pi * height))
    columns = np.flatnonzero(source[first : last + 1].any(0))
    box = (slice(first, last + 1), slice(columns[0], columns[-1] + 1))
    sigma = float((COARSEST_BUILT if built else COARSEST) / np.pi * height)
    residual = local_residual(rgb[box], source[box], sigma)
    plain = calm(residual, source[box], sigma / 2) if built else source[box]
    size = (residual.shape[1], round(1.4 * residual.shape[0]))
    mask = cv2.resize(plain.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    mask = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if mask.sum() < 200:
        return None
    return np.asarray(cv2.resize(residual, size, interpolation=cv2.INTER_LINEAR), np.float32), mask


def _soil(rng: np.random.Generator) -> tuple[Float32[np.ndarray, "k l 3"], Bool[np.ndarray, "k l"]]:
    """A patch of soft grain, for ground that was never seen."""
    grain = sum(cv2.GaussianBlur(rng.standard_normal((128, 128)), (0, 0), s) * s for s in (1.0, 3.0, 9.0))
    patch = np.asarray(grain, np.float32)[..., None] * np.array([8.0, 8.0, 7.0], np.float32)
    return patch, np.ones((128, 128), bool)


def _turned(
    residual: Float32[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], turn: float, most_px: int
) -> tuple[Float32[np.ndarray, "n n 3"], Bool[np.ndarray, "n n"]]:
    """Exemplar and mask turned by `turn` radians in a square of at most `most_px`."""
    height, width = mask.shape
    side = min(most_px, int(np.ceil(np.hypot(height, width))))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(np.degrees(turn)), 1.0)
    matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
    image = cv2.warpAffine(residual, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(image, np.float32), cv2.warpAffine(mask.astype(np.uint8), matrix, (side, side)) > 0


def _drawn(
    exemplar: tuple[Float32[np.ndarray, "k l 3"], Bool[np.ndarray, "k l"]],
    height: int,
    rows: int,
    rng: np.random.Generator,
) -> Float32[np.ndarray, "r w 3"]:
    """Texture for the last `rows` rows: each place mixes the two turned tiles nearest to its own direction."""
    azimuth = np.pi - np.pi * (np.arange(2 * height) + 0.5) / height
    theta = np.pi * (rows - np.arange(rows) - 0.5) / height
    rim = np.pi * rows / height
    scale = height / np.pi * np.sin(rim) * K / np.tan(K * rim)  # chart px per unit: native size at the rim
    r = (np.tan(K * theta) / K * scale)[:, None]
    x, y = (-r * np.sin(azimuth)).astype(np.float32), (-r * np.cos(azimuth)).astype(np.float32)
    out = np.zeros((rows, 2 * height, 3), np.float32)
    tile_px = int(np.clip(height, *TILE_PX))
    for k in range(TURNS):
        turn = np.pi * k / TURNS
        tile = spot_noise(*_turned(*exemplar, turn, tile_px), (tile_px, tile_px), rng)
        off = (azimuth - turn + np.pi / 2) % np.pi - np.pi / 2
        weight = np.cos(np.clip(off * TURNS / 2, -np.pi / 2, np.pi / 2))  # squares of the two in play sum to 1
        columns = np.flatnonzero(weight > 1e-6)
        seen = cv2.remap(tile, x[:, columns], y[:, columns], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        out[:, columns] += seen * weight[columns][None, :, None].astype(np.float32)
    return out


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
    colour = _mix_to_pole(rim.mean(0), height - first)
    exemplar = _exemplar(rgb, source, built) or _soil(rng)
    drawn = _drawn(exemplar, height, height - first, rng)
    lively = LIVELY[0 if built else 1] * min(1.0, float(colour.mean()) / 110)
    lacking = np.sqrt(max(0.0, lively**2 - float(drawn.mean(-1).std()) ** 2))
    begin = np.minimum(1.0, np.arange(height - first) / (FADE_IN / np.pi * height))[:, None, None]
    shade = (lacking * begin * _patches(height, height - first, rng)).astype(np.float32)
    warm = colour / max(float(colour.mean()), 1.0)  # half of the light is the ground's own colour, half is white
    return colour + drawn + shade * (0.5 * warm + 0.5)
