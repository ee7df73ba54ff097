"""Verbs that make worlds: demo, create."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld.cli import tables
from sonoworld.cli.progress import StageWatch
from sonoworld.disk.photo import read_photo
from sonoworld.errors import InputError
from sonoworld.flow import make_scene
from sonoworld.recipe import DEFAULT, load
from sonoworld.types import Projection, Scene

Settings = UseAppendAction[tuple[str, ...]]


def create(
    photo: Positional[Path],
    out: Positional[Path],
    recipe: str = DEFAULT,
    settings: Annotated[Settings, arg(name="set", metavar="STAGE.KEY=VALUE")] = (),
    seed: int = 0,
    panorama: bool = False,
) -> None:
    """Turn a photo into a world: a folder to view, hear, render and share.

    Args:
        photo: JPEG, PNG, WebP, TIFF or HEIC photo.
        out: New folder for the world (an existing world is remade, keeping what did not change).
        recipe: Which backend does each stage: a name (`sonoworld recipe --list`) or a TOML file.
        settings: Change one option, such as `calibrate.fov_deg=70`; may be repeated.
        seed: Same photo, recipe and seed give the same bytes.
        panorama: The photo is a 360° panorama (2:1 equirectangular).
    """
    console = Console()
    make(photo, out, load(recipe, settings), seed, panorama, console)  # noqa: FBT003
    console.print(f"\nWorld: {out}\n  walk and listen: sonoworld view {out}", highlight=False, soft_wrap=True)


def make(photo: Path, out: Path, recipe: object, seed: int, panorama: bool, console: Console) -> Scene:
    """Read the photo, make the scene with progress, and say what was seen and heard."""
    from sonoworld.recipe import Recipe  # noqa: PLC0415

    assert isinstance(recipe, Recipe)
    picture = read_photo(photo, panorama=panorama)
    kind = "panorama" if picture.projection is Projection.EQUIRECTANGULAR else "photo"
    width, height = picture.size_px
    console.print(f"{photo.name}: {kind}, {width}×{height}, recipe {recipe.name}, seed {seed}", highlight=False)
    with StageWatch(console) as watch:
        scene = make_scene(picture, recipe, out, seed=seed, watch=watch)
    console.print(f"  {'total':<10} {sum(watch.seconds.values()):6.2f} s", highlight=False)
    tables.say_view(scene, console)
    console.print(tables.sources_table(scene.sources))
    return scene


def demo(serve: bool = True, out: Path = Path("demo-world")) -> None:
    """Turn the bundled photo into a walkable, audible world and open it.

    Args:
        serve: Serve the world until Ctrl-C (`--no-serve`: only make it).
        out: Folder for the world.
    """
    from sonoworld.cli.show import view  # noqa: PLC0415

    console = Console()
    if out.exists() and not (out / "scene.json").is_file() and any(out.iterdir()):
        raise InputError(f"{out}: exists and is not a world; choose another with --out")
    with as_file(files("sonoworld.assets").joinpath("meadow.jpg")) as photo:
        make(photo, out, load(), 0, False, console)  # noqa: FBT003
    if serve:
        view(out)
    else:
        console.print(f"\nWorld: {out}\n  walk and listen: sonoworld view {out}", highlight=False, soft_wrap=True)
