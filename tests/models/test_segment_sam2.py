"""SAM 2 in the official format, tiny and random, and its vote with semantics: of models, and of oracles."""

from pathlib import Path

import numpy as np
import pytest
from tiny_segmenters import sam2_parts, save_clipseg, save_sam2, save_sam3

from sonoworld import frames, sphere, testing
from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.segment import sam2_net
from sonoworld.segment.sam2 import PARAMETERS, PARAMETERS_PUBLISHED, SAM2, WEIGHTS, Sam2Options
from sonoworld.types import Panorama, Sounding, Spread

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
RUN = Run(np.random.default_rng(0))
ALL = {"least_iou": 0.0, "least_stability": 0.0, "least_region": 0.0}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> dict[str, Path]:
    save = {"sam2": save_sam2, "clipseg": save_clipseg, "sam3": save_sam3}
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in save.items()}


def options(folders: dict[str, Path], **changes: object) -> Sam2Options:
    values = {"model": str(folders["sam2"]), "offline": True, "device": "cpu", "rows": 3, **changes}
    return Sam2Options.model_validate(values)


def soundings() -> tuple[Sounding, ...]:
    return (
        Sounding("wind", "wind", Spread.AMBIENT, 40.0, 0.9, "t"),
        Sounding("engine", "engine", Spread.POINT, 80.0, 0.9, "t", grounding="bus"),
        Sounding("river", "river", Spread.AREA, 70.0, 0.9, "t"),
    )


def test_masks_of_points_are_those_of_the_models_own_forward(folders: dict[str, Path]) -> None:
    """Points in pixels of the window, with the processor's own scaling of pictures and points."""
    import torch  # noqa: PLC0415

    given = options(folders, points=2, **ALL)
    net, processor = sam2_net.loaded(given)
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    points = np.array([[10.0, 20.0], [70.5, 31.25], [95.0, 63.0]])
    logits, scores = sam2_net.looker(net, processor, given)(picture, points)
    inputs = processor(images=picture, input_points=[[[p] for p in points.tolist()]], return_tensors="pt")
    with torch.inference_mode():
        whole = net(**inputs)
    assert logits.shape == (9, 32, 32)
    np.testing.assert_allclose(logits, whole.pred_masks[0].flatten(0, 1).numpy(), atol=2e-3, rtol=1e-3)
    np.testing.assert_allclose(scores, whole.iou_scores[0].flatten().numpy(), atol=1e-4)


def test_only_trusted_and_stable_masks_are_kept(folders: dict[str, Path]) -> None:
    net, processor = sam2_net.loaded(options(folders))
    picture = testing.tiny_panorama(64).rgb
    points = np.random.default_rng(0).uniform(0, 64, (20, 2))
    everything = sam2_net.looker(net, processor, options(folders, **ALL))(picture, points)
    middle = float(np.median(everything[1]))
    some = sam2_net.looker(net, processor, options(folders, **{**ALL, "least_iou": middle}))(picture, points)
    assert len(everything[1]) == 60
    assert len(some[1]) == int((everything[1] >= middle).sum()) < 60
    below, above = (everything[0] > -1).sum((1, 2)), (everything[0] > 1).sum((1, 2))
    stable = sam2_net.looker(net, processor, options(folders, **{**ALL, "least_stability": 0.01}))(picture, points)
    assert abs(len(stable[1]) - int((above >= 0.01 * below).sum())) <= 1  # kept masks are rounded to 16 bits


def test_16_bits_round_the_picture_and_never_the_points(folders: dict[str, Path]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    points = np.random.default_rng(1).uniform(0, 64, (4, 2))
    found = []
    for dtype in ("float32", "bfloat16"):
        given = options(folders, dtype=dtype, **ALL)
        net, processor = sam2_net.loaded(given)
        assert {str(p.dtype) for p in net.parameters()} == {"torch.float32"}
        found.append(sam2_net.looker(net, processor, given)(picture, points))
    assert np.abs(found[0][1] - found[1][1]).max() < 0.02
    assert not (found[0][1] == found[1][1]).all()


@pytest.mark.parametrize("semantics", ["clipseg", "sam3"])
def test_the_contract_is_kept(folders: dict[str, Path], semantics: str) -> None:
    panorama = testing.tiny_panorama(64)
    given = options(
        folders, semantics=semantics, semantics_model=str(folders[semantics]), least_score=0.0, least_share=0.01, **ALL
    )
    stage = SAM2.make(given)
    found, again = (stage(panorama, soundings(), RUN) for _ in range(2))
    assert [s.label for s in found] == [s.label for s in soundings()]
    assert found[0].mask is None
    masks = [s.mask for s in found[1:] if s.mask is not None]
    assert masks
    assert all(m.shape == (64, 128) and m.any() for m in masks)
    for one, two in zip(found, again, strict=True):
        assert (one.mask is None) == (two.mask is None)
        assert one.mask is None or (one.mask == two.mask).all()


def test_the_published_form_loads(tmp_path: Path, folders: dict[str, Path]) -> None:
    """`facebook/sam2.1-hiera-large` holds the model of films; the model of pictures is a part of it."""
    import torch  # noqa: PLC0415
    from transformers import Sam2VideoConfig, Sam2VideoModel  # noqa: PLC0415

    for file in folders["sam2"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.manual_seed(1)
    small = {"memory_attention_hidden_size": 32, "memory_encoder_hidden_size": 32, "image_size": 128}
    film = Sam2VideoModel(Sam2VideoConfig(**sam2_parts(), **small))
    film.save_pretrained(tmp_path)
    net, _ = sam2_net.loaded(options({"sam2": tmp_path}))
    theirs = film.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in net.state_dict().items())


def test_the_size_is_that_of_the_published_file() -> None:
    import torch  # noqa: PLC0415
    from transformers import Sam2Config, Sam2Model, Sam2VideoConfig, Sam2VideoModel  # noqa: PLC0415

    large = {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model", "hidden_size": 144, "num_attention_heads": 2,
            "blocks_per_stage": [2, 6, 36, 4], "embed_dim_per_stage": [144, 288, 576, 1152],
            "num_attention_heads_per_stage": [2, 4, 8, 16], "window_size_per_stage": [8, 4, 16, 8],
            "global_attention_blocks": [23, 33, 43],
        },
        "backbone_channel_list": [1152, 576, 288, 144],
    }  # fmt: skip
    with torch.device("meta"):
        assert sum(p.numel() for p in Sam2Model(Sam2Config(vision_config=large)).parameters()) == PARAMETERS
        film = Sam2VideoModel(Sam2VideoConfig(vision_config=large))
    assert sum(p.numel() for p in film.parameters()) == PARAMETERS_PUBLISHED
    assert WEIGHTS[0].size_gb == 0.9  # its page says 898 MB


