"""A photo becomes a world, and one second of it is heard: the whole way in Python.

python examples/01_first_scene.py [PHOTO] [OUT]
"""

import sys
from importlib.resources import files
from pathlib import Path

from sonoworld.disk.photo import read_photo
from sonoworld.disk.wav import write_wav
from sonoworld.flow import make_scene
from sonoworld.frames import Pose
from sonoworld.recipe import load
from sonoworld.render import render_walk, still_walk
from sonoworld.render.loudness import file_gain


def main(photo: Path, out: Path) -> None:
    scene = make_scene(read_photo(photo), load("embedded", ["panorama.width=512"]), out, seed=0)
    for source in scene.sources:
        print(f"{source.label:<16} {source.spread.value:<8} {source.level_db:.0f} dB SPL at 1 m")
    ears = render_walk(scene, still_walk(Pose.identity(), seconds=1.0))
    write_wav(out.with_suffix(".wav"), file_gain(ears, 48_000).apply(ears), 48_000)
    print(f"{out.with_suffix('.wav')}: what you would hear standing where the photo was taken")


if __name__ == "__main__":
    bundled = Path(str(files("sonoworld.assets").joinpath("meadow.jpg")))
    given = [Path(argument) for argument in sys.argv[1:]]
    main(given[0] if given else bundled, given[1] if len(given) > 1 else Path("first-scene"))
