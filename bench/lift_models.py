"""Claims: models of depth see the views of a panorama faster in batches than one by one; merging views keeps metres: a
sphere of 3 m stays 3 m, a room is right to 1 %. Beside them: seconds and GiB of every model and of the whole stage.
Weights are random and of full size, so speed and memory are right and what they see is noise; metres are measured on
views of made worlds.

python bench/lift_models.py                        (a machine with CUDA, torch, torchvision, transformers; models whose
                                                    packages, moge and depth_anything_3, are missing are left out)
python bench/lift_models.py --device cpu --tiny    (a trial; claims metres only)
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))
import tiny_depth
import tiny_depth_anything
from torchvision_nms import stand_in

from sonoworld.backend import Run
from sonoworld.lift import depth_anything, depth_anything_net
from sonoworld.lift.model_options import ViewsOptions
from sonoworld.lift.view_depth import Look, seen, tile_view
from sonoworld.lift.view_merge import View, merge
from sonoworld.sphere import camera_pixel_directions, pixel_directions
from sonoworld.tiles import cut_all, side_px, sphere_tiles

RUN = Run(np.random.default_rng(0))
MOGE_PARAMETERS = (325e6, 337e6)
"""331 M, as its page says of the large one with normals."""


class Meter:
    """Seconds (best of some turns) and peak GiB of a call on the device."""

    def __init__(self, device: str) -> None:
        import torch  # noqa: PLC0415

        self.torch, self.cuda = torch, device.startswith("cuda")

    def __call__(self, act: Callable[[], object], turns: int = 3) -> tuple[float, float]:
        if self.cuda:
            self.torch.cuda.reset_peak_memory_stats()
        best = float("inf")
        for turn in range(turns + 1):  # the first one warms up
            began = time.perf_counter()
            act()
            if self.cuda:
                self.torch.cuda.synchronize()
            if turn:
                best = min(best, time.perf_counter() - began)
        return best, self.torch.cuda.max_memory_allocated() / 2**30 if self.cuda else float("nan")


def row(what: str, seconds: float, gib: float, views: int = 0) -> None:
    rate = f"{views / seconds:8.1f} views/s" if views else " " * 16
    print(f"  {what:58}{seconds:9.3f} s {rate}{gib:8.2f} GiB", flush=True)


def in_batches(rgb: np.ndarray, look: Look, options: ViewsOptions, args: argparse.Namespace, meter: Meter) -> bool:
    """Time the views of a panorama in batches; whether some batch beats one by one."""
    tiles = sphere_tiles(options.side_px, options.fov_deg, options.overlap)
    pictures = [picture for some in cut_all(rgb, tiles, len(tiles)) for picture in some]
    rates: dict[int, float] = {}
    for batch in args.batches:

        def see(batch: int = batch) -> None:
            for first in range(0, len(pictures), batch):
                look(pictures[first : first + batch])

        seconds, gib = meter(see)
        rates[batch] = len(tiles) / seconds
        row(f"{len(tiles)} views of {options.side_px} px, {batch} at a time", seconds, gib, len(tiles))
    best = max(rates, key=lambda batch: rates[batch])
    print(f"  {best} at a time is {rates[best] / rates[min(rates)]:.2f} times as fast as {min(rates)} at a time")
    return best != min(rates)


def named(net: Any, dtype: str) -> None:
    count = sum(p.numel() for p in net.parameters())
    print(f"\n{type(net).__module__.split('.')[0]} {type(net).__name__}: {count / 1e6:.0f} M parameters, {dtype}")


def run_depth_anything(rgb: np.ndarray, args: argparse.Namespace, meter: Meter) -> bool:
    from transformers import DepthAnythingForDepthEstimation  # noqa: PLC0415

    config = tiny_depth_anything.config("metric") if args.tiny else tiny_depth_anything.full("large", "metric")
    meter.torch.manual_seed(0)
    dtype = "float32" if args.device == "cpu" else "float16"
    with meter.torch.device(args.device):
        net = DepthAnythingForDepthEstimation(config)
    named(net, dtype)
    net = net.to(args.device, getattr(meter.torch, dtype)).eval()
    look = depth_anything_net.looker(net, tiny_depth_anything.processor(70 if args.tiny else 518))
    options = depth_anything.DepthAnythingOptions(side_px=98 if args.tiny else 518)
    return in_batches(rgb, look, options, args, meter)


def run_moge(rgb: np.ndarray, args: argparse.Namespace, meter: Meter) -> bool:
    from moge.model.v2 import MoGeModel  # noqa: PLC0415

    from sonoworld.lift import moge, moge_net  # noqa: PLC0415
    from sonoworld.perceive.moge_net import Moge, trimmed  # noqa: PLC0415

    tiny_depth.add_tiny_encoder()
    config = tiny_depth.moge_2() if args.tiny else tiny_depth.moge_2_large()
    meter.torch.manual_seed(0)
    with meter.torch.device(args.device):
        net = MoGeModel(**config).to(args.device).eval()
    count = sum(p.numel() for p in net.parameters())
    if not args.tiny and not MOGE_PARAMETERS[0] < count < MOGE_PARAMETERS[1]:
        raise SystemExit(f"MoGe: expected 331 M parameters as published, got {count:,}")
    half = args.device != "cpu"
    tiles = sphere_tiles(112 if args.tiny else 640, 90.0, 0.33)
    flat = [picture for some in cut_all(rgb, tiles, len(tiles)) for picture in some]

    def own() -> None:
        for picture in flat:
            net.infer(meter.torch.from_numpy(picture).to(net.device).permute(2, 0, 1) / 255, fov_x=90.0, use_fp16=half)

    named(net, "float32, float16 where its autocast allows" if half else "float32")
    own_s, own_gib = meter(own)
    row(
        f"{len(tiles)} views of {112 if args.tiny else 640} px by its own `infer`, 1 at a time",
        own_s,
        own_gib,
        len(tiles),
    )
    options = moge.MogeLiftOptions(side_px=112 if args.tiny else 640)
    model = Moge(trimmed(net, half=half), metric=True, half=half, resolution_level=options.resolution_level)
    return in_batches(rgb, moge_net.looker(model, options.fov_deg), options, args, meter)


def run_depth_anything_3(rgb: np.ndarray, args: argparse.Namespace, meter: Meter) -> bool:
    from sonoworld.lift import depth_anything_3, depth_anything_3_net  # noqa: PLC0415

    parts, registry = import_module("depth_anything_3.cfg"), import_module("depth_anything_3.registry")
    config = parts.load_config(registry.MODEL_REGISTRY["da3metric-large"])
    if args.tiny:
        config.net.name, config.net.out_layers, config.head.dim_in = "vits", [2, 5, 8, 11], 384
        config.head.features, config.head.out_channels = 16, [16, 16, 16, 16]
    meter.torch.manual_seed(0)
    net = parts.create_object(config).to(args.device).eval()
    named(net, "float32, bfloat16 where its autocast allows" if args.device != "cpu" else "float32")
    options = depth_anything_3.DepthAnything3Options(device=args.device, side_px=98 if args.tiny else 504)
    return in_batches(rgb, depth_anything_3_net.looker(net, options, metric=True), options, args, meter)


def shell(d: np.ndarray) -> np.ndarray:
    return np.full(d.shape[:-1], 3.0)


def room(d: np.ndarray) -> np.ndarray:
    """Walls at x = −2 and 4 m, y = −3 and 2.5 m, the floor 1.6 m below, the ceiling 1.4 m above."""
    low, high = np.array([-2.0, -3.0, -1.6]), np.array([4.0, 2.5, 1.4])
    with np.errstate(divide="ignore"):
        return np.where(d > 0, high / d, low / d).min(-1)


def views_of(world: Callable[[np.ndarray], np.ndarray], height: int, spread: float) -> list[View]:
    """Depth of all views, each wrong by a factor of up to 1 ± spread, whose median is 1."""
    tiles = sphere_tiles(5 * height // 8, 90.0, 0.33)
    factors = np.random.default_rng(0).uniform(-1, 1, len(tiles)) * np.log1p(spread)
    views: list[View] = []
    for tile, factor in zip(tiles, np.exp(factors - np.median(factors)), strict=True):
        d = camera_pixel_directions(tile.K, (side_px(tile), side_px(tile)), tile.pose)
        z = (world(d) * (d @ tile.pose.rotation[:, 2]) * factor).astype(np.float32)
        views.append(tile_view(seen(z, np.zeros(z.shape, np.bool_)), tile, height))
    return views


def upstream(height: int) -> float:
    """What MoGe's own merge makes of its 12 views of a sphere of 3 m."""
    panorama = import_module("moge.utils.panorama")
    extrinsics, intrinsics = panorama.get_panorama_cameras()
    flat = [np.full((64, 64), 3.0, np.float32)] * len(extrinsics)
    there = [np.ones((64, 64), np.bool_)] * len(extrinsics)
    merged, _ = panorama.merge_panorama_depth(2 * height, height, flat, there, extrinsics, intrinsics)
    return float(np.median(merged))


