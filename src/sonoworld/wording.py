"""Words of models, files and strangers, made fit to be shown to people: one line, nothing that steers a screen."""

import unicodedata

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: control, format (direction marks among them), surrogate, private, unassigned, line breaks."""


def one_line(text: str, limit: int = 200) -> str:
    """At most `limit` characters on one line, without control and format characters; "…" ends what was cut.

    What stays is shown as it is: brackets are brackets, and mean markup nowhere.
    """
    head = text[: 8 * limit]  # a label of megabytes costs no more than a long one
    shown = "".join(" " if c.isspace() else c for c in head if c.isspace() or unicodedata.category(c) not in INVISIBLE)
    words = " ".join(shown.split())
    return words if len(words) <= limit and len(text) <= 8 * limit else words[: limit - 1] + "…"
