"""What an exported page says to the outside, read by an HTML parser that is not ours."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.errors import InputError
from sonoworld.view.export_page import About, Preview, embed_snippet, folder_url, introduced

PAGE = "<html><head><title>x</title></head><body></body></html>"
PREVIEW = Preview("poster.jpg", (1280, 853))
HOSTILE = '"><script>alert(1)</script><meta content="'


class Seen(HTMLParser):
    """Elements with their attributes, and the text of the title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""
        self.inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "title":
            self.title += data

    @property
    def metas(self) -> dict[str, str]:
        found = (fields for tag, fields in self.elements if tag == "meta")
        return {str(one.get("property") or one.get("name")): str(one["content"]) for one in found}


def test_title_description_and_picture_are_told() -> None:
    about = About("Café “Süd”", "Rain & birds", folder_url("https://example.org/cafe"))
    seen = Seen(introduced(PAGE, about, PREVIEW))
    assert seen.title == "Café “Süd”"
    assert seen.metas["og:title"] == seen.metas["twitter:title"] == "Café “Süd”"
    assert seen.metas["og:description"] == seen.metas["description"] == "Rain & birds"
    assert seen.metas["og:image"] == seen.metas["twitter:image"] == "https://example.org/cafe/poster.jpg"
    assert seen.metas["og:url"] == "https://example.org/cafe/"
    assert (seen.metas["og:image:width"], seen.metas["og:image:height"]) == ("1280", "853")
    assert seen.metas["twitter:card"] == "summary_large_image"


def test_without_an_address_or_a_picture_none_is_claimed() -> None:
    seen = Seen(introduced(PAGE, About("A yard"), None))
    assert {"og:url", "og:image", "og:description", "twitter:image"} & set(seen.metas) == set()
    assert "link" not in [tag for tag, _ in seen.elements]
    assert seen.metas["twitter:card"] == "summary"


@given(st.text(max_size=80) | st.just(HOSTILE), st.text(max_size=80) | st.just(HOSTILE))
def test_no_text_becomes_an_element(title: str, description: str) -> None:
    plain = [tag for tag, _ in Seen(introduced(PAGE, About("t", "d"), PREVIEW)).elements]
    shown = [tag for tag, _ in Seen(introduced(PAGE, About(title or "t", description or "d"), PREVIEW)).elements]
    assert set(shown) == set(plain)
    assert shown.count("script") == 0
    assert [tag for tag, _ in Seen(embed_snippet(About(title))).elements] == ["iframe"]


def test_the_snippet_allows_sound_and_headsets() -> None:
    ((tag, fields),) = Seen(embed_snippet(About(HOSTILE, url="https://example.org/w/?a=1&b=2"))).elements
    assert tag == "iframe"
    assert fields["src"] == "https://example.org/w/?a=1&b=2"
    assert fields["title"] == HOSTILE
    allowed = {one.strip() for one in str(fields["allow"]).split(";")}
    assert {"autoplay", "xr-spatial-tracking", "gyroscope"} <= allowed


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "example.org",
        "file:///x",
        "https://",
        "https://a b",
        'https://a/"x',
        "https://u@h/",
        "//h",
    ],
)
def test_only_plain_addresses(url: str) -> None:
    with pytest.raises(InputError, match=r"--url: expected an address like https://"):
        About("t", url=url)


def test_a_page_that_is_not_ours_is_refused() -> None:
    with pytest.raises(InputError, match="expected a title, got 0"):
        introduced("<head></head>", About("t"), None)
