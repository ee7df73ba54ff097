"""An ambulance drives by: its siren moves, drops in pitch as it passes, and is loudest where it looks.

python examples/04_moving_siren.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from sonoworld.disk.wav import write_wav
from sonoworld.encode import EncodeOptions
from sonoworld.encode.travel import SPEED_OF_SOUND_M_S
from sonoworld.frames import Pose
from sonoworld.render import render_walk, still_walk
from sonoworld.render.loudness import file_gain
from sonoworld.types import Clip, Directivity, Motion, Source, Spread

RATE, SECONDS, SPEED_M_S, SIREN_HZ = 48_000, 12.0, 20.0, 500.0


def siren() -> Clip:
    t = np.arange(RATE) / RATE
    horn = sum(np.sin(2 * np.pi * SIREN_HZ * k * t) / k for k in range(1, 9))
    return Clip((0.3 * horn).astype(np.float32), RATE, True, 0.0, "this example", "MIT")


def ambulance() -> Source:
    half = SPEED_M_S * SECONDS / 2
    road = Motion(np.array([0.0, SECONDS]), np.array([[3.0, half, 0.0], [3.0, -half, 0.0]]), faces_ahead=True)
    horn = Directivity(pattern=0.35, sharpness=1.0, facing=np.array([0.0, -1.0, 0.0]))
    place, weight = np.array([[3.0, half, 0.0]], np.float32), np.ones(1, np.float32)
    return Source(
        id="ambulance", label="ambulance", prompt="a siren", spread=Spread.POINT, level_db=105.0, confidence=1.0,
        backend="this example", points=place, normals=-place / half, weights=weight, solid_angle_sr=0.0, clip=siren(),
        directivity=horn, path=road,
    )  # fmt: skip


def pitch_hz(signal: np.ndarray) -> float:
    size = 1 << 20
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), size))
    near = round(SIREN_HZ * size / RATE)
    return (near // 2 + int(np.argmax(spectrum[near // 2 : near * 3 // 2]))) * RATE / size


def main(folder: Path) -> None:
    walk, law = still_walk(Pose.identity(), SECONDS), EncodeOptions(delay=True, air="iso9613")
    w = render_walk([ambulance()], walk, "ambix", order=0, options=law).signal[0]
    before, after = pitch_hz(w[RATE : 2 * RATE]), pitch_hz(w[-2 * RATE : -RATE])
    c, v = SPEED_OF_SOUND_M_S, SPEED_M_S
    print(f"a siren of {SIREN_HZ:.0f} Hz at {3.6 * v:.0f} km/h")
    print(f"comes at {before:.1f} Hz (a source straight ahead: {SIREN_HZ * c / (c - v):.1f})")
    print(f"goes at  {after:.1f} Hz (a source straight behind: {SIREN_HZ * c / (c + v):.1f})")
    print(f"drops by {12 * np.log2(before / after):.2f} semitones")
    ears = render_walk([ambulance()], walk, options=law)
    write_wav(folder / "siren.wav", file_gain(ears, RATE).apply(ears), RATE)
    print(f"{folder / 'siren.wav'}: put on headphones")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="siren-")))
