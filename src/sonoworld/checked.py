"""Values that were checked once and do not change after."""

from dataclasses import fields

import numpy as np

from sonoworld.errors import ShapeError


def freeze(value: object) -> None:
    """Makes the arrays that a dataclass holds read-only."""
    for field in fields(value):  # type: ignore[arg-type]  # every caller is a dataclass
        item = getattr(value, field.name)
        if isinstance(item, np.ndarray) and item.flags.writeable:
            view = item.view()
            view.flags.writeable = False
            object.__setattr__(value, field.name, view)


def require(ok: bool, what: str, expected: str, got: object) -> None:
    """Raises `ShapeError` unless `ok`."""
    if not ok:
        raise ShapeError(what, expected=expected, got=str(got))
