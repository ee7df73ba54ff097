"""X-Decoder by its own package, called as its `inference/xdecoder/infer_semseg.py` does.

Differences: tiles in batches; the class "background", which its example computes and throws away, competes with the
words; no panoptic and instance results, which nobody reads here.
"""

import hashlib
import importlib
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sonoworld.backend import Run, Segment
from sonoworld.errors import BackendMissingError
from sonoworld.segment.semantics import Semantics, by_semantics
from sonoworld.segment.x_decoder import FILE, HOW, WEIGHTS, XDecoderOptions, missing_for
from sonoworld.tiles import blend, cut_all, sphere_tiles
from sonoworld.weights import library

SIDE_PX = 512
"""Shorter side of a picture in its example."""

MOST_LACKING = 0.1
"""Share of the model's tensors that a file may lack (losses, say); its own loader accepts any file at all."""


def segmenter(options: XDecoderOptions) -> Segment:
    """The stage function of `segment.x_decoder`; the model is loaded now."""
    return by_semantics(semantics(options), options)


def semantics(options: XDecoderOptions) -> Semantics:
    """Score maps of words; the model is loaded now.

    Raises:
        BackendMissingError: no code, packages, weights or GPU; says how to get them.
    """
    net = loaded(options)
    credit = _credit(Path(options.model).expanduser())

    def look(rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], run: Run) -> Float32[np.ndarray, "k h w"]:
        run.credit(*credit)
        return score_maps(net, rgb, labels, options, run)

    return look


def _credit(file: Path) -> tuple[str, str]:
    """The file of weights with its digest, and the licence of the file published under that name."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:12]
    return f"{file.name} (sha256 {digest})", WEIGHTS[0].licence if file.name == FILE else "not stated"


def loaded(options: XDecoderOptions) -> Any:
    """The model on the GPU."""
    lacking = missing_for(options)
    if lacking:
        raise BackendMissingError(f"segment.x_decoder cannot run here: {lacking}")
    device = gpu()
    with importable(options.code):
        try:
            arguments = importlib.import_module("utils.arguments")
            modeling = importlib.import_module("modeling")
            wrapper = importlib.import_module("modeling.BaseModel")
        except Exception as error:  # old packages fail in many ways on newer ones
            raise BackendMissingError(
                f"segment.x_decoder: X-Decoder's code fails to import: {error!r}\n  {HOW}"
            ) from error
        folder = Path(str(wrapper.__file__)).parent.parent
        settings = arguments.load_opt_from_config_files([str(folder / options.config)])
        settings["device"] = device
        net = modeling.build_model(settings)
        _require_fitting(net, options.model)
        return wrapper.BaseModel(settings, net).from_pretrained(options.model).eval().to(device)


def gpu() -> Any:
    """The GPU; its text encoder asks for CUDA by name.

    Raises:
        BackendMissingError: there is none.
    """
    torch = library("torch")
    if not torch.cuda.is_available():
        raise BackendMissingError("segment.x_decoder: X-Decoder runs on CUDA only, and torch sees no CUDA GPU here")
    return torch.device("cuda")


@contextmanager
def importable(code: str) -> Generator[None]:
    """X-Decoder's folder on the import path. Its modules have names that others have, too: `modeling`, `utils`.

    Raises:
        BackendMissingError: another package of such a name is loaded already.
    """
    if not code:
        yield
        return
    folder = Path(code).expanduser().resolve()
    for name in ("modeling", "utils"):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and folder not in Path(file).resolve().parents:
            raise BackendMissingError(f"segment.x_decoder: a package {name!r} is loaded from {file}, expected {folder}")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _require_fitting(net: Any, file: str) -> None:
    """Its own loader leaves random what a file lacks."""
    tensors = library("torch").load(file, map_location="cpu", weights_only=True)
    expected = net.state_dict()
    lacking = [k for k, v in expected.items() if k not in tensors or tensors[k].shape != v.shape]
    if len(lacking) > MOST_LACKING * len(expected):
        raise BackendMissingError(
            f"segment.x_decoder: {file} lacks {len(lacking)} of {len(expected)} tensors of the model, such as "
            f"{lacking[0]}: weights of another configuration?"
        )


def score_maps(
    net: Any, rgb: UInt8[np.ndarray, "h w 3"], labels: Sequence[str], options: XDecoderOptions, run: Run
) -> Float32[np.ndarray, "k h w"]:
    """Shares of all labels over the panorama, 0..1; what is left to 1 is background."""
    tiles = sphere_tiles(SIDE_PX, options.fov_deg)

    def pictures() -> Iterator[Float32[np.ndarray, "k s t"]]:
        done = 0
        tell_words(net, labels)
        for some in cut_all(rgb, tiles, options.batch):
            run.tell(done / len(tiles), "X-Decoder")
            yield from tile_scores(net, some)
            done += len(some)

    return blend(pictures(), tiles, rgb.shape[0])


def tell_words(net: Any, labels: Sequence[str]) -> None:
    """What to look for from now on."""
    torch = library("torch")
    head = net.model.sem_seg_head
    with torch.no_grad():
        head.predictor.lang_encoder.get_text_embeddings([*labels, "background"], is_eval=True)
    head.num_classes = len(labels)
    net.model.metadata = SimpleNamespace(keep_sem_bgd=True)
    net.model.panoptic_on = net.model.instance_on = False


def tile_scores(net: Any, pictures: Sequence[UInt8[np.ndarray, "s s 3"]]) -> list[Float32[np.ndarray, "k s t"]]:
    """Shares of the labels: Σ_q p_q(c)·m_q over queries q, divided by that of all classes, background included."""
    torch = library("torch")
    inputs = [
        {"image": torch.from_numpy(p.transpose(2, 0, 1).copy()), "height": p.shape[0], "width": p.shape[1]}
        for p in pictures
    ]
    with torch.no_grad():
        answers = net.forward(inputs)
    out: list[Float32[np.ndarray, "k s t"]] = []
    for answer in answers:
        maps = answer["sem_seg"].float().clamp(min=0)  # bicubic enlargement goes a little below zero
        out.append((maps / maps.sum(0, keepdim=True).clamp(min=1e-6))[:-1].cpu().numpy())
    return out
