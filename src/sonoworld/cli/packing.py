"""The verb that makes training data of worlds."""

from pathlib import Path

from rich.console import Console
from tyro.conf import Positional

from sonoworld.batch.shards import INDEX, Pack, pack_worlds, worlds_in
from sonoworld.errors import InputError, SonoworldError
from sonoworld.wording import one_line


def pack(  # noqa: PLR0913, PLR0917  one per option of the command line
    worlds: Positional[Path],
    shards: Positional[Path],
    per_shard: int = 32,
    walks: int = 1,
    seconds: float = 10.0,
    order: int = 1,
    seed: int = 0,
) -> None:
    """Pack a folder of worlds as WebDataset shards: panorama, depth, splats, labels, sound fields of random walks.

    Args:
        worlds: Folder of worlds, such as `sonoworld batch` makes.
        shards: Folder for `worlds-000000.tar` and so on, and `index.json`.
        per_shard: Worlds in one shard.
        walks: Random walks through each world.
        seconds: Length of a walk.
        order: Ambisonic order of its sound field (AmbiX).
        seed: Same worlds and seed: same walks, same bytes.
    """
    console = Console()
    if not worlds.is_dir():
        raise InputError(f"{worlds}: expected a folder of worlds")
    good, spoiled = worlds_in(worlds)
    for shard in pack_worlds(good, shards, Pack(per_shard, walks, seconds, order, seed)):
        size = f"{len(shard.ids)} worlds, {shard.size_bytes / 1e6:.1f} MB"
        console.print(f"{shard.path}: {size}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"{shards / INDEX}", highlight=False, soft_wrap=True, markup=False)
    if spoiled:
        names = ", ".join(one_line(name) for name in spoiled)
        raise SonoworldError(f"left out, for they are not whole (sonoworld check says why): {names}")
