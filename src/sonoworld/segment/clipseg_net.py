"""CLIPSeg (transformers): the picture is encoded once a tile, words once a panorama, then decoded for all pairs."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.backend import Run, Segment
from sonoworld.segment.clipseg import WEIGHTS, ClipsegOptions
from sonoworld.segment.semantics import Semantics, by_semantics
from sonoworld.tiles import blend, cut_all, sphere_tiles
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, credited, library, loading

PAIRS_AT_ONCE = 64
"""Tiles times words that are decoded together: about 1 GiB in float32 at 352 px."""


def segmenter(options: ClipsegOptions) -> Segment:
    """The stage function of `segment.clipseg`; the model is loaded now."""
    return by_semantics(semantics(options), options)


def semantics(options: ClipsegOptions) -> Semantics:
    """Score maps of words; the model is loaded now."""
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    library("transformers")
    with loading(checkpoint, "segment.clipseg"):
        from transformers import (  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra
            CLIPSegForImageSegmentation,
            CLIPSegProcessor,
        )

        device = chosen_device(options.device)
        dtype = chosen_dtype(options.dtype, device, on_gpu="float16")
        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        processor = CLIPSegProcessor.from_pretrained(checkpoint.place, **where)
        pair: Any = CLIPSegForImageSegmentation.from_pretrained(
            checkpoint.place, dtype=dtype, output_loading_info=True, **where
        )
        net = complete(pair, checkpoint, "segment.clipseg").to(device).eval()

    def look(rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], run: Run) -> Float32[np.ndarray, "k h w"]:
        credited(checkpoint, run)
        return score_maps(net, processor, rgb, labels, options, run)

    return look


def score_maps(
    net: Any, processor: Any, rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], options: ClipsegOptions, run: Run
) -> Float32[np.ndarray, "k h w"]:
    """Score maps of all labels over the panorama, 0..1."""
    side = int(processor.image_processor.size["height"])
    tiles = sphere_tiles(side, options.fov_deg)

    def pictures() -> Iterator[Float32[np.ndarray, "k s t"]]:
        done = 0
        condition = conditions(net, processor, labels)
        for some in cut_all(rgb, tiles, options.batch):
            run.tell(done / len(tiles), "CLIPSeg")
            yield from tile_scores(net, processor, some, condition)
            done += len(some)

    return blend(pictures(), tiles, rgb.shape[0])


def conditions(net: Any, processor: Any, labels: Sequence[str]) -> Any:
    """One vector [k d] a label; labels longer than the model's context are cut at its end."""
    torch = library("torch")
    longest = int(net.config.text_config.max_position_embeddings)
    text = processor.tokenizer(
        list(labels), padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
    ).to(net.device)
    with torch.inference_mode():
        return net.get_conditional_embeddings(
            batch_size=len(labels), input_ids=text["input_ids"], attention_mask=text["attention_mask"]
        )


def tile_scores(
    net: Any, processor: Any, pictures: Sequence[UInt8[np.ndarray, "s s 3"]], condition: Any
) -> list[Float32[np.ndarray, "k s t"]]:
    """Scores of every label on every tile: sigmoid of the decoder's logits.

    The same as the model's own forward for each pair of tile and label, which would encode each tile k times.
    """
    torch = library("torch")
    labels = len(condition)
    with torch.inference_mode():
        pixels = processor.image_processor(list(pictures), return_tensors="pt")["pixel_values"]
        seen = net.clip.get_image_features(
            pixel_values=pixels.to(net.device, net.dtype), interpolate_pos_encoding=True, output_hidden_states=True
        )
        layers = [seen.hidden_states[i + 1] for i in net.extract_layers]  # the first one is the embedding
        out: list[Float32[np.ndarray, "k s t"]] = []
        step = max(1, PAIRS_AT_ONCE // labels)
        for first in range(0, len(pictures), step):
            some = [layer[first : first + step].repeat_interleave(labels, 0) for layer in layers]
            count = len(some[0]) // labels
            logits = net.decoder(some, condition.repeat(count, 1)).logits
            maps = logits.float().sigmoid().reshape(count, labels, *logits.shape[-2:])
            out += list(maps.cpu().numpy())
    return out
