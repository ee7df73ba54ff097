"""What comes with an install: permissive licences, digests of every npm package, and no secret among our own files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import licences  # noqa: E402

PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----",
    "AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub": r"\b(?:ghp|gho|ghu|ghs|ghr|github_pat)_[A-Za-z0-9_]{30,}",
    "PyPI": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "Hugging Face": r"\bhf_[A-Za-z0-9]{30,}",
    "OpenAI": r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}",
    "Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "Slack": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.",
    "password in an address": r"\b[a-z][a-z+]*://[^\s/:@'\"{}<>$]+:[^\s/:@'\"{}<>$]{6,}@",
    "assigned": r"(?i)\b(?:password|api_?key|secret_?key|access_?token)\b[\"']?\s*[:=]\s*[\"'][^\"'\s{}$<>]{16,}[\"']",
}
EXAMPLES = {
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "AWS": "AKIA" + "ABCDEFGHIJKLMNOP",
    "GitHub": "ghp_" + "a1" * 18,
    "PyPI": "pypi-" + "Ag" * 40,
    "npm": "npm_" + "b2" * 18,
    "Hugging Face": "hf_" + "c3" * 17,
    "OpenAI": "sk-" + "d4" * 20,
    "Google": "AIza" + "e5" * 17 + "f",
    "Slack": "xoxb-" + "123456789012",
    "JSON web token": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + ".c",
    "password in an address": "postgres://me:" + "hunter2hunter2@example.org",
    "assigned": 'API_KEY = "' + "0123456789abcdef" + '"',
}


NO_SECRETS = {"tests/test_vlm.py: password in an address"}
"""Made up, for tests of their own."""


def tracked() -> list[Path]:
    """Files that git knows; of an unpacked source archive, all."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    folders = ("src", "tests", "bench", "docs", "web", "native", "buildhook", "examples")
    return [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]


def test_no_secret_lies_among_our_files() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {kind}"
        for path in tracked()
        for kind, pattern in PATTERNS.items()
        if re.search(pattern, path.read_text("utf-8", "ignore"))
    ]
    assert set(found) == NO_SECRETS


@pytest.mark.parametrize("kind", PATTERNS)
def test_the_search_would_find_one(kind: str) -> None:
    assert re.search(PATTERNS[kind], f"x = {EXAMPLES[kind]}\n")


def test_every_dependency_is_permissive() -> None:
    rows = list(licences.of_python([]))
    assert len(rows) > 20
    assert [row for row in rows if not licences.permissive(row[2])] == []


@pytest.mark.parametrize("lock", licences.LOCKS)
def test_every_npm_package_is_permissive_and_pinned_by_digest(lock: str) -> None:
    rows = list(licences.of_npm(lock))
    assert rows
    assert [row for row in rows if not licences.permissive(row[2])] == []
    hosts = {what.get("resolved", "") for what in json.loads((ROOT / lock).read_text())["packages"].values()}
    assert not [address for address in hosts if address.startswith(("git", "http:", "file:"))]


@pytest.mark.parametrize(
    ("licence", "fine"),
    [
        ("MIT", True), ("BSD 3-Clause License", True), ("Apache Software License", True), ("MIT OR GPL-3.0-only", True),
        ("(BSD-3-Clause AND Zlib)", True), ("", False), ("GPL-3.0-or-later", False), ("LGPL-2.1", False),
        ("MIT AND GPL-2.0-only", False), ("GNU General Public License v3 (GPLv3)", False), ("CC-BY-NC-4.0", False),
        ("Proprietary", False), ("Other/Proprietary License", False), ("Mozilla Public License 2.0 (MPL 2.0)", False),
    ],
)  # fmt: skip
def test_licences_are_told_apart(licence: str, fine: bool) -> None:
    assert licences.permissive(licence) is fine
