"""Packages from npm that tests and benches use, installed once into the cache of the build; none is shipped."""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "buildhook"))

from products import cache_folder, npm


def node_modules(folder: Path) -> Path:
    """Where the packages of a folder's lock file lie."""
    lock = (folder / "package-lock.json").read_bytes()
    kept = cache_folder() / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            work = Path(scratch) / "npm"
            work.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(folder / name, work / name)
            npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
            work.rename(kept)
    return kept / "node_modules"
