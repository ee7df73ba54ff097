import csv
import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sonoworld.errors import InputError
from sonoworld.evaluate import plots, report, results
from sonoworld.evaluate.bootstrap import Interval

ROWS = tuple(
    results.Row(m, f"s{s}", "mic", "clip", {"angular_error_rad": v, "cc": math.nan if m == "W_only" else 0.5})
    for m, v in (("ours", 0.1), ("W_only", math.nan))
    for s in range(3)
)
FOUND = results.Results("synthetic", "2026-01-01", "abc", 1, {"order": "1"}, ROWS, "sonoworld evaluate <x>")


def test_everything_is_read_back_and_nan_is_told(tmp_path: Path) -> None:
    report.write(FOUND, tmp_path)
    plain = json.loads((tmp_path / "results.json").read_text())
    back = results.from_json(plain)
    assert results.to_json(back) == results.to_json(FOUND)
    assert plain["nan_counts"] == {"W_only": {"angular_error_rad": 3, "cc": 3}}
    lines = list(csv.DictReader((tmp_path / "rows.csv").read_text().splitlines()))
    assert [line["angular_error_rad"] for line in lines] == ["0.1"] * 3 + ["nan"] * 3
    page = (tmp_path / "index.html").read_text()
    assert "&lt;x&gt;" in page
    assert page.index("Reported elsewhere") < page.index("OmniAudio")
    assert "no value (3 undefined)" in page
    tex = (tmp_path / "table.tex").read_text()
    assert rf"W\_only{8 * ' & -'} & - \\" in tex, "what nobody measured is left blank"
    assert "0.100 [0.100, 0.100]" in tex


def test_infinite_values_are_told() -> None:
    rows = (
        results.Row("ours", "s", "m", "c", {"psnr_db": math.inf}),
        results.Row("ours", "s", "m", "d", {"psnr_db": 3}),
    )
    found = results.Results("d", "", "", 0, {}, rows)
    assert (found.infinite_counts, found.nan_counts) == ({"ours": {"psnr_db": 1}}, {})


def test_the_page_compares_with_the_method_that_is_asked_for(tmp_path: Path) -> None:
    report.write(FOUND, tmp_path, against="W_only", pictures=[("a <clip>", "pictures/a.png")])
    page = (tmp_path / "index.html").read_text()
    assert "Difference to W_only, clip by clip" in page
    assert '<a href="pictures/a.png"><img src="pictures/a.png" alt="a &lt;clip&gt;"' in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", ""), "nothing is fetched"
    for svg in re.findall(r"<svg.*?</svg>", page):
        ElementTree.fromstring(svg)
    with pytest.raises(InputError, match="theirs"):
        report.write(FOUND, tmp_path, against="theirs")


def shapes(svg: str, kind: str) -> list[dict[str, str]]:
    return [dict(e.attrib) for e in ElementTree.fromstring(svg).iter(f"{{http://www.w3.org/2000/svg}}{kind}")]


def test_bars_are_as_long_as_their_values() -> None:
    nothing = Interval(math.nan, math.nan, math.nan, 0, 2, 1)
    svg = plots.bars({"a": Interval(2, 1, 3, 4, 0), "b<": Interval(1, 0.5, 2, 4, 0), "c": nothing})
    widths = [float(r["width"]) for r in shapes(svg, "rect")]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert "no value (2 undefined, 1 infinite)" in svg
    assert "b&lt;" in svg


def test_differences_are_dots_on_their_side_of_zero() -> None:
    svg = plots.bars({"a": Interval(-0.5, -0.7, -0.3, 4, 0), "b": Interval(0.5, 0.3, 0.7, 4, 0)}, zero=False)
    zero = next(float(line["x1"]) for line in shapes(svg, "line") if line["stroke"] == "#444")
    left, right = (float(c["cx"]) for c in shapes(svg, "circle"))
    assert zero - left == pytest.approx(right - zero, abs=0.2)
    assert left < zero


def test_every_clip_has_its_dot_and_nothing_without_a_value() -> None:
    rows = [("s1", "m", "c", 1.0), ("s1", "m", "d", math.nan), ("s2", "m", "c", 3.0)]
    svg = plots.over_clips({"a": rows, "b": rows[:1]}, "error")
    titles = re.findall(r"<title>(.*?)</title>", svg)
    assert titles == ["s1 / m / c: 1.000", "s2 / m / c: 3.000", "s1 / m / c: 1.000"]
    high = [float(c["cy"]) for c in shapes(svg, "circle") if c["r"] == "3.2"]
    assert high[1] < high[0] == high[2]


def test_twenty_methods_have_twenty_marks() -> None:
    svg = plots.over_clips({f"m{at}": [("s", "m", "c", 1.0)] for at in range(20)}, "error")
    looks = [(kind, s["fill"], s.get("stroke")) for kind in ("circle", "rect") for s in shapes(svg, kind)]
    assert len(looks) == 40, "one in the plot, one in the legend"
    assert len(set(looks)) == 20


def test_the_page_shows_what_is_measured_and_the_parts(tmp_path: Path) -> None:
    rows = [
        results.Row(m, s, "mic", "clip", {"angular_error_rad": v, "angular_error_deg": math.degrees(v)}, {"part": s})
        for m, v in (("ours", 0.1), ("release", 0.2))
        for s in ("open", "bounce")
    ]
    report.write(results.Results("synthetic", "", "", 0, {}, tuple(rows)), tmp_path)
    page = (tmp_path / "index.html").read_text()
    first = page[: page.index("Means with 95")]
    assert "dAngular (rad)" in first
    assert "R-Precision" not in first, "nobody measured it"
    assert "<tr class=ours><td>ours</td><td>0.100 <span class=interval>[0.100, 0.100]</span></td></tr>" in first
    assert "ΔAngular (°), by part" in page
    assert "<td>release</td><td>11.46</td><td>11.46</td>" in page


def test_a_plot_of_nothing_is_told() -> None:
    with pytest.raises(InputError, match="method"):
        plots.bars({})
    with pytest.raises(InputError, match="clip"):
        plots.over_clips({"a": []}, "x")
    assert "<svg" in plots.bars({"a": Interval(0, 0, 0, 1, 0)})
