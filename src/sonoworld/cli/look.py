"""Verbs that only look: sources, check, backends, recipe, doctor."""

import json
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional, arg

from sonoworld import __version__
from sonoworld.backend import Listing, installed
from sonoworld.cli import explaining, tables
from sonoworld.disk.notes import load_notes
from sonoworld.disk.scene import check_scene, load_scene, load_sources
from sonoworld.errors import BackendMissingError, InputError, SonoworldError
from sonoworld.recipe import DEFAULT, load, names, to_toml
from sonoworld.render.native import native_name


def sources(
    scene: Positional[Path],
    json_: Annotated[bool, arg(name="json")] = False,
    explain: bool = False,
) -> None:
    """List what sounds in a world: where, how wide, how loud, and who says so.

    Args:
        scene: Folder of a world.
        json_: Print a document for programs instead of a table.
        explain: Say of every source why it is there, how sure that is and what is imagined; and what was left out.
    """
    if json_ and explain:
        raise InputError("sources: --json and --explain are two ways to say the same; choose one")
    found = load_sources(scene)
    if json_:
        document = {"format": 1, "sources": [tables.source_record(source) for source in found]}
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return
    console = Console()
    if explain:
        explaining.say_why(found, load_notes(scene), console)
        return
    tables.say_view(load_scene(scene), console)
    console.print(tables.sources_table(found))


def check(scene: Positional[Path]) -> None:
    """Verify a world: every file's digest, every value, and how sure its calibration is.

    Args:
        scene: Folder of a world.
    """
    findings = check_scene(scene)
    if findings:
        lines = "\n".join(f"  {finding.file}: {finding.problem}" for finding in findings)
        raise SonoworldError(f"{scene}: {len(findings)} problem(s)\n{lines}")
    console = Console()
    tables.say_view(load_scene(scene), console)
    console.print(f"{scene}: sound, every file as it was made", highlight=False, soft_wrap=True, markup=False)


def backends(json_: Annotated[bool, arg(name="json")] = False) -> None:
    """List every installed way of doing each stage, and what keeps one from running.

    Args:
        json_: Print a list for programs instead of a table.
    """
    listings = installed()
    if json_:
        print(json.dumps([_backend_record(listing) for listing in listings], indent=1))
        return
    table = Table(title="Backends", title_justify="left")
    for name in ("stage", "name", "version", "runs here", "licence", "what it is"):
        table.add_column(name)
    for listing in listings:
        spec = listing.backend
        state = "yes" if listing.available else f"no: {listing.reason}"
        table.add_row(
            listing.stage,
            listing.name,
            spec.version if spec else "",
            escape(state),
            spec.licence if spec else "",
            escape(spec.summary) if spec else "",
        )
    Console().print(table)


def _backend_record(listing: Listing) -> dict[str, object]:
    spec = listing.backend
    return {
        "stage": listing.stage,
        "name": listing.name,
        "version": spec.version if spec else None,
        "available": listing.available,
        "reason": listing.reason,
        "licence": spec.licence if spec else None,
        "commercial": spec.commercial if spec else None,
    }


def recipe(name: Positional[str] = DEFAULT, list_: Annotated[bool, arg(name="list")] = False) -> None:
    """Print a whole recipe with every option and its meaning: a starting point for your own.

    Args:
        name: A recipe's name or file.
        list_: List the recipes that come with the install.
    """
    print("\n".join(names()) if list_ else to_toml(load(name)), end="\n" if list_ else "")


def doctor() -> None:
    """Say what is installed, what is missing, and the command that gets it."""
    console = Console()
    console.print(f"sonoworld {__version__}, Python {sys.version.split()[0]}, {platform.platform()}", highlight=False)
    for name, path, needed in (
        ("viewer", "viewer/index.html", "walk and listen in the browser"),
        ("detector", "detector/centernet.onnx", "find people, vehicles and animals"),
    ):
        here = files("sonoworld").joinpath("products", *path.split("/")).is_file()
        state = (
            "built" if here else "MISSING: pip install --force-reinstall --no-deps sonoworld (or `pip install -e .`)"
        )
        console.print(f"  {name:<12} {state} ({needed})", highlight=False, markup=False)
    for package, extra, needed in (
        ("pillow-heif", "heic", "HEIC photos"),
        ("cryptography", "lan", "phones in the same network"),
        ("segno", "lan", "a QR code for them"),
        ("sounddevice", "listen", "live listening on the sound card"),
        ("av", "film", "films"),
        ("torch", "learn", "learning and GPU models"),
        ("transformers", "models", "pretrained models"),
        ("ray", "cluster", "many machines"),
    ):
        try:
            state = version(package)
        except PackageNotFoundError:
            state = f"not installed: pip install 'sonoworld[{extra}]'"
        console.print(f"  {package:<12} {state} ({needed})", highlight=False, markup=False)
    browser = next((b for b in ("chromium", "google-chrome", "firefox") if shutil.which(b)), "the system's default")
    console.print(f"  {'browser':<12} {browser}", highlight=False)
    console.print(f"  {'audio':<12} {_executors()}", highlight=False, soft_wrap=True, markup=False)
    broken = [listing for listing in installed() if not listing.available]
    for listing in broken:
        console.print(f"  {listing.stage}.{listing.name}: {listing.reason}", highlight=False, markup=False)
    console.print(
        f"  backends     {len(installed()) - len(broken)} of {len(installed())} can run here", highlight=False
    )


def _executors() -> str:
    try:
        return f"{native_name()}; NumPy"
    except BackendMissingError as error:
        return f"NumPy alone. {error}"
