"""All methods that can run here, by name."""

from collections.abc import Sequence

from sonoworld.errors import InputError
from sonoworld.evaluate.baselines import ours, release, see2sound, trivial
from sonoworld.evaluate.run import Method

RELEASE_DRAWS = 5

BASELINES: dict[str, Method] = {
    "chance": Method("chance", trivial.chance, 5),
    "front": Method("front", trivial.front),
    "mono": Method("mono", trivial.mono),
    "see2sound": Method("see2sound", see2sound.see2sound),
    "release": Method("release", release.release, RELEASE_DRAWS),
    "paper": Method("paper", ours.ROWS["paper's renderer"]),
    "ours": Method("ours", ours.ROWS["ours"]),
    "oracle-places": Method("oracle places", ours.ROWS["oracle anchors"]),
    "oracle": Method("oracle anchors", ours.ROWS["oracle anchors"], view="levels", each_clip=True),
}
"""In the order of the table. The oracles need a data set that knows its sources: where they are (`oracle-places`), and
also how loud each was in every single recording (`oracle`): an anchor is a place, an extent and a level."""

ORACLES = frozenset(["oracle-places", "oracle"])

ABLATIONS: dict[str, Method] = {name: Method(name, render) for name, render in ours.ABLATIONS.items()}

SEEN: dict[str, Method] = {
    "ours, recipe's depth": Method("ours, recipe's depth", ours.OURS, view="depth"),
    "ours, recipe's masks": Method("ours, recipe's masks", ours.OURS, view="masks"),
    "ours, labels known": Method("ours, labels known", ours.OURS, view="known"),
    "ours, nothing known": Method("ours, nothing known", ours.OURS, view="unknown"),
}
"""What the recipe sees in place of the truth: more of it from row to row."""


def chosen(names: Sequence[str], *, truth: bool, ablations: bool = True, seen: bool = True) -> tuple[Method, ...]:
    """The methods of these names (all for none, or for "all"), ours among them, then the ablations.

    Args:
        names: of `BASELINES`.
        truth: whether the data set knows its sources.
        ablations: ours with one thing changed.
        seen: and with what the recipe sees; only with ablations.

    Raises:
        InputError: a name that is none.
    """
    wrong = [name for name in names if name != "all" and name not in BASELINES]
    if wrong:
        raise InputError(f"baselines: expected all or {', '.join(BASELINES)}, got {wrong[0]!r}")
    wanted = set(BASELINES) if "all" in names or not names else {*names, "ours"}
    picked = [method for name, method in BASELINES.items() if name in wanted and (truth or name not in ORACLES)]
    if not ablations:
        return tuple(picked)
    looked = tuple(SEEN.values()) if truth else (SEEN["ours, nothing known"],)
    return (*picked, *ABLATIONS.values(), *(looked if seen else ()))
