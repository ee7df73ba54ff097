"""A stand-in for MMAudio with the signatures of the project, as of its commit 974010a; imported in fixtures only.

What it computes is simple: words and pictures move the noise. It is strict about shapes, as the project is.
"""

from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

TOKENS, DIM, LATENT = 77, 1024, 20
TOLD: list[tuple[str, Any]] = []
"""What it was told, in order."""


@dataclass
class SequenceConfig:
    duration: float
    sampling_rate: int
    frames: int

    @property
    def latent_seq_len(self) -> int:
        return int(np.ceil(self.duration * self.sampling_rate / self.frames / 2))

    @property
    def clip_seq_len(self) -> int:
        return int(self.duration * 8)

    @property
    def sync_seq_len(self) -> int:
        return int(((self.duration * 25 - 16) // 8 + 1) * 8)


class Net(torch.nn.Module):
    latent_dim = LATENT

    def __init__(self, name: str) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        TOLD.append(("network", name))

    def load_weights(self, src_dict: dict[str, Any]) -> None:
        self.load_state_dict(src_dict, strict=True)

    def update_seq_lengths(self, latent_seq_len: int, clip_seq_len: int, sync_seq_len: int) -> None:
        self.latent_seq_len, self.clip_seq_len, self.sync_seq_len = latent_seq_len, clip_seq_len, sync_seq_len
        TOLD.append(("lengths", (latent_seq_len, clip_seq_len, sync_seq_len)))

    def get_empty_clip_sequence(self, bs: int) -> Any:
        return torch.zeros(bs, self.clip_seq_len, DIM)

    def get_empty_sync_sequence(self, bs: int) -> Any:
        return torch.zeros(bs, self.sync_seq_len, 768)

    def preprocess_conditions(self, clip_f: Any, sync_f: Any, text_f: Any) -> Any:
        assert clip_f.shape[1:] == (self.clip_seq_len, DIM)
        assert sync_f.shape[1:] == (self.sync_seq_len, 768)
        assert text_f.shape[1:] == (TOKENS, DIM)
        assert len(clip_f) == len(sync_f) == len(text_f)
        return clip_f.mean((1, 2)) + text_f.mean((1, 2))

    def get_empty_conditions(self, bs: int, *, negative_text_features: Any = None) -> Any:
        assert negative_text_features.shape == (bs, TOKENS, DIM)
        return negative_text_features.mean((1, 2))

    def ode_wrapper(self, t: Any, latent: Any, conditions: Any, empty_conditions: Any, cfg_strength: float) -> Any:
        assert latent.shape[1:] == (self.latent_seq_len, LATENT)
        flow = cfg_strength * conditions + (1 - cfg_strength) * empty_conditions
        return latent * flow[:, None, None]

    def unnormalize(self, x: Any) -> Any:
        return x.mul_(self.scale)


class FlowMatching:
    def __init__(self, min_sigma: float = 0.0, inference_mode: str = "euler", num_steps: int = 25) -> None:
        assert (min_sigma, inference_mode) == (0, "euler")
        self.num_steps = num_steps

    def to_data(self, fn: Any, x0: Any) -> Any:
        TOLD.append(("noise", x0.clone()))
        for t in torch.linspace(0, 1, self.num_steps + 1)[:-1]:
            x0 = x0 + fn(t, x0) / self.num_steps
        return x0


class FeaturesUtils(torch.nn.Module):
    def __init__(
        self, *, tod_vae_ckpt: str | None = None, bigvgan_vocoder_ckpt: str | None = None,
        synchformer_ckpt: str | None = None, enable_conditions: bool = True, mode: str = "",
        need_vae_encoder: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        assert tod_vae_ckpt
        torch.load(tod_vae_ckpt, weights_only=True)
        TOLD.append(("features", (Path(tod_vae_ckpt).name, Path(bigvgan_vocoder_ckpt or "").name, mode)))
        assert not enable_conditions
        assert synchformer_ckpt is None
        assert not need_vae_encoder
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.clip_model = None
        self.tokenizer: Any = None

    device = property(lambda self: self.weight.device)
    dtype = property(lambda self: self.weight.dtype)

    def encode_text(self, text: list[str]) -> Any:
        return self.clip_model.encode_text(self.tokenizer(text))

    def encode_video_with_clip(self, x: Any, batch_size: int = -1) -> Any:
        b, t, c, h, w = x.shape
        assert (c, h, w) == (3, 384, 384)
        assert batch_size >= 1
        assert float(x.min()) >= 0
        assert float(x.max()) <= 1
        return self.clip_preprocess(x).mean((2, 3, 4))[..., None].expand(b, t, DIM)

    def decode(self, z: Any) -> Any:
        return z.transpose(1, 2)

    def vocode(self, mel: Any) -> Any:
        return mel.mean(1, keepdim=True).repeat_interleave(512, -1)


class Words(torch.nn.Module):
    def encode_text(self, tokens: list[str]) -> Any:
        values = [[(sum(map(ord, text)) % 97) / 97 for _ in range(TOKENS)] for text in tokens]
        return torch.tensor(values)[..., None].expand(-1, -1, DIM)


def create(name: str, *, return_transform: bool = True) -> Any:
    assert not return_transform
    TOLD.append(("clip", name))
    return Words()


def module(name: str, **names: Any) -> ModuleType:
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)  # so that `find_spec` finds it
    made.__dict__.update(names)
    return made


def modules() -> dict[str, ModuleType]:
    """By the names under which the project and open_clip are imported."""
    return {
        "mmaudio": module("mmaudio"),
        "mmaudio.model": module("mmaudio.model"),
        "mmaudio.model.utils": module("mmaudio.model.utils"),
        "mmaudio.model.networks": module("networks", get_my_mmaudio=Net),
        "mmaudio.model.flow_matching": module("flow_matching", FlowMatching=FlowMatching),
        "mmaudio.model.sequence_config": module(
            "sequence_config", CONFIG_16K=SequenceConfig(8.0, 16_000, 256), CONFIG_44K=SequenceConfig(8.0, 44_100, 512)
        ),
        "mmaudio.model.utils.features_utils": module(
            "features_utils", FeaturesUtils=FeaturesUtils, patch_clip=lambda model: model
        ),
        "open_clip": module(
            "open_clip", create_model_from_pretrained=create, get_tokenizer=lambda name: lambda text: text
        ),
    }


def save(folder: Path) -> Path:
    """Files of `small_16k` where the project has them; also taken for a CLIP."""
    for name in ("weights/mmaudio_small_16k.pth", "ext_weights/v1-16.pth", "ext_weights/best_netG.pt"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        torch.save({"scale": torch.full((1,), 0.5)}, folder / name)
    return folder
