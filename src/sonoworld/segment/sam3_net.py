"""SAM 3 (transformers): masks of text prompts on tiles, joined on the sphere, or its dense maps as semantics."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.backend import Run, Segment
from sonoworld.segment.instances import Instance, Piece, joined
from sonoworld.segment.sam3 import WEIGHTS, Sam3Options
from sonoworld.segment.semantics import Semantics
from sonoworld.segment.sought import prompts_of, with_masks
from sonoworld.tiles import Lookup, blend, cut_all, lookup, seen_by, sphere_tiles, values
from sonoworld.types import Panorama, Sounding
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, credited, library, loading


def segmenter(options: Sam3Options) -> Segment:
    """The stage function of `segment.sam3`; the model is loaded now."""
    net, processor = loaded(options)

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        prompts = prompts_of(soundings)
        if not prompts:
            return soundings
        credited(_checkpoint(options), run)
        found = find(net, processor, panorama.rgb, prompts, options, run)
        return with_masks(soundings, found)

    return segment


def semantics(options: Sam3Options) -> Semantics:
    """Score maps of words from the dense head; the model is loaded now."""
    net, processor = loaded(options)

    def look(rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], run: Run) -> Float32[np.ndarray, "k h w"]:
        credited(_checkpoint(options), run)
        return score_maps(net, processor, rgb, labels, options, run)

    return look


def _checkpoint(options: Sam3Options) -> Checkpoint:
    return Checkpoint(options.model, options.revision, options.offline, WEIGHTS)


def loaded(options: Sam3Options) -> tuple[Any, Any]:
    """The model and its processor."""
    checkpoint = _checkpoint(options)
    library("transformers")
    with loading(checkpoint, "segment.sam3"):
        from transformers import Sam3Model, Sam3Processor  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra

        device = chosen_device(options.device)
        dtype = chosen_dtype(options.dtype, device, on_gpu="bfloat16")
        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        processor = Sam3Processor.from_pretrained(checkpoint.place, **where)
        pair: Any = Sam3Model.from_pretrained(checkpoint.place, dtype=dtype, output_loading_info=True, **where)
        return complete(pair, checkpoint, "segment.sam3").to(device).eval(), processor


def answers(
    net: Any, processor: Any, pictures: Sequence[np.ndarray], prompts: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """What the model says of all pictures, one prompt after the other: pictures are encoded once."""
    torch = library("torch")
    longest = int(net.config.text_config.max_position_embeddings)
    with torch.inference_mode():
        pixels = processor.image_processor(list(pictures), return_tensors="pt")["pixel_values"]
        seen = net.get_vision_features(pixel_values=pixels.to(net.device, net.dtype))
        for prompt in prompts:
            text = processor.tokenizer(
                [prompt] * len(pictures), padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
            ).to(net.device)
            yield prompt, net(vision_embeds=seen, input_ids=text["input_ids"], attention_mask=text["attention_mask"])


def find(
    net: Any, processor: Any, rgb: UInt8[np.ndarray, "h w 3"], prompts: Sequence[str], options: Sam3Options, run: Run
) -> Mapping[str, tuple[Instance, ...]]:
    """Instances of every prompt, best first."""
    tiles = sphere_tiles(_side(processor), options.fov_deg)
    pieces: dict[str, list[Piece]] = {prompt: [] for prompt in prompts}
    done = 0
    for pictures in cut_all(rgb, tiles, options.batch):
        run.tell(done / len(tiles), "SAM 3")
        places = [lookup(tile, rgb.shape[0]) for tile in tiles[done : done + len(pictures)]]
        for prompt, out in answers(net, processor, pictures, prompts):
            for i, place in enumerate(places):
                pieces[prompt] += _pieces(out, i, place, done + i, rgb.shape[0], options.least_score)
        done += len(pictures)
    looks = [seen_by(tile, rgb.shape[0]) for tile in tiles]
    return {prompt: joined(some, looks) for prompt, some in pieces.items()}


def score_maps(
    net: Any, processor: Any, rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], options: Sam3Options, run: Run
) -> Float32[np.ndarray, "k h w"]:
    """Score maps of all labels over the panorama, 0..1: the dense head, times the presence of the label in the tile."""
    tiles = sphere_tiles(_side(processor), options.fov_deg)

    def maps() -> Iterator[Float32[np.ndarray, "k s t"]]:
        done = 0
        for pictures in cut_all(rgb, tiles, options.batch):
            run.tell(done / len(tiles), "SAM 3")
            dense = [_dense(out) for _, out in answers(net, processor, pictures, labels)]
            yield from np.stack(dense, 1)
            done += len(pictures)

    return blend(maps(), tiles, rgb.shape[0])


def _side(processor: Any) -> int:
    return int(processor.image_processor.size["height"])


def _dense(out: Any) -> Float32[np.ndarray, "b s t"]:
    presence = out.presence_logits.float().sigmoid()[:, :, None]
    return (out.semantic_seg[:, 0].float().sigmoid() * presence).cpu().numpy()


def _pieces(out: Any, i: int, where: Lookup, view: int, height: int, least: float) -> list[Piece]:
    score = out.pred_logits[i].float().sigmoid() * out.presence_logits[i].float().sigmoid()
    found: list[Piece] = []
    for q in (score > least).nonzero().flatten().tolist():
        logits = out.pred_masks[i, q].float().cpu().numpy()
        mask = np.zeros(2 * height * height, np.bool_)
        mask[where.pixels] = values(logits, where) > 0
        if mask.any():
            found.append(Piece(mask.reshape(height, 2 * height), float(score[q]), view))
    return found
