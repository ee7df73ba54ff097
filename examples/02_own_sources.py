"""You say what sounds and where; the rest is made for you.

python examples/02_own_sources.py [OUT]
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

from sonoworld.disk.photo import read_photo
from sonoworld.flow import make_scene
from sonoworld.frames import Pose
from sonoworld.recipe import load
from sonoworld.render import render_walk, still_walk

SOURCES = """
[[source]]
label = "church bell"
prompt = "a distant church bell"
level_db = 95.0
direction_deg = [30.0, 5.0]          # azimuth (left is +), elevation

[[source]]
label = "grass"
prompt = "wind in dry grass"
spread = "area"
level_db = 48.0
box_px = [0, 700, 1536, 1022]        # in pixels of the photo

[[source]]
label = "wind"
spread = "ambient"
level_db = 42.0
"""


def main(out: Path) -> None:
    own = out.with_suffix(".toml")
    own.write_text(SOURCES)
    settings = ["panorama.width=512", "understand.backend=given", f"understand.path={own}"]
    photo = Path(str(files("sonoworld.assets").joinpath("meadow.jpg")))
    scene = make_scene(read_photo(photo), load("embedded", settings), out)
    field = render_walk(scene.sources[:1], still_walk(Pose.identity(), 1.0), "ambix", 1)
    w, y, _, x = field.signal.astype(np.float64)
    print(f"the bell is heard at azimuth {np.degrees(np.arctan2((w * y).sum(), (w * x).sum())):.2f}°")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("own-sources"))
