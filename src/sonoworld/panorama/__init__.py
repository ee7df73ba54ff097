"""Photo, Camera -> Panorama: the whole sphere, of which the photo knows a part.

The contract is `sonoworld.backend.MakePanorama`. `place` projects the photo, exactly and anti-aliased; a backend
invents the rest. `embedded` does so without weights.
"""

from sonoworld.backend import MakePanorama

__all__ = ["MakePanorama"]
