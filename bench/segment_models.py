"""Claim: SAM 3 sees the tiles of a panorama faster in batches than one by one. Beside it: SAM 2 regions, CLIPSeg, and
the whole stages, in seconds, tiles a second and GiB. Weights are random and of full size, so speed and memory are right
and outputs are noise; what follows the nets is timed on masks made up for it.

python bench/segment_models.py                        (a machine with CUDA, torch, torchvision, transformers)
python bench/segment_models.py --device cpu --tiny    (a trial in half a minute; claims nothing)
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))
import tiny_segmenters as tiny
from torchvision_nms import stand_in

from sonoworld.backend import Run
from sonoworld.segment import clipseg, clipseg_net, sam2, sam2_net, sam3, sam3_net
from sonoworld.segment.regions import circle_windows, grid, regions
from sonoworld.tiles import cut_all, sphere_tiles
from sonoworld.types import Panorama, Sounding, Spread

PROMPTS = ("river", "bus", "a dog that barks", "leaves of trees", "church bell")
RUN = Run(np.random.default_rng(0))
LARGE = {
    "backbone_config": {
        "model_type": "sam2_hiera_det_model", "hidden_size": 144, "num_attention_heads": 2,
        "blocks_per_stage": [2, 6, 36, 4], "embed_dim_per_stage": [144, 288, 576, 1152],
        "num_attention_heads_per_stage": [2, 4, 8, 16], "window_size_per_stage": [8, 4, 16, 8],
        "global_attention_blocks": [23, 33, 43],
    },
    "backbone_channel_list": [1152, 576, 288, 144],
}  # fmt: skip
"""SAM 2.1 large; the defaults of transformers are tiny."""


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


def built(make: Callable[[], Any], expected: int, args: argparse.Namespace, dtype: str) -> Any:
    """A net of random weights on the device, with as many parameters as the published one."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    with torch.device(args.device):
        net = make()
    count = sum(p.numel() for p in net.parameters())
    if not args.tiny and count != expected:
        raise SystemExit(f"{type(net).__name__}: expected {expected:,} parameters as published, got {count:,}")
    kind = torch.float32 if args.device == "cpu" else getattr(torch, dtype)
    print(f"\n{type(net).__name__}: {count / 1e6:.0f} M parameters, {kind}")
    return net.to(args.device, kind).eval()


def row(what: str, seconds: float, gib: float, tiles: int = 0) -> None:
    rate = f"{tiles / seconds:8.1f} tiles/s" if tiles else " " * 16
    print(f"  {what:58}{seconds:9.3f} s {rate}{gib:8.2f} GiB", flush=True)


def run_sam3(rgb: np.ndarray, args: argparse.Namespace, meter: Meter) -> bool:
    from transformers import Sam3Config, Sam3Model  # noqa: PLC0415

    config = tiny.sam3_config() if args.tiny else Sam3Config()
    net = built(lambda: Sam3Model(config), sam3.PARAMETERS, args, "bfloat16")
    side = config.vision_config.backbone_config.image_size
    processor = tiny.sam3_processor(side)
    tiles = sphere_tiles(side)
    pictures = [picture for some in cut_all(rgb, tiles, len(tiles)) for picture in some]
    rates: dict[int, float] = {}
    for batch in args.batches:

        def see(batch: int = batch) -> None:
            for first in range(0, len(tiles), batch):
                for _, out in sam3_net.answers(net, processor, pictures[first : first + batch], PROMPTS):
                    del out

        seconds, gib = meter(see)
        rates[batch] = len(tiles) / seconds
        row(f"{len(tiles)} tiles x {len(PROMPTS)} prompts, {batch} at a time", seconds, gib, len(tiles))
    best = max(rates, key=lambda batch: rates[batch])
    print(f"  {best} at a time is {rates[best] / rates[min(rates)]:.2f} times as fast as {min(rates)} at a time")
    options = sam3.Sam3Options(batch=best, least_score=1.0)
    row("with cutting of tiles, no instance found", *meter(lambda: find(net, processor, rgb, options), 1), len(tiles))
    dense = meter(lambda: sam3_net.score_maps(net, processor, rgb, PROMPTS, options, RUN), 1)
    row("with cutting and blending of dense maps", *dense, len(tiles))
    return best != min(rates)


def find(net: Any, processor: Any, rgb: np.ndarray, options: sam3.Sam3Options) -> object:
    return sam3_net.find(net, processor, rgb, PROMPTS, options, RUN)


