"""What an evaluation says to people: the table of methods with intervals, and what ours is better by."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from sonoworld.errors import InputError
from sonoworld.evaluate import bootstrap
from sonoworld.evaluate.results import Results

SHOWN = {
    "angular_error_deg": "ΔAngular (°)",
    "cc": "CC",
    "auc": "AUC",
    "cc_isotropic": "CC isotropic",
    "diffuseness_error": "Δψ",
    "clap_text": "D-CLAP text",
    "clap_audio": "D-CLAP audio",
    "r_precision": "R-Precision",
    "qa_accuracy": "qa_accuracy",
}
"""Metric -> heading; the last four only where CLAP was asked for."""


def rows_of(results: Results, shown: Mapping[str, str] = SHOWN) -> list[list[str]]:
    """Heading, then one row for each method: mean and 95 % interval of each metric; "-" where it is undefined."""
    means = {m: bootstrap.paired(v, seed=results.seed).means for m in shown if (v := results.values(m))}
    methods = dict.fromkeys(row.method for row in results.rows)
    head = ["method", *(shown[metric] for metric in means)]
    return [head, *([method, *(_cell(of[method]) for of in means.values())] for method in methods)]


def compared(results: Results, first: str, second: str, metrics: Sequence[str]) -> dict[str, bootstrap.Interval]:
    """Paired difference first − second of each metric."""
    found: dict[str, bootstrap.Interval] = {}
    for metric in metrics:
        values = results.values(metric)
        pair = {name: values[name] for name in (first, second)}
        found[metric] = bootstrap.paired(pair, seed=results.seed).differences[first, second]
    return found


def by_part(results: Results, metric: str) -> dict[str, dict[str, float]]:
    """Part of the benchmark -> method -> mean over the rows that have a value; NaN where none has."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in results.rows:
        of_part = found.setdefault(row.provenance.get("part", "all"), {})
        of_part.setdefault(row.method, []).append(row.metrics.get(metric, math.nan))
    return {part: {m: _mean(values) for m, values in methods.items()} for part, methods in found.items()}


def median_azimuth_errors_deg(results: Results) -> dict[str, dict[str, float]]:
    """Clip -> method -> median over the microphones that have a value; for data whose elevations do not count."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in results.rows:
        of_clip = found.setdefault(row.clip, {})
        of_clip.setdefault(row.method, []).append(row.metrics.get("azimuth_error_rad", math.nan))
    return {clip: {m: _median_deg(values) for m, values in methods.items()} for clip, methods in found.items()}


def below(results: Results) -> tuple[str, dict[str, dict[str, float]]] | None:
    """What stands below the table: ΔAngular by parts of a benchmark, or azimuths where only these count."""
    if results.dataset == "r3vival":
        return "median azimuth error (°)", median_azimuth_errors_deg(results)
    parts = by_part(results, "angular_error_deg")
    return ("ΔAngular (°), by part", parts) if len(parts) > 1 else None


def put_in_page(results: Results, page: Path) -> None:
    """Replace what stands at its `place_in_page`, up to `<!-- end -->`, by this table.

    Raises:
        InputError: the page has no such place.
    """
    begin = place_in_page(page, results.dataset, results.seed)
    before, _, after = page.read_text("utf-8").partition(begin)
    rest = after.partition("<!-- end -->")[2]
    page.write_text(f"{before}{begin}\n{markdown(results)}\n<!-- end -->{rest}", encoding="utf-8")


def place_in_page(page: Path, dataset: str, seed: int) -> str:
    """`<!-- table: NAME, seed N -->` of a Markdown page, or, where there is none for this seed, `<!-- table: NAME -->`.

    Raises:
        InputError: the page cannot be read, or has neither, or no `<!-- end -->` after it.
    """
    try:
        text = page.read_text("utf-8")
    except OSError as error:
        raise InputError(f"{page}: cannot be read: {error}") from error
    for place in (f"<!-- table: {dataset}, seed {seed} -->", f"<!-- table: {dataset} -->"):
        if "<!-- end -->" in text.partition(place)[2]:
            return place
    raise InputError(f"{page}: expected <!-- table: {dataset} --> and <!-- end --> after it")


def markdown(results: Results) -> str:
    """The table, what made it, ours against the release, and the parts of the benchmark."""
    said = f"{results.date}, commit {results.commit}, seed {results.seed}: `{results.command}`"
    lines = [said, "", *_ruled(rows_of(results))]
    methods = list(dict.fromkeys(row.method for row in results.rows))
    if {"ours", "release"} <= set(methods):
        gaps = compared(results, "ours", "release", ("angular_error_deg", "cc", "auc"))
        lines += ["", *_ruled([["ours − release", *gaps], ["", *(_cell(gap) for gap in gaps.values())]])]
    more = below(results)
    if more is not None:
        heading, columns = more
        rows = [[m, *("-" if math.isnan(v := of[m]) else f"{v:.2f}" for of in columns.values())] for m in methods]
        lines += ["", *_ruled([[heading, *columns], *rows])]
    return "\n".join(lines)


def _ruled(table: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |" for row in table]
    return [lines[0], "|" + "---|" * len(table[0]), *lines[1:]]


def _median_deg(values: Sequence[float]) -> float:
    known = [math.degrees(value) for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _cell(interval: bootstrap.Interval) -> str:
    if math.isnan(interval.mean):
        return "-"
    lost = f", {interval.nan} undefined" if interval.nan else ""
    return f"{interval.mean:.3g} [{interval.low:.3g}, {interval.high:.3g}{lost}]"
