"""How even and how true the loudspeaker decoders are, beside spaudiopy's AllRAD.

    python bench/loudspeakers.py [--no-peer]

A source goes round all directions that a layout covers: the stage between both for stereo, the horizon for flat
layouts, the upper half for those with height, everything for the cube. Columns: `even` is the loudest minus the
faintest direction, dB of energy, and `all round` the same over the whole sphere; `off` the mean and the largest angle
between the energy vector and the source; `|rE|` the vector's mean length (1: all from one loudspeaker). max-rE weights
in all rows; sampling is there to show why AllRAD is the default.

Claims: wherever a source is, also where no loudspeaker stands, loudest and faintest direction are no further apart than
`ALL_ROUND_DB` at any order, and spaudiopy, which drops what its imaginary loudspeakers would play, is never evener all
round. What it drops is missing, but also does not blur: where its energy vectors are truer or longer, the rows say so.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from peers.realtime_environments import PeerMissingError, python_with
from sonoworld.encode.harmonics import channel_degrees
from sonoworld.render.hrirs import fibonacci_sphere
from sonoworld.render.speakers import LAYOUTS, LayoutName
from sonoworld.render.speakers_decode import energy_vectors, speaker_decoder
from sonoworld.render.speakers_hull import speaker_hull

ORDERS = (1, 2, 3, 5, 7)
ALL_ROUND_DB = {"stereo": 0.9, "quad": 0.8, "5.1": 1.9, "7.1": 1.6, "5.1.4": 4.3, "7.1.4": 3.7, "cube": 0.5}
FLAT = ("stereo", "quad", "5.1", "7.1")
SPHERE = fibonacci_sphere(4000)
TURN = np.radians(np.arange(0.0, 360.0))
RING = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], -1)


def covered(name: LayoutName) -> np.ndarray:
    """Directions [n 3] that a layout is for."""
    if name == "stereo":
        return RING[RING[:, 0] > np.cos(np.radians(30.5))]
    if name in FLAT:
        return RING
    return SPHERE if name == "cube" else SPHERE[SPHERE[:, 2] >= 0]


def measured(name: LayoutName, gains: np.ndarray) -> tuple[float, float, float, float, float]:
    """Evenness where covered and all round, mean and largest angle of the energy vector, its mean length."""
    speakers = LAYOUTS[name].directions
    towards = covered(name)
    energy, vector = energy_vectors(gains, speakers, towards)
    length = np.linalg.norm(vector, axis=1)
    off = np.degrees(np.arccos(np.clip((vector * towards).sum(1) / length, -1, 1)))
    whole, _ = energy_vectors(gains, speakers, SPHERE)
    return _even(energy), _even(whole), float(off.mean()), float(off.max()), float(length.mean())


def _even(energy: np.ndarray) -> float:
    return float(10 * np.log10(energy.max() / energy.min()))


def spaudiopy() -> dict[str, np.ndarray]:
    """Its decoders as SN3D gains of the full-range loudspeakers, by "layout order"."""
    python = python_with(("spaudiopy==0.2.0", "scipy<1.17"))
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npz"
        what = {"names": np.array(list(LAYOUTS)), "orders": np.array(ORDERS)}
        what |= {f"at {name}": layout.directions for name, layout in LAYOUTS.items()}
        what |= {f"added {name}": _imaginary(name) for name in LAYOUTS}
        np.savez(given, allow_pickle=False, **what)
        script = Path(__file__).parent / "peers" / "loudspeakers_spaudiopy.py"
        command = [str(python), str(script), str(given), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PeerMissingError(f"spaudiopy: {done.stderr.strip().splitlines()[-1]}")
        with np.load(made, allow_pickle=False) as file:
            return {name: _sn3d(file[name]) for name in file.files}


def _imaginary(name: LayoutName) -> np.ndarray:
    """For the peer, which has no hull for flat layouts: the imaginary loudspeakers that ours adds."""
    directions = LAYOUTS[name].directions
    return speaker_hull(directions).vertices[len(directions) :] if name in FLAT else np.zeros((0, 3))


def _sn3d(orthonormal: np.ndarray) -> np.ndarray:
    """Orthonormal harmonics are SN3D times √((2n + 1)/4π)."""
    degrees = np.array(channel_degrees(round(orthonormal.shape[1] ** 0.5) - 1))
    return orthonormal * np.sqrt((2 * degrees + 1) / (4 * np.pi))


def row(name: str, order: int, who: str, values: tuple[float, ...], says: str = "") -> None:
    even, whole, mean, worst, length = values
    level = f"{even:6.2f}    {whole:6.2f}"
    print(
        f"{name:<7} {order}  {who:<10} {level}   {mean:5.1f}° {worst:6.1f}°   {length:.2f}  {says}".rstrip(), flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true", help="leave spaudiopy out")
    options = parser.parse_args()
    fine, peer = True, dict[str, np.ndarray]()
    if not options.no_peer:
        try:
            peer = spaudiopy()
        except PeerMissingError as missing:
            print(f"spaudiopy: missing: {missing}")
            fine = False
    print("layout  N  decoder    even dB  all round   off: mean, most  |rE|")
    for name, layout in LAYOUTS.items():
        for order in ORDERS:
            channels = list(layout.full_range)
            ours = measured(name, speaker_decoder(layout, order)[channels])
            theirs = measured(name, peer[f"{name} {order}"]) if peer else None
            holds = ours[1] <= ALL_ROUND_DB[name]
            # a hundredth for a decoder that is the same: the cube at first order has no spread at all
            holds &= theirs is None or ours[1] <= theirs[1] + 0.01
            fine &= holds
            row(name, order, "allrad", ours, "holds" if holds else "FAILS")
            row(name, order, "sampling", measured(name, speaker_decoder(layout, order, "sampling")[channels]))
            if theirs is not None:
                row(name, order, "spaudiopy", theirs)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
