"""Vision-language models without their weights: configurations, tokenizers and processors in the official forms.

Full sizes are those of the published checkpoints (parameters counted by bench/vlm_models.py); tiny ones run in tests.
Tokenizers are trained here on the questions that are asked, so that a question has about as many tokens as it would.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sonoworld.types import Panorama
from sonoworld.understand.ask import prompt, views
from sonoworld.understand.ask_each import prompt_each

_CHAT = """\
{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}{% for part in message['content'] %}\
{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{{ '<|im_end|>\\n' }}\
{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""

_MARKS = ["<pad>", "<|im_start|>", "<|im_end|>"]
_QWEN_MARKS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


@dataclass(frozen=True)
class Made:
    """A configuration and the processor that belongs to it."""

    name: str
    config: Any
    processor: Any


def tokenizer(marks: list[str]) -> Any:
    """Byte-level BPE of the questions' words, in the form that transformers saves and loads."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    pictures = views(Panorama(np.zeros((64, 128, 3), np.uint8), np.ones((64, 128), bool)), count=1, side_px=16)
    texts = [prompt(), *(prompt_each(view) for view in pictures)]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1200, special_tokens=marks, initial_alphabet=letters, show_progress=False)
    )
    named = {mark.strip("<|>").replace("pad", "token"): mark for mark in marks if "image" in mark or "video" in mark}
    named = {name if name.endswith("_token") else f"{name}_token": mark for name, mark in named.items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        extra_special_tokens=named,
    )


def llava_next(*, tiny: bool) -> Made:
    """LLaVA-NeXT: 34B as `llava-hf/llava-v1.6-34b-hf`, or a tiny one of the same form."""
    from transformers import (  # noqa: PLC0415
        CLIPVisionConfig,
        LlamaConfig,
        LlavaNextConfig,
        LlavaNextImageProcessor,
        LlavaNextProcessor,
    )

    words = tokenizer([*_MARKS, "<image>"])
    side = 28 if tiny else 336
    pinpoints = [[side * h, side * w] for h, w in ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))]
    if tiny:
        vision = CLIPVisionConfig(**_small(2), image_size=side, patch_size=14, projection_dim=64)
        text = LlamaConfig(**_small(2), vocab_size=len(words), max_position_embeddings=4096)
    else:
        vision = CLIPVisionConfig(
            hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
            image_size=side, patch_size=14, projection_dim=768,
        )  # fmt: skip
        text = LlamaConfig(
            hidden_size=7168, intermediate_size=20_480, num_hidden_layers=60, num_attention_heads=56,
            num_key_value_heads=8, vocab_size=64_064, max_position_embeddings=4096,
            rope_parameters={"rope_type": "default", "rope_theta": 5e6},
        )  # fmt: skip
    config = LlavaNextConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=pinpoints,
        image_seq_length=(side // 14) ** 2,
    )
    images = LlavaNextImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}, image_grid_pinpoints=pinpoints
    )
    processor = LlavaNextProcessor(
        images,
        words,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=_CHAT.replace("IMAGE", "<image>\\n"),
    )
    return Made("LLaVA-NeXT tiny" if tiny else "LLaVA-NeXT 34B", config, processor)


def qwen3_vl(*, tiny: bool) -> Made:
    """Qwen3-VL: 8B as `Qwen/Qwen3-VL-8B-Instruct`, or a tiny one of the same form."""
    from transformers import Qwen3VLConfig, Qwen3VLProcessor, Qwen3VLVideoProcessor  # noqa: PLC0415

    words = tokenizer([*_MARKS, *_QWEN_MARKS])
    if tiny:
        vision = {
            "depth": 3, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "patch_size": 16,
            "out_hidden_size": 64, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1],
        }  # fmt: skip
        text = {
            **_small(2), "num_key_value_heads": 4, "head_dim": 16, "vocab_size": len(words),
            "rope_parameters": _mrope([2, 3, 3], 1e6), "max_position_embeddings": 8192,
        }  # fmt: skip
    else:
        vision = {
            "depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "patch_size": 16,
            "out_hidden_size": 4096, "num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24],
        }  # fmt: skip
        text = {
            "hidden_size": 4096, "intermediate_size": 12_288, "num_hidden_layers": 36, "num_attention_heads": 32,
            "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936, "max_position_embeddings": 262_144,
            "rope_parameters": {**_mrope([24, 20, 20], 5e6), "mrope_interleaved": True},
        }  # fmt: skip
    config = Qwen3VLConfig(vision_config=vision, text_config=text, **_qwen_ids(words))
    sizes = {"patch_size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    processor = Qwen3VLProcessor(
        _qwen_images(sizes, tiny=tiny), words, Qwen3VLVideoProcessor(), chat_template=_qwen_chat()
    )
    return Made("Qwen3-VL tiny" if tiny else "Qwen3-VL 8B", config, processor)


def qwen2_5_vl(*, tiny: bool) -> Made:
    """Qwen2.5-VL: 7B as `Qwen/Qwen2.5-VL-7B-Instruct`, or a tiny one of the same form."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLProcessor, Qwen2VLVideoProcessor  # noqa: PLC0415

    words = tokenizer([*_MARKS, *_QWEN_MARKS])
    if tiny:
        vision = {
            "depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
        }  # fmt: skip
        text = {
            **_small(2), "num_key_value_heads": 4, "vocab_size": len(words), "max_position_embeddings": 8192,
            "rope_parameters": _mrope([2, 3, 3], 1e6),
        }  # fmt: skip
    else:
        vision = {"hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584}
        text = {
            "hidden_size": 3584, "intermediate_size": 18_944, "num_hidden_layers": 28, "num_attention_heads": 28,
            "num_key_value_heads": 4, "vocab_size": 152_064, "max_position_embeddings": 128_000,
            "rms_norm_eps": 1e-6, "rope_parameters": _mrope([16, 24, 24], 1e6),
        }  # fmt: skip
    text |= {"bos_token_id": None, "eos_token_id": words.eos_token_id}
    config = Qwen2_5_VLConfig(vision_config=vision, text_config=text, **_qwen_ids(words))
    images = _qwen_images({"patch_size": 14}, tiny=tiny)
    processor = Qwen2_5_VLProcessor(images, words, Qwen2VLVideoProcessor(), chat_template=_qwen_chat())
    return Made("Qwen2.5-VL tiny" if tiny else "Qwen2.5-VL 7B", config, processor)


def _small(layers: int) -> dict[str, Any]:
    return {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": layers, "num_attention_heads": 4}


def _mrope(section: list[int], theta: float) -> dict[str, Any]:
    return {"rope_type": "default", "mrope_section": section, "rope_theta": theta}


def _qwen_ids(words: Any) -> dict[str, int]:
    marks = zip(("vision_start", "vision_end", "image", "video"), _QWEN_MARKS, strict=True)
    return {f"{name}_token_id": words.convert_tokens_to_ids(mark) for name, mark in marks}


def _qwen_images(sizes: dict[str, Any], *, tiny: bool) -> Any:
    from transformers import Qwen2VLImageProcessor  # noqa: PLC0415

    edges = (
        {"shortest_edge": 32 * 32, "longest_edge": 64 * 64} if tiny else {"shortest_edge": 2**16, "longest_edge": 2**24}
    )
    return Qwen2VLImageProcessor(size=edges, **sizes)


def _qwen_chat() -> str:
    return _CHAT.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
