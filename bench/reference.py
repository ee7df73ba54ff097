"""Speed and memory of the torch reference, forward and backward.

    python bench/reference.py [--device cpu|cuda] [--seconds 1] [--batches 1 16] [--orders 1 3 5] [--repeat 3]

Each row renders `batch` worlds of 8 moving sources and a turning head, float32 sound, blocks of 256, KEMAR. Backward:
gradients of the mean square at the ears in all positions, levels and filter taps. Every row is measured in a process
of its own; memory is what the row adds to it (CUDA: the most that tensors held). Without --device: the processor, and
CUDA where present. Rows with "all" have delay, air and directivity on, at order 3: these cost much the same at any.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

from sonoworld.encode import EncodeOptions
from sonoworld.render.hrtf import hrir
from sonoworld.render.reference import Aim, Around, Clock, Head, Sources, render_reference

SOURCES, CLOCK = 8, Clock(48000, 256)


@dataclass(frozen=True)
class Row:
    device: str
    order: int
    batch: int
    everything: bool
    seconds: float
    repeat: int


def scene(row: Row) -> tuple[torch.Tensor, Around, torch.Tensor, list[torch.Tensor]]:
    """Audio, what surrounds it, filters, and the leaves to learn."""
    rng, samples = np.random.default_rng(0), round(row.seconds * CLOCK.rate_hz)
    s = (np.arange(-(-samples // CLOCK.block)) * CLOCK.block / CLOCK.rate_hz)[:, None, None]

    def leaf(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, device=row.device).requires_grad_()

    shape = (row.batch, 1, SOURCES, 3)
    positions = leaf(rng.normal(0, 5, shape) + s * rng.normal(0, 2, shape))
    levels = leaf(rng.uniform(60, 80, (row.batch, 1, SOURCES)))
    angles = torch.as_tensor(np.concatenate([1.5 * s[:, 0], 0 * s[:, 0], 0 * s[:, 0]], -1), device=row.device)
    aim = None
    if row.everything:
        facing = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64, device=row.device).expand(1, SOURCES, 3)
        half, sharp = (torch.full((1, SOURCES), v, dtype=torch.float64, device=row.device) for v in (0.5, 2.0))
        aim = Aim(facing, half, sharp)
    around = Around(Sources.at(positions, levels, None, aim), Head.looking(torch.zeros_like(angles), angles))
    noise = rng.standard_normal((row.batch, SOURCES, samples)).astype(np.float32)
    filters = leaf(hrir("kemar", row.order))
    return torch.as_tensor(0.1 * noise, device=row.device), around, filters, [positions, levels, filters]


def measure(row: Row) -> tuple[float, float, float]:
    """(seconds forward, seconds forward with its graph and backward, MiB)."""
    law = EncodeOptions(order=row.order, delay=row.everything, air="iso9613" if row.everything else "none")
    audio, around, filters, leaves = scene(row)
    cuda = row.device == "cuda"

    def timed(backward: bool) -> float:
        began = time.perf_counter()
        with torch.set_grad_enabled(backward):
            ears = render_reference(audio, around, filters, law, CLOCK)
            if backward:
                torch.autograd.grad((ears**2).mean(), leaves)
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - began

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for backward in (False, True):
        timed(backward)  # once for libraries to settle
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    forward, both = (min(timed(back) for _ in range(row.repeat)) for back in (False, True))
    return forward, both, torch.cuda.max_memory_allocated() / 2**20 if cuda else grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"bench/reference.py: no CUDA device for torch {torch.__version__}")
    devices = [given.device] if given.device else ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    rows = [
        Row(device, order, batch, everything, given.seconds, given.repeat)
        for device in devices
        for everything in (False, True)
        for order in ([3] if everything else given.orders)
        for batch in given.batches
    ]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {given.seconds:g} s of {SOURCES} sources")
    print(f"best of {given.repeat}, per second of audio (the whole batch); x real time counts every world")
    print(f"{'device':6} {'laws':5} {'order':>5} {'batch':>5} {'forward ms':>10} {'with gradient ms':>16} "
          f"{'x real time':>11} {'with gradient':>13} {'MiB':>7}")  # fmt: skip
    for row in rows:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            forward, both, mib = pool.apply(measure, (row,))
        heard = row.batch * row.seconds
        print(
            f"{row.device:6} {'all' if row.everything else 'plain':5} {row.order:5} {row.batch:5} "
            f"{1e3 * forward / row.seconds:10.1f} {1e3 * both / row.seconds:16.1f} "
            f"{heard / forward:11.1f} {heard / both:13.1f} {mib:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