def test_a_missing_model_of_either_kind_is_named(folders: dict[str, Path]) -> None:
    with pytest.raises(BackendMissingError, match=r"segment\.sam2: .*expected a folder"):
        SAM2.make(options({"sam2": Path("/not/here")}))
    with pytest.raises(BackendMissingError, match=r"segment\.clipseg: .*expected a folder"):
        SAM2.make(options(folders, semantics_model="/not/here"))


HEIGHT = 128
D = sphere.pixel_directions(HEIGHT)


def cap(azimuth_deg: float, elevation_deg: float, radius_deg: float) -> np.ndarray:
    towards = frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation_deg)))
    return D @ towards > np.cos(np.radians(radius_deg))


def by_colour(picture: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """In place of SAM 2: all pixels of the point's colour."""
    rows, columns = ((np.arange(HEIGHT) + 0.5) / HEIGHT * n for n in picture.shape[:2])
    small = picture[rows.astype(int)][:, columns.astype(int), 0]
    seeds = picture[points[:, 1].astype(int), points[:, 0].astype(int), 0]
    return np.where(small[None] == seeds[:, None, None], 4.0, -4.0).astype(np.float16), np.full(len(seeds), 0.9, "f4")


def ragged(rgb: np.ndarray, labels: tuple[str, ...], run: Run) -> np.ndarray:
    """In place of tile semantics: noisy scores of the words 'bus' (colour 1) and 'river' (2), at any size."""
    colours = [{"bus": 1, "river": 2, "sky": 0}[label] for label in labels]
    noise = np.random.default_rng(0).normal(0, 0.35, (len(labels), *rgb.shape[:2]))
    return (np.stack([0.2 + 0.5 * (rgb[..., 0] == c) for c in colours]) + noise).astype(np.float32)


@pytest.mark.parametrize("azimuth", [0, 90, 180, -177])
def test_oracles_vote_for_the_thing_itself(folders: dict[str, Path], azimuth: float) -> None:
    bus, river = cap(azimuth, 0, 12), cap(azimuth + 15, -35, 30)
    number = np.where(bus, 1, np.where(river, 2, 0)).astype(np.uint8)
    panorama = Panorama(np.repeat(number[..., None], 3, -1), np.ones_like(bus))
    stage = sam2_net.voting(by_colour, ragged, 0.5, options(folders, rows=24, others=("sky",)))
    found = stage(panorama, soundings(), RUN)
    for i, thing in ((1, bus), (2, river & ~bus)):
        mask = found[i].mask
        assert mask is not None
        assert (mask & thing).sum() / (mask | thing).sum() > 0.9
    alone = ragged(panorama.rgb, ("bus",), RUN)[0] > 0.5
    assert (alone & bus).sum() / (alone | bus).sum() < 0.5


def test_two_points_of_the_same_words_get_a_region_each(folders: dict[str, Path]) -> None:
    near, far = cap(180, 0, 14), cap(40, 0, 8)
    rgb = np.repeat((near | far)[..., None], 3, -1).astype(np.uint8)
    two = tuple(Sounding(label, label, Spread.POINT, 70.0, 0.9, "t", grounding="bus") for label in ("engine", "door"))
    stage = sam2_net.voting(by_colour, ragged, 0.5, options(folders, rows=24))
    found = stage(Panorama(rgb, np.ones_like(near)), two, RUN)
    for sounding, thing in zip(found, (near, far), strict=True):
        assert sounding.mask is not None
        assert (sounding.mask & thing).sum() / (sounding.mask | thing).sum() > 0.8


def test_a_large_panorama_is_looked_at_smaller_and_gets_masks_of_its_size(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam2_net, "MOST_ROWS", HEIGHT // 2)
    bus = cap(180, 0, 20)
    panorama = Panorama(np.repeat(bus[..., None], 3, -1).astype(np.uint8), np.ones_like(bus))
    found = sam2_net.voting(by_colour, ragged, 0.4, options(folders, rows=24))(panorama, soundings(), RUN)
    mask = found[1].mask
    assert mask is not None
    assert (mask & bus).sum() / (mask | bus).sum() > 0.9
