"""Painters of panoramas in the official format, tiny and random: loaded from a folder, run whole, held as asked."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tiny_painters as tiny
from PIL import Image
from pydantic import ValidationError

from sonoworld import testing
from sonoworld.backend import Backend, Options, Run, require_available
from sonoworld.calibrate.camera import camera_from_angles
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.panorama import diffusion_net, flux2_klein, flux_fill, worldgen
from sonoworld.panorama.diffusion import DiffusionOptions
from sonoworld.panorama.paint import Wish
from sonoworld.panorama.place import gather, project
from sonoworld.types import Camera, CameraSigma, Panorama, Photo

pytestmark = [pytest.mark.models, pytest.mark.filterwarnings("ignore")]
SMALL = {"offline": True, "device": "cpu", "width": 256, "canvas_width": 128, "shared_px": 32, "steps": 2}
LORA = "lora/panorama.safetensors"


@pytest.fixture(scope="session")
def fill(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    folder = tmp_path_factory.mktemp("fill")
    tiny.flux_fill_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def klein(tmp_path_factory: pytest.TempPathFactory, torchvision_imports: object) -> Path:
    folder = tmp_path_factory.mktemp("klein")
    tiny.flux2_klein_pipeline().save_pretrained(folder)
    return folder


def options(spec: Backend, folder: Path, **changes: object) -> Options:
    poles = {"pole_px": 64} if spec is not worldgen.WORLDGEN else {}
    return spec.options.model_validate({**SMALL, **poles, "model": str(folder), **changes})


def photo() -> tuple[Photo, Camera]:
    y, x = np.mgrid[0:60, 0:80]
    rgb = np.stack([60 + x, 90 + y, 200 - x], -1).astype(np.uint8)
    taken = Photo(rgb)
    return taken, camera_from_angles(taken, *np.radians([70.0, 0.0, 0.0]), CameraSigma(0.0, 0.0, 0.0))


def run(seed: int = 0) -> Run:
    return Run(np.random.default_rng(seed))


def made(spec: Backend, folder: Path, **changes: object) -> Panorama:
    return spec.make(options(spec, folder, **changes))(*photo(), run())


@pytest.mark.parametrize("name", ["flux_fill", "flux2_klein"])
def test_whole_adapters_keep_the_contract(name: str, request: pytest.FixtureRequest) -> None:
    spec, folder = {"flux_fill": (flux_fill.FLUX_FILL, "fill"), "flux2_klein": (flux2_klein.FLUX2_KLEIN, "klein")}[name]
    testing.check_backend(spec, options(spec, request.getfixturevalue(folder), pole_deg=0))


@pytest.mark.parametrize("name", ["flux_fill", "flux2_klein"])
def test_known_pixels_are_kept_and_the_rest_is_painted(name: str, request: pytest.FixtureRequest) -> None:
    spec, folder = {"flux_fill": (flux_fill.FLUX_FILL, "fill"), "flux2_klein": (flux2_klein.FLUX2_KLEIN, "klein")}[name]
    place = request.getfixturevalue(folder)
    first = made(spec, place)
    taken, camera = photo()
    placed = np.rint(gather(taken.rgb.astype(np.float32), project(camera, 128))).astype(np.uint8)
    np.testing.assert_array_equal(first.rgb[first.known], placed[first.known])
    assert first.rgb[~first.known].std() > 10
    np.testing.assert_array_equal(first.rgb, made(spec, place).rgb)  # loaded anew: same bytes
    assert (made(spec, place, seed=7).rgb != first.rgb).mean() > 0.2
    without = made(spec, place, pole_deg=0.0)
    assert (without.rgb[0] != first.rgb[0]).any()
    np.testing.assert_array_equal(without.rgb[64], first.rgb[64])


def test_klein_begins_with_grey_if_asked(klein: Path) -> None:
    spec = flux2_klein.FLUX2_KLEIN
    assert (made(spec, klein, start="grey", pole_deg=0).rgb != made(spec, klein, pole_deg=0).rgb).any()


def test_klein_knows_whether_it_is_distilled(klein: Path) -> None:
    chosen = options(flux2_klein.FLUX2_KLEIN, klein)
    assert isinstance(chosen, DiffusionOptions)
    checkpoint = diffusion_net.Checkpoint(str(klein), None, offline=True)
    pipe = diffusion_net.loaded("Flux2KleinInpaintPipeline", chosen, checkpoint, "x", "text_encoder")
    assert pipe.config.is_distilled


def wish(shared: int, told: list[float]) -> Wish:
    return Wish("hills", shared > 0, shared, 3, told.append)


def test_latents_stay_closed_in_every_step(fill: Path) -> None:
    """What the pipeline is given and gets back after each step has equal shared columns."""
    import torch  # noqa: PLC0415

    from sonoworld.panorama.flux_fill_net import painter, pipeline  # noqa: PLC0415

    chosen = options(flux_fill.FLUX_FILL, fill)
    assert isinstance(chosen, DiffusionOptions)
    picture, told = np.zeros((64, 160, 3), np.uint8), list[float]()
    start = diffusion_net.noise(picture, 16, wish(32, told))
    assert start.shape == (4, 10, 16)
    np.testing.assert_array_equal(start[:, :2], start[:, -2:])
    step = diffusion_net.after_step(picture, wish(32, told), 4)
    latents = torch.randn(1, 40, 16, generator=torch.Generator().manual_seed(0))
    grid = step(None, 1, None, {"latents": latents})["latents"].reshape(4, 10, 16)
    assert torch.equal(grid[:, :2], grid[:, -2:])
    assert torch.equal(grid[:, 2:-2], latents.reshape(4, 10, 16)[:, 2:-2])
    assert told == [0.5]
    pipe = pipeline(chosen, "x")
    out = painter(pipe, chosen, "x")(picture, np.ones((64, 160), bool), wish(32, told))
    assert told == [0.5, 0.5, 1.0]
    assert out.shape == picture.shape


def test_what_is_under_the_hole_does_not_matter_to_flux_fill(fill: Path) -> None:
    """White of the mask is painted: only there may the picture differ."""
    from sonoworld.panorama.flux_fill_net import painter, pipeline  # noqa: PLC0415

    chosen = options(flux_fill.FLUX_FILL, fill)
    assert isinstance(chosen, DiffusionOptions)
    paint = painter(pipeline(chosen, "x"), chosen, "x")
    hole = np.zeros((32, 64), bool)
    hole[:, :32] = True
    dark, bright = np.full((32, 64, 3), 90, np.uint8), np.full((32, 64, 3), 90, np.uint8)
    bright[hole] = 250
    told: list[float] = []
    same = paint(dark, hole, wish(0, told))
    np.testing.assert_array_equal(paint(bright, hole, wish(0, told)), same)
    bright[~hole] = 250
    assert (paint(bright, hole, wish(0, told)) != same).any()


@pytest.mark.parametrize("offload", ["none", "model", "sequential"])
def test_ways_to_hold_the_weights_change_nothing_on_the_cpu(fill: Path, offload: str) -> None:
    spec = flux_fill.FLUX_FILL
    expected = made(spec, fill, pole_deg=0)
    np.testing.assert_array_equal(made(spec, fill, pole_deg=0, offload=offload).rgb, expected.rgb)


def test_offload_on_a_gpu_asks_diffusers_for_it(fill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tiny.flux_fill_pipeline()
    calls: list[tuple[str, str]] = []
    for name in ("enable_model_cpu_offload", "enable_sequential_cpu_offload"):
        assert callable(getattr(pipe, name))  # diffusers has it
        monkeypatch.setattr(pipe, name, lambda device, name=name: calls.append((name, device)))
    monkeypatch.setattr(pipe, "to", lambda device: calls.append(("to", device)) or pipe)
    monkeypatch.setattr(diffusion_net, "chosen_device", lambda name: "cuda:1")
    for offload in ("none", "model", "sequential"):
        chosen = options(flux_fill.FLUX_FILL, fill, offload=offload)
        assert isinstance(chosen, DiffusionOptions)
        assert diffusion_net.placed(pipe, chosen) is pipe
    assert calls == [
        ("to", "cuda:1"),
        ("enable_model_cpu_offload", "cuda:1"),
        ("enable_sequential_cpu_offload", "cuda:1"),
    ]


def test_8_bits_are_close_and_smaller(fill: Path) -> None:
    import torch  # noqa: PLC0415

    from sonoworld.panorama.flux_fill_net import pipeline  # noqa: PLC0415

    spec = flux_fill.FLUX_FILL
    full, eight = (made(spec, fill, pole_deg=0, quantise=q).rgb.astype(int) for q in ("none", "fp8"))
    assert 0 < np.abs(full - eight).mean() < 8
    chosen = options(spec, fill, quantise="fp8")
    assert isinstance(chosen, DiffusionOptions)
    pipe = diffusion_net.placed(pipeline(chosen, "x"), chosen)
    kinds = {p.dtype for p in pipe.transformer.parameters()}
    assert torch.float8_e4m3fn in kinds


def test_4_bits_are_configured_for_both_libraries() -> None:
    import torch  # noqa: PLC0415

    pytest.importorskip("bitsandbytes")
    config = diffusion_net.four_bit(torch.bfloat16, "text_encoder_2")
    assert set(config.quant_mapping) == {"transformer", "text_encoder_2"}
    kinds = {name: type(part).__module__.split(".")[0] for name, part in config.quant_mapping.items()}
    assert kinds == {"transformer": "diffusers", "text_encoder_2": "transformers"}
    assert all(part.bnb_4bit_quant_type == "nf4" for part in config.quant_mapping.values())


def test_16_bits_and_tiles_run(fill: Path, klein: Path) -> None:
    for spec, folder in ((flux_fill.FLUX_FILL, fill), (flux2_klein.FLUX2_KLEIN, klein)):
        half = made(spec, folder, pole_deg=0, dtype="bfloat16", tiled_vae=True)
        assert half.rgb[~half.known].std() > 10
        np.testing.assert_array_equal(half.rgb[half.known], made(spec, folder, pole_deg=0).rgb[half.known])


def test_worldgens_lora_is_added_to_the_weights(fill: Path, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    pytest.importorskip("peft")
    from sonoworld.panorama.flux_fill_net import pipeline  # noqa: PLC0415

    spec = worldgen.WORLDGEN
    lora = tiny.save_lora(tmp_path, LORA)
    chosen = options(spec, fill, lora=str(lora), lora_file=LORA)
    assert isinstance(chosen, DiffusionOptions)
    where = "single_transformer_blocks.0.attn.to_q.weight"
    plain = pipeline(chosen, "x").transformer.state_dict()
    with_it = diffusion_net.with_lora(
        pipeline(chosen, "x"), diffusion_net.Checkpoint(str(lora), None, offline=True), LORA, "x", fuse=True
    ).transformer.state_dict()
    assert with_it.keys() == plain.keys()
    a, b = (load_file(lora / LORA)[f"transformer.{where[:-7]}.lora_{k}.weight"] for k in "AB")
    torch.testing.assert_close(with_it[where], plain[where] + b @ a, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(with_it[key], plain[key]) for key in plain if key != where)
    panorama = spec.make(chosen)(*photo(), run())
    assert (panorama.rgb != made(flux_fill.FLUX_FILL, fill, pole_deg=0).rgb).any()


def test_a_lora_of_another_model_is_refused(fill: Path, tmp_path: Path) -> None:
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    pytest.importorskip("peft")
    save_file(
        {"unet.mid.lora_A.weight": torch.ones(2, 4), "unet.mid.lora_B.weight": torch.ones(4, 2)},
        tmp_path / "l.safetensors",
    )
    with pytest.raises(BackendMissingError, match=r"panorama\.worldgen"):
        made(worldgen.WORLDGEN, fill, lora=str(tmp_path), lora_file="l.safetensors")
    with pytest.raises(BackendMissingError, match=r"panorama\.worldgen"):
        made(worldgen.WORLDGEN, fill, lora=str(tmp_path), lora_file="nobody.safetensors")


class OwnPackage:
    """worldgen/pano_gen.py: the two functions used, with its signatures; anything else is an error."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def build_pano_fill_model(
        self, lora_path: str | None = None, device: str = "cuda", low_vram: bool = True
    ) -> tuple[str | None, str, bool]:
        return lora_path, device, low_vram

    def gen_pano_fill_image(  # noqa: PLR0917  as there
        self,
        model: tuple[str | None, str, bool],
        image: Image.Image,
        mask: Image.Image,
        prompt: str = "a scene",
        output_path: str | None = None,
        seed: int = 42,
        guidance_scale: float = 30.0,
        num_inference_steps: int = 50,
        height: int = 800,
        width: int = 1600,
        blend_extend: int = 6,
        prefix: str = "A high quality 360 panorama photo of",
        suffix: str = "HDR, RAW, 360 consistent, omnidirectional",
    ) -> Image.Image:
        assert output_path is None
        assert image.size == mask.size == (width, height)
        self.asked.append({"prompt": f"{prefix} {prompt} {suffix}", "blend": blend_extend, "model": model})
        return Image.new("RGB", (width, height), (9, 80, 200))


