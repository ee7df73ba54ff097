"""`lift.hunyuanworld` with a stand-in of its program, which takes the arguments of the real one and writes layers."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonoworld import testing
from sonoworld.backend import Lifted, Run, require_available
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.lift.hunyuanworld import HUNYUANWORLD, HunyuanWorldOptions
from sonoworld.lift.hunyuanworld_run import command

# The arguments are those of Tencent-Hunyuan/HunyuanWorld-1.0, demo_scenegen.py (2025-07), read there.
PROGRAM = """
import argparse, json, os, struct, sys, time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--image_path", type=str, default=None)
parser.add_argument("--labels_fg1", nargs="+", default=[])
parser.add_argument("--labels_fg2", nargs="+", default=[])
parser.add_argument("--fp8_attention", action="store_true", default=False)
parser.add_argument("--fp8_gemm", action="store_true", default=False)
parser.add_argument("--cache", action="store_true", default=False)
parser.add_argument("--classes", type=str, default="outdoor")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--output_path", type=str, default="results")
parser.add_argument("--export_drc", type=bool, default=False)
args = parser.parse_args()
os.makedirs(args.output_path, exist_ok=True)
Path("asked.json").write_text(json.dumps([vars(args), os.environ.get("HF_HUB_OFFLINE")]))
assert Path(args.image_path).read_bytes()[:4] == bytes([137]) + b"PNG"
print("now loading models", flush=True)
{act}

def ply(name, vertices, faces):
    lines = ["ply", "format ascii 1.0", f"element vertex {{len(vertices)}}"]
    lines += [f"property double {{axis}}" for axis in "xyz"]
    lines += [f"property uchar {{c}}" for c in ("red", "green", "blue")]
    lines += [f"element face {{len(faces)}}", "property list uchar uint vertex_indices", "end_header"]
    lines += [" ".join(map(str, (*v, 90, 120, 60))) for v in vertices] + ["3 " + " ".join(map(str, f)) for f in faces]
    Path(args.output_path, name).write_text("\\n".join(lines) + "\\n")

# The panorama's middle looks along -x, z is up: the ground 0.8 below the eye, a wall 2 ahead, of any unit.
n = 60
grid = [(x, y, -0.8) for x in range(-n, n + 1, 4) for y in range(-n, n + 1, 4)]
side = 2 * n // 4 + 1
cells = [(i * side + j, i * side + j + 1, (i + 1) * side + j) for i in range(side - 1) for j in range(side - 1)]
cells += [(b, c + 1, c) for a, b, c in cells]
ply("mesh_layer0.ply", grid, cells)
ply("mesh_layer1.ply", [(-2, -1, -0.8), (-2, 1, -0.8), (-2, 1, 1), (-2, -1, 1)], [(0, 1, 2), (0, 2, 3)])
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    return installed(tmp_path, "")


def installed(folder: Path, act: str) -> Path:
    (folder / "demo_scenegen.py").write_text(PROGRAM.format(act=act))
    return folder


def lift(code: Path, tell: Any = lambda fraction, note: None, **options: Any) -> Lifted:
    made = HUNYUANWORLD.make(HunyuanWorldOptions(code=str(code), python=sys.executable, **options))
    return made(testing.tiny_panorama(), Run(np.random.default_rng(0), tell))


def test_layers_become_a_world_in_metres(code: Path) -> None:
    told: list[str] = []
    lifted = lift(code, lambda fraction, note: told.append(note))
    distance = lifted.geometry.distance
    assert lifted.geometry.metric
    height, width = distance.shape
    assert abs(distance[height // 2, width // 2] / 4.0 - 1) < 0.02  # 2 of its units ahead, at 1.6 m / 0.8
    down = distance[-1, 0]
    assert abs(down / 1.6 - 1) < 0.02
    assert lifted.splats is not None
    assert abs(np.percentile(lifted.splats.means[:, 2], 5) + 1.6) < 0.05
    assert "now loading models" in told or "HunyuanWorld begins" in told


def test_its_height_is_the_scale(code: Path) -> None:
    low, high = lift(code, camera_height_m=0.8), lift(code, camera_height_m=3.2)
    row = low.geometry.distance.shape[0] * 3 // 4
    np.testing.assert_allclose(high.geometry.distance[row], 4 * low.geometry.distance[row], rtol=1e-3)


def test_what_it_is_asked(code: Path, tmp_path: Path) -> None:
    import json  # noqa: PLC0415

    lift(code, near_labels=("stones", "old tree"), far_labels=("house",), place="indoor", fp8=True, offline=True)
    args, offline = json.loads((tmp_path / "asked.json").read_text())
    assert (args["labels_fg1"], args["labels_fg2"]) == (["stones", "old tree"], ["house"])
    assert (args["classes"], args["fp8_gemm"], args["fp8_attention"]) == ("indoor", True, True)
    assert (args["export_drc"], offline) == (False, "1")
    seed = args["seed"]
    lift(code)
    args, offline = json.loads((tmp_path / "asked.json").read_text())
    assert (args["seed"], args["labels_fg1"], offline) == (seed, [], None)


@pytest.mark.parametrize("label", ["--output_path", "", " ", "-x"])
def test_labels_are_no_options(tmp_path: Path, label: str) -> None:
    with pytest.raises(StageError, match="expected labels that are words"):
        command(HunyuanWorldOptions(near_labels=(label,)), tmp_path, 0)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("raise SystemExit('CUDA out of memory')", "too little memory for it: --set lift.fp8=true"),
        ("import no_such_package_anywhere", "git clone https://github.com/Tencent-Hunyuan/HunyuanWorld-1.0"),
        ("sys.exit(7)", "ended with code 7; it said last:\n    now loading models"),
        ("sys.exit(0)", "expected mesh_layer0.ply and more from demo_scenegen.py, got 0 files"),
    ],
)
def test_a_run_that_fails_says_why(tmp_path: Path, act: str, says: str) -> None:
    with pytest.raises(StageError) as caught:
        lift(installed(tmp_path, act))
    assert says in str(caught.value)


def test_it_is_stopped_in_time_and_on_interruption(tmp_path: Path) -> None:
    code = installed(tmp_path, "time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(StageError, match=r"was stopped after 0\.5 s"):
        lift(code, timeout_s=0.5)

    def tell(fraction: float, note: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lift(code, tell)
    assert time.monotonic() - began < 30


def test_what_is_not_here_is_said(tmp_path: Path) -> None:
    options = HunyuanWorldOptions(code=str(tmp_path), python="no-such-python")
    with pytest.raises(BackendMissingError, match=r"no HunyuanWorld code in .*; no program no-such-python") as caught:
        require_available(HUNYUANWORLD, options)
    for part in ("git clone", "conda env create", "FLUX.1-Fill-dev (33.7 GB, FLUX.1 [dev] Non-Commercial License)"):
        assert part in str(caught.value)
