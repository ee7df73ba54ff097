"""Near sources block by block: the plain version of `native/near.hpp`. Law: `encode.nearfield`.

Letters: n degree; v inner signal of a section, behind its poles; b its zeros, on a straight line through the block.
"""

import numpy as np
from jaxtyping import Float32, Float64

from sonoworld.encode.nearfield import REFERENCE_M, near_field_sections
from sonoworld.render.executor import Plan


class NearField:
    """What every degree hears of one point source: the same signal beyond `REFERENCE_M`, filtered ones within it."""

    def __init__(self, plan: Plan) -> None:
        self._order, self._rate_hz = plan.order, plan.rate_hz
        self._r = (np.arange(plan.block) + 1) / plan.block
        self._past: dict[int, list[Float64[np.ndarray, "s 2"]]] = {}

    def hears(self, q: int, last_m: float, next_m: float) -> bool:
        """Whether source `q` is near in this block; where not, its filters are forgotten."""
        near = min(last_m, next_m) < REFERENCE_M
        if not near:
            self._past.pop(q, None)
        return near

    def process(self, q: int, x: Float32[np.ndarray, "b"], last_m: float, next_m: float) -> Float32[np.ndarray, "n b"]:
        """One block of source `q`: a row per degree 0..order."""
        sections = near_field_sections(np.array([last_m, next_m]), self._rate_hz, self._order)
        past = self._past.setdefault(q, [np.zeros((one.shape[1], 2)) for one in sections])
        rows = [self._degree(x, one, past[n]) for n, one in enumerate(sections)]
        return np.stack(rows).astype(np.float32)

    def _degree(
        self, x: Float32[np.ndarray, "b"], sections: Float64[np.ndarray, "2 s 6"], past: Float64[np.ndarray, "s 2"]
    ) -> Float64[np.ndarray, "b"]:
        from scipy.signal import lfilter, lfiltic  # noqa: PLC0415  half a second to import

        y = x.astype(np.float64)
        for s in range(sections.shape[1]):
            poles, (old, new) = sections[0, s, 3:], sections[:, s, :3]
            state = lfiltic([1.0], poles, past[s])
            v, _ = lfilter([1.0], poles, y, zi=state)
            line = np.concatenate([past[s][::-1], v])
            b = old[:, None] + (new - old)[:, None] * self._r
            y = b[0] * v + b[1] * line[1:-1] + b[2] * line[:-2]
            past[s] = line[-1], line[-2]
        return y
