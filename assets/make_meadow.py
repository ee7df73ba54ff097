"""Makes the demo photo from the original: `python assets/make_meadow.py aitzgorri_by_Aitzol_Berasategi.jpg`.

The original is in the Debian package lomiri-wallpapers-16.04 (CC BY 4.0, Aitzol Berasategi, 2018).
"""

import sys
from pathlib import Path

from PIL import Image

WIDTH_PX = 1536
TARGET = Path(__file__).parent.parent / "src" / "sonoworld" / "assets" / "meadow.jpg"

with Image.open(sys.argv[1]) as original:
    size = (WIDTH_PX, int(WIDTH_PX * original.height / original.width))
    original.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(TARGET, quality=85)
