"""Sound models without their weights: checkpoints of random numbers in the official forms, at full size or small.

Full sizes are those of stabilityai/stable-audio-open-1.0, hkchengrex/MMAudio (large_44k_v2, with the vocoder
nvidia/bigvgan_v2_44khz_128band_512x and apple/DFN5B-CLIP-ViT-H-14-384) and laion/larger_clap_general. Every function
writes a folder and returns its millions of parameters.
"""

# pyright: basic, reportMissingImports=false, reportPrivateImportUsage=false
import json
from pathlib import Path
from typing import Any

import torch

LETTERS = "abcdefghijklmnopqrstuvwxyz,.'"
COMMIT = "0" * 40

OPEN = {
    "vae": {
        "encoder_hidden_size": 128, "downsampling_ratios": [2, 4, 4, 8, 8], "channel_multiples": [1, 2, 4, 8, 16],
        "decoder_channels": 128, "decoder_input_channels": 64, "audio_channels": 2, "sampling_rate": 44_100,
    },
    "text": {"vocab_size": 32_128, "d_model": 768, "d_ff": 3072, "d_kv": 64, "num_layers": 12, "num_heads": 12},
    "transformer": {
        "sample_size": 1024, "in_channels": 64, "num_layers": 24, "attention_head_dim": 64, "num_attention_heads": 24,
        "num_key_value_attention_heads": 12, "out_channels": 64, "cross_attention_dim": 768, "time_proj_dim": 256,
        "global_states_input_dim": 1536, "cross_attention_input_dim": 768,
    },
}  # fmt: skip
OPEN_TINY = {
    "vae": {
        "encoder_hidden_size": 4, "downsampling_ratios": [2, 4, 4, 8, 8], "channel_multiples": [1, 2, 4, 8, 16],
        "decoder_channels": 4, "decoder_input_channels": 4, "audio_channels": 2, "sampling_rate": 44_100,
    },
    "text": {"vocab_size": 40, "d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 2, "num_heads": 2},
    "transformer": {
        "sample_size": 256, "in_channels": 4, "num_layers": 2, "attention_head_dim": 8, "num_attention_heads": 4,
        "num_key_value_attention_heads": 2, "out_channels": 4, "cross_attention_dim": 16, "time_proj_dim": 8,
        "global_states_input_dim": 32, "cross_attention_input_dim": 16,
    },
}  # fmt: skip
CLAP = {
    "text_config": {
        "vocab_size": 50_265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
        "intermediate_size": 3072, "max_position_embeddings": 514, "type_vocab_size": 1,
    },
    "audio_config": {
        "spec_size": 256, "window_size": 8, "hidden_size": 1024, "depths": [2, 2, 12, 2],
        "num_attention_heads": [4, 8, 16, 32], "patch_embeds_hidden_size": 128, "num_hidden_layers": 4,
    },
}  # fmt: skip
CLAP_TINY = {
    "text_config": {
        "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 37, "max_position_embeddings": 130,
    },
    "audio_config": {
        "spec_size": 256, "window_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2], "patch_embeds_hidden_size": 8, "num_hidden_layers": 4,
    },
}  # fmt: skip
VOCODER = {
    "resblock": "1", "upsample_rates": [8, 4, 2, 2, 2, 2], "upsample_kernel_sizes": [16, 8, 4, 4, 4, 4],
    "upsample_initial_channel": 1536, "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]], "use_tanh_at_final": False,
    "use_bias_at_final": False, "activation": "snakebeta", "snake_logscale": True, "num_mels": 128,
}  # fmt: skip
SEEING = {
    "embed_dim": 1024,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 384, "layers": 32, "width": 1280, "head_width": 80, "patch_size": 14},
    "text_cfg": {"context_length": 77, "vocab_size": 49_408, "width": 1024, "heads": 16, "layers": 24},
}
SEEING_TINY = {
    **SEEING,
    "vision_cfg": {"image_size": 384, "layers": 1, "width": 64, "head_width": 32, "patch_size": 64},
    "text_cfg": {"context_length": 77, "vocab_size": 49_408, "width": 1024, "heads": 4, "layers": 1},
}


