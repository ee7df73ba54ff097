import json
import re
from pathlib import Path

import pytest

from sonoworld.view.server import SECURITY_HEADERS

ROOT = Path(__file__).parent.parent
PRODUCT = ROOT / "src" / "sonoworld" / "products" / "viewer"


def test_packages_are_pinned_exactly_and_name_no_host() -> None:
    package = json.loads((ROOT / "web" / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    locked = {name: part for name, part in lock["packages"].items() if name}
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not [name for name, part in locked.items() if "resolved" in part]
    assert all(part["integrity"].startswith("sha512-") for part in locked.values())
    assert "://" not in json.dumps(lock)


@pytest.mark.parametrize("name", ["viewer.js", "worklet.js"])
def test_scripts_run_under_the_policy(name: str) -> None:
    """No code from strings, which the page's policy forbids; and a worklet that needs no other file."""
    text = (PRODUCT / name).read_text("utf-8")
    assert not re.search(r"\beval\(|new Function\(", text)
    assert "sourceMappingURL" not in text
    if name == "worklet.js":
        assert not re.search(r"\b(import|require|fetch)\b", text)


def test_the_page_brings_the_policy_of_the_server() -> None:
    """For hosts without headers of ours; whom it may be framed by, only a header can say."""
    page = (PRODUCT / "index.html").read_text("utf-8")
    found = re.search(r'Content-Security-Policy"\s+content="([^"]+)"', page)
    assert found
    served = SECURITY_HEADERS["Content-Security-Policy"]
    assert served == f"{found[1]}; frame-ancestors 'none'"


def test_no_source_file_outgrows_its_idea() -> None:
    long = {f.name: n for f in (ROOT / "web" / "src").rglob("*.ts") if (n := len(f.read_text().splitlines())) > 250}
    assert not long, f"split these: {long}"


def test_text_never_becomes_html() -> None:
    for file in (ROOT / "web" / "src").rglob("*.ts"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", file.read_text()), file
