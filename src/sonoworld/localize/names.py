"""Names of sources that are safe in files, pages and programs."""

import re
import unicodedata
from collections.abc import Sequence

MAX_LENGTH = 40


def slug(label: str) -> str:
    """Lower-case ASCII letters, digits and single hyphens; "source" where nothing of the label remains."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].strip("-") or "source"


def unique_ids(labels: Sequence[str]) -> list[str]:
    """One id per label: `bus`, `bus-2`, `bus-3`."""
    used: set[str] = set()
    ids: list[str] = []
    for label in labels:
        stem, number = slug(label), 1
        id_ = stem
        while id_ in used:
            number += 1
            id_ = f"{stem[: MAX_LENGTH - len(str(number)) - 1]}-{number}"
        used.add(id_)
        ids.append(id_)
    return ids