def test_worldgens_own_package_is_asked_as_its_source_wants(fill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, module = OwnPackage(), ModuleType("worldgen.pano_gen")
    module.build_pano_fill_model = own.build_pano_fill_model  # type: ignore[attr-defined]
    module.gen_pano_fill_image = own.gen_pano_fill_image  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "worldgen", ModuleType("worldgen"))
    monkeypatch.setitem(sys.modules, "worldgen.pano_gen", module)
    spec = worldgen.WORLDGEN
    chosen = options(spec, fill, engine="package", offline=False, shared_px=0, pole_deg=30, pole_px=64, prompt="hills")
    panorama = spec.make(chosen)(*photo(), run())
    assert panorama.rgb[64, 0, 2] > panorama.rgb[64, 0, 0]
    assert own.asked[0]["prompt"] == (
        " A high quality 360 panorama photo of hills HDR, RAW, 360 consistent, omnidirectional "
    )
    assert [a["blend"] for a in own.asked] == [6, 0, 0]
    assert own.asked[0]["model"] == (None, "cpu", False)


def test_without_its_package_worldgen_says_so(fill: Path) -> None:
    spec = worldgen.WORLDGEN
    chosen = options(spec, fill, engine="package", offline=False, shared_px=0)
    with pytest.raises(BackendMissingError, match="not installed: worldgen"):
        require_available(spec, chosen)
    with pytest.raises(BackendMissingError, match=r"worldgen\.pano_gen"):
        spec.make(chosen)


