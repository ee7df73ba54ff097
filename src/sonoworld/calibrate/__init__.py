"""Photo -> Camera: field of view, pitch and roll, with a stated confidence.

The contract is `sonoworld.backend.Calibrate`. Backends: `lines` (embedded default, looks at the picture), `exif`
(focal length from the file, level camera), `given` (the user says). A panorama needs no camera and is refused.
"""

from sonoworld.backend import Calibrate

__all__ = ["Calibrate"]
