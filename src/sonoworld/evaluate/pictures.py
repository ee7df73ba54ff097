"""One picture of one clip: what was estimated and what was recorded, as energy over the panorama, with directions.

Maps are isotropic (`spatial_map`), each relative to its own highest level. The panorama is the one around the
microphone, turned as it is: its middle column is ahead.
"""

import io
import itertools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image, ImageDraw, ImageFont

from sonoworld.errors import InputError
from sonoworld.evaluate import spatial, spatial_map
from sonoworld.frames import angles_from_direction
from sonoworld.sphere import pixel_from_direction
from sonoworld.wording import one_line

WIDTH_PX, HEIGHT_PX = 720, 360
"""Of one of the two panels."""

RANGE_DB = 12.0
"""What lies this far below the highest level is not tinted: beams of the first order fall by no more than this."""

GAP_PX, HEAD_PX, FOOT_PX, FONT_PX = 8, 46, 28, 14
INK, PAPER, QUIET = (20, 20, 20), (250, 250, 250), (110, 110, 110)
TRUE, OURS, LABELLED = (255, 255, 255), (255, 90, 200), (0, 220, 255)

Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class Clip:
    """What one picture shows.

    Attributes:
        title: for example method, scene, microphone and clip.
        estimated: ACN, SN3D, [4, t].
        reference: likewise, the recorded one.
        sources: name and direction (FLU, unit or longer) of what is known to sound, if anything.
    """

    title: str
    estimated: Float[np.ndarray, "4 _"]
    reference: Float[np.ndarray, "4 _"]
    sources: Sequence[tuple[str, Float64[np.ndarray, "3"]]] = ()


