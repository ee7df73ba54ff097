"""Edits of bytes: what noise, cut downloads and strangers do to files. Drawn by hypothesis (shrinks) or by a seed."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

KINDS = ("flip", "byte", "number", "cut", "drop", "repeat", "splice")
NUMBERS = (
    *(0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF),
    *(2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 2**40, 2**63 - 1),
)
"""Sizes that lie: written with 1, 2, 4 or 8 bytes, either end first."""


@dataclass(frozen=True)
class Edit:
    """`at` is where (counted round the file), `value` and `length` mean what their kind makes of them."""

    kind: str
    at: int
    value: int
    length: int


def edited(data: bytes, edits: list[Edit], other: bytes = b"") -> bytes:
    """The file after all edits; `other` is where splices come from."""
    b = bytearray(data)
    for edit in edits:
        if b:
            _apply(b, edit, other or data)
    return bytes(b)


def _apply(b: bytearray, edit: Edit, other: bytes) -> None:
    at, length = edit.at % len(b), 1 + edit.length % 64
    if edit.kind == "cut":
        del b[at:]
    elif edit.kind == "drop":
        del b[at : at + length]
    elif edit.kind == "repeat":
        b[at:at] = b[edit.value % len(b) :][:length]
    else:
        new = _written(b, at, edit, other)
        b[at : at + len(new)] = new


def _written(b: bytearray, at: int, edit: Edit, other: bytes) -> bytes:
    if edit.kind == "flip":
        return bytes([b[at] ^ (1 << edit.value % 8)])
    if edit.kind == "byte":
        return bytes([edit.value % 256])
    if edit.kind == "number":
        width = 1 << edit.length % 4
        number = (NUMBERS[edit.value % len(NUMBERS)] + edit.value // 64 % 3) % 256**width
        return number.to_bytes(width, "big" if edit.value & 1 else "little")
    return other[edit.value % len(other) :][: 1 + edit.length % 64]


def edits(head: int = 4096) -> st.SearchStrategy[list[Edit]]:
    """A few edits, most of them near the beginning, where headers are."""
    where = st.one_of(st.integers(0, 63), st.integers(0, head), st.integers(0, 2**20))
    one = st.builds(Edit, st.sampled_from(KINDS), where, st.integers(0, 2**16), st.integers(0, 255))
    return st.lists(one, min_size=1, max_size=6)


def seeded_edits(rng: np.random.Generator, head: int = 4096) -> list[Edit]:
    """The same, from a random generator: much faster, for long hunts."""
    count = int(rng.choice([1, 1, 1, 2, 2, 3, 4, 6]))
    tops = rng.choice([64, head, 2**20], count)
    return [
        Edit(KINDS[rng.integers(len(KINDS))], int(rng.integers(top)), int(rng.integers(2**16)), int(rng.integers(256)))
        for top in tops
    ]
