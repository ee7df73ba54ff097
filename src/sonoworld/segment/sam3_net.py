"""SAM 3 (transformers): masks of text prompts on tiles, joined on the sphere."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from sonoworld.backend import Run, Segment
from sonoworld.perceive.around import Tile
from sonoworld.segment.instances import Instance, Piece, joined
from sonoworld.segment.sam3 import WEIGHTS, Sam3Options
from sonoworld.segment.sought import prompts_of, with_masks
from sonoworld.segment.tiles import cut_all, lookup, seen_by, sphere_tiles, values
from sonoworld.types import Panorama, Sounding
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, library, loading


def segmenter(options: Sam3Options) -> Segment:
    """The stage function of `segment.sam3`; the model is loaded now."""
    checkpoint = Checkpoint(options.model, options.revision, options.offline, WEIGHTS)
    library("transformers")
    with loading(checkpoint, "segment.sam3"):
        from transformers import Sam3Model, Sam3Processor  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra

        device = chosen_device(options.device)
        dtype = chosen_dtype(options.dtype, device, on_gpu="bfloat16")
        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        processor = Sam3Processor.from_pretrained(checkpoint.place, **where)
        pair: Any = Sam3Model.from_pretrained(checkpoint.place, dtype=dtype, output_loading_info=True, **where)
        net = complete(pair, checkpoint, "segment.sam3").to(device).eval()

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        prompts = prompts_of(soundings)
        if not prompts:
            return soundings
        found = find(net, processor, panorama.rgb, prompts, options, run)
        return with_masks(soundings, found)

    return segment


def find(
    net: Any, processor: Any, rgb: UInt8[np.ndarray, "h w 3"], prompts: Sequence[str], options: Sam3Options, run: Run
) -> Mapping[str, tuple[Instance, ...]]:
    """Instances of every prompt, best first."""
    torch = library("torch")
    size = processor.image_processor.size
    tiles = sphere_tiles(int(size["height"]), options.fov_deg)
    pieces: dict[str, list[Piece]] = {prompt: [] for prompt in prompts}
    done = 0
    with torch.inference_mode():
        for pictures in cut_all(rgb, tiles, options.batch):
            run.tell(done / len(tiles), "SAM 3")
            pixels = processor(images=pictures, return_tensors="pt")["pixel_values"].to(net.device, net.dtype)
            seen = net.get_vision_features(pixel_values=pixels)
            for prompt in prompts:
                text = processor(text=[prompt] * len(pictures), return_tensors="pt").to(net.device)
                out = net(vision_embeds=seen, input_ids=text["input_ids"], attention_mask=text["attention_mask"])
                for i in range(len(pictures)):
                    pieces[prompt] += _pieces(out, i, tiles[done + i], done + i, rgb.shape[0], options.least_score)
            done += len(pictures)
    looks = [seen_by(tile, rgb.shape[0]) for tile in tiles]
    return {prompt: joined(some, looks) for prompt, some in pieces.items()}


def _pieces(out: Any, i: int, tile: Tile, view: int, height: int, least: float) -> list[Piece]:
    score = out.pred_logits[i].float().sigmoid() * out.presence_logits[i].float().sigmoid()
    where = lookup(tile, height)
    found: list[Piece] = []
    for q in (score > least).nonzero().flatten().tolist():
        logits = out.pred_masks[i, q].float().cpu().numpy()
        mask = np.zeros(2 * height * height, np.bool_)
        mask[where.pixels] = values(logits, where) > 0
        if mask.any():
            found.append(Piece(mask.reshape(height, 2 * height), float(score[q]), view))
    return found
