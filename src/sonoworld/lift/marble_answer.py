"""What Marble's API answers, read with suspicion: worlds, their files and numbers, ids that go into paths."""

import math
import re
from typing import cast

from sonoworld.errors import StageError
from sonoworld.lift.marble_address import Service
from sonoworld.lift.marble_http import UncertainError, said

Json = dict[str, object]
LARGEST = 1e4
"""Of lengths in Marble's units or metres per unit; more is no world."""

_ID = re.compile(r"^[A-Za-z0-9_-]{1,128}$")


def ready(world: Json) -> Json | None:
    """The world, if its files are there."""
    return world if splat_urls(world) else None


def splat_urls(world: Json) -> Json:
    """Addresses of the splats, by size."""
    urls = _splats(world).get("spz_urls")
    return cast("Json", urls) if isinstance(urls, dict) else {}


def semantics(world: Json) -> Json:
    """The two numbers that make the world metric; None where Marble gives none."""
    facts = _splats(world).get("semantics_metadata")
    found = cast("Json", facts) if isinstance(facts, dict) else {}
    return {name: length(name, found.get(name)) for name in ("metric_scale_factor", "ground_plane_offset")}


def length(name: str, value: object) -> float | None:
    """A number of Marble's, None where there is none.

    Raises:
        StageError: it is none that a world can have.
    """
    if value is None:
        return None
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not abs(number) < LARGEST or (name == "metric_scale_factor" and number <= 0):
        raise StageError(f"World Labs: {name}: expected a length, got {said(str(value), 40)!r}")
    return number


def progress(operation: Json) -> str:
    """What Marble says about how far it is."""
    metadata = operation.get("metadata")
    progress = cast("Json", metadata).get("progress") if isinstance(metadata, dict) else None
    facts = cast("Json", progress) if isinstance(progress, dict) else {}
    return said(str(facts.get("description") or facts.get("status") or progress or "being made"), 80)


def id_of_world(world: Json, service: Service) -> str:
    """A world's id, under either of the names it has."""
    return id_of(world, "world_id" if "world_id" in world else "id", service)


def id_of(facts: Json, name: str, service: Service) -> str:
    """An id that may stand in a path."""
    value = facts.get(name)
    if not isinstance(value, str) or not _ID.match(value):
        raise UncertainError(
            f"{service.host}: expected {name} of letters, digits, - and _, got {said(str(value), 60)!r}"
        )
    return value


def object_of(value: object, what: str, service: Service) -> Json:
    """A JSON object that has to be there."""
    if not isinstance(value, dict):
        raise UncertainError(f"{service.host}: expected {what}, got {said(str(value), 60)!r}")
    return cast("Json", value)


def _splats(world: Json) -> Json:
    assets = world.get("assets")
    splats = cast("Json", assets).get("splats") if isinstance(assets, dict) else None
    return cast("Json", splats) if isinstance(splats, dict) else {}
