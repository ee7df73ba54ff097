"""A world as one HTML file that opens from a disk: page, kernel, pictures and sounds inside it.

Every file of the static site is a script element of a type that no browser runs, in base64; `web/src/inline.ts`
makes addresses of them. Only the page's own script and style, known by their digests, are run: what a stranger wrote
into a scene is base64 or escaped, and could not run if it were neither.
"""

import base64
import hashlib
import re
import tempfile
from pathlib import Path

from sonoworld.disk import atomic
from sonoworld.errors import InputError
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export import Told, write_site
from sonoworld.view.export_page import MARK, About, introduced, replaced

MOST_BYTES = 128 * 2**20
"""Of the file: beyond it, browsers take a minute to open it and phones give up."""
INDEX, SCRIPT, STYLE, ICON = "index.html", "viewer.js", "viewer.css", "icon.svg"

_POLICY = re.compile(r'<meta\s+http-equiv="Content-Security-Policy"[^>]*>')
_STYLE = re.compile(r'<link rel="stylesheet" href="viewer\.css" ?/?>')
_SCRIPT = re.compile(r'<script type="module" src="viewer\.js"></script>')
_ICONS = re.compile(r'(href|src)="icon\.svg"')
_END = re.compile(r"</body>")
_LINK = re.compile(r'\b(?:href|src)="(?!data:|https?:)[^"]*"')


def export_html(exhibit: Exhibit, about: About, path: Path, told: Told = lambda part: None) -> Path:
    """Write the exhibit as one file and return it. An earlier export is replaced, all at once.

    Raises:
        InputError: something else lies there, the file would be too large, or the page does not know the laws.
        UnsafeFileError: the SOFA file cannot be used.
        BackendMissingError: the page or its audio kernel was not built at install.
    """
    _require_replaceable(path)
    with tempfile.TemporaryDirectory(prefix="sonoworld-export-") as scratch:
        site = Path(scratch)
        write_site(site, exhibit, told)
        told("one file")
        _require_small(site, path)
        page = introduced(one_page(site), about, None)
    atomic.write_bytes(path, page.encode())
    return path


def one_page(site: Path) -> str:
    """A static site as one page.

    Raises:
        InputError: the page refers to files in a way that is not known here.
    """
    page = (site / INDEX).read_text("utf-8")
    style = _safe((site / STYLE).read_text("utf-8"), "style")
    script = _safe((site / SCRIPT).read_text("utf-8"), "script")
    icon = f"data:image/svg+xml;base64,{_base64((site / ICON).read_bytes())}"
    page = replaced(page, _POLICY, _policy(script, style), "a content security policy")
    page = replaced(page, _STYLE, f"<style>{style}</style>", "the link to its style")
    page = _ICONS.sub(lambda found: f'{found[1]}="{icon}"', page)
    page = replaced(page, _SCRIPT, "", "its script")
    if left := _LINK.search(page):
        raise InputError(f"the viewer's index.html: expected no other file, got {left[0]}")
    inside = [_held(site, file) for file in sorted(site.rglob("*")) if file.is_file()]
    held = "\n".join([*filter(None, inside), f'<script type="module">{script}</script>'])
    return replaced(page, _END, f"{held}\n</body>", "one body")


def _policy(script: str, style: str) -> str:
    """Scripts: the page's own; and as data: the worklet, which Chromium starts in no other way in a file."""
    return (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"script-src '{_digest(script)}' data: 'wasm-unsafe-eval'; style-src '{_digest(style)}'; img-src data: blob:; "
        "connect-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'\" />"
    )


def _digest(text: str) -> str:
    return f"sha256-{_base64(hashlib.sha256(text.encode()).digest())}"


def _held(site: Path, file: Path) -> str:
    if file.name in (INDEX, SCRIPT, STYLE, ICON) and file.parent == site:
        return ""
    name = file.relative_to(site).as_posix()
    return f'<script type="application/octet-stream" data-file="{name}">{_base64(file.read_bytes())}</script>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _safe(text: str, element: str) -> str:
    """The text, if it can stand inside its element without ending it and without being changed by a parser."""
    if re.search(rf"</{element}|<!--|\r|\0", text, re.IGNORECASE):
        raise InputError(
            f"the viewer's {element}: expected text that can stand inside a page, without </{element} or <!--"
        )
    return text


def _require_replaceable(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"{path}: expected a file, got a folder")
    if path.exists() and MARK.encode() not in path.read_bytes():
        raise InputError(f"{path}: expected a new file or an earlier export, got something else")


def _require_small(site: Path, path: Path) -> None:
    sizes = {file.relative_to(site).as_posix(): file.stat().st_size for file in site.rglob("*") if file.is_file()}
    total = 4 * sum(sizes.values()) // 3
    if total > MOST_BYTES:
        picture = sum(size for name, size in sizes.items() if name.startswith("splats"))
        sound = sum(size for name, size in sizes.items() if name.startswith("clips/"))
        raise InputError(
            f"{path}: expected at most {MOST_BYTES / 1e6:.0f} MB in one file, got {total / 1e6:.0f} MB "
            f"(picture {picture / 1e6:.1f}, sound {sound / 1e6:.1f}); try --lite, or --to folder"
        )
