"""What a place adds to its sounds: first reflections off its walls, and a late field. See docs/rooms.md."""

from sonoworld.acoustics.bands import OCTAVES_HZ
from sonoworld.acoustics.room import Emitter, LateField, Room, Walls, diffuse_covariance, plain_emitter, shoebox

__all__ = ["OCTAVES_HZ", "Emitter", "LateField", "Room", "Walls", "diffuse_covariance", "plain_emitter", "shoebox"]
