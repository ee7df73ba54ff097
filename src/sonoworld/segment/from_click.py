"""What somebody points at in the panorama: a click or a box, looked at in a perspective view, and cut out.

Source of the cut: Rother, Kolmogorov, Blake, GrabCut (SIGGRAPH 2004), as OpenCV does it.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from sonoworld.errors import InputError
from sonoworld.frames import Pose, angles_from_direction, world_from_camera_rotation
from sonoworld.perceive.outline import outline
from sonoworld.sphere import camera_pixel_from_direction, pinhole
from sonoworld.tiles import Tile, cut_tile, lookup, values

SIDE_PX = 384
CLICK_FOV_RAD = float(np.radians(60))
BOX_SHARE = 0.5
"""A box fills this much of the view that it is cut out in; the rest is what it is not."""

LARGEST_BOX_RAD = float(np.radians(70))


def from_click(
    rgb: UInt8[np.ndarray, "h w 3"], direction: Float64[np.ndarray, "3"], *, tolerance: float = 12.0
) -> Bool[np.ndarray, "h w"]:
    """Pixels of a panorama that hang together with the clicked one and look like it: region growing.

    Args:
        rgb: equirectangular, sRGB.
        direction: unit, world: where the click is.
        tolerance: largest distance of a colour from that around the click, CIELAB units; more takes more.

    Raises:
        InputError: tolerance not in 1..60.
    """
    if not 1 <= tolerance <= 60:
        raise InputError(f"from_click: tolerance: expected 1..60 CIELAB units, got {tolerance:g}")
    view = _view(direction, CLICK_FOV_RAD)
    picture = cv2.medianBlur(cut_tile(rgb, view), 5)
    lab = cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    middle = SIDE_PX // 2
    colour = np.median(lab[middle - 2 : middle + 3, middle - 2 : middle + 3].reshape(-1, 3), axis=0)
    alike = (np.linalg.norm(lab - colour, axis=-1) <= tolerance).astype(np.uint8)
    _, patches = cv2.connectedComponents(alike, connectivity=4)
    grown = (patches == patches[middle, middle]) & (alike > 0)
    closed = cv2.morphologyEx(grown.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
    return _on_sphere(closed, view, rgb.shape[0])


def from_box(
    rgb: UInt8[np.ndarray, "h w 3"], corner: Float64[np.ndarray, "3"], opposite: Float64[np.ndarray, "3"]
) -> Bool[np.ndarray, "h w"]:
    """Pixels of the thing in a box between two corners (unit directions, world): graph cut in a view of the box.

    Boxes may lie across ±180° and over poles. Where the cut finds nothing plausible it is the box's ellipse.

    Raises:
        InputError: the box is empty or wider than 70°.
    """
    middle = corner + opposite
    across = float(np.arccos(np.clip(corner @ opposite, -1, 1)))
    if not np.radians(0.5) <= across <= LARGEST_BOX_RAD:
        raise InputError(f"from_box: expected corners 0.5° to 70° apart, got {np.degrees(across):.1f}°")
    fov = 2 * float(np.arctan(np.tan(across / 2) / BOX_SHARE))
    view = _view(middle / np.linalg.norm(middle), fov)
    x, y, _ = camera_pixel_from_direction(np.stack([corner, opposite]), view.K, view.pose)
    box = (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    return _on_sphere(outline(cut_tile(rgb, view), box), view, rgb.shape[0])


def _view(direction: Float64[np.ndarray, "3"], fov: float) -> Tile:
    azimuth, elevation = (float(a) for a in angles_from_direction(direction))
    pose = Pose(world_from_camera_rotation(elevation, 0.0, azimuth), np.zeros(3))
    return Tile(pinhole(fov, (SIDE_PX, SIDE_PX)), pose, fov)


def _on_sphere(mask: Bool[np.ndarray, "s s"], view: Tile, height: int) -> Bool[np.ndarray, "h w"]:
    where = lookup(view, height)
    out = np.zeros(2 * height * height, np.bool_)
    out[where.pixels] = values(mask.astype(np.float32), where) > 0.5
    return out.reshape(height, 2 * height)
