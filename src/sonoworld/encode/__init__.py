"""Sources and a listener -> a sound field (Ambisonics, ACN, SN3D, head axes)."""

from sonoworld.encode.options import EncodeOptions

__all__ = ["EncodeOptions"]
