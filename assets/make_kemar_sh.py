"""Makes src/sonoworld/render/data/kemar_sh_hrir.npz: MagLS decoders of the MIT KEMAR mannequin, orders 1..7.

    python assets/make_kemar_sh.py PATH/TO/MIT_KEMAR_normal_pinna.sofa

The measurement is W. G. Gardner and K. D. Martin, "HRTF measurements of a KEMAR", J. Acoust. Soc. Am. 97 (1995) 3907
(MIT Media Lab Technical Report 280, 1994): 710 directions, 44.1 kHz, free with no restrictions on use provided the
authors are cited. The Debian package libmysofa1 installs it as MIT_KEMAR_normal_pinna.sofa; the Python package slab
carries the same data. Only the left ear is stored: the measured set is its own mirror image.
"""

import sys
from pathlib import Path

import numpy as np

from sonoworld.render.equalise import diffuse_equalised
from sonoworld.render.hrirs import HrirSet, levelled, merge_repeated, resampled, trimmed
from sonoworld.render.magls import decoder
from sonoworld.render.sofa import read_sofa

OUT = Path(__file__).parent.parent / "src/sonoworld/render/data/kemar_sh_hrir.npz"
RATE_HZ = 48000


def prepared(sofa: Path) -> HrirSet:
    """The measured set at 48 kHz, flat in a diffuse field, at the reference level; `decoder` fills what lies below."""
    return levelled(diffuse_equalised(merge_repeated(trimmed(resampled(read_sofa(sofa), RATE_HZ)))))


def main() -> None:
    """Write the file and say what it holds."""
    whole = prepared(Path(sys.argv[1]))
    left = {f"left_{order}": decoder(whole, order)[0] for order in range(1, 8)}
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(OUT, **left)
    taps = left["left_1"].shape[-1]
    sys.stdout.write(f"{OUT.name}: orders 1..7, {taps} taps at {RATE_HZ} Hz, {OUT.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
