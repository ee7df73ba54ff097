"""One photo in; a 3D world out that you can walk through and hear."""

__version__ = "0.1.0"
