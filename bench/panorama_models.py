"""What a panorama costs that FLUX.1 Fill or FLUX.2 klein paints: seconds and peak GiB, for each way of holding weights.
Claim: the ways that offload fit a card of 24 GB. Weights are random and of full size, so speed and memory are right and
pictures are noise.

python bench/panorama_models.py                        (a GPU with 48 GB, torch, diffusers, transformers, accelerate)
python bench/panorama_models.py --device cpu --tiny    (a trial in half a minute; claims nothing)
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "models"))
import full_painters
import tiny_painters
from torchvision_nms import stand_in

from sonoworld.backend import Run
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.panorama import flux2_klein, flux2_klein_net, flux_fill, flux_fill_net
from sonoworld.panorama.diffusion import DiffusionOptions
from sonoworld.panorama.diffusion_net import placed, plan_of
from sonoworld.panorama.paint import Painter, Sentences, painting
from sonoworld.sphere import pinhole
from sonoworld.types import Camera, CameraSigma, Photo

WAYS: dict[str, dict[str, Any]] = {
    "all on the card": {"offload": "none"},
    "all on the card, tiled_vae": {"offload": "none", "tiled_vae": True},
    "offload = model": {"offload": "model"},
    "offload = model, fp8": {"offload": "model", "quantise": "fp8"},
    "offload = sequential, 2 steps": {"offload": "sequential", "steps": 2},
}
SMALL = {"width": 256, "canvas_width": 128, "shared_px": 32, "pole_px": 64, "steps": 2}
CARD_GIB = 23.5
"""What programs get of a card of 24 GB."""


def photo() -> tuple[Photo, Camera]:
    """A picture of nothing, 70° wide."""
    rgb = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    K = pinhole(float(np.radians(70)), (960, 720))
    pose = Pose(world_from_camera_rotation(0.0, 0.0), np.zeros(3))
    return Photo(rgb), Camera(K, (960, 720), pose, CameraSigma(0.0, 0.0, 0.0))


def built(parts: dict[str, Callable[[], Any]], expected: dict[str, int], device: str) -> dict[str, Any]:
    """Nets of random weights in main memory, with as many parameters as the published ones."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    nets: dict[str, Any] = {}
    for name, build in parts.items():
        torch.set_default_dtype(torch.bfloat16)
        with torch.device(device):
            net = build()
        torch.set_default_dtype(torch.float32)
        count = sum(p.numel() for p in net.parameters())
        if count != expected[name]:
            raise SystemExit(f"{name}: expected {expected[name]:,} parameters as published, got {count:,}")
        nets[name] = net.to("cpu", torch.bfloat16).eval()
    print(", ".join(f"{name} {expected[name] / 1e6:.0f} M" for name in parts), flush=True)
    return nets


def fill_pipeline(args: argparse.Namespace) -> Any:
    tiny = tiny_painters.flux_fill_pipeline()
    if args.tiny:
        return tiny
    from diffusers import FluxFillPipeline  # noqa: PLC0415

    nets = built(full_painters.flux_fill_parts(), flux_fill.PARAMETERS, args.device)
    return FluxFillPipeline(scheduler=tiny.scheduler, tokenizer=tiny.tokenizer, tokenizer_2=tiny.tokenizer_2, **nets)


def klein_pipeline(args: argparse.Namespace) -> Any:
    from diffusers import Flux2KleinInpaintPipeline  # noqa: PLC0415

    tiny = tiny_painters.flux2_klein_pipeline()
    nets = {name: getattr(tiny, name) for name in ("transformer", "text_encoder", "vae")}
    if not args.tiny:
        nets = built(full_painters.flux2_klein_parts(), flux2_klein.PARAMETERS, args.device)
    return Flux2KleinInpaintPipeline(scheduler=tiny.scheduler, tokenizer=tiny.tokenizer, is_distilled=True, **nets)


class Clocked:
    """A painter, and the seconds of its turns."""

    def __init__(self, painter: Painter, wait: Callable[[], object]) -> None:
        self.painter, self.wait, self.seconds = painter, wait, list[float]()

    def __call__(self, picture: np.ndarray, unknown: np.ndarray, wish: Any) -> np.ndarray:
        began = time.perf_counter()
        out = self.painter(picture, unknown, wish)
        self.wait()
        self.seconds.append(time.perf_counter() - began)
        return out


def reset(pipe: Any) -> Any:
    """Back to main memory and 16 bits."""
    import torch  # noqa: PLC0415

    pipe.remove_all_hooks()
    pipe.vae.disable_tiling()
    return pipe.to("cpu") if torch.cuda.is_available() else pipe


def measure(name: str, make: Callable[[argparse.Namespace], Any], args: argparse.Namespace) -> bool:
    import torch  # noqa: PLC0415

    cuda = args.device.startswith("cuda")
    spec = {"flux_fill": flux_fill.FLUX_FILL, "flux2_klein": flux2_klein.FLUX2_KLEIN}[name]
    pipe = make(args)
    pipe.set_progress_bar_config(disable=True)
    fits = True
    for way, changes in WAYS.items():
        if args.ways and not any(word in way for word in args.ways):
            continue
        values = {"device": args.device, **(SMALL if args.tiny else {}), **changes}
        options = spec.options.model_validate(values)
        assert isinstance(options, DiffusionOptions)
        ready = placed(pipe, options)
        painter = (
            flux2_klein_net.painter(ready, options)
            if isinstance(options, flux2_klein.Flux2KleinOptions)
            else flux_fill_net.painter(ready, options, name)
        )
        clocked = Clocked(painter, torch.cuda.synchronize if cuda else lambda: None)
        embedded = getattr(options, "start", "grey") == "embedded"
        stage = painting(clocked, plan_of(options, Sentences("A panorama of {}"), from_embedded=embedded))
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        stage(*photo(), Run(np.random.default_rng(0)))
        total = time.perf_counter() - began
        peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else float("nan")
        around, poles = clocked.seconds[0], sum(clocked.seconds[1:])
        print(
            f"  {way:32}{options.steps:4} steps {around:8.2f} s around {poles:8.2f} s poles {total:8.2f} s in all"
            f"{peak:8.2f} GiB",
            flush=True,
        )
        fits &= options.offload == "none" or not cuda or peak < CARD_GIB
        pipe = reset(pipe)
        if options.quantise == "fp8":  # its weights are no longer 16 bits: build anew
            del ready, painter, clocked, stage
            pipe = make(args)
            pipe.set_progress_bar_config(disable=True)
    return fits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small nets: a trial")
    parser.add_argument("--models", nargs="+", default=["flux_fill", "flux2_klein"])
    parser.add_argument("--ways", nargs="+", default=[], help="only ways whose name holds one of these words")
    args = parser.parse_args()
    alive = stand_in()
    import torch  # noqa: PLC0415

    print(f"{torch.cuda.get_device_name() if args.device != 'cpu' else 'CPU'}, torch {torch.__version__}")
    fits = True
    for name in args.models:
        make = {"flux_fill": fill_pipeline, "flux2_klein": klein_pipeline}[name]
        print(f"\n{name}")
        fits &= measure(name, make, args)
    del alive
    return 0 if fits or args.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
