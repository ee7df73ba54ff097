"""Where the listener's head is over time: one pose per block boundary."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import ShapeError
from sonoworld.frames import Pose


@dataclass(frozen=True, slots=True)
class Track:
    """Head poses at the samples 0, block, 2·block, ...: `rotations` world_from_head, `origins` m, world.

    One pose alone stands for a listener that does not move.
    """

    rotations: Float64[np.ndarray, "k 3 3"]
    origins: Float64[np.ndarray, "k 3"]
    block: int = 256

    def __post_init__(self) -> None:
        if len(self.origins) == 0 or self.block < 1:
            raise ShapeError("Track", expected="at least one pose and a block of 1 sample", got=str(self.origins.shape))

    @staticmethod
    def still(world_from_head: Pose) -> "Track":
        """A listener that does not move."""
        return Track(world_from_head.rotation[None], world_from_head.origin[None])

    def cut(self, first: int, last: int) -> "Track":
        """Boundaries `first`..`last` (included); before the first pose and after the last the head rests there."""
        return self if len(self.origins) == 1 else self.every(first, last)

    def every(self, first: int, last: int) -> "Track":
        """As `cut`, with a pose for every boundary even where the listener never moves."""
        index = np.clip(np.arange(first, last + 1), 0, len(self.origins) - 1)
        return Track(self.rotations[index], self.origins[index], self.block)
