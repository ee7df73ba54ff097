"""Licences of everything that an install brings, and of what the viewer is built from: permissive ones only.

    python bench/licences.py [--extras store,vlm]

Claim: every Python dependency (without extras, or with those named) and every npm package of the lock files says a
licence, and one that lets people use, change and sell it without giving their own work away. What packages say of
themselves is taken: SPDX expressions, else their field, else their classifiers. Native libraries that wheels carry
inside have licences of their own: `docs/trust.md` names those that are not permissive (LGPL, linked dynamically).
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

from size import closure

ROOT = Path(__file__).parent.parent
LOCKS = ("web/package-lock.json", "buildhook/detector/package-lock.json")
PERMISSIVE = frozenset(
    {
        *("MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "BSD", "0BSD", "ISC", "Zlib", "PSF-2.0"),
        *("Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unlicense", "CC0-1.0", "BlueOak-1.0.0", "HPND"),
    }
)
NAMES = {
    "apache": "Apache-2.0",
    "mit": "MIT",
    "bsd": "BSD",
    "python software foundation": "PSF-2.0",
    "isc": "ISC",
    "zlib": "Zlib",
    "historical permission": "HPND",
}
"""What older packages write, and what is meant; looked for at the beginning of a word, in lower case."""

COPYLEFT = re.compile(r"\b(?:A|L)?GPL|\bMPL|\bEUPL|\bCC-BY-(?:NC|SA)|non-?commercial|proprietary", re.IGNORECASE)


def said(what: Distribution) -> str:
    """The licence that a distribution states, "" if it states none."""
    expression = what.metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        c.split("::")[-1].strip() for c in what.metadata.get_all("Classifier") or [] if c.startswith("License")
    ]
    field = str(what.metadata.get("License") or "").strip()
    return " AND ".join(classifiers) or field.split("\n")[0].strip()


def permissive(licence: str) -> bool:
    """Whether a licence allows it all: every part of an AND, one part of an OR."""
    alternatives = re.split(r"\s+OR\s+", licence.strip("() "))
    return any(all(_known(part) for part in re.split(r"\s+AND\s+", one)) for one in alternatives)


def _known(part: str) -> bool:
    name = part.strip("() ")
    if name in PERMISSIVE:
        return True
    if COPYLEFT.search(name):
        return False
    return any(re.search(rf"\b{word}", name.lower()) for word in NAMES)


def of_python(extras: list[str]) -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each dependency."""
    found = closure("sonoworld")
    for extra in extras:
        closure_of_extra(extra, found)
    for name, what in sorted(found.items()):
        if name != "sonoworld":
            yield name, what.version, said(what)


def closure_of_extra(extra: str, found: dict[str, Distribution]) -> None:
    """Adds what an extra brings."""
    from packaging.requirements import Requirement  # noqa: PLC0415

    for text in found["sonoworld"].requires or []:
        needed = Requirement(text)
        if needed.marker is not None and needed.marker.evaluate({"extra": extra}):
            closure(needed.name, found)


def of_npm(lock: str) -> Iterator[tuple[str, str, str]]:
    """The same of a lock file; a package without a digest is said to have no licence."""
    packages = json.loads((ROOT / lock).read_text("utf-8"))["packages"]
    for place, what in sorted(packages.items()):
        if place:
            licence = what.get("license", "") if str(what.get("integrity", "")).startswith("sha512-") else ""
            yield place.removeprefix("node_modules/"), what["version"], licence


def main() -> int:
    """The table, and what is not permissive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", default="")
    extras = [extra for extra in parser.parse_args().extras.split(",") if extra]
    rows = [*of_python(extras), *(row for lock in LOCKS for row in of_npm(lock))]
    for name, version, licence in rows:
        print(f"{name:<34} {version:<14} {licence[:60] or 'none stated'}")
    bad = [
        f"{name} {version}: {licence or 'none stated'}" for name, version, licence in rows if not permissive(licence)
    ]
    print(f"{len(rows)} packages; not permissive: {'; '.join(bad) or 'none'}")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
