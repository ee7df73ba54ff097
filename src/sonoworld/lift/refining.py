"""Whether and by which renderer splats are refined; torch and gsplat are asked for only where they are."""

from collections.abc import Callable
from typing import Any

from sonoworld.backend import Run
from sonoworld.errors import BackendMissingError
from sonoworld.lift.footprint import FootprintOptions
from sonoworld.types import Geometry, Panorama, Splats

MOST_PX = {"cpu": 96, "cuda": 768}
"""Largest side of a view: time and memory of the reference renderer grow with it, a GPU wants work."""

Refine = Callable[[Splats, Panorama, Geometry, Run], Splats]


def refining(options: FootprintOptions) -> Refine:
    """`refine.refined` by the options of `seed.footprint`.

    Raises:
        BackendMissingError: torch, or for CUDA gsplat or the GPU, is not here.
    """
    draw = renderer(options.refine_device)
    from sonoworld.lift.refine import Settings, refined  # noqa: PLC0415  imports torch

    settings = Settings(options.refine_steps, options.walk_m, MOST_PX[options.refine_device], options.refine_device)

    def refine(seeded: Splats, panorama: Panorama, geometry: Geometry, run: Run) -> Splats:
        return refined(seeded, panorama, geometry, settings, draw, run).splats

    return refine


def renderer(device: str) -> Any:
    """`render_view_torch` or its CUDA twin, of type `refine.Draw`.

    Raises:
        BackendMissingError: what it needs is not here.
    """
    try:
        import torch  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport]  an extra
    except ImportError as error:
        raise BackendMissingError(
            f"seed.refine_steps needs torch, which is not installed ({error})\n"
            "  packages: pip install 'sonoworld[learn]' (or 'sonoworld[gpu]' for refine_device=cuda)"
        ) from error
    if device == "cpu":
        from sonoworld.render.splat_torch import render_view_torch  # noqa: PLC0415  imports torch

        return render_view_torch
    from sonoworld.render.splat_gpu import require_gsplat  # noqa: PLC0415
    from sonoworld.render.splat_gpu_tensors import render_tensors_gpu  # noqa: PLC0415  imports torch

    require_gsplat()
    return render_tensors_gpu
