"""An evaluation as files: results.json, rows.csv, table.tex and index.html."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

from sonoworld.errors import InputError
from sonoworld.evaluate import bootstrap
from sonoworld.evaluate.page import COLUMNS, page
from sonoworld.evaluate.results import Results, to_json


def write(
    results: Results, folder: Path, *, against: str | None = None, pictures: Sequence[tuple[str, str]] = ()
) -> None:
    """Write the four files; those of an earlier evaluation are replaced.

    Args:
        results: what was measured.
        folder: is made where it is not there.
        against: the method that plots of paired differences compare with; by default the first of the rows.
        pictures: caption and address of pictures of clips, relative to the folder, where they lie already.

    Raises:
        InputError: methods were scored on different clips, or `against` was not scored.
    """
    methods = list(dict.fromkeys(row.method for row in results.rows))
    if against is not None and against not in methods:
        raise InputError(f"against: expected one of {', '.join(methods)}, got {against!r}")
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.dumps(to_json(results), indent=1, allow_nan=False)
    (folder / "results.json").write_text(plain + "\n", encoding="utf-8")
    _write_rows(results, folder / "rows.csv")
    table = _table(results)
    (folder / "table.tex").write_text(_latex(table), encoding="utf-8")
    whole = page(results, table, against or next(iter(methods), None), pictures)
    (folder / "index.html").write_text(whole, encoding="utf-8")


def _write_rows(results: Results, file: Path) -> None:
    names = sorted({name for row in results.rows for name in row.metrics})
    with file.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["method", "scene", "mic", "clip", *names])
        for row in results.rows:
            scores = [repr(float(row.metrics[name])) if name in row.metrics else "" for name in names]
            lines.writerow([row.method, row.scene, row.mic, row.clip, *scores])


def _table(results: Results) -> list[list[str]]:
    columns = {
        metric: bootstrap.paired(values, seed=results.seed).means if (values := results.values(metric)) else {}
        for metric in COLUMNS
    }
    methods = dict.fromkeys(row.method for row in results.rows)
    head = ["method", *(COLUMNS[metric] for metric in columns)]
    return [head, *([m, *(_cell(means.get(m)) for means in columns.values())] for m in methods)]


def _cell(interval: bootstrap.Interval | None) -> str:
    if interval is None or math.isnan(interval.mean):
        return "-"
    lost = f" ({interval.nan} undefined)" if interval.nan else ""
    lost += f" ({interval.infinite} infinite)" if interval.infinite else ""
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]{lost}"


def _latex(table: Sequence[Sequence[str]]) -> str:
    marks = str.maketrans({c: f"\\{c}" for c in "_%&#$"} | {"|": "$|$"})
    lines = [" & ".join(cell.translate(marks) for cell in row) + r" \\" for row in table]
    begin = rf"\begin{{tabular}}{{l{'c' * (len(table[0]) - 1)}}}"
    return "\n".join([begin, r"\hline", lines[0], r"\hline", *lines[1:], r"\hline", r"\end{tabular}", ""])