def clip_picture(clip: Clip, panorama: Picture | None = None) -> Picture:
    """Draw a clip.

    Args:
        clip: what is shown.
        panorama: equirectangular sRGB; grey without one.

    Returns:
        The estimate to the left, the recording to the right, the directions of both on both.

    Raises:
        InputError: the panorama is not 2:1.
    """
    if panorama is not None and panorama.shape[1] != 2 * panorama.shape[0]:
        raise InputError(f"expected a panorama, 2:1, got {panorama.shape[1]}x{panorama.shape[0]}")
    whole = Image.new("RGB", (2 * WIDTH_PX + 3 * GAP_PX, HEAD_PX + HEIGHT_PX + FOOT_PX), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(FONT_PX)
    draw.text((GAP_PX, 4), _plain(clip.title, 160), font=font, fill=INK)
    ours, theirs = spatial.direction(clip.estimated), spatial.direction(clip.reference)
    for i, (name, foa, own) in enumerate((("estimated", clip.estimated, ours), ("recorded", clip.reference, theirs))):
        x = GAP_PX + i * (WIDTH_PX + GAP_PX)
        draw.text((x, 24), f"{name}: {_angles(own)}", font=font, fill=INK)
        panel = Image.fromarray(_tinted(spatial_map.energy_map(foa, isotropic=True), panorama))
        _draw_directions(panel, ours, theirs, clip.sources)
        whole.paste(panel, (x, HEAD_PX))
    draw.text((GAP_PX, HEAD_PX + HEIGHT_PX + 6), _legend(clip, ours, theirs), font=font, fill=QUIET)
    return np.array(whole)


def png(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.getvalue()


def _tinted(energy: Float64[np.ndarray, "90 180"], panorama: Picture | None) -> Picture:
    """The panorama in dim grey under the map's colours, the stronger the louder."""
    if panorama is None:
        below = np.full((HEIGHT_PX, WIDTH_PX, 3), 60.0, np.float32)
    else:
        small = cv2.resize(panorama, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        below = np.repeat(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32) * 0.6, 3, axis=2)
    highest = float(energy.max())
    if highest == 0:
        return np.rint(below).astype(np.uint8)
    level_db = 20 * np.log10(np.maximum(energy / highest, 1e-6))
    share = np.clip(1 + level_db / RANGE_DB, 0, 1).astype(np.float32)
    around = np.pad(share, ((0, 0), (1, 1)), mode="wrap")  # colours go on over ±180°
    step = WIDTH_PX // spatial_map.COLUMNS
    fine = cv2.resize(around, (WIDTH_PX + 2 * step, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)[:, step:-step]
    colours = cv2.applyColorMap(np.rint(255 * fine).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    strength = (0.75 * fine)[..., None]
    return np.rint((1 - strength) * below + strength * colours).astype(np.uint8)


def _draw_directions(
    panel: Image.Image,
    ours: Float64[np.ndarray, "3"],
    theirs: Float64[np.ndarray, "3"],
    sources: Sequence[tuple[str, Float64[np.ndarray, "3"]]],
) -> None:
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(FONT_PX)
    draw.line([(WIDTH_PX // 2, 0), (WIDTH_PX // 2, HEIGHT_PX)], fill=(150, 150, 150))
    draw.line([(0, HEIGHT_PX // 2), (WIDTH_PX, HEIGHT_PX // 2)], fill=(150, 150, 150))
    for name, direction in sources:
        x, y = _place(direction)
        draw.rectangle([x - 4, y - 4, x + 4, y + 4], outline=LABELLED, width=2)
        text = _plain(name, 24)
        wide = round(draw.textlength(text, font=font))
        left = x - wide - 8 if x + 8 + wide > WIDTH_PX else x + 8
        draw.text((left, y - 20), text, font=font, fill=LABELLED, stroke_width=1, stroke_fill=INK)
    if np.isfinite(ours).all() and np.isfinite(theirs).all():
        for a, b in _arc(ours, theirs):
            draw.line([a, b], fill=OURS, width=2)
    if np.isfinite(theirs).all():
        x, y = _place(theirs)
        draw.ellipse([x - 9, y - 9, x + 9, y + 9], outline=INK, width=5)
        draw.ellipse([x - 8, y - 8, x + 8, y + 8], outline=TRUE, width=3)
    if np.isfinite(ours).all():
        x, y = _place(ours)
        draw.polygon([(x, y - 8), (x + 8, y), (x, y + 8), (x - 8, y)], fill=OURS, outline=INK)


def _arc(
    first: Float64[np.ndarray, "3"], second: Float64[np.ndarray, "3"]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Straight pieces of the great circle between two directions, none of them across the picture's border."""
    blend = np.linspace(0, 1, 49)[:, None]
    line = (1 - blend) * first + blend * second
    if np.linalg.norm(line, axis=1).min() < 1e-6:
        return []  # opposite directions: any circle would do
    places = [_place(direction) for direction in line]
    return [(a, b) for a, b in itertools.pairwise(places) if abs(a[0] - b[0]) < WIDTH_PX // 2]


def _place(direction: Float64[np.ndarray, "3"]) -> tuple[int, int]:
    u, v = pixel_from_direction(direction.astype(np.float64)[None] / np.linalg.norm(direction), HEIGHT_PX)
    return int(u[0]), int(v[0])


def _angles(direction: Float64[np.ndarray, "3"]) -> str:
    if not np.isfinite(direction).all():
        return "no direction"
    azimuth, elevation = (math.degrees(float(a[0])) for a in angles_from_direction(direction[None]))
    side = "left" if azimuth > 0 else "right"
    return f"{abs(azimuth):.0f}° {side}, elevation {elevation:+.0f}°"


def _legend(clip: Clip, ours: Float64[np.ndarray, "3"], theirs: Float64[np.ndarray, "3"]) -> str:
    angle = math.degrees(spatial.direction_errors_rad(ours, theirs)[0])
    off = "no angle between them" if math.isnan(angle) else f"{angle:.0f}° apart"
    squares = " · squares: known sources" if clip.sources else ""
    return f"diamond: estimated · ring: recorded · {off}{squares} · colours: {RANGE_DB:.0f} dB below the highest level"


def _plain(text: str, limit: int) -> str:
    """Letters that the built-in font has; others become question marks."""
    kept = unicodedata.normalize("NFKD", one_line(text, limit).replace("…", "..."))
    return kept.encode("latin-1", "replace").decode("latin-1")
