"""MMAudio's smallest variant with random weights, in the project's own files, beside a CLIP of a few layers.

Needs the project's package: `mmaudio` is not on PyPI, so that only those who have it run what imports this.
"""

# pyright: basic, reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false
import json
from pathlib import Path

import open_clip
import torch
from mmaudio.ext.autoencoder.vae import get_my_vae
from mmaudio.ext.bigvgan import bigvgan
from mmaudio.model.networks import get_my_mmaudio
from omegaconf import OmegaConf

CLIP = {
    "embed_dim": 1024,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 384, "layers": 1, "width": 64, "head_width": 32, "patch_size": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 1024, "heads": 4, "layers": 1},
}


def mmaudio(folder: Path) -> Path:
    """Network, autoencoder and vocoder of `small_16k`, as MMAudio's authors lay them out."""
    torch.manual_seed(0)
    (folder / "weights").mkdir()
    (folder / "ext_weights").mkdir()
    net = get_my_mmaudio("small_16k")
    _awake(net)
    torch.nn.init.constant_(net.latent_mean, 0.1)
    torch.nn.init.constant_(net.latent_std, 0.9)
    torch.save(net.state_dict(), folder / "weights" / "mmaudio_small_16k.pth")
    torch.save(get_my_vae("16k").state_dict(), folder / "ext_weights" / "v1-16.pth")
    vocoder = bigvgan.BigVGANVocoder(OmegaConf.load(bigvgan._bigvgan_vocoder_path))
    torch.save({"generator": vocoder.state_dict()}, folder / "ext_weights" / "best_netG.pt")
    return folder


def clip(folder: Path) -> Path:
    """CLIP as open_clip keeps it: its configuration and its weights."""
    torch.manual_seed(0)
    pixels = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
    told = {"model_cfg": CLIP, "preprocess_cfg": pixels}
    (folder / "open_clip_config.json").write_text(json.dumps(told))
    net = open_clip.model.CLIP(**CLIP)
    torch.save(net.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def _awake(net: torch.nn.Module) -> None:
    """Layers that begin at zero would let nothing through."""
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(std=0.05)
