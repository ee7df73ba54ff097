"""Sources and a listener -> a sound field (Ambisonics, ACN, SN3D, head axes)."""

from sonoworld.encode.field import encode_scene, encode_source
from sonoworld.encode.listener import Track
from sonoworld.encode.options import EncodeOptions

__all__ = ["EncodeOptions", "Track", "encode_scene", "encode_source"]