ALL = [flux_fill.FLUX_FILL, worldgen.WORLDGEN, flux2_klein.FLUX2_KLEIN]


@pytest.mark.parametrize("spec", ALL, ids=lambda s: s.name)
def test_declarations(spec: Backend) -> None:
    testing.check_declaration(spec)
    assert spec.commercial == (spec.licence == "Apache-2.0")
    assert spec.weights[0].model == spec.options().model_dump()["model"]


@pytest.mark.parametrize("spec", ALL, ids=lambda s: s.name)
def test_missing_weights_are_one_clear_message(spec: Backend) -> None:
    if spec is worldgen.WORLDGEN:
        pytest.importorskip("peft")
    with pytest.raises(BackendMissingError, match=rf"panorama\.{spec.name}: .*expected a folder"):
        spec.make(spec.options.model_validate({**SMALL, "model": "./not/here"}))
    with pytest.raises(BackendMissingError) as caught:
        spec.make(spec.options.model_validate(SMALL))
    facts = spec.weights[0]
    why = "it is not in the local cache, and offline = true"
    assert str(caught.value).split("\n") == [
        f"panorama.{spec.name}: the model {facts.model!r} cannot be loaded: {why}",
        f"  {facts.size_gb:g} GB, licence {facts.licence}: https://huggingface.co/{facts.model}",
        f"  download: {facts.command}",
        "  or name a local folder: --set STAGE.model=FOLDER",
    ]
    assert facts.command.startswith(f"hf download {facts.model}")


