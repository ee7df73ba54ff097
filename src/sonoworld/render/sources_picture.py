"""One picture of what sounds where: the panorama with masks, numbers, labels and a grid of angles, and a list below.

What was filled in is darker; sources that stand there are striped and say "imagined".
"""

import colorsys
import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageDraw, ImageFont

from sonoworld.frames import angles_from_direction
from sonoworld.render.label_places import Point, label_places
from sonoworld.render.source_masks import Mask, source_masks
from sonoworld.sphere import pixel_from_direction
from sonoworld.types import Scene, Source, Spread
from sonoworld.wording import one_line

WIDTH_PX = 1600
HEIGHT_PX = WIDTH_PX // 2
RULER_PX = 24
"""Height of the strip of azimuths above the panorama."""

ROW_PX = 20
FONT_PX = 14
MOST_ROWS = 60
LABEL_CHARS = 32
GRID_DEG = 30
INVENTED = 0.55
"""Brightness of pixels that were filled in."""

SMALL = 0.02
"""Share of the picture up to which a mask is not written over."""

TINT = 0.35
STRIPE_PX = 12
GOLDEN = 0.618034
"""Hues a golden section apart stay apart however many there are."""

INK, PAPER, QUIET = (25, 25, 25), (250, 250, 250), (110, 110, 110)
COLUMNS = {"": 8, "label": 40, "kind": 290, "azimuth": 360, "elev.": 425, "dist.": 480, "level": 545, "sure": 600}
WHY_PX = 650

Colour = tuple[int, int, int]


def sources_picture(scene: Scene) -> UInt8[np.ndarray, "H W 3"]:
    """SRGB, `WIDTH_PX` wide: azimuths, the panorama with its sources, and one line for each source."""
    masks = source_masks(scene.sources, scene.soundings)
    around = Image.fromarray(_tinted(scene, masks))
    _draw_grid(around)
    _draw_sources(around, scene.sources, _things(masks))
    parts = [_ruler(), np.asarray(around), _listed(scene.sources)]
    return np.ascontiguousarray(np.concatenate(parts, 0))


def colour_of(number: int) -> Colour:
    """The colour of a source by its number from 0."""
    r, g, b = colorsys.hsv_to_rgb((0.02 + number * GOLDEN) % 1.0, 0.75, 1.0)
    return round(255 * r), round(255 * g), round(255 * b)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(FONT_PX)


def _shown(text: str, limit: int) -> str:
    """Letters that the built-in font has; others become question marks."""
    kept = one_line(text, limit).replace("−", "-").replace("…", "...").replace("°", "\0")
    return unicodedata.normalize("NFKD", kept).encode("ascii", "replace").decode().replace("\0", "°")


# ---------------------------------------------------------------- the panorama


