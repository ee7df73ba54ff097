"""Which renderer refines, by device, and whether it is here."""

from sonoworld.errors import BackendMissingError
from sonoworld.lift.refine import Draw

MOST_PX = {"cpu": 96, "cuda": 768}
"""Largest side of a view: the reference renderer's memory and time grow with it, a GPU wants work."""


def renderer(device: str) -> tuple[Draw, int]:
    from sonoworld.render.splat_torch import render_view_torch
    return render_view_torch, MOST_PX[device]
