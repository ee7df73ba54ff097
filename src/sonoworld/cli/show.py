"""Verbs that show: view a world in the browser, export it for others."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from rich.panel import Panel
from tyro.conf import Positional, arg

from sonoworld.disk.scene import load_lite, load_scene
from sonoworld.disk.splat_file import AXES, kind_of, write_splats
from sonoworld.errors import InputError
from sonoworld.frames import axes_in_words
from sonoworld.view import export_folder, serve


def view(scene: Positional[Path], host: str = "127.0.0.1", port: int = 8787, browser: bool = True) -> None:
    """Walk and listen in the browser, until Ctrl-C.

    Args:
        scene: Folder of a world.
        host: Address to listen on; only this machine by default.
        port: First port to try; the next free one is taken.
        browser: Open the browser (`--no-browser`: only print the address).
    """
    console = Console()
    with tempfile.TemporaryDirectory(prefix="sonoworld-view-") as folder:
        site = export_folder(load_scene(scene), Path(folder) / "site", splats=load_lite(scene), title=scene.name)

        def ready(url: str) -> None:
            console.print(Panel(f"Walk and listen: [bold]{url}[/bold]\nCtrl-C stops", expand=False))
            if browser:
                webbrowser.open(url)

        serve(site, host, port, ready)


def export(
    scene: Positional[Path],
    out: Positional[Path | None] = None,
    to: Annotated[Literal["folder", "ply", "spz", "sog", "splat", "glb"], arg(name="to")] = "folder",
    axes: str | None = None,
    lite: bool = False,
) -> None:
    """Write a world for others: a static folder for any web host, or its splats as one file for other programs.

    Args:
        scene: Folder of a world.
        out: Where to write; default beside the world, under its name with `-web` or the kind added.
        to: Kind of export.
        axes: Axes of a splat file: where x, y and z point (F ahead, B back, L left, R right, U up, D down); default
            RDF for ply, sog and splat, RUB for spz and glb, as other programs expect them.
        lite: Write at most 500 000 splats, for phones (a folder always does).
    """
    if to == "folder":
        if axes or lite:
            raise InputError("export: --axes and --lite are for splat files, not for folders")
        target = scene.with_name(f"{scene.name}-web") if out is None else out
        export_folder(load_scene(scene), target, splats=load_lite(scene), title=scene.name)
        what = "a static folder", "; put it on any web host"
    else:
        target = scene.with_name(f"{scene.name}.{to}") if out is None else out
        if kind_of(target) != to:
            raise InputError(f"{target}: expected a name that ends in .{to} (or another --to), got {target.name!r}")
        splats = load_lite(scene) if lite else load_scene(scene).splats
        write_splats(target, splats, axes=axes)
        what = f"{len(splats)} splats", f", {axes_in_words(axes or AXES[to])}, metres"
    files = [p for p in target.rglob("*") if p.is_file()] if target.is_dir() else [target]
    size = sum(p.stat().st_size for p in files) / 1e6
    Console().print(f"{target}: {what[0]} of {size:.0f} MB{what[1]}", highlight=False, soft_wrap=True, markup=False)
