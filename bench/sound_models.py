"""Claim: three candidates of 8 s for each of four sources are made faster in one batch than one at a time. Beside it:
seconds, GiB, and how far the clips of a batch are from those made alone; and CLAP, which chooses among them. Weights
are random and of full size (sound_made.py): memory and speed are right, what comes out is noise. Nothing is fetched.

python bench/sound_models.py                       (CUDA; torch, transformers, diffusers, torchsde)
python bench/sound_models.py --device cpu --tiny   (a trial in a minute; claims nothing)

MMAudio is timed where its package is installed (docs/sound_models.md says how); where it is not, that is said.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

import sound_made
from sonoworld.sound.candidates import Generator, Wish, wishes_for
from sonoworld.sound.mmaudio import MMAudioOptions, Variant
from sonoworld.sound.rank import clap
from sonoworld.sound.stable_audio import StableAudioOptions
from sonoworld.testing import tiny_sources

T = TypeVar("T")
LABELS = ("a wide river", "two crows calling", "an old bus, its engine idling", "leaves in the wind")
SEEN = 2
"""So many of the sources come with a picture."""
CANDIDATES, SECONDS = 3, 8.0
PACKAGES = ("mmaudio", "open_clip")
GIB = 2**30


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    device: str
    tiny: bool
    steps: int | None
    folder: Path

    @property
    def seconds(self) -> float:
        """Length of a clip."""
        return 1.0 if self.tiny else SECONDS

    @property
    def cuda(self) -> bool:
        """Whether a GPU is measured."""
        return self.device.startswith("cuda")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small models and clips of 1 s, to try this file")
    parser.add_argument("--steps", type=int, help="denoising steps; by default those of the model")
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=list(MODELS))
    told = parser.parse_args()
    where = torch.cuda.get_device_name() if told.device.startswith("cuda") else "CPU"
    print(f"{where}, torch {torch.__version__}, {'tiny' if told.tiny else 'full size'}, random weights")
    with tempfile.TemporaryDirectory() as folder:
        asked = Asked(told.device, told.tiny, told.steps, Path(folder))
        faster = [MODELS[name](asked) for name in told.models]
    raise SystemExit(0 if all(faster) or not asked.cuda else 1)


def stable_audio(asked: Asked) -> bool:
    """Stable Audio Open by diffusers: 100 steps, whatever the length that is wanted; float16 on a GPU."""
    from sonoworld.sound.stable_audio_pipe import generator  # noqa: PLC0415

    folder = asked.folder / "stable_audio"
    size = sound_made.stable_audio(folder, asked.device, tiny=asked.tiny)
    steps = asked.steps or (3 if asked.tiny else 100)
    told = StableAudioOptions(model=str(folder), offline=True, device=asked.device, steps=steps, rank="none")
    print(f"\nStable Audio Open, {size:,.0f} M parameters, {steps} steps, guidance 7")
    return batches(loaded(asked, lambda: generator(told)), asked)


def mmaudio(asked: Asked) -> bool:
    """MMAudio: 25 Euler steps, bfloat16 on a GPU; without Synchformer, as the backend runs it."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    if absent:
        print(f"\nMMAudio: not run, because {' and '.join(absent)} cannot be imported here")
        return True
    from huggingface_hub import constants  # noqa: PLC0415

    from sonoworld.sound.mmaudio_net import generator  # noqa: PLC0415

    folder = asked.folder / "mmaudio"
    variant: Variant = "small_44k" if asked.tiny else "large_44k_v2"
    size = sound_made.mmaudio(folder, variant, tiny=asked.tiny)
    constants.HF_HUB_CACHE = str(folder / "hub")  # MMAudio asks the hub for its vocoder by name
    steps = asked.steps or (2 if asked.tiny else 25)
    told = MMAudioOptions(
        model=str(folder), clip_model=str(folder / "clip"), variant=variant, offline=True, device=asked.device,
        steps=steps, rank="none",
    )  # fmt: skip
    print(f"\nMMAudio {variant}, {size:,.0f} M parameters, {steps} steps, guidance 4.5, half of the sources seen")
    return batches(loaded(asked, lambda: generator(told)), asked)


