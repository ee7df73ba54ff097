"""The walkable world: a static folder for any web host, or one HTML file that opens from a disk."""

from pathlib import Path

from sonoworld.cli.containers.container import Choices, Container, Written
from sonoworld.disk.room_file import ROOM_FILE, read_room
from sonoworld.disk.scene import load_lite, load_scene
from sonoworld.errors import InputError
from sonoworld.lift.lite import lite as lighter
from sonoworld.types import Scene, Splats
from sonoworld.view.credits import scene_credits
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export import Told
from sonoworld.view.export_html import export_html
from sonoworld.view.export_page import About, folder_url
from sonoworld.view.export_public import EMBED, publish_folder

PHONE_SPLATS = 300_000
MOST_LABELS = 6
KNOWS = frozenset({"lite", "hrtf", "title", "description", "url", "credit", "dry"})


def _write_folder(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    exhibit = _exhibit(scene, choices, told)
    about = _about(scene, exhibit.scene, choices)
    publish_folder(exhibit, about, target, told)
    parts = {file.relative_to(target).as_posix(): file.stat().st_size for file in target.rglob("*") if file.is_file()}
    note = f"; put it on any web host, {EMBED} shows it in other pages"
    if not about.url:
        note += " (--url gives the preview picture its address)"
    return Written("a static folder", note, _summed(parts))


def _write_html(scene: Path, target: Path, choices: Choices, told: Told) -> Written:
    if target.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{target}: expected a name that ends in .html (or another --to), got {target.name!r}")
    exhibit = _exhibit(scene, choices, told)
    export_html(exhibit, _about(scene, exhibit.scene, choices), target, told)
    count = len(exhibit.pictures[0])
    return Written("one page", f", {count} splats; opens from a disk, by a double click, without a network")


def _exhibit(folder: Path, choices: Choices, told: Told) -> Exhibit:
    told("world")
    scene = load_scene(folder)
    return Exhibit(
        scene=scene,
        pictures=_pictures(scene.splats, load_lite(folder), choices.lite),
        title=choices.title or folder.resolve().name,
        ears=choices.hrtf,
        room=None if choices.dry or not (folder / ROOM_FILE).is_file() else read_room(folder),
        sound="opus" if choices.lite else "flac",
        credits=scene_credits(folder, choices.credit),
    )


def _pictures(whole: Splats, drawn: Splats, lite: bool) -> tuple[Splats, ...]:
    """What a page draws, and a lighter version for phones where the splats merge so far; or that alone."""
    try:
        light = lighter(whole, PHONE_SPLATS)
    except InputError:
        return (drawn,)
    if lite:
        return (light,)
    return (drawn, light) if len(light) < len(drawn) else (drawn,)


def _about(folder: Path, scene: Scene, choices: Choices) -> About:
    labels = list(dict.fromkeys(source.label for source in scene.sources if source.clip))[:MOST_LABELS]
    heard = f" Here sound: {', '.join(labels)}." if labels else ""
    return About(
        title=choices.title or folder.resolve().name,
        description=choices.description or f"A photo to walk through and hear, with headphones.{heard}",
        url=folder_url(choices.url),
    )


def _summed(sizes: dict[str, int]) -> dict[str, int]:
    """Bytes of the picture (as desktops get it), of that for phones, of sounds, and of all else."""
    parts = {"picture": 0, "picture for phones": 0, "sounds": 0, "page and ears": 0}
    for name, size in sizes.items():
        kind = "page and ears"
        if name.startswith("splats"):
            kind = "picture" if name == "splats.sog" else "picture for phones"
        elif name.startswith("clips/"):
            kind = "sounds"
        parts[kind] += size
    return {name: size for name, size in parts.items() if size}


FOLDER = Container("folder", "folders", "-web", KNOWS, _write_folder)
HTML = Container("html", "HTML files", ".html", KNOWS, _write_html)
