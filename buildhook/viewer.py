"""The browser page: TypeScript checked and bundled from `web/` with the packages of its lock file."""

import shutil
import tempfile
from pathlib import Path

from products import ROOT, Product, npm

FILES = (
    *("index.html", "viewer.js", "viewer.css", "worklet.js", "icon.svg", "LICENSES.txt"),
    *("gallery.html", "gallery.js", "gallery.css"),
)


def build(out: Path) -> None:
    """Install the locked packages in a scratch copy, check types strictly, bundle into `out`."""
    with tempfile.TemporaryDirectory(prefix="sonoworld-viewer-") as scratch:
        work = Path(scratch) / "web"
        shutil.copytree(ROOT / "web", work, ignore=shutil.ignore_patterns("node_modules"))
        npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        npm(["run", "check"], work)
        npm(["run", "build", "--", str(out.resolve())], work)
    missing = [name for name in FILES if not (out / name).is_file()]
    if missing:
        raise RuntimeError(f"the viewer's build left out {', '.join(missing)}")


VIEWER = Product("viewer", inputs=("web", "buildhook/viewer.py"), build=build)