def judged(asked: Asked) -> bool:
    """CLAP, one clip at a time in float32; it claims nothing."""
    folder = asked.folder / "clap"
    size = sound_made.clap(folder, tiny=asked.tiny)
    print(f"\nCLAP, {size:,.0f} M parameters")
    (agreement, _), seconds, _ = measured(asked, lambda: clap(str(folder), None, offline=True, device=asked.device))
    rng = np.random.default_rng(0)
    clips = [0.1 * rng.standard_normal(round(SECONDS * 48_000)) for _ in range(CANDIDATES)]
    agreement(LABELS[0], clips)
    _, ranked, gib = measured(asked, lambda: [agreement(label, clips) for label in LABELS])
    print(f"loaded in {seconds:.1f} s; {CANDIDATES * len(LABELS)} clips ranked in {ranked:.2f} s, peak {gib:.2f} GiB")
    return True


MODELS: dict[str, Callable[[Asked], bool]] = {"stable_audio": stable_audio, "mmaudio": mmaudio, "clap": judged}


def loaded(asked: Asked, load: Callable[[], Generator]) -> Generator:
    model, seconds, gib = measured(asked, load)
    print(f"loaded in {seconds:.1f} s, peak {gib:.2f} GiB")
    return model


def batches(model: Generator, asked: Asked) -> bool:
    """All clips at once, a source at a time, and singly. Whether one batch is faster than singly."""
    wishes = wanted()
    print(f"{len(wishes)} clips of {asked.seconds:g} s")
    print("| clips at once | seconds | seconds a clip | peak GiB |\n|---|---|---|---|")
    took: dict[int, float] = {}
    clips: dict[int, np.ndarray] = {}
    for size in (len(wishes), CANDIDATES, 1):
        model.generate(wishes[:size], asked.seconds)  # what is chosen at the first call of a size is not counted
        clips[size], took[size], gib = measured(asked, lambda size=size: by(model, wishes, size, asked.seconds))
        print(f"| {size} | {took[size]:.2f} | {took[size] / len(wishes):.3f} | {gib:.2f} |")
    together, alone = clips[len(wishes)].astype(np.float64), clips[1].astype(np.float64)
    finite = np.isfinite(together).all(1) & np.isfinite(alone).all(1)
    faster = took[1] / took[len(wishes)]
    print(f"one batch is {faster:.2f} times as fast; {int((~finite).sum())} of {len(wishes)} clips not finite")
    if finite.any():
        a, b = together[finite], alone[finite]
        apart = np.sqrt(np.mean((a - b) ** 2, axis=1) / np.maximum(np.mean(b**2, axis=1), 1e-30))
        print(f"relative RMS difference to singly: median {np.median(apart):.1e}, largest {apart.max():.1e}")
    return faster > 1


def by(model: Generator, wishes: list[Wish], size: int, seconds: float) -> np.ndarray:
    parts = [model.generate(wishes[i : i + size], seconds) for i in range(0, len(wishes), size)]
    return np.concatenate(parts)


def wanted() -> list[Wish]:
    """Candidates of all sources, the first ones with a picture, all with words that are not wanted."""
    bird = tiny_sources()[1]
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (384, 384, 3), np.uint8) if i < SEEN else None for i in range(len(LABELS))]
    return [
        Wish(wish.source, label, "music, speech", wish.seed, picture)
        for i, (label, picture) in enumerate(zip(LABELS, pictures, strict=True))
        for wish in wishes_for(bird, i, CANDIDATES)
    ]


def measured(asked: Asked, work: Callable[[], T]) -> tuple[T, float, float]:
    """What it gives, its seconds, and the most memory that torch held on the GPU meanwhile (NaN on the CPU)."""
    if asked.cuda:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    value = work()
    if asked.cuda:
        torch.cuda.synchronize()
    return value, time.perf_counter() - began, torch.cuda.max_memory_allocated() / GIB if asked.cuda else float("nan")


if __name__ == "__main__":
    main()
