"""MMAudio behind one function: wishes in one batch, mono clips out.

The same calls as the project's own `eval_utils.generate`, which makes one clip at a time in its programs; here the
noise of every clip has a seed of its own, some clips may have a picture and others none, and Synchformer, which hears
nothing in a still picture, is not loaded.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.errors import BackendMissingError
from sonoworld.sound.candidates import Generator, Wish
from sonoworld.sound.mmaudio import KNOWN, VOCODER_ID, MMAudioOptions, network_weights
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, library, licence, loading

_WHO = "sound.mmaudio"
_DIGITS = 12
_CLIP_PX = 384
_CLIP_MEAN, _CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_TOKENIZER = "ViT-H-14-378-quickgelu"  # MMAudio, features_utils.py
_INSTALL = (
    "pip install --no-deps git+https://github.com/hkchengrex/MMAudio, "
    "and torchdiffeq einops open_clip_torch librosa omegaconf"
)


def generator(options: MMAudioOptions) -> Generator:
    """Load network, autoencoder, vocoder and CLIP.

    Raises:
        BackendMissingError: a package or a checkpoint is not here.
    """
    torch = library("torch")
    checkpoint = Checkpoint(options.model, options.revision, options.offline, (network_weights(options.variant),))
    device = chosen_device(options.device)
    dtype = chosen_dtype(options.dtype, device, on_gpu="bfloat16")
    mode = options.variant.split("_")[1]
    config = getattr(_part("mmaudio.model.sequence_config"), f"CONFIG_{mode.upper()}")
    net, name = _network(options, checkpoint)
    net = net.to(device, dtype).eval()
    features = _features(options, checkpoint, mode).to(device, dtype).eval()
    euler = _part("mmaudio.model.flow_matching").FlowMatching(
        min_sigma=0, inference_mode="euler", num_steps=options.steps
    )

    def generate(wishes: Sequence[Wish], seconds: float) -> Float32[np.ndarray, "b t"]:
        lengths = dataclasses.replace(config, duration=seconds)  # a copy: the module's own is shared by everybody
        net.update_seq_lengths(lengths.latent_seq_len, lengths.clip_seq_len, lengths.sync_seq_len)
        with torch.inference_mode():
            conditions, empty = _conditions(net, features, wishes)

            def flow(t: Any, x: Any) -> Any:
                return net.ode_wrapper(t, x, conditions, empty, options.guidance)

            latents = euler.to_data(flow, _noise(net, wishes).to(device, dtype))
            sound = features.vocode(features.decode(net.unnormalize(latents)))
        return sound[:, 0, : int(seconds * lengths.sampling_rate)].float().cpu().numpy()

    return Generator(generate, config.sampling_rate, name, checkpoint.name, licence(checkpoint))


def _part(name: str) -> Any:
    try:
        return library(name)
    except BackendMissingError as error:
        raise BackendMissingError(f"{_WHO}: {error.__cause__}; MMAudio is not on PyPI: {_INSTALL}") from error


def _network(options: MMAudioOptions, checkpoint: Checkpoint) -> tuple[Any, str]:
    """The network, and what was truly loaded, for the record."""
    torch, networks = library("torch"), _part("mmaudio.model.networks")
    net = networks.get_my_mmaudio(options.variant)
    with loading(checkpoint, _WHO):
        file = Path(_file(checkpoint, f"weights/mmaudio_{options.variant}.pth"))
        net.load_weights(torch.load(file, map_location="cpu", weights_only=True))
    if checkpoint.is_folder:
        return net, f"{file.name} (sha256 {_sha256(file)[:_DIGITS]})"
    return net, f"{options.variant} of {checkpoint.model}@{file.parts[-3][:_DIGITS]}"  # .../snapshots/COMMIT/weights/


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _features(options: MMAudioOptions, checkpoint: Checkpoint, mode: str) -> Any:
    """Autoencoder and vocoder as the project builds them, with CLIP for words and pictures and no Synchformer."""
    parts, open_clip = _part("mmaudio.model.utils.features_utils"), _part("open_clip")
    if mode == "44k":
        _fetch_vocoder(options.offline)
    with loading(checkpoint, _WHO):
        features = parts.FeaturesUtils(
            tod_vae_ckpt=_file(checkpoint, f"ext_weights/v1-{mode[:2]}.pth"),
            bigvgan_vocoder_ckpt=_file(checkpoint, "ext_weights/best_netG.pt") if mode == "16k" else None,
            enable_conditions=False,
            mode=mode,
            need_vae_encoder=False,
        )
    clip = Checkpoint(options.clip_model, None, options.offline, KNOWN, option="clip_model")
    with loading(clip, _WHO):
        name = f"local-dir:{clip.place}" if clip.is_folder else f"hf-hub:{clip.model}"
        features.clip_model = parts.patch_clip(open_clip.create_model_from_pretrained(name, return_transform=False))
        features.tokenizer = open_clip.get_tokenizer(_TOKENIZER)
    features.clip_preprocess = _normalised
    return features


def _fetch_vocoder(offline: bool) -> None:
    """MMAudio takes it from the hub by itself; here, first, so that what goes wrong is said of the right model."""
    checkpoint = Checkpoint(VOCODER_ID, None, offline, KNOWN, option="")
    with loading(checkpoint, _WHO):
        for name in ("config.json", "bigvgan_generator.pt"):
            _file(checkpoint, name)


def _file(checkpoint: Checkpoint, name: str) -> str:
    if checkpoint.is_folder:
        file = Path(checkpoint.place) / name
        if not file.is_file():
            raise BackendMissingError(f"{_WHO}: {file}: expected a file of MMAudio's checkpoint, got nothing there")
        return str(file)
    hub = library("huggingface_hub")
    return hub.hf_hub_download(
        checkpoint.model, name, revision=checkpoint.revision, local_files_only=checkpoint.offline
    )


def _conditions(net: Any, features: Any, wishes: Sequence[Wish]) -> tuple[Any, Any]:
    """What the network is told, and what it is told to stay away from."""
    torch = library("torch")
    words = features.encode_text([wish.prompt for wish in wishes])
    unwanted = features.encode_text([wish.negative_prompt for wish in wishes])
    pictures = {id(wish.picture): wish.picture for wish in wishes}  # candidates of a source share one
    each = {key: _seen(net, features, picture) for key, picture in pictures.items()}
    seen = torch.cat([each[id(wish.picture)] for wish in wishes])
    told = net.preprocess_conditions(seen, net.get_empty_sync_sequence(len(wishes)), words)
    return told, net.get_empty_conditions(len(wishes), negative_text_features=unwanted)


def _seen(net: Any, features: Any, picture: UInt8[np.ndarray, "h w 3"] | None) -> Any:
    """A still picture as the video it would be, [1 frames d]; without one the network's own "nothing seen"."""
    if picture is None:
        return net.get_empty_clip_sequence(1)
    torch = library("torch")
    pixels = torch.from_numpy(np.array(picture, np.float32) / 255).permute(2, 0, 1)[None]
    sized = torch.nn.functional.interpolate(pixels, (_CLIP_PX, _CLIP_PX), mode="bicubic", antialias=True)
    frame = sized.clamp(0, 1)[:, None].to(features.device, features.dtype)
    return features.encode_video_with_clip(frame, batch_size=1).expand(-1, net.clip_seq_len, -1)


def _noise(net: Any, wishes: Sequence[Wish]) -> Any:
    """On the CPU and in float32, so that a seed means the same noise on every device and at every precision."""
    torch = library("torch")
    shape = (net.latent_seq_len, net.latent_dim)
    return torch.stack([torch.randn(shape, generator=torch.Generator("cpu").manual_seed(w.seed)) for w in wishes])


def _normalised(pixels: Any) -> Any:
    torch = library("torch")
    mean, std = (
        torch.tensor(v, device=pixels.device, dtype=pixels.dtype)[:, None, None] for v in (_CLIP_MEAN, _CLIP_STD)
    )
    return (pixels - mean) / std