def stable_audio(folder: Path, device: str, *, tiny: bool) -> float:
    """Stable Audio Open, stored in float16 unless for the CPU."""
    from diffusers import (  # noqa: PLC0415
        AutoencoderOobleck,
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
        StableAudioProjectionModel,
    )
    from transformers import T5Config, T5EncoderModel, T5Tokenizer  # noqa: PLC0415

    torch.manual_seed(0)
    sizes: dict[str, Any] = OPEN_TINY if tiny else OPEN
    width = sizes["text"]["d_model"]
    with torch.device(device):
        parts: dict[str, Any] = {
            "vae": AutoencoderOobleck(**sizes["vae"]),
            "text_encoder": T5EncoderModel(T5Config(**sizes["text"])),
            "projection_model": StableAudioProjectionModel(width, width, 0, 512),
            "transformer": StableAudioDiTModel(**sizes["transformer"]),
        }
    kept = torch.float32 if device == "cpu" else torch.float16
    moved = {name: part.to("cpu", kept) for name, part in parts.items()}
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in LETTERS)]
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=128)
    scheduler: Any = CosineDPMSolverMultistepScheduler(sigma_schedule="exponential", prediction_type="v_prediction")
    StableAudioPipeline(**moved, tokenizer=tokenizer, scheduler=scheduler).save_pretrained(folder)
    return millions(*parts.values())


def clap(folder: Path, *, tiny: bool) -> float:
    """CLAP with its processor."""
    from transformers import (  # noqa: PLC0415
        ClapConfig,
        ClapFeatureExtractor,
        ClapModel,
        ClapProcessor,
        RobertaTokenizer,
    )

    torch.manual_seed(0)
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *LETTERS]
    net = ClapModel(ClapConfig(**(CLAP_TINY if tiny else CLAP), projection_dim=512))
    net.save_pretrained(folder)
    tokenizer = RobertaTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=120)
    ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer).save_pretrained(folder)
    return millions(net)


def mmaudio(folder: Path, variant: str, *, tiny: bool) -> float:
    """MMAudio's files, CLIP of open_clip in `clip/`, and the vocoder in `hub/` as the hub's cache would have it."""
    from mmaudio.ext.autoencoder.vae import get_my_vae  # noqa: PLC0415
    from mmaudio.model.networks import get_my_mmaudio  # noqa: PLC0415
    from open_clip.model import CLIP  # noqa: PLC0415

    torch.manual_seed(0)
    for part in ("weights", "ext_weights", "clip"):
        (folder / part).mkdir(parents=True)
    net, vae, seeing = get_my_mmaudio(variant), get_my_vae("44k"), CLIP(**(SEEING_TINY if tiny else SEEING))
    torch.nn.init.zeros_(net.latent_mean)  # these are NaN until they are loaded
    torch.nn.init.ones_(net.latent_std)
    torch.save(net.state_dict(), folder / "weights" / f"mmaudio_{variant}.pth")
    torch.save(vae.state_dict(), folder / "ext_weights" / "v1-44.pth")
    pixels = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
    told = {"model_cfg": SEEING_TINY if tiny else SEEING, "preprocess_cfg": pixels}
    (folder / "clip" / "open_clip_config.json").write_text(json.dumps(told))
    torch.save(seeing.state_dict(), folder / "clip" / "open_clip_pytorch_model.bin")
    return millions(net, vae.decoder, seeing, _vocoder(folder / "hub", tiny=tiny))


def _vocoder(cache: Path, *, tiny: bool) -> torch.nn.Module:
    from mmaudio.ext.bigvgan_v2.bigvgan import BigVGAN  # noqa: PLC0415
    from mmaudio.ext.bigvgan_v2.env import AttrDict  # noqa: PLC0415

    told = AttrDict({**VOCODER, "upsample_initial_channel": 64 if tiny else 1536})
    net = BigVGAN(told)
    place = cache / "models--nvidia--bigvgan_v2_44khz_128band_512x"
    (place / "snapshots" / COMMIT).mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    (place / "snapshots" / COMMIT / "config.json").write_text(json.dumps(told))
    torch.save({"generator": net.state_dict()}, place / "snapshots" / COMMIT / "bigvgan_generator.pt")
    return net


def millions(*nets: torch.nn.Module) -> float:
    """Parameters of all, in millions."""
    return sum(weight.numel() for net in nets for weight in net.parameters()) / 1e6