def _tinted(scene: Scene, masks: Sequence[Mask | None]) -> UInt8[np.ndarray, "H W 3"]:
    """The panorama, darker where it was filled in, masks tinted and outlined."""
    size = (WIDTH_PX, HEIGHT_PX)
    picture = cv2.resize(scene.panorama.rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    known = _reduced(scene.panorama.known)
    picture[~known] *= INVENTED
    if not known.all():
        picture[_outline(known, 1)] = 255
    rows, columns = np.indices(known.shape)
    stripes = (rows + columns) % STRIPE_PX < STRIPE_PX // 2
    for number, (source, whole) in enumerate(zip(scene.sources, masks, strict=True)):
        if whole is None:
            continue
        mask, colour = _reduced(whole), np.array(colour_of(number), np.float32)
        filled = mask & stripes if source.imagined else mask
        picture[filled] = (1 - TINT) * picture[filled] + TINT * colour
        picture[_outline(mask, 2)] = colour
    return np.rint(picture).astype(np.uint8)


def _reduced(mask: Mask) -> Bool[np.ndarray, "H W"]:
    """A mask in the picture's size; small things stay."""
    share = cv2.resize(mask.astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return share > min(0.5, 0.99 * float(share.max()))


def _outline(mask: Bool[np.ndarray, "H W"], width: int) -> Bool[np.ndarray, "H W"]:
    kernel = np.ones((2 * width - 1, 2 * width - 1), np.uint8) if width > 1 else np.ones((2, 2), np.uint8)
    return mask & (cv2.erode(mask.astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE) == 0)


def _things(masks: Sequence[Mask | None]) -> Bool[np.ndarray, "H W"]:
    """Pixels of small masks, which a label would hide."""
    found = np.zeros((HEIGHT_PX, WIDTH_PX), np.bool_)
    for mask in (_reduced(mask) for mask in masks if mask is not None):
        if mask.mean() < SMALL:
            found |= mask
    return found


def _draw_grid(picture: Image.Image) -> None:
    """Lines every `GRID_DEG`, and elevations at the left border."""
    draw, font = ImageDraw.Draw(picture, "RGBA"), _font()
    for azimuth_deg in range(-180 + GRID_DEG, 180, GRID_DEG):
        x = _column(azimuth_deg)
        draw.line([(x, 0), (x, HEIGHT_PX)], fill=(255, 255, 255, 70 if azimuth_deg else 130))
    for elevation_deg in range(-90 + GRID_DEG, 90, GRID_DEG):
        y = round(HEIGHT_PX * (0.5 - elevation_deg / 180))
        draw.line([(0, y), (WIDTH_PX, y)], fill=(255, 255, 255, 70 if elevation_deg else 130))
        draw.text((3, y - FONT_PX - 2), f"{elevation_deg:+d}°", font=font, fill=PAPER, stroke_width=1, stroke_fill=INK)


def _column(azimuth_deg: float) -> int:
    return round(WIDTH_PX * (0.5 - azimuth_deg / 360))


def _draw_sources(picture: Image.Image, sources: Sequence[Source], things: Bool[np.ndarray, "H W"]) -> None:
    """A numbered disc where each source is, and its label beside it, joined by a line where it is farther away."""
    placed = [(number, source) for number, source in enumerate(sources) if source.centroid is not None]
    font = _font()
    anchors = [_pixel(source) for _, source in placed]
    texts = [_label(number, source) for number, source in placed]
    sizes = [(round(font.getlength(text)) + 8, ROW_PX) for text in texts]
    places = label_places(anchors, sizes, things)
    draw = ImageDraw.Draw(picture, "RGBA")
    for (number, _), anchor, size, place in zip(placed, anchors, sizes, places, strict=True):
        if place is not None:
            end = tuple(min(max(a, p), p + s) for a, p, s in zip(anchor, place, size, strict=True))
            draw.line([anchor, end], fill=colour_of(number), width=1)
    for (number, _), anchor, text, size, place in zip(placed, anchors, texts, sizes, places, strict=True):
        colour = colour_of(number)
        x, y = anchor
        draw.ellipse([x - 6, y - 6, x + 6, y + 6], fill=(*colour, 255), outline=INK, width=2)
        if place is None:  # no room: the number stands in the list
            draw.text((x + 8, y - 8), str(number + 1), font=font, fill=colour, stroke_width=1, stroke_fill=INK)
            continue
        box = [place[0], place[1], place[0] + size[0] - 1, place[1] + size[1] - 1]
        draw.rectangle(box, fill=(*INK, 215), outline=colour)
        draw.text((place[0] + 4, place[1] + 2), text, font=font, fill=PAPER)


def _pixel(source: Source) -> Point:
    assert source.centroid is not None
    u, v = pixel_from_direction(source.centroid, HEIGHT_PX)
    return min(int(u), WIDTH_PX - 1), min(int(v), HEIGHT_PX - 1)


def _label(number: int, source: Source) -> str:
    imagined = ", imagined" if source.imagined else ""
    return f"{number + 1} {_shown(source.label, LABEL_CHARS)} {source.level_db:.0f} dB{imagined}"


# ---------------------------------------------------------------- around it


def _ruler() -> UInt8[np.ndarray, "h w 3"]:
    strip = Image.new("RGB", (WIDTH_PX, RULER_PX), PAPER)
    draw, font = ImageDraw.Draw(strip), _font()
    named = {0: "ahead", 90: "left +90°", -90: "right -90°", 180: "behind", -180: "behind"}
    for azimuth_deg in range(-180, 181, GRID_DEG):
        x, text = _column(azimuth_deg), named.get(azimuth_deg, f"{azimuth_deg:+d}°")
        width = round(font.getlength(text))
        draw.line([(x, RULER_PX - 5), (x, RULER_PX)], fill=INK)
        draw.text((min(max(x - width // 2, 2), WIDTH_PX - width - 2), 1), text, font=font, fill=INK)
    return np.asarray(strip)


def _listed(sources: Sequence[Source]) -> UInt8[np.ndarray, "h w 3"]:
    """One line for each source: number, label, kind, direction, distance, level, how sure, and why."""
    rows = min(len(sources), MOST_ROWS) + 1 + (len(sources) > MOST_ROWS)
    table = Image.new("RGB", (WIDTH_PX, rows * ROW_PX + 8), PAPER)
    draw, font = ImageDraw.Draw(table), _font()
    for name, x in (*COLUMNS.items(), ("why", WHY_PX)):
        draw.text((x, 3), name, font=font, fill=QUIET)
    for number, source in enumerate(sources[:MOST_ROWS]):
        y = (number + 1) * ROW_PX + 3
        draw.rectangle([26, y + 1, 35, y + 12], fill=colour_of(number) if source.centroid is not None else QUIET)
        for text, x in zip(_cells(number, source), COLUMNS.values(), strict=True):
            draw.text((x, y), text, font=font, fill=INK)
        why = ("imagined: in pixels that were filled in; " if source.imagined else "") + source.reason
        draw.text((WHY_PX, y), _cut(_shown(why, 300), WIDTH_PX - WHY_PX - 8), font=font, fill=INK)
    if len(sources) > MOST_ROWS:
        draw.text((8, (rows - 1) * ROW_PX + 3), f"and {len(sources) - MOST_ROWS} more", font=font, fill=QUIET)
    return np.asarray(table)


def _cells(number: int, source: Source) -> tuple[str, ...]:
    azimuth = elevation = distance = ""
    if source.spread is Spread.AMBIENT:
        azimuth = "around"
    elif (centroid := source.centroid) is not None:
        azimuth, elevation = (f"{round(np.degrees(float(angle))):+d}°" for angle in angles_from_direction(centroid))
        distance = f"{float(np.linalg.norm(centroid)):.1f} m"
    level, sure = f"{source.level_db:.0f} dB", f"{100 * source.confidence:.0f} %"
    label = _cut(_shown(source.label, LABEL_CHARS), COLUMNS["kind"] - COLUMNS["label"] - 6)
    return f"{number + 1}", label, source.spread.value, azimuth, elevation, distance, level, sure


def _cut(text: str, width_px: int) -> str:
    """As much of a text as fits, in the picture's font."""
    font = _font()
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(f"{text}...") > width_px:
        text = text[:-1]
    return f"{text}..."
