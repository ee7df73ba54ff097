"""Verbs that serve: a gallery where photos become worlds, and one world that can be edited."""

import webbrowser
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

from rich.console import Console
from rich.panel import Panel
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld.errors import InputError
from sonoworld.recipe import DEFAULT

if TYPE_CHECKING:
    from sonoworld.server.guard import Guard

Settings = UseAppendAction[tuple[str, ...]]
EVERYWHERE = "0.0.0.0"


@dataclass(frozen=True)
class Door:
    """Where to listen, and whom to tell."""

    host: str
    port: int
    browser: bool
    lan: bool


@runtime_checkable
class MakeApp(Protocol):
    """An application for the address that it is bound to, behind a token."""

    def __call__(self, bound: str, token: str) -> AbstractContextManager["Guard"]: ...  # noqa: D102


def serve(  # noqa: PLR0913, PLR0917  one per option of the command line
    folder: Positional[Path] = Path("worlds"),
    recipe: str = DEFAULT,
    settings: Annotated[Settings, arg(name="set", metavar="STAGE.KEY=VALUE")] = (),
    host: str = "127.0.0.1",
    port: int = 8787,
    browser: bool = True,
    lan: bool = False,
) -> None:
    """A gallery of worlds in the browser: drop a photo, watch it become a world, walk in, correct what sounds.

    Args:
        folder: Folder of worlds; made where there is none.
        recipe: With which photos become worlds: a name (`sonoworld recipe --list`) or a TOML file.
        settings: Change one option, such as `panorama.width=1024`; may be repeated.
        host: Address to listen on; only this machine by default.
        port: First port to try; the next free one is taken.
        browser: Open the browser (`--no-browser`: only print the address).
        lan: Let phones in the same network in, over https with a certificate of our own; prints a QR code.
    """
    from sonoworld.server.app import gallery_app  # noqa: PLC0415  SciPy waits until something is served

    _open(
        lambda bound, token: gallery_app(folder, bound, token, recipe=recipe, settings=settings),
        Door(host, port, browser, lan),
        "Drop photos, walk and listen",
    )


def view_guarded(scene: Path, door: Door, *, editable: bool, ears: str) -> None:
    """One world behind a token: to be edited, or for phones in the same network."""
    from sonoworld.server.app import world_app  # noqa: PLC0415  likewise

    what = "Walk, listen and edit" if editable else "Walk and listen"
    _open(
        lambda bound, token: world_app(scene, bound, token, editable=editable, ears=ears),
        door,
        what,
        "?edit" if editable else "",
    )


def _open(make_app: MakeApp, door: Door, what: str, query: str = "") -> None:
    from sonoworld.server.guard import new_token  # noqa: PLC0415  likewise
    from sonoworld.server.lan import certificate, lan_address, qr_code  # noqa: PLC0415
    from sonoworld.view.listening import Address, listen  # noqa: PLC0415

    if door.lan and door.host != "127.0.0.1":
        raise InputError(f"--lan listens on all addresses: expected no --host beside it, got {door.host}")
    console, token = Console(), new_token()
    ours = lan_address() if door.lan else ""
    files = certificate(ours) if door.lan else (None, None)
    address = Address(EVERYWHERE if door.lan else door.host, door.port, *files)

    def ready(url: str) -> None:
        local = url.replace(f"//{EVERYWHERE}:", "//127.0.0.1:") + f"{token}/{query}"
        lines = [f"{what}: [bold]{local}[/bold]"]
        if door.lan:
            there = url.replace(EVERYWHERE, ours) + f"{token}/{query}"
            lines += [f"In this network: [bold]{there}[/bold]", "A phone asks once whether to trust this machine."]
            print(qr_code(there))
        console.print(Panel("\n".join([*lines, "Whoever has the address may write. Ctrl-C stops"]), expand=False))
        if door.browser:
            webbrowser.open(local)

    with make_app(address.host, token) as app:
        listen(app, address, ready)
