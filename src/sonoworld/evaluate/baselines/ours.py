"""Ours, the paper's renderer and the oracle: `localize` and `encode` from the same anchors as everybody."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from sonoworld.encode import EncodeOptions, encode_scene
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.frames import Pose
from sonoworld.localize import LocalizeOptions, localize
from sonoworld.types import Source, Spread


@dataclass(frozen=True, slots=True)
class Ours:
    """How sources are placed and encoded.

    Attributes:
        options: laws of encoding; channels above the first order are cut.
        areas: whether areas keep their surface; else they become points at their centroid.
        points: whether points are points; else they become the surface of them that is seen.
        ambience: whether what is all around is heard.
        oracle: take the true sources in place of those localized from masks and distances.
    """

    options: EncodeOptions
    areas: bool = True
    points: bool = True
    ambience: bool = True
    oracle: bool = False

    def __call__(
        self, anchors: Anchors, listener: Pose, samples: int, rng: np.random.Generator
    ) -> Float32[np.ndarray, "4 t"]:
        """The field at a listener; nothing is random."""
        del rng
        sources = anchors.truth if self.oracle else placed(anchors, points=self.points)
        chosen = [_as_point(s) if not self.areas else s for s in sources if self.ambience or s.spread != Spread.AMBIENT]
        return np.array(encode_scene(chosen, listener, self.options, samples).signal[:4])


def placed(anchors: Anchors, *, points: bool = True) -> tuple[Source, ...]:
    """Sources with clips, from masks and distances; without `points`, what is a point is placed as an area."""
    made: list[Source] = []
    known = np.ones(anchors.geometry.distance.shape, np.bool_)
    for at, (sounding, clip) in enumerate(zip(anchors.soundings, anchors.clips, strict=True)):
        wide = sounding.spread is Spread.POINT and not points
        taken = replace(sounding, spread=Spread.AREA) if wide else sounding
        found = localize((taken,), anchors.geometry, known, LocalizeOptions())
        made += [replace(source, id=f"{at}-{source.id}", clip=clip) for source in found]
    return tuple(made)


def _as_point(source: Source) -> Source:
    return replace(source, spread=Spread.POINT) if source.spread is Spread.AREA else source


OURS = Ours(EncodeOptions(order=3, air="iso9613", delay=True))
ROWS = {
    "ours": OURS,
    "paper's renderer": Ours(EncodeOptions(mode="paper")),
    "oracle anchors": replace(OURS, oracle=True),
}
ABLATIONS = {
    "ours, order 1": replace(OURS, options=EncodeOptions(order=1, air="iso9613", delay=True)),
    "ours, order 5": replace(OURS, options=EncodeOptions(order=5, air="iso9613", delay=True)),
    "ours, areas as points": replace(OURS, areas=False),
    "ours, points as areas": replace(OURS, points=False),
    "ours, no ambience": replace(OURS, ambience=False),
    "ours, coherent areas": replace(OURS, options=EncodeOptions(order=3, air="iso9613", delay=True, area="coherent")),
    "ours, no air, no delay": replace(OURS, options=EncodeOptions(order=3, air="none")),
}
