"""SAM 2 (transformers): masks of a grid of points, the picture encoded once; and their vote with tile semantics."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float16, Float32, Float64, UInt8

from sonoworld.backend import Run, Segment
from sonoworld.segment.instances import Instance
from sonoworld.segment.regions import Look, regions
from sonoworld.segment.sam2 import WEIGHTS, Sam2Options
from sonoworld.segment.semantics import Semantics, patches, rivals
from sonoworld.segment.sought import prompts_of, with_masks
from sonoworld.segment.vote import VoteOptions, attention, vote
from sonoworld.types import Panorama, Sounding
from sonoworld.weights import Checkpoint, chosen_device, chosen_dtype, complete, credited, library, loading

MOST_ROWS = 1024
"""Larger panoramas are looked at in this size: SAM 2 sees 1024 px a window, and its masks have 256."""

STABILITY_OFFSET = 1.0
"""Of logits (SAM 2's mask generator): area above +1 over area above −1."""


def segmenter(options: Sam2Options) -> Segment:
    """The stage function of `segment.sam2`; both models are loaded now."""
    net, processor = loaded(options)
    vote_on = voting(looker(net, processor, options), *named(options), options)

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        if prompts_of(soundings):
            credited(_checkpoint(options), run)
        return vote_on(panorama, soundings, run)

    return segment


def voting(look: Look, semantics: Semantics, least_score: float, options: Sam2Options) -> Segment:
    """The stage function that gives every region of `look` the word that `semantics` sees on most of it.

    Semantics come first: no region is looked for where it could not matter.
    """
    rule = VoteOptions(least_score=least_score, least_share=options.least_share, keep_outside=options.keep_outside)

    def segment(panorama: Panorama, soundings: tuple[Sounding, ...], run: Run) -> tuple[Sounding, ...]:
        prompts = prompts_of(soundings)
        if not prompts:
            return soundings
        rgb = _reduced(panorama.rgb)
        scores = semantics(rgb, (*prompts, *rivals(options.others, prompts)), run)
        near = attention(scores, rule, len(prompts))
        shapes = [region.mask for region in regions(rgb, look, options, run, near)]
        masks = vote(scores, shapes, rule)
        found: dict[str, tuple[Instance, ...]] = {}
        for prompt, mask, score in zip(prompts, masks, scores, strict=False):  # the rivals come after the prompts
            some = patches(mask, score, options.least_region)
            found[prompt] = tuple(Instance(_enlarged(one.mask, panorama.rgb.shape[0]), one.score) for one in some)
        return with_masks(soundings, found)

    return segment


def named(options: Sam2Options) -> tuple[Semantics, float]:
    """The semantics that the options name, and the score above which a pixel has a label."""
    shared: dict[str, Any] = {"fov_deg": options.fov_deg, "batch": options.batch}
    if options.semantics_model:
        shared["model"] = options.semantics_model
    if options.semantics == "x_decoder":
        from sonoworld.segment import x_decoder_net as chosen  # noqa: PLC0415  only the one that is used
        from sonoworld.segment.x_decoder import XDecoderOptions as Chosen  # noqa: PLC0415

        shared["code"] = options.semantics_code
    else:
        shared |= options.model_dump(include={"device", "dtype", "offline"})
        if options.semantics == "clipseg":
            from sonoworld.segment import clipseg_net as chosen  # noqa: PLC0415
            from sonoworld.segment.clipseg import ClipsegOptions as Chosen  # noqa: PLC0415
        else:
            from sonoworld.segment import sam3_net as chosen  # noqa: PLC0415
            from sonoworld.segment.sam3 import Sam3Options as Chosen  # noqa: PLC0415
    settings: Any = Chosen.model_validate(shared)
    least = settings.least_score if options.least_score is None else options.least_score
    return chosen.semantics(settings), least


def _checkpoint(options: Sam2Options) -> Checkpoint:
    return Checkpoint(options.model, options.revision, options.offline, WEIGHTS)


def loaded(options: Sam2Options) -> tuple[Any, Any]:
    """The model, in float32, and its processor."""
    checkpoint = _checkpoint(options)
    torch = library("torch")
    library("transformers")
    with loading(checkpoint, "segment.sam2"):
        from transformers import Sam2Model, Sam2Processor  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  an extra

        where: dict[str, Any] = {"revision": options.revision, "local_files_only": options.offline}
        processor = Sam2Processor.from_pretrained(checkpoint.place, **where)
        pair: Any = Sam2Model.from_pretrained(checkpoint.place, dtype=torch.float32, output_loading_info=True, **where)
        net = complete(pair, checkpoint, "segment.sam2")
        return net.to(chosen_device(options.device)).eval(), processor


def looker(net: Any, processor: Any, options: Sam2Options) -> Look:
    """Masks of points in a picture that SAM 2 trusts, three for every point."""
    torch = library("torch")
    kind = str(net.device.type)
    dtype = chosen_dtype(options.dtype, kind, on_gpu="bfloat16")
    side = float(processor.image_processor.size["height"])

    def look(
        picture: UInt8[np.ndarray, "h w 3"], points: Float64[np.ndarray, "n 2"]
    ) -> tuple[Float16[np.ndarray, "m s t"], Float32[np.ndarray, "m"]]:
        kept: list[tuple[np.ndarray, np.ndarray]] = []
        # the net squeezes every picture to a square; its own point encoder would round coordinates in 16 bits
        scaled = torch.tensor(points * side / [picture.shape[1], picture.shape[0]], dtype=torch.float32)
        with torch.inference_mode():
            pixels = processor.image_processor([picture], return_tensors="pt")["pixel_values"].to(net.device)
            with nullcontext() if dtype == torch.float32 else torch.autocast(kind, dtype=dtype):
                levels = net.get_image_embeddings(pixels)
            seen = [level.float() for level in levels]
            for some in scaled.split(options.points):
                kept.append(_trusted(net, seen, some.to(net.device), options))
        return np.concatenate([logits for logits, _ in kept]), np.concatenate([scores for _, scores in kept])

    return look


def _trusted(
    net: Any, seen: Sequence[Any], points: Any, options: Sam2Options
) -> tuple[Float16[np.ndarray, "m s t"], Float32[np.ndarray, "m"]]:
    """Masks of some points [n 2] that are good by SAM 2's own word and hardly depend on the threshold."""
    torch = library("torch")
    labels = torch.ones((1, len(points), 1), dtype=torch.int32, device=points.device)
    out = net(image_embeddings=list(seen), input_points=points[None, :, None], input_labels=labels)
    logits, scores = out.pred_masks[0].flatten(0, 1).float(), out.iou_scores[0].flatten().float()
    above, below = ((logits > t).sum((1, 2)).float() for t in (STABILITY_OFFSET, -STABILITY_OFFSET))
    good = (scores >= options.least_iou) & (above >= options.least_stability * below)
    return logits[good].half().cpu().numpy(), scores[good].cpu().numpy()


def _reduced(rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "s t 3"]:
    if rgb.shape[0] <= MOST_ROWS:
        return rgb
    return np.asarray(cv2.resize(rgb, (2 * MOST_ROWS, MOST_ROWS), interpolation=cv2.INTER_AREA))


def _enlarged(mask: np.ndarray, height: int) -> np.ndarray:
    """A mask in the size of the panorama, with smooth outlines."""
    if mask.shape[0] == height:
        return mask
    smooth = cv2.resize(mask.astype(np.float32), (2 * height, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth) > 0.5
