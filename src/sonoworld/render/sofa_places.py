"""Where things are in a SOFA file: sources, listener and ears, in its coordinates, types and units (AES69-2022, 4.4).

Letters: m directions, k = 1 or m, i = 1 or m; C the three coordinates. Spherical: azimuth counter-clockwise from x,
elevation up from the horizon, both in degrees, and the distance in metres. Cartesian: metres, FLU for a listener who
looks along x.
"""

import numpy as np
from jaxtyping import Float64

from sonoworld.render.sofa_process import SofaTables, Table

_DEGREES = {"degree", "degrees", "deg"}
_METRES = {"metre", "metres", "meter", "meters", "m"}
_SAME = 1e-3


def source_places(content: SofaTables, m: int) -> Float64[np.ndarray, "m 3"]:
    """Places of the sources around the listener, m, FLU.

    Raises:
        UnsafeFileError: another shape, type or unit, out of range, or a source in the middle of the head.
    """
    table = content.table("SourcePosition")
    for word, said in (("Type", table.type), ("Units", table.units)):
        if not said:
            raise content.refused(
                f"SourcePosition:{word}", "spherical in 'degree, degree, metre' or cartesian in 'metre'", "nothing"
            )
    if table.values.shape != (m, 3):
        raise content.refused("SourcePosition", f"[{m}, 3]", f"shape {list(table.values.shape)}")
    places = _cartesian(content, "SourcePosition", table)
    if not (np.linalg.norm(places, axis=1) > _SAME).all():
        raise content.refused("SourcePosition", "sources at a distance", "one in the middle of the head")
    return places


def check_listener(content: SofaTables) -> None:
    """The listener stands at the origin, looks along x, and has z above.

    Raises:
        UnsafeFileError: not so: turn and move the set, rather than guess which of its fields are relative to what.
    """
    for key, expected in (("ListenerView", (1.0, 0, 0)), ("ListenerUp", (0, 0, 1.0)), ("ListenerPosition", (0, 0, 0))):
        table = content.tables.get(key)
        if table is None:
            continue
        if table.values.ndim != 2 or table.values.shape[1] != 3:
            raise content.refused(key, "[1 or m, 3]", f"shape {list(table.values.shape)}")
        seen = _cartesian(content, key, table)
        length = np.linalg.norm(seen, axis=1, keepdims=True)
        unit = seen if key == "ListenerPosition" else seen / np.where(length > 0, length, 1.0)
        off = ~(np.abs(unit - np.array(expected)) < _SAME).all(1)
        if off.any():
            raise content.refused(
                key, f"{expected} (cartesian)", f"{seen[off][0]}", "express the set in the head's own axes"
            )


def right_ear_first(content: SofaTables) -> tuple[bool, str]:
    """Whether receiver 0 is the right ear, and how one knows: by `ReceiverPosition`, or by the standard's order.

    Raises:
        UnsafeFileError: not two ears, or they change sides.
    """
    table = content.tables.get("ReceiverPosition")
    if table is None:
        return False, "ears in the standard's order"
    values = table.values
    if values.ndim not in (2, 3) or values.shape[:2] != (2, 3):
        raise content.refused("ReceiverPosition", "two ears, [2, 3, 1 or m]", f"shape {list(values.shape)}")
    rows = np.moveaxis(values.reshape(2, 3, -1), 1, 2).reshape(-1, 3)
    side = _cartesian(content, "ReceiverPosition", Table(rows, table.type, table.units))[:, 1].reshape(2, -1)
    gap = side[0] - side[1]
    if (np.abs(gap) < _SAME).all():
        return False, "ears in the standard's order"
    if gap.min() * gap.max() <= 0:
        raise content.refused("ReceiverPosition", "ears that keep their sides", "ears that change them")
    return bool(gap[0] < 0), "ears by their positions"


def _cartesian(content: SofaTables, key: str, table: Table) -> Float64[np.ndarray, "k 3"]:
    """Rows [k, 3] of either type as cartesian metres. No type means cartesian (the default of the standard)."""
    _check_units(content, key, table)
    rows = table.values
    if np.abs(rows).max() > 1e6:
        raise content.refused(key, "coordinates within ±1e6", f"{np.abs(rows).max():g}")
    if table.type in ("cartesian", ""):
        return rows
    azimuth, elevation, radius = rows.T
    if np.abs(azimuth).max() > 360 or np.abs(elevation).max() > 90 + _SAME or radius.min() < 0:
        raise content.refused(
            key,
            "azimuth within ±360°, elevation within ±90°, radius >= 0 m",
            f"up to {np.abs(azimuth).max():g}°, {np.abs(elevation).max():g}°, from {radius.min():g} m",
        )
    azimuth, elevation = np.deg2rad(azimuth), np.deg2rad(elevation)
    flat = np.cos(elevation)
    return radius[:, None] * np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], -1)


def _check_units(content: SofaTables, key: str, table: Table) -> None:
    if table.type not in ("spherical", "cartesian", ""):
        raise content.refused(f"{key}:Type", "'spherical' or 'cartesian'", repr(table.type[:40]))
    units = [unit.strip() for unit in table.units.split(",")]
    wanted = [_DEGREES, _DEGREES, _METRES] if table.type == "spherical" else [_METRES] * 3
    if table.units and not (
        (len(units) == 3 and all(unit in known for unit, known in zip(units, wanted, strict=True)))
        or (table.type != "spherical" and len(units) == 1 and units[0] in _METRES)
    ):
        expected = "degree, degree, metre" if table.type == "spherical" else "metre"
        raise content.refused(f"{key}:Units", repr(expected), repr(table.units[:60]))
