"""Which pixels of the panorama each source was made from."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from sonoworld.sphere import pixel_directions
from sonoworld.types import Sounding, Source, Spread

Mask = Bool[np.ndarray, "h w"]


def source_masks(sources: Sequence[Source], soundings: Sequence[Sounding]) -> tuple[Mask | None, ...]:
    """For each source the mask of its sounding, [h w]; None for what has none: ambience, stated directions.

    A sounding that became several sources is shared out: each of its pixels goes to the source nearest in direction.
    """
    masks: dict[tuple[str, str, Spread], list[Mask]] = defaultdict(list)
    for s in soundings:
        if s.mask is not None and s.mask.any():
            masks[s.label, s.prompt, s.spread].append(s.mask)
    alike: dict[tuple[str, str, Spread], list[Source]] = defaultdict(list)
    for source in sources:
        alike[source.label, source.prompt, source.spread].append(source)
    shares = {kind: _shared(some, masks[kind]) for kind, some in alike.items()}
    return tuple(shares[source.label, source.prompt, source.spread][source.id] for source in sources)


def _shared(sources: list[Source], masks: list[Mask]) -> dict[str, Mask | None]:
    """Masks of sources that have the same name."""
    if not masks or sources[0].spread is Spread.AMBIENT:
        return {source.id: None for source in sources}
    if len(sources) == len(masks):
        return {source.id: mask for source, mask in zip(sources, masks, strict=True)}
    whole = np.logical_or.reduce(masks)
    centres = np.array([source.centroid for source in sources], np.float64)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    nearest = (pixel_directions(len(whole))[whole] @ centres.T).argmax(1)
    shares: dict[str, Mask | None] = {}
    for i, source in enumerate(sources):
        share = whole.copy()
        share[whole] = nearest == i
        shares[source.id] = share
    return shares
