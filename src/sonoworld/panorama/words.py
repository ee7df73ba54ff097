"""What the photo shows in plain words, for models that paint from words: read off by the embedded perception.

People, vehicles and animals are not named: what the photo shows of them it shows already, and nothing is known of more.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64

from sonoworld.perceive.stuff import Stuff, parse
from sonoworld.sphere import camera_pixel_directions
from sonoworld.types import Camera, Photo

WORK_PX = 640
LEAST = 0.04
"""Share of the photo from which a kind of stuff is named."""

BUILT = 0.5
OVERHEAD = 0.05
"""Share of sky above which the photo is one with sky."""

HORIZON_RAD = np.radians(2.0)

OUTDOORS = {
    Stuff.BUILDING: "buildings",
    Stuff.VEGETATION: "trees and plants",
    Stuff.WATER: "water",
    Stuff.ROAD: "a road",
    Stuff.GROUND: "open ground",
}
UNDERFOOT = {
    Stuff.WATER: "water",
    Stuff.ROAD: "pavement",
    Stuff.GROUND: "the ground",
    Stuff.VEGETATION: "grass and plants",
}


@dataclass(frozen=True, slots=True)
class Words:
    """`scene`: what is all around; `above` and `below`: what one sees looking straight up and down."""

    scene: str
    above: str
    below: str


def read(photo: Photo, camera: Camera) -> Words:
    """Words for a photo, from its stuff and whether it is of a town, a room or nature."""
    width, height = photo.size_px
    scale = min(1.0, WORK_PX / max(width, height))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    small = np.asarray(cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    K = np.diag([size[0] / width, size[1] / height, 1.0]) @ camera.K
    up = camera_pixel_directions(K, size, camera.world_from_camera)[..., 2]
    elevation = np.arcsin(np.clip(up, -1, 1)).astype(np.float32)
    parsed = parse(small, elevation, elevation_sigma=max(float(HORIZON_RAD), camera.sigma.pitch))
    share = parsed.probability.reshape(-1, len(Stuff)).mean(0).astype(np.float64)
    below = parsed.probability[elevation < 0].mean(0).astype(np.float64) if (elevation < 0).any() else share
    return worded(share, below, parsed.man_made)


def worded(share: Float64[np.ndarray, "7"], below: Float64[np.ndarray, "7"], man_made: float) -> Words:
    """Words for shares of stuff (in the order of `Stuff`) in the whole photo and below its horizon."""
    sky, built = share[Stuff.SKY] > OVERHEAD, man_made > BUILT
    if built and not sky:
        return Words(
            "the inside of a building, walls, floor and ceiling", "the ceiling of a room", "the floor of a room"
        )
    named = [OUTDOORS[kind] for kind in sorted(OUTDOORS, key=lambda k: -share[k]) if share[kind] >= LEAST]
    place = "a place in a town" if built else "a landscape"
    scene = f"{place} with {_listed(named)}" if named else place
    canopy = "the crowns of trees" if share[Stuff.VEGETATION] >= LEAST else "the open sky"
    under = UNDERFOOT[max(UNDERFOOT, key=lambda k: below[k])]
    return Words(f"{scene}, under the sky" if sky else scene, "the open sky" if sky else canopy, under)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
