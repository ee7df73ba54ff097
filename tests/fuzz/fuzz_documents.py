"""Edits of meaning: JSON and TOML that parse but say what nobody should say. Drawn by a seed."""

import copy
import json
import re
from typing import Any

import numpy as np

NASTY: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2**31, 2**63, 10**400, -(2**63), 0.5, 1e308, -1e-320, float("nan"), float("inf")),
    *("", "x", "A" * 5000, "../../outside", "/etc/passwd", "a\0b", "\ud800", "C:\\x", "1e999", "<svg onload=x>"),
    *([], {}, [[]], [None], [1, [2, 3]], {"": {}}, [0] * 1000, [float("nan")] * 3, "a/b", "%n%s", "٣"),
)
"""Values that are of no kind, too large, too long, or lead elsewhere."""

TOML_NASTY = (
    *("nan", "inf", "-1", "9223372036854775807", "1e308", '""', '"../../x"', '"/etc/passwd"', "true", "[]", "{}"),
    *(
        "[[]]",
        "[1, [2]]",
        "1979-05-27",
        '"\\u0000"',
        "[" * 3000,
        "[" * 90 + "]" * 90,
        '"' + "A" * 5000 + '"',
        "{a={b=1}}",
        "9" * 5000,
    ),
)


def changed_json(data: bytes, rng: np.random.Generator) -> bytes:
    """A JSON document with one to three places changed."""
    tree = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        tree = _changed(tree, rng)
    if rng.random() < 0.02:
        return b"[" * 100_000 + json.dumps(tree).encode()
    return json.dumps(tree, ensure_ascii=bool(rng.random() < 0.5)).encode("utf-8", "surrogatepass")


def _changed(tree: Any, rng: np.random.Generator) -> Any:
    places = list(_places(tree, ()))
    place = places[rng.integers(len(places))]
    if not place:
        return _nasty(rng) if rng.random() < 0.2 else tree
    node = tree
    for key in place[:-1]:
        node = copy.deepcopy(node[key])
    key = place[-1]
    kind = rng.random()
    if kind < 0.6:
        node[key] = _nasty(rng)
    elif kind < 0.75:
        del node[key]
    elif isinstance(node, dict):
        node[str(_nasty(rng))[:200]] = node[key]
    else:
        node[key:key] = [copy.deepcopy(node[key]) for _ in range(int(rng.choice([1, 3, 300])))]
    return tree


def _nasty(rng: np.random.Generator) -> Any:
    if rng.random() < 0.3:
        return float(rng.choice([-1, 1]) * 10.0 ** rng.uniform(-12, 12))
    return copy.deepcopy(NASTY[rng.integers(len(NASTY))])


def _places(tree: Any, at: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Ways to the values of a document; of long lists, a few."""
    here = [at]
    inner = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in inner[:40]:
        here += _places(value, (*at, key))
    return here


def changed_toml(data: bytes, rng: np.random.Generator) -> bytes:
    """TOML with one to three values changed, or a line twice."""
    lines = data.decode().split("\n")
    for _ in range(int(rng.integers(1, 4))):
        i = int(rng.integers(len(lines)))
        if rng.random() < 0.75:
            nasty = TOML_NASTY[rng.integers(len(TOML_NASTY))]
            lines[i] = re.sub(r"=.*", lambda _, n=nasty: f"= {n}", lines[i])
        else:
            lines.insert(int(rng.integers(len(lines))), lines[i])
    return "\n".join(lines).encode()
