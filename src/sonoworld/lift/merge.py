"""Several Gaussians into one that covers as much.

Letters: μ S centre and covariance of a splat; A its area (product of its two larger sigmas), a its opacity; w = A a.
The merged Gaussian has the weighted mean and covariance of its parts (moment matching) and is then widened until its
area is the sum of theirs: moments alone would make merged splats too small to touch.
"""

import numpy as np
from jaxtyping import Float64, Int64

from sonoworld.lift.surfels import quaternions
from sonoworld.types import Splats

SPARE = 1.1
"""Area added because merged splats do not lie as evenly as pixels do."""

MOST_WIDENING = 2.0


def merged(splats: Splats, order: Int64[np.ndarray, "n"], starts: Int64[np.ndarray, "m"]) -> Splats:
    """One splat for each stretch of `order` that begins at `starts`; splats alone in their stretch stay as they are.

    Colour and opacity are weighted means; higher harmonics are averaged like colour. Merged ones come first.
    """
    counts = np.diff(np.append(starts, len(order)))
    alone = order[starts[counts == 1]]
    several = np.repeat(counts > 1, counts)
    order, counts = order[several], counts[counts > 1]
    if len(order) == 0:
        return _pick(splats, alone)
    begin = np.concatenate([[0], np.cumsum(counts)[:-1]])
    log_scales = np.sort(splats.log_scales[order].astype(np.float64), axis=1)
    area = np.exp(log_scales[:, 1] + log_scales[:, 2])
    alpha = 1 / (1 + np.exp(-splats.opacity_logits[order].astype(np.float64)))
    weight = area * alpha
    share = weight / np.repeat(np.add.reduceat(weight, begin), counts)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values * share.reshape(-1, *[1] * (values.ndim - 1)), begin, axis=0)

    centre = mean(splats.means[order].astype(np.float64))
    offset = splats.means[order] - np.repeat(centre, counts, axis=0)
    covariance = mean(_covariances(splats, order) + offset[:, :, None] * offset[:, None, :])
    sigma, axes = _ellipsoids(covariance, np.add.reduceat(area, begin))
    opacity = np.clip(mean(alpha), 1e-6, 1 - 1e-6)
    together = Splats(
        means=centre.astype(np.float32),
        log_scales=np.log(sigma).astype(np.float32),
        quats=quaternions(axes.astype(np.float32)),
        opacity_logits=np.log(opacity / (1 - opacity)).astype(np.float32),
        sh=mean(splats.sh[order]).astype(np.float32),
    )
    kept = _pick(splats, alone)
    return Splats(
        *(np.concatenate([getattr(together, name), getattr(kept, name)]) for name in Splats.__dataclass_fields__)
    )


def _covariances(splats: Splats, order: Int64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 3 3"]:
    q = splats.quats[order].astype(np.float64)
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    axes = np.stack([np.stack(row, -1) for row in rows], -2)
    half = axes * np.exp(splats.log_scales[order].astype(np.float64))[:, None, :]
    return half @ half.transpose(0, 2, 1)


def _ellipsoids(
    covariance: Float64[np.ndarray, "m 3 3"], area: Float64[np.ndarray, "m"]
) -> tuple[Float64[np.ndarray, "m 3"], Float64[np.ndarray, "m 3 3"]]:
    """Sigmas, largest last, and axes (columns, right-handed), the two larger widened to the area that was there."""
    variance, axes = np.linalg.eigh(covariance)
    sigma = np.sqrt(np.maximum(variance, 1e-12))
    widening = np.sqrt(SPARE * area / (sigma[:, 1] * sigma[:, 2]))
    sigma[:, 1:] *= np.clip(widening, 1, MOST_WIDENING)[:, None]
    axes[:, :, 0] *= np.sign(np.linalg.det(axes))[:, None]
    return sigma, axes


def _pick(splats: Splats, which: Int64[np.ndarray, "k"]) -> Splats:
    return Splats(*(getattr(splats, name)[which] for name in Splats.__dataclass_fields__))
