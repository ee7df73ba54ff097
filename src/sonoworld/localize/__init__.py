"""Localize: from what sounds and how far things are to where it sounds. Pure mathematics, no backends.

localize(soundings, geometry, known, options) -> sources
"""

from sonoworld.localize.place import LocalizeOptions, localize

__all__ = ["LocalizeOptions", "localize"]
