"""The report of an evaluation as one page: tables, bars with intervals, paired differences, clips, pictures."""

import html
import json
import math
from collections.abc import Sequence

from sonoworld.evaluate import bootstrap, plots, tables
from sonoworld.evaluate.results import Results

Table = Sequence[Sequence[str]]

COLUMNS = {
    "angular_error_rad": "dAngular (rad)",
    "azimuth_error_rad": "|d azimuth| (rad)",
    "elevation_error_rad": "|d elevation| (rad)",
    "cc": "CC",
    "auc": "AUC",
    "clap_text": "D-CLAP text",
    "clap_audio": "D-CLAP audio",
    "r_precision": "R-Precision",
    "qa_accuracy": "qa_accuracy",
}
"""Metric -> heading, for the columns of the paper's table 1; "-" where nobody measured."""

HIGHER_IS_BETTER = frozenset(
    [
        "cc",
        "auc",
        "cc_isotropic",
        "auc_isotropic",
        "clap_text",
        "clap_audio",
        "clap_text_ratio",
        "qa_accuracy",
        "r_precision",
        "recall",
        "precision",
        "psnr_db",
        "ssim",
        "si_sdr",
        "si_sdr_db",
        "sdr_db",
        "sir_db",
        "sar_db",
    ]
)

ELSEWHERE = (  # arXiv 2603.28757, table 1, on SonoScene360: dAngular (rad), CC, AUC, D-CLAP text, R-Precision
    ("MMAudio (mono)", "-", "-", "-", "0.322", "33.8 %"),
    ("SEE-2-SOUND", "1.397", "0.194", "0.603", "0.156", "22.1 %"),
    ("OmniAudio", "1.449", "0.148", "0.588", "0.104", "39.7 %"),
    ("SonoWorld, open models", "0.975", "0.491", "0.753", "0.413", "52.9 %"),
    ("SonoWorld, proprietary models", "0.728", "0.658", "0.838", "0.457", "67.6 %"),
)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;font-size:.9rem}td,th{padding:.25rem .7rem;border-bottom:1px solid #ddd;"
    "text-align:left}tr:first-child td{font-weight:600}svg,img{max-width:100%;height:auto}code{font-size:.85rem}"
    "tr.ours td{font-weight:600}.interval{display:block;white-space:nowrap;color:#666;font-weight:400}"
    "h3{margin:1.5rem 0 .2rem}figure{margin:1rem 0}figcaption,.quiet{color:#666;font-size:.9rem}"
    ".wide{overflow-x:auto}"
)


def page(results: Results, table: Table, against: str | None, pictures: Sequence[tuple[str, str]]) -> str:
    """The HTML.

    Args:
        results: what was measured.
        table: heading and rows of the main table.
        against: the method that the others are compared with, clip by clip; None: no such plots.
        pictures: caption and address, relative to the page.

    Returns:
        A document that needs nothing else but the pictures.

    Raises:
        InputError: methods were scored on different clips.
    """
    facts = (results.dataset, results.date, f"commit {results.commit}", f"seed {results.seed}")
    options = " · ".join(f"{key} = {value}" for key, value in results.options.items())
    head = ["reported elsewhere", "dAngular (rad)", "CC", "AUC", "D-CLAP text", "R-Precision"]
    parts = [
        f"<h1>Evaluation: {html.escape(results.dataset)}</h1><p>{html.escape(' · '.join(facts))}</p>",
        f"<p><code>{html.escape(results.command)}</code></p><p class=quiet>{html.escape(options)}</p>",
        html_table(_measured(table)),
        "<p class=quiet>Means with 95 % intervals: 10 000 draws of scenes, microphones and clips. For a difference all "
        "methods see the same draws.</p>",
        *_unasked(results),
        *_below(results),
        *(_metric(results, metric, against) for metric in _metrics(results)),
        "<h2>Left out of the means</h2>",
        f"<p>Undefined values: {html.escape(json.dumps(results.nan_counts, sort_keys=True))}</p>",
        f"<p>Infinite values: {html.escape(json.dumps(results.infinite_counts, sort_keys=True))}</p>",
        "<h2>Reported elsewhere</h2><p>On SonoScene360, by its authors; not measured here.</p>",
        html_table([head, *ELSEWHERE]),
        *(["<h2>Clips</h2>"] if pictures else []),
        *(_figure(caption, address) for caption, address in pictures),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Evaluation: {html.escape(results.dataset)}</title><style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _unasked(results: Results) -> list[str]:
    if any("clap_text" in row.metrics for row in results.rows):
        return []
    return ["<p class=quiet>D-CLAP, R-Precision and qa_accuracy were not asked for: --clap measures them.</p>"]


def _below(results: Results) -> list[str]:
    more = tables.below(results)
    if more is None:
        return []
    heading, columns = more
    methods = dict.fromkeys(row.method for row in results.rows)
    numbers = [[m, *("-" if math.isnan(of[m]) else f"{of[m]:.2f}" for of in columns.values())] for m in methods]
    return [f"<h3>{html.escape(heading)}</h3>", html_table([["method", *columns], *numbers])]


def _measured(table: Table) -> Table:
    """Without the columns in which nobody has a value."""
    head, *rows = table
    there = [at for at in range(len(head)) if at == 0 or any(row[at] != "-" for row in rows)]
    return [[row[at] for at in there] for row in table]


def html_table(table: Table) -> str:
    """Rows of cells; the first row is the heading, and an interval stands below its mean."""
    lines: list[str] = []
    for row in table:
        ours = " class=ours" if row[0] == "ours" else ""
        lines.append(f"<tr{ours}>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>")
    return f"<div class=wide><table>{''.join(lines)}</table></div>"


def _cell(cell: str) -> str:
    mean, bracket, interval = cell.partition(" [")
    below = f" <span class=interval>[{html.escape(interval)}</span>" if bracket else ""
    return html.escape(mean) + below


def _metrics(results: Results) -> list[str]:
    """All metrics, those of the main table first, the others in the order of the rows."""
    found = dict.fromkeys(name for row in results.rows for name in row.metrics)
    return [*(name for name in COLUMNS if name in found), *(name for name in found if name not in COLUMNS)]


def _metric(results: Results, metric: str, against: str | None) -> str:
    values = results.values(metric)
    paired = bootstrap.paired(values, seed=results.seed)
    better = ", higher is better" if metric in HIGHER_IS_BETTER else ", lower is better" if "error" in metric else ""
    name = html.escape(COLUMNS.get(metric, metric))
    parts = [f"<h2>{name}</h2><p class=quiet>{html.escape(metric)}{better}</p>", plots.bars(paired.means)]
    if against in values and len(values) > 1:
        other = {method: paired.differences[method, against] for method in values if method != against}
        heading = f"Difference to {html.escape(against or '')}, clip by clip"
        drawn = plots.bars(other, zero=False, coloured=list(values))
        parts.append(f"<h3>{heading}</h3>{drawn}")
    parts.append(f"<h3>Clip by clip</h3>{plots.over_clips(values, COLUMNS.get(metric, metric))}")
    return f"<section class=wide>{''.join(parts)}</section>"


def _figure(caption: str, address: str) -> str:
    text, place = html.escape(caption), html.escape(address)
    picture = f'<a href="{place}"><img src="{place}" alt="{text}" loading="lazy"></a>'
    return f"<figure>{picture}<figcaption>{text}</figcaption></figure>"
