"""What an exported page says to the outside: its description for search and chat programs, and how others embed it."""

import html
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from sonoworld import __version__
from sonoworld.errors import InputError
from sonoworld.wording import one_line

MAX_CHARS = 300
GENERATOR = f'<meta name="generator" content="sonoworld {__version__}" />'
MARK = '<meta name="generator" content="sonoworld '
"""By which a file is known as an export of ours."""
ALLOW = "autoplay; fullscreen; xr-spatial-tracking; gyroscope; accelerometer; gamepad"
EMBED_SIZE_PX = (960, 540)
_TITLE = re.compile(r"<title>[^<]*</title>")


@dataclass(frozen=True, slots=True)
class About:
    """A world in words: `url` is where its page will be ("" while that is not known)."""

    title: str
    description: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        if not self.url:
            return
        try:
            parts = urlsplit(self.url)
            plain = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        except ValueError:
            plain = False
        if not plain or re.search(r"[\s\"'<>\\]", self.url):
            raise InputError(f"--url: expected an address like https://example.org/world/, got {self.url!r}")


@dataclass(frozen=True, slots=True)
class Preview:
    """The picture that others show for the page: its file beside the page, its size, what it shows."""

    file: str
    size_px: tuple[int, int]


def introduced(page: str, about: About, preview: Preview | None) -> str:
    """The page with title, description, OpenGraph and Twitter card.

    Raises:
        InputError: the page has no title element, or no end of its head, once each.
    """
    title, description = one_line(about.title, MAX_CHARS), one_line(about.description, MAX_CHARS)
    named = {"og:type": "website", "og:title": title, "og:description": description, "og:url": about.url}
    card = {"description": description, "twitter:card": "summary", "twitter:title": title}
    if preview is not None:
        width, height = preview.size_px
        image = urljoin(folder_url(about.url), preview.file)
        named |= {"og:image": image, "og:image:type": "image/jpeg", "og:image:alt": title}
        named |= {"og:image:width": str(width), "og:image:height": str(height)}
        card |= {"twitter:card": "summary_large_image", "twitter:image": image}
    card["twitter:description"] = description
    lines = [GENERATOR]
    lines += [_meta("property", name, content) for name, content in named.items() if content]
    lines += [_meta("name", name, content) for name, content in card.items() if content]
    if about.url:
        lines.append(f'<link rel="canonical" href="{html.escape(about.url)}" />')
    page = replaced(page, _TITLE, f"<title>{html.escape(title)}</title>", "a title")
    return replaced(page, re.compile("</head>"), "".join(f"  {line}\n  " for line in lines) + "</head>", "one head")


def embed_snippet(about: About) -> str:
    """The element with which other pages show this one; without an address, a place to put it."""
    width, height = EMBED_SIZE_PX
    return (
        f'<iframe src="{html.escape(about.url or "https://YOUR-SITE/WORLD/")}" '
        f'title="{html.escape(one_line(about.title, MAX_CHARS))}" width="{width}" height="{height}" '
        f'allow="{ALLOW}" allowfullscreen loading="lazy" style="border: 0"></iframe>\n'
    )


def folder_url(url: str) -> str:
    """The address of the folder that a page's address stands for: `…/world` is meant as `…/world/`."""
    return url if not url or url.endswith(("/", ".html")) else f"{url}/"


def replaced(page: str, pattern: re.Pattern[str], text: str, what: str) -> str:
    """The page with the one place that fits the pattern replaced.

    Raises:
        InputError: no place fits, or several do.
    """
    found = len(pattern.findall(page))
    if found != 1:
        raise InputError(f"the viewer's index.html: expected {what}, got {found}")
    return pattern.sub(lambda _: text, page)


def _meta(key: str, name: str, content: str) -> str:
    return f'<meta {key}="{name}" content="{html.escape(content)}" />'
