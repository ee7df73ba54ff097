"""Verbs that make worlds: demo, create."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld import plan
from sonoworld.cli import tables
from sonoworld.cli.film import film_new_world
from sonoworld.cli.progress import StageWatch
from sonoworld.disk import atomic
from sonoworld.disk.photo import read_photo
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.meter import Meter
from sonoworld.plan import Wish, gigabytes
from sonoworld.recipe import DEFAULT, Recipe, load
from sonoworld.types import Photo, Projection

Settings = UseAppendAction[tuple[str, ...]]


def create(  # noqa: PLR0913, PLR0917  one per option of the command line
    photo: Positional[Path],
    out: Positional[Path],
    recipe: str = DEFAULT,
    settings: Annotated[Settings, arg(name="set", metavar="STAGE.KEY=VALUE")] = (),
    seed: int = 0,
    panorama: bool = False,
    film: bool = True,
    device: str = "",
    dtype: str = "",
    vram: str = "",
    record: Path | None = None,
) -> None:
    """Turn a photo into a world: a folder to view, hear, render and share.

    Args:
        photo: JPEG, PNG, WebP, TIFF or HEIC photo.
        out: New folder for the world (an existing world is remade, keeping what did not change).
        recipe: Which backend does each stage: a name (`sonoworld recipe --list`) or a TOML file.
        settings: Change one option, such as `calibrate.fov_deg=70`; may be repeated.
        seed: Same photo, recipe and seed give the same bytes.
        panorama: The photo is a 360° panorama (2:1 equirectangular).
        film: Then film a walk through it, 20 s with sound (`--no-film`: only the world).
        device: Where models run: cuda, cuda:1, mps, cpu. Not set: as the recipe says, which is the GPU where there is
            one; without one small models run on the CPU, and large ones are refused until it is asked for here.
        dtype: Number format of models: float32, bfloat16, float16.
        vram: GPU memory to use, such as 24GB: models that are larger are offloaded or held in 8 or 4 bits.
        record: File for the seconds and the peak memory of every step (JSON).
    """
    console = Console()
    chosen = load(recipe, settings)
    chosen = _arranged(chosen, Wish(device, dtype, gigabytes(vram) if vram else None), console)
    meter = _make(read_photo(photo, panorama=panorama), photo.name, chosen, out, seed, console)
    if record is not None:
        atomic.write_json(record, meter.document())
    if film:
        film_new_world(out, console)
    _say_where(out, console)


def _arranged(recipe: Recipe, wish: Wish, console: Console) -> Recipe:
    """The recipe as it runs on this machine; says what was decided for large models."""
    if not plan.runs_models(recipe):
        if wish != Wish():
            raise InputError(f"recipe {recipe.name} runs no models: expected no --device, --dtype or --vram")
        return recipe
    gpu_gb = plan.gpu_memory_gb()
    arranged, decided = plan.arranged(recipe, wish, gpu_gb)
    for placed in decided:
        need = placed.need
        console.print(
            f"  {need.stage}.{need.backend}: {need.weights_gb:.1f} GB of weights, {WAYS[placed.way]}", highlight=False
        )
    if wish.vram_gb is not None and gpu_gb is not None:
        plan.hold_to(wish.vram_gb)
    return arranged


WAYS = {
    "whole": "whole on the GPU",
    "offload": "its parts take turns on the GPU",
    "eight_bit": "its parts take turns on the GPU, the largest in 8 bits",
    "four_bit": "in 4 bits on the GPU",
    "cpu": "on the CPU",
}


def _make(photo: Photo, name: str, recipe: Recipe, out: Path, seed: int, console: Console) -> Meter:
    """Make the scene with progress, and say what was seen and heard."""
    kind = "panorama" if photo.projection is Projection.EQUIRECTANGULAR else "photo"
    width, height = photo.size_px
    console.print(f"{name}: {kind}, {width}×{height}, recipe {recipe.name}, seed {seed}", highlight=False, markup=False)
    with StageWatch(console) as watch:
        meter = Meter(watch)
        scene = make_scene(photo, recipe, out, seed=seed, watch=meter)
    console.print(f"  {'total':<10} {sum(watch.seconds.values()):6.2f} s", highlight=False)
    tables.say_view(scene, console)
    console.print(tables.sources_table(scene.sources))
    return meter


def _say_where(out: Path, console: Console) -> None:
    console.print(
        f"\nWorld: {out}\n  walk and listen: sonoworld view {out}", highlight=False, soft_wrap=True, markup=False
    )


def demo(serve: bool = True, out: Path = Path("demo-world"), film: bool = True) -> None:
    """Turn the bundled photo into a walkable, audible world and open it.

    Args:
        serve: Serve the world until Ctrl-C (`--no-serve`: only make it).
        out: Folder for the world.
        film: Film a walk through it, too (`--no-film`: only the world).
    """
    from sonoworld.cli.show import view  # noqa: PLC0415

    console = Console()
    if out.exists() and not (out / "scene.json").is_file() and any(out.iterdir()):
        raise InputError(f"{out}: exists and is not a world; choose another with --out")
    with as_file(files("sonoworld.assets").joinpath("meadow.jpg")) as photo:
        _make(read_photo(photo), photo.name, load(), out, 0, console)
    if film:
        film_new_world(out, console)
    if serve:
        view(out)
    else:
        _say_where(out, console)