@pytest.mark.parametrize(
    ("spec", "kind"),
    [(flux_fill.FLUX_FILL, "FluxFillPipeline"), (flux2_klein.FLUX2_KLEIN, "Flux2KleinInpaintPipeline")],
)
def test_gated_weights_are_one_clear_message(spec: Backend, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers  # noqa: PLC0415
    import httpx  # noqa: PLC0415
    from huggingface_hub.errors import GatedRepoError  # noqa: PLC0415

    def closed(place: str, **how: object) -> None:
        raise GatedRepoError("403", response=httpx.Response(403, request=httpx.Request("GET", "https://hub")))

    monkeypatch.setattr(getattr(diffusers, kind), "from_pretrained", closed)
    with pytest.raises(BackendMissingError, match="it is gated: accept its licence on its page"):
        spec.make(spec.options.model_validate(SMALL))


@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_weights_that_lack_a_part_are_refused(fill: Path, tmp_path: Path, part: str) -> None:
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    for file in fill.rglob("*"):
        if file.is_file():
            (tmp_path / file.relative_to(fill)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.relative_to(fill)).write_bytes(file.read_bytes())
    name = tmp_path / part / "diffusion_pytorch_model.safetensors"
    tensors = load_file(name)
    save_file(dict(list(tensors.items())[1:]), name)
    with pytest.raises(BackendMissingError, match=r"panorama\.flux_fill"):
        made(flux_fill.FLUX_FILL, tmp_path)


def test_options_that_cannot_be_are_errors() -> None:
    for spec, wrong in [
        (flux_fill.FLUX_FILL, {"canvas_width": 1000}),
        (flux_fill.FLUX_FILL, {"pole_px": 100}),
        (flux_fill.FLUX_FILL, {"offload": "sequential", "quantise": "fp8"}),
        (flux_fill.FLUX_FILL, {"canvas_width": 128, "shared_px": 160}),
        (flux2_klein.FLUX2_KLEIN, {"canvas_width": 1440, "shared_px": 512}),
        (worldgen.WORLDGEN, {"engine": "package"}),
    ]:
        with pytest.raises(ValidationError):
            spec.options.model_validate(wrong)


def test_no_picture_is_an_error() -> None:
    with pytest.raises(StageError, match="no picture"):
        diffusion_net.pictured(np.full((2, 2, 3), np.nan, np.float32), "panorama.flux_fill")


def test_sizes_are_those_of_the_published_models() -> None:
    import torch  # noqa: PLC0415
    from full_painters import flux2_klein_parts, flux_fill_parts  # noqa: PLC0415

    for parts, expected in ((flux_fill_parts, flux_fill.PARAMETERS), (flux2_klein_parts, flux2_klein.PARAMETERS)):
        with torch.device("meta"):
            counts = {name: sum(p.numel() for p in build().parameters()) for name, build in parts().items()}
        assert counts == expected
