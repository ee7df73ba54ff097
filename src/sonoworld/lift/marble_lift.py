"""Panorama -> Marble -> geometry and splats: the order, and the reading of what comes back."""

import io
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.errors import StageError, UnsafeFileError
from sonoworld.lift.marble import MarbleOptions
from sonoworld.lift.marble_address import service
from sonoworld.lift.marble_file import MarbleFileOptions
from sonoworld.lift.marble_job import MadeWorld, Order, made_world
from sonoworld.lift.marble_world import marble_world
from sonoworld.types import Panorama

READING = 0.9
"""Share of the way after which the world is here."""


def marble_lift(options: MarbleOptions) -> Lift:
    """The stage function of `lift.marble`."""
    where = service(options.base_url, options.key_env, options.allow_hosts)

    def lift(panorama: Panorama, run: Run) -> Lifted:
        drawn = int(run.rng.integers(2**32))
        seed = drawn if options.seed is None else options.seed
        made = made_world(Order(png_of(panorama.rgb, options.sent_width_px), seed, options), where, run.tell)
        last = replace(run, tell=lambda fraction, note: run.tell(READING + (1 - READING) * fraction, note))
        try:
            return marble_world(reading(made, options))(panorama, last)
        except UnsafeFileError as error:
            made.spz.unlink(missing_ok=True)
            raise StageError(f"{error}\n  the file was removed; the next run downloads it again, uncharged") from error

    return lift


def reading(made: MadeWorld, options: MarbleOptions) -> MarbleFileOptions:
    """How `marble_file` reads the world that was made."""
    scale, offset = made.metric_scale_factor, made.ground_plane_offset
    return MarbleFileOptions(
        path=str(made.spz),
        metadata=None,
        metric_scale_factor=scale,
        ground_plane_offset=offset,
        axes="RDF",
        yaw_deg=0.0,
        camera_height_m=options.camera_height_m if scale is None and offset is None else None,
        sky_radius_m=options.sky_radius_m,
        max_splats=options.max_splats,
    )


def png_of(rgb: UInt8[np.ndarray, "h w 3"], width_px: int) -> bytes:
    """The panorama as it is sent: PNG, at most so wide."""
    if rgb.shape[1] > width_px:
        rgb = cv2.resize(rgb, (width_px, width_px // 2), interpolation=cv2.INTER_AREA).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "PNG")
    return stream.getvalue()
