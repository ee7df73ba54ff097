"""`best.toml` from a photo to a world of 2048x1024 at full size: seconds and peak GB of every stage, with 80 GB of GPU
memory and with the plan for 24 GB, in one run. Weights are random: speed and memory are right, the world is noise;
every net computes what it is asked, and where noise would not do (words, field of view, depth) its answer is replaced.

Claims: every stage runs from folders in the official formats; no stage takes more than its budget, beyond which torch
gives out nothing.

python bench/best.py                        (a GPU with 80 GB, 60 GB of disk, the packages of the recipe)
python bench/best.py --device cpu --tiny    (a trial in two minutes; claims nothing)
"""

# pyright: reportMissingImports=false
import argparse
import json
import math
import sys
import tempfile
import time
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))
import tiny_vlm
from torchvision_nms import stand_in

import best_made
from sonoworld.cli import main as sonoworld

BUDGETS_GB = (80, 24)
TINY: dict[str, dict[str, object]] = {"panorama": {"width": 256}, "lift": {}, "sound": {"seconds": 2}}


def photo(folder: Path, *, tiny: bool) -> Path:
    path = folder / "meadow.png"
    with files("sonoworld.assets").joinpath("meadow.jpg").open("rb") as file:
        picture = Image.open(file)
        (picture.resize((480, 360)) if tiny else picture).save(path)
    return path


def dictate() -> None:
    """All nets compute what they are asked; where no world comes of what random ones answer, it is replaced: the words
    of the language model, MoGe's field of view and depth.
    """
    from transformers.generation import GenerationMixin  # noqa: PLC0415

    from sonoworld.perceive import moge_net  # noqa: PLC0415

    GenerationMixin.generate = tiny_vlm.dictated(GenerationMixin.generate, tiny_vlm.ANSWER)
    kind = import_module("moge.model.v2").MoGeModel
    infer, at = kind.infer, moge_net.shapes_at

    def seventy_degrees(self: Any, *values: Any, **options: Any) -> Any:
        said = infer(self, *values, **options)
        K = said["intrinsics"].clone()
        K[:, 0, 0] = 0.5 / math.tan(math.radians(35))
        return {**said, "intrinsics": K}

    def three_metres(model: Any, stack: Any, fov: float) -> list[Any]:
        made = at(model, stack, fov)
        return [moge_net.Shape(np.full_like(one.depth, 3), np.ones_like(one.mask), one.fov) for one in made]

    kind.infer, moge_net.shapes_at = seventy_degrees, three_metres


def settings(options: dict[str, dict[str, object]], *, tiny: bool) -> list[str]:
    words: list[str] = []
    for stage, table in options.items():
        extra = TINY.get(stage, {}) if tiny else {}
        for key, value in {**table, **extra}.items():
            if key != "device":  # --device says
                words += ["--set", f"{stage}.{key}={str(value).lower() if isinstance(value, bool) else value}"]
    return words


def limited(budget_gb: float) -> None:
    """Torch gives out no more than this."""
    import torch  # noqa: PLC0415

    torch.cuda.empty_cache()
    whole = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, budget_gb * 1e9 / whole))


def created(picture: Path, out: Path, chosen: list[str], args: argparse.Namespace, budget_gb: int) -> list[Any]:
    record = out.with_suffix(".json")
    vram = [] if args.tiny else ["--vram", f"{budget_gb}GB"]
    where = ["--device", args.device, *vram, "--no-film", "--record", str(record)]
    sonoworld(["create", str(picture), str(out), "--recipe", "best", *chosen, *where])
    return json.loads(record.read_text())["steps"]


def table(steps: list[Any], heading: str, total_s: float) -> float:
    """Printed; the most GPU memory of all steps, GB."""
    print(f"\n{heading}\n| step | backend | seconds | peak GPU, GB | memory so far, GB |\n|---|---|--:|--:|--:|")
    for step in steps:
        gpu = step["gpu_gb"] or 0.0
        print(f"| {step['step']} | {step['backend']} | {step['seconds']:.1f} | {gpu:.1f} | {step['memory_gb']:.1f} |")
    print(f"| all | | {total_s:.1f} | {max(step['gpu_gb'] or 0.0 for step in steps):.1f} | |", flush=True)
    return max(step["gpu_gb"] or 0.0 for step in steps)


def made(folder: Path, args: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Stage -> options; checkpoints that an earlier run left in the folder are taken again."""
    note = folder / "options.json"
    if note.is_file():
        return json.loads(note.read_text())
    large = args.large_folder or folder
    options = best_made.tiny(folder) if args.tiny else best_made.full(folder, args.device, large)
    plain = {stage: {k: v if isinstance(v, bool | int | float) else str(v) for k, v in table.items()}
             for stage, table in options.items()}  # fmt: skip
    note.write_text(json.dumps(plain))
    return json.loads(note.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small models: a trial")
    parser.add_argument("--folder", type=Path, default=None, help="where checkpoints are made (default: temporary)")
    parser.add_argument("--large-folder", type=Path, default=None, help="where the 34 GB of the painter are made")
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS_GB), help="GB of GPU memory")
    args = parser.parse_args()
    alive = stand_in()
    import torch  # noqa: PLC0415

    print(f"{torch.cuda.get_device_name() if args.device != 'cpu' else 'CPU'}, torch {torch.__version__}", flush=True)
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = args.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        options = made(folder, args)
        print(f"checkpoints made in {time.perf_counter() - began:.0f} s", flush=True)
        dictate()
        chosen, picture = settings(options, tiny=args.tiny), photo(folder, tiny=args.tiny)
        for budget_gb in args.budgets if not args.tiny else (0,):
            if args.device != "cpu":
                limited(budget_gb)
            began = time.perf_counter()
            steps = created(picture, folder / f"world{budget_gb}", chosen, args, budget_gb)
            held &= table(steps, f"with {budget_gb} GB", time.perf_counter() - began) <= budget_gb or args.tiny
    del alive
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
