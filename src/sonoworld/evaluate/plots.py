"""Plots of an evaluation as SVG text, which stands in a page as it is: no script, no font, no library.

Every plot says its numbers: a picture alone cannot be read aloud or copied.
"""

import html
import math
from collections.abc import Callable, Mapping, Sequence

from sonoworld.errors import InputError
from sonoworld.evaluate.bootstrap import Interval

Scale = Callable[[float], float]
"""Value -> place in px."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5a5a5a", "#a6761d")
"""Told apart by all eyes (Okabe & Ito), the yellow left out on white. Methods after the eighth take them again, with
other marks: rings, then squares."""

_NAMES_PX, _PLOT_PX, _NUMBERS_PX, _ROW_PX = 230, 420, 230, 24
_HEAD_PX, _FOOT_PX = 8, 30
_CLIPS_PX, _CLIPS_HIGH_PX = 760, 220


def bars(intervals: Mapping[str, Interval], *, zero: bool = True, coloured: Sequence[str] = ()) -> str:
    """One bar for each method from 0 to its mean, with the interval as a whisker.

    Args:
        intervals: method -> interval; a method without a value gets a line of words.
        zero: bars begin at 0; else the mean is a dot, as for differences, and 0 a line.
        coloured: all methods in the order of their colours, where fewer are drawn.

    Returns:
        An `<svg>` element.

    Raises:
        InputError: nothing to draw.
    """
    if not intervals:
        raise InputError("a plot needs at least one method")
    known = [i for i in intervals.values() if math.isfinite(i.mean)]
    low, high = _span([0.0, *(v for i in known for v in (i.low, i.high, i.mean))])
    bottom = _HEAD_PX + _ROW_PX * len(intervals)

    def x(value: float) -> float:
        return _NAMES_PX + _PLOT_PX * (value - low) / (high - low)

    parts = [_axis_x(_ticks(low, high), x, bottom), _line(x(0), _HEAD_PX, x(0), bottom, "#444")]
    order = list(coloured or intervals)
    for row, (name, interval) in enumerate(intervals.items()):
        y = _HEAD_PX + _ROW_PX * (row + 0.5)
        parts.append(_text(_NAMES_PX - 8, y + 4, name, "end"))
        parts.append(_text(_NAMES_PX + _PLOT_PX + 8, y + 4, _numbers(interval), "start"))
        if math.isfinite(interval.mean):
            parts.append(_bar(interval, x, y, COLOURS[order.index(name) % len(COLOURS)], zero))
    return _svg(_NAMES_PX + _PLOT_PX + _NUMBERS_PX, bottom + _FOOT_PX, parts)


def over_clips(values: Mapping[str, Sequence[tuple[str, str, str, float]]], label: str) -> str:
    """One mark for each method and clip, clips in order, scenes parted by lines.

    Args:
        values: method -> (scene, mic, clip, value); what is not finite has no dot.
        label: of the vertical axis.

    Returns:
        An `<svg>` element, with a legend below.

    Raises:
        InputError: nothing to draw.
    """
    clips = sorted({value[:3] for rows in values.values() for value in rows})
    known = [v[3] for rows in values.values() for v in rows if math.isfinite(v[3])]
    if not clips:
        raise InputError("a plot needs at least one clip")
    low, high = _span([0.0, *known])
    left, bottom = 60.0, _HEAD_PX + _CLIPS_HIGH_PX
    step = _CLIPS_PX / len(clips)

    def y(value: float) -> float:
        return bottom - _CLIPS_HIGH_PX * (value - low) / (high - low)

    parts = [_text(left, bottom + 34, f"{len(clips)} clips by scene, microphone and clip; {label} upwards", "start")]
    for tick in _ticks(low, high):
        parts += [
            _line(left, y(tick), left + _CLIPS_PX, y(tick), "#ddd"),
            _text(left - 6, y(tick) + 4, f"{tick:g}", "end"),
        ]
    parts += _scenes([clip[0] for clip in clips], left, step, bottom)
    places = {clip: left + step * (i + 0.5) for i, clip in enumerate(clips)}
    for row, rows in enumerate(values.values()):
        shift = (row - (len(values) - 1) / 2) * min(6.0, 0.7 * step / max(1, len(values)))
        parts += [_dot(places[v[:3]] + shift, y(v[3]), row, v) for v in rows if math.isfinite(v[3])]
    for row, name in enumerate(values):
        at = left + 190 * (row % 4), bottom + 56 + 18 * (row // 4)
        parts += [_mark(at[0] + 4, at[1] - 4, row, 5), _text(at[0] + 14, at[1], name, "start")]
    return _svg(left + _CLIPS_PX + 10, bottom + 66 + 18 * ((len(values) - 1) // 4), parts)


def _scenes(scenes: Sequence[str], left: float, step: float, bottom: float) -> list[str]:
    """A line before each scene, and its name where there is room."""
    parts: list[str] = []
    for scene in dict.fromkeys(scenes):
        begin, room = left + step * scenes.index(scene), step * scenes.count(scene)
        parts.append(_line(begin, _HEAD_PX, begin, bottom, "#999"))
        fits = int((room - 4) / 7)
        if fits >= 3:
            parts.append(
                _text(begin + 3, bottom + 15, scene if len(scene) <= fits else scene[: fits - 1] + "…", "start")
            )
    return parts


def _bar(interval: Interval, x: Scale, y: float, colour: str, zero: bool) -> str:
    middle, begin, end = x(interval.mean), x(interval.low), x(interval.high)
    whisker = [_line(begin, y, end, y, "#111"), *(_line(at, y - 4, at, y + 4, "#111") for at in (begin, end))]
    if not zero:
        return "".join([*whisker, _circle(middle, y, colour)])
    from_, to = sorted((x(0), middle))
    box = f'<rect x="{from_:.1f}" y="{y - 7:.1f}" width="{to - from_:.1f}" height="14" fill="{colour}" opacity="0.75"/>'
    return "".join([box, *whisker])


def _axis_x(ticks: Sequence[float], x: Scale, bottom: float) -> str:
    lines = [_line(x(t), _HEAD_PX, x(t), bottom, "#ddd") + _text(x(t), bottom + 16, f"{t:g}", "middle") for t in ticks]
    return "".join(lines)


def _numbers(interval: Interval) -> str:
    left_out = [f"{n} {word}" for n, word in ((interval.nan, "undefined"), (interval.infinite, "infinite")) if n]
    end = f" ({', '.join(left_out)})" if left_out else ""
    if not math.isfinite(interval.mean):
        return f"no value{end}"
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]{end}"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.04 * (high - low)
    return (low - room if low < 0 else low, high + room) if high > low else (low - 0.5, low + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """About five round values between two bounds: steps of 1, 2 or 5."""
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= rough * 0.999)
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _dot(x: float, y: float, row: int, value: tuple[str, str, str, float]) -> str:
    told = html.escape(f"{' / '.join(value[:3])}: {value[3]:.3f}")
    return _mark(x, y, row, 3.2, f"<title>{told}</title>")


def _mark(x: float, y: float, row: int, size: float, inside: str = "") -> str:
    """The mark of the method of this number: its colour and, by eights, its shape."""
    colour, kind = COLOURS[row % len(COLOURS)], row // len(COLOURS) % 3
    if kind == 2:
        place = f'x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:g}" height="{2 * size:g}"'
        return f'<rect {place} fill="{colour}">{inside}</rect>'
    look = f'fill="{colour}"' if kind == 0 else f'fill="#fff" stroke="{colour}" stroke-width="1.6"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {look}>{inside}</circle>'


def _circle(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    style = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {style}>{"".join(parts)}</svg>'
