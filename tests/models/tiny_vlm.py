"""Vision-language models, tiny and random, in the official format; and an answer that one of them is made to write."""

# pyright: basic
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent.parent / "bench"))
vlm_made: Any = importlib.import_module("vlm_made")

SEEN: dict[str, object] = {"visible": True, "movement": "still", "direction": None, "box": None}
UNSEEN = {**SEEN, "visible": False}
SOURCES = [
    {
        "label": "dry grass", "look_for": "grass", "sound": "wind in dry grass", "avoid": "", "spread": "area",
        "level_db": 45, "confidence": 0.7, **SEEN,
    },
    {
        "label": "church bell", "look_for": "", "sound": "a church bell ringing slowly", "avoid": "music",
        "spread": "point", "level_db": 90, "confidence": 0.8, **UNSEEN,
        "direction": {"azimuth_deg": 40, "elevation_deg": 10},
    },
    {
        "label": "wind", "look_for": "", "sound": "gentle wind", "avoid": "", "spread": "ambient", "level_db": 42,
        "confidence": 0.9, **UNSEEN,
    },
]  # fmt: skip
NEUTRAL = {"low": 0, "middle": 0, "high": 0}
ANSWER = json.dumps({"setting": "rural", "sources": [{**one, "tone_db": NEUTRAL} for one in SOURCES]})
"""What can be read: of an area that is to be found, a point that is not seen, and what is all around."""


def save(kind: str, folder: Path) -> Path:
    """`kind`: llava_next, qwen3_vl or qwen2_5_vl."""
    import torch  # noqa: PLC0415
    from transformers import AutoModelForImageTextToText  # noqa: PLC0415

    tiny = getattr(vlm_made, kind)(tiny=True)
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(tiny.config).save_pretrained(folder)
    tiny.processor.save_pretrained(folder)
    return folder


def dictated(generate: Callable[..., Any], text: str) -> Callable[..., Any]:
    """`GenerationMixin.generate` by which a model can write nothing but this text.

    Everything else is its own: it sees pictures and words, and computes every token's scores, which then do not count.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415

    def written(self: Any, **inputs: Any) -> Any:
        words: Any = AutoTokenizer.from_pretrained(self.config._name_or_path)
        wanted = [*words.encode(text), words.eos_token_id]
        asked = inputs["input_ids"].shape[1]

        def only(ids: Any, scores: Any) -> Any:
            assert scores.isfinite().all()
            forced = scores.new_full(scores.shape, -float("inf"))
            forced[:, wanted[min(ids.shape[1] - asked, len(wanted) - 1)]] = 0
            return forced

        return generate(self, **inputs, logits_processor=[only])

    return written
