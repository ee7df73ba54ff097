"""Sound models at full size with random weights: 3 candidates for each of 4 sources of 8 s, in one batch and singly.

    python bench/sound_models.py                         (a GPU; torch, transformers, diffusers, torchsde)
    python bench/sound_models.py --device cpu --tiny     (a trial of this file: a minute, says nothing about speed)

Claims: one batch of all candidates of all sources is faster than one clip at a time, and the clips are the same up to
the precision of float16. The architectures are those of stabilityai/stable-audio-open-1.0 and
laion/larger_clap_general, so memory and time are right; what comes out is noise. Nothing is fetched: configurations are
written here, checkpoints are made in a temporary folder and loaded from there by the backends themselves.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from diffusers import (
    AutoencoderOobleck,
    CosineDPMSolverMultistepScheduler,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
)
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapProcessor,
    RobertaTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from sonoworld.sound.candidates import FADES_S, Generator, Wish, wishes_for
from sonoworld.sound.rank import clap
from sonoworld.sound.stable_audio import StableAudioOptions
from sonoworld.sound.stable_audio_pipe import generator
from sonoworld.testing import tiny_sources

T = TypeVar("T")
LABELS = ("a wide river", "two crows calling", "an old bus, its engine idling", "leaves in the wind")
CANDIDATES, SECONDS = 3, 8.0
LETTERS = "abcdefghijklmnopqrstuvwxyz,.'"
GIB = 2**30


@dataclass(frozen=True)
class Sizes:
    """Configurations as the official checkpoints have them (T5 is t5-base), or small ones."""

    vae: dict[str, Any]
    text: dict[str, Any]
    transformer: dict[str, Any]
    clap_text: dict[str, Any]
    clap_audio: dict[str, Any]
    steps: int


FULL = Sizes(
    vae={
        "encoder_hidden_size": 128, "downsampling_ratios": [2, 4, 4, 8, 8], "channel_multiples": [1, 2, 4, 8, 16],
        "decoder_channels": 128, "decoder_input_channels": 64, "audio_channels": 2, "sampling_rate": 44_100,
    },
    text={"vocab_size": 32_128, "d_model": 768, "d_ff": 3072, "d_kv": 64, "num_layers": 12, "num_heads": 12},
    transformer={
        "sample_size": 1024, "in_channels": 64, "num_layers": 24, "attention_head_dim": 64, "num_attention_heads": 24,
        "num_key_value_attention_heads": 12, "out_channels": 64, "cross_attention_dim": 768, "time_proj_dim": 256,
        "global_states_input_dim": 1536, "cross_attention_input_dim": 768,
    },
    clap_text={
        "vocab_size": 50_265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "max_position_embeddings": 514, "type_vocab_size": 1,
    },
    clap_audio={
        "spec_size": 256, "window_size": 8, "hidden_size": 1024, "depths": [2, 2, 12, 2],
        "num_attention_heads": [4, 8, 16, 32], "patch_embeds_hidden_size": 128, "num_hidden_layers": 4,
    },
    steps=100,
)  # fmt: skip

TINY = Sizes(
    vae={
        "encoder_hidden_size": 4, "downsampling_ratios": [2, 4, 4, 8, 8], "channel_multiples": [1, 2, 4, 8, 16],
        "decoder_channels": 4, "decoder_input_channels": 4, "audio_channels": 2, "sampling_rate": 44_100,
    },
    text={"vocab_size": 40, "d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 2, "num_heads": 2},
    transformer={
        "sample_size": 256, "in_channels": 4, "num_layers": 2, "attention_head_dim": 8, "num_attention_heads": 4,
        "num_key_value_attention_heads": 2, "out_channels": 4, "cross_attention_dim": 16, "time_proj_dim": 8,
        "global_states_input_dim": 32, "cross_attention_input_dim": 16,
    },
    clap_text={
        "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 37, "max_position_embeddings": 130,
    },
    clap_audio={
        "spec_size": 256, "window_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2], "patch_embeds_hidden_size": 8, "num_hidden_layers": 4,
    },
    steps=3,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="auto", help="auto (float16 on a GPU), float32, float16, bfloat16")
    parser.add_argument("--tiny", action="store_true", help="small models, to try this file")
    parser.add_argument("--steps", type=int, help="denoising steps; by default those of the model's own pipeline")
    asked = parser.parse_args()
    sizes = TINY if asked.tiny else FULL
    where = torch.cuda.get_device_name() if asked.device != "cpu" else "CPU"
    print(f"{where}, torch {torch.__version__}, {'tiny' if asked.tiny else 'full size'}, random weights\n")
    with tempfile.TemporaryDirectory() as folder:
        millions = stable_audio(sizes, Path(folder) / "stable_audio", asked.device)
        told = StableAudioOptions(
            model=str(Path(folder) / "stable_audio"), offline=True, device=asked.device, dtype=asked.dtype,
            steps=asked.steps or sizes.steps, rank="none",
        )  # fmt: skip
        model, loaded_s, gib = measured(asked.device, lambda: generator(told))
        print(f"Stable Audio Open: {millions:,.0f} M parameters, loaded in {loaded_s:.1f} s, {gib:.2f} GiB at most\n")
        same = batches(model, asked.device, told.steps or 0)
        del model
        judged(sizes, Path(folder) / "clap", asked.device)
    raise SystemExit(0 if same else 1)


def batches(model: Generator, device: str, steps: int) -> bool:
    """All clips by 12, by 3 (a source at a time) and singly. Whether the clips are the same and the batch is faster."""
    wishes = asked_for()
    model.generate(wishes[:1], SECONDS + max(FADES_S))  # what is compiled and chosen at the first call is not counted
    print(f"{len(wishes)} clips of {SECONDS + max(FADES_S):g} s, {steps} steps, guidance 7, negative prompts")
    print("| clips at once | seconds | seconds a clip | peak GiB |\n|---|---|---|---|")
    seconds: dict[int, float] = {}
    clips: dict[int, np.ndarray] = {}
    for size in (len(wishes), CANDIDATES, 1):
        clips[size], seconds[size], gib = measured(device, lambda size=size: by(model, wishes, size))
        print(f"| {size} | {seconds[size]:.2f} | {seconds[size] / len(wishes):.2f} | {gib:.2f} |")
    together, alone = clips[len(wishes)], clips[1]
    finite = np.isfinite(together).all(1) & np.isfinite(alone).all(1)
    apart = [float(np.sqrt(np.mean((a - b) ** 2) / np.mean(b**2))) for a, b in zip(together, alone, strict=True)]
    faster = seconds[1] / seconds[len(wishes)]
    print(f"\none batch is {faster:.2f} times as fast; {int((~finite).sum())} of {len(wishes)} clips not finite")
    print(f"batch against singly: relative RMS difference {np.nanmedian(apart):.1e} (median), {np.nanmax(apart):.1e}")
    return bool(finite.all() and np.median(apart) < 0.05 and (device == "cpu" or faster > 1))


def by(model: Generator, wishes: list[Wish], size: int) -> np.ndarray:
    parts = [model.generate(wishes[i : i + size], SECONDS + max(FADES_S)) for i in range(0, len(wishes), size)]
    return np.concatenate(parts)


def asked_for() -> list[Wish]:
    bird = tiny_sources()[1]
    return [
        Wish(wish.source, label, "music, speech", wish.seed)
        for i, label in enumerate(LABELS)
        for wish in wishes_for(bird, i, CANDIDATES)
    ]


def judged(sizes: Sizes, folder: Path, device: str) -> None:
    """CLAP on three candidates of each of four sources."""
    millions = clap_model(sizes, folder)
    (agreement, _), loaded_s, _ = measured(device, lambda: clap(str(folder), None, offline=True, device=device))
    rng = np.random.default_rng(0)
    clips = [0.1 * rng.standard_normal(round(SECONDS * 48_000)) for _ in range(CANDIDATES)]
    agreement(LABELS[0], clips)
    _, seconds, gib = measured(device, lambda: [agreement(label, clips) for label in LABELS])
    print(f"\nCLAP: {millions:,.0f} M parameters, loaded in {loaded_s:.1f} s")
    print(f"{CANDIDATES * len(LABELS)} clips ranked in {seconds:.2f} s, {gib:.2f} GiB at most")


def measured(device: str, work: Callable[[], T]) -> tuple[T, float, float]:
    """What it gives, its seconds, and the most memory that torch held on the GPU meanwhile (0 on the CPU)."""
    gpu = device != "cpu"
    if gpu:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    value = work()
    if gpu:
        torch.cuda.synchronize()
    return value, time.perf_counter() - began, torch.cuda.max_memory_allocated() / GIB if gpu else 0.0


def stable_audio(sizes: Sizes, folder: Path, device: str) -> float:
    """A checkpoint in the official format, float16 on a GPU; millions of parameters."""
    torch.manual_seed(0)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in LETTERS)]
    width = sizes.text["d_model"]
    kept = torch.float32 if device == "cpu" else torch.float16
    with torch.device(device):
        parts: dict[str, Any] = {
            "vae": AutoencoderOobleck(**sizes.vae),
            "text_encoder": T5EncoderModel(T5Config(**sizes.text)),
            "projection_model": StableAudioProjectionModel(
                text_encoder_dim=width, conditioning_dim=width, min_value=0, max_value=512
            ),
            "transformer": StableAudioDiTModel(**sizes.transformer),
        }
    count = sum(weight.numel() for part in parts.values() for weight in part.parameters())
    scheduler = CosineDPMSolverMultistepScheduler(sigma_schedule="exponential", prediction_type="v_prediction")
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=128)
    moved = {name: part.to("cpu", kept) for name, part in parts.items()}
    StableAudioPipeline(**moved, tokenizer=tokenizer, scheduler=scheduler).save_pretrained(folder)
    return count / 1e6


def clap_model(sizes: Sizes, folder: Path) -> float:
    torch.manual_seed(0)
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *LETTERS]
    net = ClapModel(ClapConfig(text_config=sizes.clap_text, audio_config=sizes.clap_audio, projection_dim=512))
    net.save_pretrained(folder)
    tokenizer = RobertaTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=120)
    ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer).save_pretrained(folder)
    return sum(weight.numel() for weight in net.parameters()) / 1e6


if __name__ == "__main__":
    main()
