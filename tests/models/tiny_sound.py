"""Sound models in the official formats, tiny and random, with tokenizers made on the spot; imported in fixtures only.

They make sound at 1600 Hz, so that seconds of it are quick.
"""

# pyright: basic, reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false
from pathlib import Path

import torch
from diffusers import (
    AutoencoderOobleck,
    AutoencoderSAME,
    CosineDPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    StableAudio3DiTModel,
    StableAudio3Pipeline,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
)
from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapProcessor,
    GemmaTokenizer,
    RobertaTokenizer,
    T5Config,
    T5EncoderModel,
    T5GemmaConfig,
    T5GemmaEncoderModel,
    T5GemmaModuleConfig,
    T5Tokenizer,
)

RATE_HZ = 1600
LETTERS = "abcdefghijklmnopqrstuvwxyz,.'"


def stable_audio_open(folder: Path, longest: int = 200) -> Path:
    """Stable Audio Open; `longest` latents of 32 samples."""
    torch.manual_seed(0)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((c, -3.0) for c in LETTERS)]
    encoder = T5Config(vocab_size=40, d_model=16, d_ff=32, d_kv=8, num_layers=2, num_heads=2)
    pipe = StableAudioPipeline(
        vae=AutoencoderOobleck(
            encoder_hidden_size=8, downsampling_ratios=[2, 4, 4], channel_multiples=[1, 2, 4], decoder_channels=8,
            decoder_input_channels=4, audio_channels=2, sampling_rate=RATE_HZ,
        ),
        text_encoder=T5EncoderModel(encoder),
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=16, conditioning_dim=16, min_value=0, max_value=512
        ),
        tokenizer=T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=32),
        transformer=StableAudioDiTModel(
            sample_size=longest, in_channels=4, num_layers=2, attention_head_dim=8, num_attention_heads=4,
            num_key_value_attention_heads=2, out_channels=4, cross_attention_dim=16, time_proj_dim=8,
            global_states_input_dim=32, cross_attention_input_dim=16,
        ),
        scheduler=CosineDPMSolverMultistepScheduler(sigma_schedule="exponential", prediction_type="v_prediction"),
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


def stable_audio_3(folder: Path) -> Path:
    """Stable Audio 3, distilled: its scheduler adds noise at every step."""
    torch.manual_seed(0)
    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS]
    encoder = T5GemmaModuleConfig(
        vocab_size=40, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    config = T5GemmaConfig(encoder=encoder, decoder=encoder, is_encoder_decoder=False, vocab_size=40)
    pipe = StableAudio3Pipeline(
        vae=AutoencoderSAME(
            patch_size=8, encoder_channels=8, encoder_c_mults=(4,), encoder_strides=(4,),
            encoder_transformer_depths=(1,), latent_dim=8, dim_heads=8, sampling_rate=RATE_HZ,
        ),
        text_encoder=T5GemmaEncoderModel(config),
        tokenizer=GemmaTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=32),
        duration_embedder=StableAudio3DurationEmbedder(output_dim=16, fourier_dim=16),
        transformer=StableAudio3DiTModel(
            io_channels=8, embed_dim=32, depth=2, num_heads=4, cond_token_dim=16, global_cond_dim=16,
            local_add_cond_dim=9, timestep_features_dim=16, num_memory_tokens=4,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=True),
    )  # fmt: skip
    _awake(pipe.vae)
    _awake(pipe.transformer)
    pipe.save_pretrained(folder)
    return folder


def _awake(net: torch.nn.Module) -> None:
    """Layers that begin at zero would let nothing through."""
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.any():
                weight.normal_(std=0.2)


def clap(folder: Path) -> Path:
    """CLAP with its processor."""
    torch.manual_seed(0)
    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *LETTERS]
    text = {
        "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 37, "max_position_embeddings": 64,
    }  # fmt: skip
    audio = {
        "spec_size": 256, "window_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2], "patch_embeds_hidden_size": 8, "num_hidden_layers": 4,
    }  # fmt: skip
    config = ClapConfig(text_config=text, audio_config=audio, projection_dim=16)
    ClapModel(config).save_pretrained(folder)
    tokenizer = RobertaTokenizer(vocab={w: i for i, w in enumerate(words)}, merges=[], model_max_length=60)
    ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer).save_pretrained(folder)
    return folder
