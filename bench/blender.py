"""Whether Blender reads what we export: places, axes, colours and names, in Blender itself.

    python3.11 -m venv blender && blender/bin/pip install bpy==5.0.1
    python bench/blender.py --python blender/bin/python WORLD

Claims: `--to ply --axes FLU` comes in with every value of every splat, in our own axes (import: forward Y, up Z); GLB
comes in as coloured points, its sounds as empties where the sources are (Blender's y is ahead, −x left); USD brings the
sounds, and no picture until Blender's OpenUSD knows splats. Needs usd-core here for the last.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from sonoworld.cli.containers import CONTAINERS, Choices
from sonoworld.disk.scene import load_lite, load_sources

IN_BLENDER = """
import bpy, json, sys
import numpy as np
told = {"version": bpy.app.version_string}
read = {
    "ply": lambda f: bpy.ops.wm.ply_import(filepath=f, forward_axis="Y", up_axis="Z"),
    "glb": lambda f: bpy.ops.import_scene.gltf(filepath=f),
    "usdz": lambda f: bpy.ops.wm.usd_import(filepath=f),
}
for file in sys.argv[1:]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    read[file.rsplit(".", 1)[1]](file)
    bpy.context.view_layer.update()
    found = {"empties": {}, "points": 0, "attributes": [], "middle": None}
    for o in bpy.data.objects:
        if o.type == "MESH":
            v = np.empty(3 * len(o.data.vertices), np.float32)
            o.data.vertices.foreach_get("co", v)
            m = np.array(o.matrix_world)
            found["middle"] = np.median(v.reshape(-1, 3) @ m[:3, :3].T + m[:3, 3], axis=0).tolist()
            found["points"] = len(o.data.vertices)
            found["attributes"] = [a.name for a in o.data.attributes]
        elif o.type == "EMPTY":
            found["empties"][o.name] = list(o.matrix_world.translation)
    told[file.rsplit(".", 1)[1]] = found
print("TOLD" + json.dumps(told))
"""


def in_blender(python: Path, files: list[Path]) -> dict[str, dict[str, object]]:
    """What Blender found in each file."""
    done = subprocess.run(
        [str(python), "-c", IN_BLENDER, *map(str, files)], capture_output=True, text=True, timeout=600, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TOLD")]
    if not lines:
        sys.exit(f"{python}: {done.stderr.strip()[-500:]}")
    return json.loads(lines[0][4:])


def main() -> int:
    """One line a claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", type=Path)
    parser.add_argument("--python", type=Path, required=True)
    said = parser.parse_args()
    splats, sources = load_lite(said.world), load_sources(said.world)
    places = [np.asarray(s.centroid) for s in sources if s.centroid is not None]
    middle = np.median(splats.means, axis=0)
    ahead_is_y = np.array([-middle[1], middle[0], middle[2]])
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"world.{end}" for end in ("ply", "glb", "usdz")]
        for file, kind, axes in zip(files, ("ply", "glb", "usd"), ("FLU", None, None), strict=True):
            CONTAINERS[kind].write(said.world, file, Choices(axes=axes, lite=True), lambda part: None)
        told = in_blender(said.python, files)
    print(f"Blender {told['version']}")
    needed = {"f_dc_0", "opacity", "scale_0", "rot_0"}
    claims = {
        "PLY: all splats, in our axes": told["ply"]["points"] == len(splats) and near(told["ply"]["middle"], middle),
        "PLY: colours, opacities, sizes, rotations kept": needed <= set(told["ply"]["attributes"]),
        "GLB: all splats as coloured points": told["glb"]["points"] == len(splats)
        and "Color" in told["glb"]["attributes"],
        "GLB: ahead is +y, left is -x": near(told["glb"]["middle"], ahead_is_y),
        "GLB: sounds where the sources are": all(placed(told["glb"]["empties"], p) for p in places),
        "USD: sounds where the sources are": all(placed(told["usdz"]["empties"], p) for p in places),
    }
    for claim, holds in claims.items():
        print(f"  {claim:<48} {'yes' if holds else 'NO'}")
    print(f"  (USD: {told['usdz']['points'] or 'no'} points of {len(splats)} splats)")
    return int(not all(claims.values()))


def near(got: object, wanted: np.ndarray) -> bool:
    """Within a millimetre or a part in a hundred thousand."""
    return got is not None and bool(np.allclose(np.asarray(got), wanted, rtol=1e-5, atol=1e-3))


def placed(empties: object, place: np.ndarray) -> bool:
    """Whether an empty stands at a place of the world."""
    assert isinstance(empties, dict)
    x, y, z = place
    return any(near(at, np.array([-y, x, z])) for at in empties.values())


if __name__ == "__main__":
    sys.exit(main())