def run_merge(args: argparse.Namespace) -> bool:
    print(f"\nmerge of 14 views into {2 * args.height}x{args.height}, scales of views wrong by up to 10 %")
    right = True
    for world in (shell, room):
        views = views_of(world, args.height, 0.1)
        began = time.perf_counter()
        merged = merge(views, args.height)
        seconds = time.perf_counter() - began
        error = np.abs(merged.distance / world(pixel_directions(args.height)) - 1)
        print(
            f"  {world.__name__:6} {seconds:6.2f} s   error: median {np.median(error):.4%}, largest {error.max():.3%}"
            f"   ({merged.report()})"
        )
        right &= bool(error.max() < 0.01)
    if find_spec("moge") is not None and find_spec("utils3d") is not None:
        print(f"  a sphere of 3 m after MoGe's own merge: {upstream(64):.3f} m")
    return right


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small nets: a trial")
    parser.add_argument("--height", type=int, default=1024, help="rows of the panorama")
    parser.add_argument("--models", nargs="+", default=["depth_anything", "moge", "depth_anything_3"])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 14], help="views at a time")
    args = parser.parse_args(arguments)
    alive = stand_in()
    small = np.random.default_rng(0).integers(0, 256, (args.height // 16, args.height // 8, 3), np.uint8)
    rgb = np.asarray(cv2.resize(small, (2 * args.height, args.height), interpolation=cv2.INTER_CUBIC))
    meter = Meter(args.device)
    name = meter.torch.cuda.get_device_name() if meter.cuda else "CPU"
    print(f"panorama {2 * args.height}x{args.height}, {name}, torch {meter.torch.__version__}")
    faster = [run_depth_anything(rgb, args, meter)] if "depth_anything" in args.models else []
    for package, act in (("moge", run_moge), ("depth_anything_3", run_depth_anything_3)):
        if package not in args.models:
            continue
        if find_spec(package) is None:
            print(f"\n{package} is not installed: left out")
            continue
        if meter.cuda:
            meter.torch.cuda.empty_cache()
        faster.append(act(rgb, args, meter))
    right = run_merge(args)
    del alive
    return 0 if right and (args.tiny or all(faster)) else 1


if __name__ == "__main__":
    sys.exit(main())
