"""A sound field -> ears; splats -> an image."""

from sonoworld.render.walk import Walk, default_walk, parse_walk, still_walk
from sonoworld.render.walk_audio import render_walk

__all__ = ["Walk", "default_walk", "parse_walk", "render_walk", "still_walk"]
