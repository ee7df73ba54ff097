"""A fit as a picture: decays, spectra and directions, measured and modelled. Pillow alone.

Letters: t time, s; f frequency, Hz.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageDraw

from sonoworld.acoustics.bands import OCTAVES_HZ, in_bands

WIDTH_PX, HEIGHT_PX, MARGIN_PX = 480, 320, 44
INK, GRID = (40, 40, 40), (225, 225, 225)
COLOURS = ((30, 30, 30), (220, 90, 40))
"""Measured, modelled."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over one axis: `y` [curves, n], NaN where there is none. `dots` draws places instead of lines."""

    title: str
    x: Float64[np.ndarray, "n"]
    y: Float64[np.ndarray, "k n"]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_unit: str
    y_unit: str
    dots: bool = False


def fit_picture(
    measured: Float64[np.ndarray, "4 t"], modelled: Float64[np.ndarray, "4 t"], rate_hz: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Decays (W, and at 500 Hz and 2 kHz), spectrum in third octaves, and azimuths of what arrives in the first 50 ms.

    Measured dark, modelled orange.
    """
    n = min(measured.shape[1], modelled.shape[1])
    pair = (measured[:, :n], modelled[:, :n])
    centres = (2, 4)
    bands = [in_bands(h[0], rate_hz) for h in pair]
    panels = [_decays("decay, all", [h[0] for h in pair], rate_hz)]
    panels += [_decays(f"decay, {OCTAVES_HZ[b]:g} Hz", [x[b] for x in bands], rate_hz) for b in centres]
    panels += [_spectra(pair, rate_hz), *(_directions(pair, rate_hz, name) for name in ("azimuth", "elevation"))]
    rows = [np.concatenate([_drawn(p) for p in panels[i : i + 3]], 1) for i in (0, 3)]
    return np.concatenate(rows)


def _decays(title: str, pair: Sequence[Float64[np.ndarray, "t"]], rate_hz: int) -> Panel:
    step = max(1, rate_hz // 500)
    curves = []
    for h in pair:
        left = np.cumsum(h[::-1] ** 2)[::-1]
        curves.append(10 * np.log10(np.maximum(left / max(left[0], 1e-30), 1e-12))[::step])
    t = np.arange(len(curves[0])) * step / rate_hz
    return Panel(title, t, np.stack(curves), (0.0, float(t[-1])), (-60.0, 0.0), "s", "dB")


def _spectra(pair: tuple[Float64[np.ndarray, "4 t"], Float64[np.ndarray, "4 t"]], rate_hz: int) -> Panel:
    centres = 1000 * 2.0 ** (np.arange(-10, 13) / 3)
    centres = centres[centres * 2 ** (1 / 6) < rate_hz / 2]
    curves = []
    for h in pair:
        power = np.abs(np.fft.rfft(h[0])) ** 2
        hz = np.fft.rfftfreq(h.shape[1], 1 / rate_hz)
        inside = [(hz >= f * 2 ** (-1 / 6)) & (hz < f * 2 ** (1 / 6)) for f in centres]
        curves.append([10 * np.log10(power[i].sum() + 1e-12) if i.any() else np.nan for i in inside])
    y = np.array(curves)
    top = float(np.nanmax(y))
    shown = (float(np.log10(centres[0])), float(np.log10(centres[-1])))
    return Panel("energy, third octaves", np.log10(centres), y - top, shown, (-40.0, 3.0), "lg Hz", "dB")


def _directions(pair: tuple[Float64[np.ndarray, "4 t"], Float64[np.ndarray, "4 t"]], rate_hz: int, which: str) -> Panel:
    """Of intensity in frames of 1 ms, where they are within 25 dB of the loudest."""
    frame, start = rate_hz // 1000, int(np.argmax(np.abs(pair[0][0])))
    first = max(0, start - 2 * frame)
    angles = []
    for h in pair:
        part = h[:, first : first + 50 * frame]
        part = np.pad(part, ((0, 0), (0, 50 * frame - part.shape[1]))).reshape(4, 50, frame)
        y, z, x = np.einsum("mt,cmt->cm", part[0], part[1:])
        energy = (part[0] ** 2).sum(1)
        angle = np.arctan2(y, x) if which == "azimuth" else np.arctan2(z, np.hypot(x, y))
        angles.append(np.where(energy > energy.max() * 10**-2.5, np.degrees(angle), np.nan))
    span = 180.0 if which == "azimuth" else 90.0
    t = (np.arange(50) - 2.0) / 1000
    return Panel(f"{which} of arrivals", t, np.stack(angles), (-0.002, 0.048), (-span, span), "s", "°", dots=True)


def _drawn(panel: Panel) -> UInt8[np.ndarray, "h w 3"]:
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    left, right, top, bottom = MARGIN_PX, WIDTH_PX - 12, 28, HEIGHT_PX - 30
    draw.text((left, 8), f"{panel.title} [{panel.y_unit} over {panel.x_unit}]", fill=INK)
    for name, colour, x in zip(("measured", "modelled"), COLOURS, (right - 120, right - 56), strict=True):
        draw.text((x, 8), name, fill=colour)
    for i in range(5):
        x, y = left + (right - left) * i / 4, top + (bottom - top) * i / 4
        draw.line((x, top, x, bottom), fill=GRID)
        draw.line((left, y, right, y), fill=GRID)
        draw.text((x - 12, bottom + 6), f"{panel.x_range[0] + (panel.x_range[1] - panel.x_range[0]) * i / 4:.3g}", INK)
        draw.text((4, y - 6), f"{panel.y_range[1] - (panel.y_range[1] - panel.y_range[0]) * i / 4:.3g}", INK)
    px = left + (panel.x - panel.x_range[0]) / (panel.x_range[1] - panel.x_range[0]) * (right - left)
    for row, colour in zip(panel.y, COLOURS, strict=True):
        py = bottom - (row - panel.y_range[0]) / (panel.y_range[1] - panel.y_range[0]) * (bottom - top)
        shown = np.isfinite(py) & (py >= top - 1) & (py <= bottom + 1)
        places = [(float(a), float(b)) for a, b in zip(px[shown], py[shown], strict=True)]
        if panel.dots:
            for a, b in places:
                draw.ellipse((a - 2, b - 2, a + 2, b + 2), outline=colour)
        else:
            draw.line(places, fill=colour, width=2)
    return np.asarray(image)
