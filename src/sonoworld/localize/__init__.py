"""Localize: from what sounds and how far things are to where it sounds. Pure mathematics, no backends.

localize(soundings, geometry, known, options) -> sources
picture_of(source, rgb) -> what it looks like
"""

from sonoworld.localize.picture import picture_of
from sonoworld.localize.place import LocalizeOptions, localize

__all__ = ["LocalizeOptions", "localize", "picture_of"]
