"""The verb that shows: view a world in the browser."""

import tempfile
import webbrowser
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from tyro.conf import Positional

from sonoworld.cli.hear import room_of
from sonoworld.disk.scene import load_lite, load_scene
from sonoworld.errors import InputError
from sonoworld.view import export_folder, serve


def view(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    host: str = "127.0.0.1",
    port: int = 8787,
    browser: bool = True,
    hrtf: str = "kemar",
    edit: bool = False,
    lan: bool = False,
    dry: bool = False,
) -> None:
    """Walk and listen in the browser, until Ctrl-C.

    Args:
        scene: Folder of a world.
        host: Address to listen on; only this machine by default.
        port: First port to try; the next free one is taken.
        browser: Open the browser (`--no-browser`: only print the address).
        hrtf: Ears: kemar, sphere, or a SOFA file of your own.
        edit: Let the page change what sounds; every edit is a version, nothing is lost.
        lan: Let phones in the same network in, over https with a certificate of our own; prints a QR code.
        dry: No room, even if the world has one (room.json, from `sonoworld learn`).
    """
    if dry and (edit or lan):
        raise InputError("view: --dry is for the plain page, not for --edit or --lan")
    if edit or lan:
        from sonoworld.cli.serving import Door, view_guarded  # noqa: PLC0415  heavy only where used

        view_guarded(scene, Door(host, port, browser, lan), editable=edit, ears=hrtf)
        return
    console = Console()
    with tempfile.TemporaryDirectory(prefix="sonoworld-view-") as folder:
        drawn = load_lite(scene)
        room = room_of(scene, console, dry=dry)
        site = export_folder(
            load_scene(scene), Path(folder) / "site", splats=drawn, title=scene.name, ears=hrtf, room=room
        )

        def ready(url: str) -> None:
            console.print(Panel(f"Walk and listen: [bold]{url}[/bold]\nCtrl-C stops", expand=False))
            if browser:
                webbrowser.open(url)

        serve(site, host, port, ready)
