"""Where labels go beside what they name: near it, inside the picture, never over each other."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float64

Point = tuple[int, int]
"""(x, y) px, x to the right, y down. Of a label: its upper left corner."""

GAP_PX = 14
"""From the middle of what is named to its label; as much around it is kept free of other labels."""

STEP_PX = 12
MOST_PX = 480
TURNS = 24


def label_places(
    anchors: Sequence[Point], sizes: Sequence[tuple[int, int]], shown: Bool[np.ndarray, "h w"]
) -> tuple[Point | None, ...]:
    """A place for each label of `sizes` (width, height) beside its anchor, in a picture of the size of `shown`; all px.

    Earlier labels choose first: right of the anchor, then left, above, below, then farther and farther away. Places
    overlap neither each other nor any anchor, nor what is `shown` as long as there is room beside it. None where no
    place is left.
    """
    bounds = shown.shape[1], shown.shape[0]
    taken = [(x - GAP_PX / 2, y - GAP_PX / 2, x + GAP_PX / 2, y + GAP_PX / 2) for x, y in anchors]
    places: list[Point | None] = []
    for anchor, size in zip(anchors, sizes, strict=True):
        boxes = np.array(taken, np.float64)
        free = [at for at in _candidates(anchor, size) if _free(at, size, bounds, boxes)]
        beside = (at for at in free if not shown[at[1] : at[1] + size[1], at[0] : at[0] + size[0]].any())
        place = next(beside, free[0] if free else None)
        places.append(place)
        if place is not None:
            taken.append((place[0], place[1], place[0] + size[0], place[1] + size[1]))
    return tuple(places)


def _candidates(anchor: Point, size: tuple[int, int]) -> Iterator[Point]:
    """Corners of a label around an anchor, nearest first."""
    (x, y), (width, height) = anchor, size
    yield x + GAP_PX, y - height // 2
    yield x - GAP_PX - width, y - height // 2
    yield x - width // 2, y - GAP_PX - height
    yield x - width // 2, y + GAP_PX
    for radius in range(GAP_PX + STEP_PX, MOST_PX, STEP_PX):
        for turn in range(TURNS):
            angle = 2 * np.pi * turn / TURNS
            across, down = np.cos(angle), np.sin(angle)
            middle_x = x + across * (radius + width / 2)
            middle_y = y + down * (radius + height / 2)
            yield round(middle_x - width / 2), round(middle_y - height / 2)


def _free(at: Point, size: tuple[int, int], bounds: tuple[int, int], taken: Float64[np.ndarray, "n 4"]) -> bool:
    x0, y0 = at
    x1, y1 = x0 + size[0], y0 + size[1]
    if x0 < 0 or y0 < 0 or x1 > bounds[0] or y1 > bounds[1]:
        return False
    apart = (taken[:, 0] >= x1) | (taken[:, 2] <= x0) | (taken[:, 1] >= y1) | (taken[:, 3] <= y0)
    return bool(apart.all())