def run_clipseg(rgb: np.ndarray, args: argparse.Namespace, meter: Meter) -> Any:
    from transformers import CLIPSegConfig, CLIPSegForImageSegmentation  # noqa: PLC0415

    full = CLIPSegConfig(use_complex_transposed_convolution=True, vision_config={"patch_size": 16})
    config = tiny.clipseg_config() if args.tiny else full
    net = built(lambda: CLIPSegForImageSegmentation(config), clipseg.PARAMETERS, args, "float16")
    processor = tiny.clipseg_processor(64 if args.tiny else 352)
    tiles = sphere_tiles(64 if args.tiny else 352)
    pictures = [picture for some in cut_all(rgb, tiles, len(tiles)) for picture in some]
    condition = clipseg_net.conditions(net, processor, PROMPTS)
    for batch in args.batches:

        def see(batch: int = batch) -> None:
            for first in range(0, len(tiles), batch):
                clipseg_net.tile_scores(net, processor, pictures[first : first + batch], condition)

        row(f"{len(tiles)} tiles x {len(PROMPTS)} labels, {batch} at a time", *meter(see), len(tiles))
    options = clipseg.ClipsegOptions()

    def look(rgb: np.ndarray, labels: tuple[str, ...], run: Run) -> np.ndarray:
        return clipseg_net.score_maps(net, processor, rgb, labels, options, run)

    row("with cutting and blending", *meter(lambda: look(rgb, PROMPTS, RUN), 1), len(tiles))
    return look


def run_sam2(rgb: np.ndarray, semantics: Any, args: argparse.Namespace, meter: Meter) -> None:
    from transformers import Sam2Config, Sam2Model  # noqa: PLC0415

    config = tiny.sam2_config() if args.tiny else Sam2Config(vision_config=LARGE)
    net = built(lambda: Sam2Model(config), sam2.PARAMETERS, args, "float32")
    processor = tiny.sam2_processor(config.prompt_encoder_config.image_size)
    options = sam2.Sam2Options()
    look = sam2_net.looker(net, processor, options)
    windows = circle_windows(options.windows, options.margin)
    pictures = [np.ascontiguousarray(rgb[:, w.columns(rgb.shape[1])]) for w in windows]
    points = grid(*pictures[0].shape[:2], options.rows)

    def see() -> None:
        for picture in pictures:
            look(picture, points)

    row(f"{len(windows)} windows x {len(points)} points, {options.points} at a time", *meter(see))

    def made_up(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        look(picture, points)
        return discs(len(points))

    row("with regions of made-up masks", *meter(lambda: regions(rgb, made_up, options, RUN), 1))
    print(f"  ({len(regions(rgb, lambda p, q: discs(len(q)), options, RUN))} regions)")
    stage = sam2_net.voting(made_up, semantics, 0.0, options)
    soundings = tuple(Sounding(p, p, Spread.AREA, 60.0, 1.0, "bench") for p in PROMPTS)
    panorama = Panorama(rgb, np.ones(rgb.shape[:2], bool))
    row("segment.sam2, whole: regions, CLIPSeg, vote", *meter(lambda: stage(panorama, soundings, RUN), 1))


def discs(points: int) -> tuple[np.ndarray, np.ndarray]:
    """One mask a point, of 60 kinds, as a net that finds 60 things would give them."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :256]
    kinds = [
        np.hypot(x - cx, y - cy) < r
        for cx, cy, r in zip(*rng.uniform(0, 256, (2, 60)), rng.uniform(5, 50, 60), strict=True)
    ]
    logits = np.where(np.array(kinds), np.float16(4), np.float16(-4))[rng.integers(0, 60, points)]
    return logits, rng.uniform(0.8, 1.0, points).astype(np.float32)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small nets: a trial")
    parser.add_argument("--height", type=int, default=1024, help="rows of the panorama")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 12], help="tiles at a time")
    args = parser.parse_args()
    alive = stand_in()
    small = np.random.default_rng(0).integers(0, 256, (args.height // 16, args.height // 8, 3), np.uint8)
    rgb = np.asarray(cv2.resize(small, (2 * args.height, args.height), interpolation=cv2.INTER_CUBIC))
    meter = Meter(args.device)
    name = meter.torch.cuda.get_device_name() if meter.cuda else "CPU"
    print(f"panorama {2 * args.height}x{args.height}, {name}, torch {meter.torch.__version__}")
    faster = run_sam3(rgb, args, meter)
    if meter.cuda:
        meter.torch.cuda.empty_cache()
    run_sam2(rgb, run_clipseg(rgb, args, meter), args, meter)
    del alive
    return 0 if faster or args.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
