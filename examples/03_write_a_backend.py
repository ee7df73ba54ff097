"""A backend of your own in one file: an understander that hears a clock in every picture.

In a package of yours, one line makes it known to `sonoworld backends` and to recipes:

    [project.entry-points."sonoworld.understand"]
    clock = "your_package.clock:CLOCK"
"""

import numpy as np
from pydantic import Field

from sonoworld.backend import Backend, Options, Run, Understand
from sonoworld.testing import check_backend
from sonoworld.types import Camera, Panorama, Sounding, Spread


class ClockOptions(Options):
    """What a user may set: `--set understand.level_db=35`."""

    level_db: float = Field(default=30.0, ge=0, le=120, description="dB SPL at 1 m")


def make(options: ClockOptions) -> Understand:
    """Heavy imports and loading belong here, not at the top of the file."""

    def understand(panorama: Panorama, camera: Camera | None, run: Run) -> tuple[Sounding, ...]:
        ahead = np.array([1.0, 0.0, 0.0])
        return (Sounding("clock", "a clock ticking", Spread.POINT, options.level_db, 1.0, "clock", direction=ahead),)

    return understand


CLOCK = Backend("understand", "clock", "1", "hears a clock straight ahead", ClockOptions, make)

if __name__ == "__main__":
    check_backend(CLOCK)
    print("clock keeps the contract")
