"""The pictures of an evaluation: for a bounded number of microphones, what ours and the release gave, on the panorama.

Letters: p places of the panorama's pixels, m; q the same seen from the microphone.
"""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sonoworld import sphere
from sonoworld.evaluate import pictures
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.evaluate.run import Station
from sonoworld.frames import Pose
from sonoworld.types import Geometry, Spread

PICTURED = ("ours", "release")
"""Methods whose estimates are drawn."""

MOST_STATIONS = 12
"""Microphones that are drawn, evenly among all."""

SKY_M = 1000.0
"""Where the sky is put when it is seen from another place."""

Named = tuple[str, Float64[np.ndarray, "3"]]


def is_drawn(at: int, count: int) -> bool:
    """Whether the microphone of this number, of so many, has pictures."""
    return at % math.ceil(count / MOST_STATIONS) == 0


def station_pictures(
    station: Station,
    references: Mapping[str, Float32[np.ndarray, "4 t"]],
    estimates: Mapping[str, Float32[np.ndarray, "4 u"]],
    seen: Anchors,
    known: Sequence[Named],
) -> tuple[tuple[str, bytes], ...]:
    """Pictures of the first recording at a microphone, one for each estimate.

    Args:
        station: the microphone.
        references: clip -> [W, Y, Z, X].
        estimates: method -> [W, Y, Z, X].
        seen: whose panorama is shown.
        known: what sounds and its direction, head axes.

    Returns:
        Caption and PNG file of each.
    """
    around = panorama_at(seen.rgb, seen.geometry, station.pose)
    clip, reference = next(iter(references.items()))
    made: list[tuple[str, bytes]] = []
    for method, estimate in estimates.items():
        title = f"{method} · {station.scene} · {station.mic} · {clip}"
        picture = pictures.clip_picture(pictures.Clip(title, estimate, reference, known), around)
        made.append((title, pictures.png(picture)))
    return tuple(made)


def true_directions(anchors: Anchors, pose: Pose) -> tuple[Named, ...]:
    """Where the middles of the true sources are, head axes; what is all around is left out."""
    placed = [source for source in anchors.truth if source.spread is not Spread.AMBIENT]
    middles = [source.weights.astype(np.float64) @ source.points.astype(np.float64) for source in placed]
    return tuple((s.label, (middle - pose.origin) @ pose.rotation) for s, middle in zip(placed, middles, strict=True))


def panorama_at(
    rgb: UInt8[np.ndarray, "h w 3"], geometry: Geometry, pose: Pose, height: int = pictures.HEIGHT_PX
) -> UInt8[np.ndarray, "k w2 3"]:
    """The panorama as seen from a microphone, turned as it is; what the eye did not see is filled from beside.

    Args:
        rgb: seen from the origin.
        geometry: of the same size.
        pose: world_from_head.
        height: of the result, px.
    """
    far = np.where(geometry.valid & ~geometry.sky, geometry.distance, SKY_M).astype(np.float64)
    q = ((sphere.pixel_directions(rgb.shape[0]) * far[..., None] - pose.origin) @ pose.rotation).reshape(-1, 3)
    distance = np.linalg.norm(q, axis=1)
    order = np.argsort(-distance, kind="stable")  # what is near is painted over what is far
    u, v = sphere.pixel_from_direction(q[order] / np.maximum(distance[order], 1e-9)[:, None], height)
    columns = np.clip(np.floor(u).astype(np.int64), 0, 2 * height - 1)
    rows = np.clip(np.floor(v).astype(np.int64), 0, height - 1)
    out = np.zeros((height, 2 * height, 3), np.uint8)
    out[rows, columns] = np.asarray(rgb).reshape(-1, 3)[order]
    holes = np.ones(out.shape[:2], np.uint8)
    holes[rows, columns] = 0
    return np.asarray(cv2.inpaint(out, holes, 2, cv2.INPAINT_TELEA), np.uint8)
