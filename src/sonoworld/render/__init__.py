"""A sound field -> ears; splats -> an image."""

from sonoworld.render.tour import default_walk
from sonoworld.render.walk import Walk, parse_walk, still_walk, walk_document
from sonoworld.render.walk_audio import render_walk

__all__ = ["Walk", "default_walk", "parse_walk", "render_walk", "still_walk", "walk_document"]
