"""A world's own walk as a file of its folder; what is in it, `render.walk` reads and writes."""

from pathlib import Path

from sonoworld.disk import atomic
from sonoworld.disk.codec import Codec

WALK_FILE = "walk.json"


def _save(folder: Path, document: object) -> tuple[str, ...]:
    atomic.write_json(folder / WALK_FILE, document)
    return (WALK_FILE,)


WALK: Codec[object] = Codec(_save, lambda folder: atomic.read_json(folder / WALK_FILE))
"""The JSON form of a walk (`render.walk_document`)."""
