"""spaudiopy 0.2.0 by its own functions. In an environment of its own: it needs SciPy before 1.17 (`sph_harm`)."""

import sys
from types import ModuleType

# spaudiopy imports it for playback only; the real one fails where PortAudio is not installed.
sys.modules["sounddevice"] = ModuleType("sounddevice")
import spaudiopy as spa  # noqa: E402  # pyright: ignore[reportMissingImports]  not in our environment
from realtime_scene import RATE_HZ, scene  # noqa: E402
from realtime_serve import serve  # noqa: E402
from realtime_stream import Parts, Streamed  # noqa: E402

DIFFERS = "Python loops and NumPy, float64; no levels or distances, no ramps; 256 taps of its synthetic HRIRs, MagLS"


def parts(order: int) -> Parts:
    """Its Euler angles turn the other way about z and x; a field turns by the inverse, which is the transpose."""
    angles = scene().head_angles * [-1, 1, -1]
    return Parts(
        gains=lambda azimuth, zenith: spa.sph.sh_matrix(order, azimuth, zenith),
        turn=lambda i: spa.sph.sh_rotation_matrix(order, *angles[i]).T,
        decode=spa.decoder.sh2bin,
        filters=spa.decoder.magls_bin(spa.io.load_hrirs(RATE_HZ, "dummy"), order),
    )


if __name__ == "__main__":
    serve(Streamed("0.2.0", DIFFERS, parts))
