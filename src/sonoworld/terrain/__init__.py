"""Where one may walk: ground, obstacles and how far the picture holds, from what a panorama shows."""

from sonoworld.terrain.collider import collider
from sonoworld.terrain.surface import VERSION, walk_surface

__all__ = ["VERSION", "collider", "walk_surface"]
