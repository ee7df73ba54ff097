"""What an evaluation found, as plain values: one row for each method, scene, microphone and clip."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sonoworld.errors import InputError


@dataclass(frozen=True)
class Row:
    """The scores of one method on one clip.

    Attributes:
        method: for example `ours`, `chance`.
        scene: its id.
        mic: id of the microphone in the scene.
        clip: id of the recording at the microphone.
        metrics: name -> value; NaN where undefined.
        provenance: where the estimate came from, for example the file or the renderer's options.
    """

    method: str
    scene: str
    mic: str
    clip: str
    metrics: Mapping[str, float]
    provenance: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Results:
    """All rows of one evaluation, and what is needed to repeat it.

    Attributes:
        dataset: its name.
        date: ISO 8601, as the caller measured it.
        commit: of the program.
        seed: of everything random.
        options: name -> value as text.
        command: the line that was run.
        rows: in the order of evaluation.
    """

    dataset: str
    date: str
    commit: str
    seed: int
    options: Mapping[str, str]
    rows: tuple[Row, ...]
    command: str = ""

    @property
    def nan_counts(self) -> dict[str, dict[str, int]]:
        """Method -> metric -> rows without a value; only where there are some."""
        return self._counts(math.isnan)

    @property
    def infinite_counts(self) -> dict[str, dict[str, int]]:
        """Method -> metric -> rows whose value is ±∞; only where there are some."""
        return self._counts(math.isinf)

    def _counts(self, which: Callable[[float], bool]) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {}
        for row in self.rows:
            for name, value in row.metrics.items():
                if which(value):
                    of_method = counts.setdefault(row.method, {})
                    of_method[name] = of_method.get(name, 0) + 1
        return counts

    def values(self, metric: str) -> dict[str, list[tuple[str, str, str, float]]]:
        """Method -> (scene, mic, clip, value), for the methods that have the metric; as `bootstrap.paired` takes it."""
        found: dict[str, list[tuple[str, str, str, float]]] = {}
        for row in self.rows:
            if metric in row.metrics:
                found.setdefault(row.method, []).append((row.scene, row.mic, row.clip, row.metrics[metric]))
        return found


def to_json(results: Results) -> dict[str, Any]:
    """Plain values for `json.dumps(..., allow_nan=False)`: what is not finite becomes "nan", "inf" or "-inf"."""
    plain = asdict(results)
    for row in plain["rows"]:
        row["metrics"] = {k: v if math.isfinite(v) else str(float(v)) for k, v in row["metrics"].items()}
    plain["rows"] = list(plain["rows"])
    plain["nan_counts"] = results.nan_counts
    return plain


def from_json(plain: Mapping[str, Any]) -> Results:
    """What `to_json` made, read back.

    Raises:
        InputError: a field is missing or of the wrong kind.
    """
    try:
        rows = tuple(
            Row(
                row["method"],
                row["scene"],
                row["mic"],
                row["clip"],
                {str(k): float(v) for k, v in row["metrics"].items()},
                dict(row["provenance"]),
            )
            for row in plain["rows"]
        )
        head = (plain["dataset"], plain["date"], plain["commit"], int(plain["seed"]), dict(plain["options"]))
        return Results(*head, rows, plain["command"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"these are not results of an evaluation: {error!r}") from error
