"""Local vision-language models at full size on one GPU: the describe stage, its seconds and memory.

python bench/vlm_models.py                        (CUDA, about 80 GB; torch, torchvision, transformers, accelerate)
python bench/vlm_models.py --models qwen3_vl      one model;  --four-bit: weights in NF4 (also needs bitsandbytes)
python bench/vlm_models.py --device cpu --tiny    a trial of the bench itself, seconds

Claims: a batch of all pictures takes less than half as long as one picture at a time; the 34B model fits on 80 GB.
Weights are noise; sizes and times are those of the real checkpoints (same architectures, questions of about as many
tokens, every answer `--tokens` long, since noise never ends). A written answer is read in place of the noise.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import vlm_made
from sonoworld.backend import Run
from sonoworld.types import Panorama
from sonoworld.understand import vlm_local_listen
from sonoworld.understand.ask import Reply
from sonoworld.understand.llava_next import LlavaNextOptions
from sonoworld.understand.qwen_vl import QwenVlOptions
from sonoworld.understand.vlm_local import LocalVlmOptions
from sonoworld.understand.vlm_local_listen import Family
from sonoworld.understand.vlm_local_net import LocalModel, encoded, ready, replies

LEAST_FASTER = 2.0
MOST_GIB = 80.0
ANSWER = json.dumps(
    {"setting": "town", "sources": [{"label": "city hum", "sound": "hum", "spread": "ambient", "level_db": 50}]}
)


@dataclass(frozen=True)
class Row:
    """One way of asking one model."""

    name: str
    how: str
    pictures: int
    tokens: int
    first_s: float
    seconds: float
    weights_gib: float
    peak_gib: float


def main() -> None:
    args = arguments()
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    where = torch.cuda.get_device_name() if args.device != "cpu" else "CPU"
    print(
        f"{where}, torch {torch.__version__}, transformers {transformers.__version__}, {args.tokens} tokens an answer\n"
    )
    print(f"{'model':16} {'asked':34} {'pictures':>8} {'tokens in':>9} {'first s':>8} {'all s':>7} {'tok/s':>7}"
          f" {'weights GiB':>11} {'peak GiB':>8}")  # fmt: skip
    rows: list[Row] = []
    for name in args.models:
        model = noise(getattr(vlm_made, name)(tiny=args.tiny), args.device, four_bit=args.four_bit)
        for how, options, family in ways(name, args):
            rows.append(measured(model, how, options, family, args.device))
            print(line(rows[-1], args.tokens), flush=True)
        del model
        gc.collect()
        if args.device != "cpu":
            torch.cuda.empty_cache()
    broken = [] if args.tiny else complaints(rows)
    print("\n" + ("\n".join(broken) or "The claims hold." * (not args.tiny)))
    sys.exit(bool(broken))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models")
    parser.add_argument("--four-bit", action="store_true", help="NF4 weights")
    parser.add_argument("--tokens", type=int, default=512, help="length of every answer")
    parser.add_argument("--models", nargs="+", default=["qwen3_vl", "llava_next"], help="and qwen2_5_vl")
    return parser.parse_args()


def noise(made: Any, device: str, *, four_bit: bool) -> LocalModel:
    """The model with random weights, made where it runs; answers never end by themselves."""
    import torch  # noqa: PLC0415
    from transformers import AutoModelForImageTextToText  # noqa: PLC0415

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    torch.manual_seed(0)
    with torch.device(device):
        net = AutoModelForImageTextToText.from_config(made.config, dtype=dtype)
    if four_bit:
        quantise(net, device)
    net.generation_config.eos_token_id = net.config.get_text_config().vocab_size  # a token that cannot be said
    count = sum(p.numel() for p in net.parameters()) / 1e6
    print(f"{made.name}: {count:.0f} M parameters{' (4-bit ones in pairs)' * four_bit}")
    return ready(net, made.processor)


def quantise(net: Any, device: str) -> None:
    """Linear layers of the text model to NF4 in place, as transformers does on loading."""
    import bitsandbytes as bnb  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
    import torch  # noqa: PLC0415

    for module in net.model.language_model.modules():
        for name, layer in list(module.named_children()):
            if isinstance(layer, torch.nn.Linear):
                small = bnb.nn.Linear4bit(
                    layer.in_features, layer.out_features, bias=layer.bias is not None,
                    compute_dtype=layer.weight.dtype, compress_statistics=True, quant_type="nf4", device="meta",
                )  # fmt: skip
                small.weight = bnb.nn.Params4bit(
                    layer.weight.data.cpu(), requires_grad=False, quant_type="nf4", compress_statistics=True
                )
                small.bias = layer.bias
                layer.weight = None
                setattr(module, name, small.to(device))


def ways(name: str, args: argparse.Namespace) -> list[tuple[str, LocalVlmOptions, Family]]:
    """All pictures in one conversation where the model takes them; each alone, in one batch and one at a time."""
    small = {"side_px": 56, "panorama_width_px": 112} if args.tiny else {}
    Options = LlavaNextOptions if name == "llava_next" else QwenVlOptions
    alone = Family(name, (), (), together=False)
    found = [
        (f"each alone, {batch} at a time", Options(batch=batch, max_new_tokens=args.tokens, **small), alone)
        for batch in (1, 8)
    ]
    if name != "llava_next":
        found.insert(0, ("all in one conversation", found[0][1], Family(name, (), (), together=True)))
    return found


def measured(model: LocalModel, how: str, options: LocalVlmOptions, family: Family, device: str) -> Row:
    """The stage on a panorama, after a short warm-up with the same pictures."""
    panorama = town()
    run = Run(np.random.default_rng(0))
    asked: list[Any] = []
    seconds: dict[str, float] = {}

    def timed(m: LocalModel, conversations: Sequence[Any], opts: LocalVlmOptions, tell: Any) -> list[Reply]:
        asked[:] = conversations
        said = replies(m, conversations, opts, tell)
        short = [reply for reply in said if not reply.cut]
        if short:
            raise SystemExit(f"{len(short)} answers ended by themselves")
        return [Reply(ANSWER, cut=False) for _ in said]

    vlm_local_listen.replies = timed
    for name, tokens in (("warm", 16), ("all", options.max_new_tokens)):
        stage = vlm_local_listen.stage(model, options.model_copy(update={"max_new_tokens": tokens}), family)
        reset_peak(device)
        began = time.perf_counter()
        (hum,) = stage(panorama, None, run)
        seconds[name] = time.perf_counter() - began
        if hum.label != "city hum":
            raise SystemExit("the written answer was not read")
    longest = max(int(encoded(model, [one])["input_ids"].shape[1]) for one in asked)
    began = time.perf_counter()
    replies(model, asked[:1], options.model_copy(update={"max_new_tokens": 1}), lambda _: None)
    first_s = time.perf_counter() - began
    weights = sum(x.numel() * x.element_size() for x in (*model.net.parameters(), *model.net.buffers())) / 2**30
    return Row(model.kind, how, len(asked), longest, first_s, seconds["all"], weights, peak_gib(device))


def town() -> Panorama:
    """A panorama of noise, 4096 × 2048."""
    rgb = np.random.default_rng(0).integers(0, 256, (2048, 4096, 3), np.uint8)
    return Panorama(rgb, np.ones((2048, 4096), bool))


def reset_peak(device: str) -> None:
    if device != "cpu":
        import torch  # noqa: PLC0415

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()


def peak_gib(device: str) -> float:
    if device == "cpu":
        return float("nan")
    import torch  # noqa: PLC0415

    return torch.cuda.max_memory_allocated() / 2**30


def line(row: Row, tokens: int) -> str:
    rate = row.pictures * tokens / row.seconds
    return (
        f"{row.name:16} {row.how:34} {row.pictures:8} {row.tokens:9} {row.first_s:8.2f} {row.seconds:7.1f} {rate:7.1f}"
        f" {row.weights_gib:11.1f} {row.peak_gib:8.1f}"
    )


def complaints(rows: Sequence[Row]) -> list[str]:
    """Claims that do not hold."""
    broken = [f"{row.name}, {row.how}: {row.peak_gib:.1f} GiB" for row in rows if row.peak_gib > MOST_GIB * 1e9 / 2**30]
    for name in dict.fromkeys(row.name for row in rows):
        alone = {row.how: row.seconds for row in rows if row.name == name and "alone" in row.how}
        slow, fast = alone["each alone, 1 at a time"], alone["each alone, 8 at a time"]
        print(f"{name}: a batch of all is {slow / fast:.1f} times as fast as one at a time")
        if slow < LEAST_FASTER * fast:
            broken.append(f"{name}: expected at least {LEAST_FASTER:g} times")
    return broken


if __name__ == "__main__":
    main()
