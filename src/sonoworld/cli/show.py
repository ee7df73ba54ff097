"""Verbs that show: view a world in the browser, export it for others."""

import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from rich.panel import Panel
from tyro.conf import Positional, arg

from sonoworld.disk.scene import load_lite, load_scene
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
    to: Annotated[Literal["folder"], arg(name="to")] = "folder",
) -> None:
    """Write a world for others: a static folder for any web host.

    Args:
        scene: Folder of a world.
        out: Where to write; default beside the world, with `-web` added to its name.
        to: Kind of export.
    """
    target = scene.with_name(f"{scene.name}-web") if out is None else out
    export_folder(load_scene(scene), target, splats=load_lite(scene), title=scene.name)
    size = sum(p.stat().st_size for p in target.rglob("*") if p.is_file()) / 1e6
    Console().print(
        f"{target}: a static {to} of {size:.0f} MB; put it on any web host", highlight=False, soft_wrap=True
    )
