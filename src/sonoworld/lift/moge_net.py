"""MoGe as a model that looks around."""

import math
from collections.abc import Sequence

import numpy as np

from sonoworld.backend import Lift
from sonoworld.lift.model_world import lift_by_views
from sonoworld.lift.moge import MogeLiftOptions
from sonoworld.lift.view_depth import Look, Seen, seen
from sonoworld.perceive.moge_net import Moge, loaded, shapes


def lifter(options: MogeLiftOptions) -> Lift:
    """The stage function of `lift.moge`; the model is loaded now."""
    model = loaded(options, "lift.moge")
    return lift_by_views(looker(model, options.fov_deg), options, who="lift.moge", metric=model.metric)


def looker(model: Moge, fov_deg: float) -> Look:
    """What it masks is sky."""

    def look(pictures: Sequence[np.ndarray]) -> list[Seen]:
        return [seen(one.depth, ~one.mask) for one in shapes(model, pictures, math.radians(fov_deg))]

    return look
