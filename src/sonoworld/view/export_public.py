"""A world for any web host: the static site, described for others, with advice for the host."""

from pathlib import Path

import cv2

from sonoworld.errors import UnsafeFileError
from sonoworld.view.exhibit import Exhibit
from sonoworld.view.export import POSTER, Told, require_replaceable, write_site, written_beside
from sonoworld.view.export_page import About, Preview, embed_snippet, introduced
from sonoworld.view.server import MEDIA_TYPES, SECURITY_HEADERS

HEADERS = "_headers"
EMBED = "embed.txt"
_PUBLIC = ("X-Content-Type-Options", "Referrer-Policy")
_FRAMES = "; frame-ancestors 'none'"


def publish_folder(exhibit: Exhibit, about: About, folder: Path, told: Told = lambda part: None) -> Path:
    """Write the exhibit as a folder for any web host, and return it; all at once, as `export_folder` does.

    Beside the page's own files: `embed.txt`, an iframe for other pages, and `_headers`, which Netlify and Cloudflare
    Pages read and other hosts' configurations can be written from.

    Raises:
        InputError: the folder holds something else, or the page does not know the laws (paper mode).
        UnsafeFileError: the SOFA file cannot be used.
        BackendMissingError: the page or its audio kernel was not built at install.
    """
    require_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(folder) as work:
        write_site(work, exhibit, told)
        index = work / "index.html"
        page = introduced(index.read_text("utf-8"), about, _preview(work / POSTER))
        _write(index, page)
        _write(work / EMBED, embed_snippet(about))
        _write(work / HEADERS, headers())
    return folder


def headers() -> str:
    """What a host should send: no script from elsewhere, types that browsers insist on. Others may embed the page."""
    policy = SECURITY_HEADERS["Content-Security-Policy"].replace(_FRAMES, "")
    lines = ["/*", f"  Content-Security-Policy: {policy}"]
    lines += [f"  {name}: {SECURITY_HEADERS[name]}" for name in _PUBLIC]
    for suffix, kind in MEDIA_TYPES.items():
        lines += [f"/*{suffix}", f"  Content-Type: {kind}"]
    return "\n".join(lines) + "\n"


def _preview(poster: Path) -> Preview:
    picture = cv2.imread(str(poster))
    if picture is None:
        raise UnsafeFileError(f"{poster}: expected the poster that was just written")
    return Preview(poster.name, (picture.shape[1], picture.shape[0]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")
