"""The verb `models`: the weights that a recipe needs, and getting them."""

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld import fetch, stock
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.recipe import DEFAULT, load
from sonoworld.stock import Item
from sonoworld.weights import library

Settings = UseAppendAction[tuple[str, ...]]


def models(
    action: Positional[Literal["list", "get"]] = "list",
    recipe: str = DEFAULT,
    settings: Annotated[Settings, arg(name="set", metavar="STAGE.KEY=VALUE")] = (),
    yes: bool = False,
) -> None:
    """List the weights that a recipe needs: size, licence, whether they are here, and how to get them.

    Args:
        action: `list` only looks; `get` downloads what is not here, with digests checked; it resumes.
        recipe: A recipe's name or file.
        settings: Change one option, such as `lift.model=FOLDER`; may be repeated.
        yes: The licences are accepted; do not ask (`get`).
    """
    chosen = load(recipe, settings)
    console = Console()
    found = stock.items(chosen)
    if not found:
        console.print(f"recipe {chosen.name}: needs no weights; everything comes with the install", highlight=False)
        return
    console.print(_table(found, chosen.name))
    if action == "list":
        wish = " ".join(["--recipe", recipe, *(f"--set {shlex.quote(one)}" for one in settings)])
        _say_how(found, wish, console)
        return
    _get([item for item in found if item.state != "here"], console, agreed=yes)


def _table(found: Sequence[Item], name: str) -> Table:
    table = Table(title=f"Weights of recipe {name}", title_justify="left")
    for column in ("stage", "weights"):
        table.add_column(column, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    for column in ("licence", "here"):
        table.add_column(column, overflow="fold")
    for item in found:
        size = f"{item.weights.size_gb:.2f} GB" if item.weights.size_gb else "?"
        gate = " (gated)" if item.weights.gated else ""
        model = escape(item.weights.model)
        table.add_row("\n".join(item.stages), model, size, escape(item.weights.licence) + gate, item.state)
    return table


def _say_how(found: Sequence[Item], wish: str, console: Console) -> None:
    lacking = [item for item in found if item.state != "here"]
    here = stock.total_gb(found) - stock.total_gb(lacking)
    _say(console, f"{stock.total_gb(found):.2f} GB in all, {here:.2f} GB of it here")
    if lacking:
        _say(console, f"\nGet all that is missing: sonoworld models get {wish}\nor one by one:")
    for item in lacking:
        _say(console, f"  {item.command}")
        if item.weights.gated:
            _say(console, f"    gated: accept its licence at {item.page}, then `hf auth login`")


def _get(lacking: Sequence[Item], console: Console, *, agreed: bool) -> None:
    if not lacking:
        _say(console, "Everything is here.")
        return
    on_hub = [item for item in lacking if item.download is not None]
    elsewhere = [item for item in lacking if item.download is None]
    if on_hub:
        hub = library("huggingface_hub")
        fetch.require_login(on_hub, hub)
        _agree(on_hub, console, agreed=agreed)
        for item in on_hub:
            fetch.get(item, hub, lambda note: _say(console, f"  {note}"))
        _say(console, "Downloaded and checked.")
    if elsewhere:
        lines = "\n".join(f"  {item.command}" for item in elsewhere)
        raise BackendMissingError(f"these are not on the hub; get them by\n{lines}")


def _agree(some: Sequence[Item], console: Console, *, agreed: bool) -> None:
    """Ask once for all licences.

    Raises:
        InputError: they were not accepted, or nobody can be asked.
    """
    _say(console, f"To download: {stock.total_gb(some):.2f} GB, under these licences:")
    for item in some:
        _say(console, f"  {item.weights.licence}: {item.page}")
    if agreed:
        return
    if not sys.stdin.isatty():
        raise InputError("nothing was downloaded: nobody is here to accept the licences; accept them with --yes")
    if input("Do you accept them? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("nothing was downloaded: the licences were not accepted")


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)
