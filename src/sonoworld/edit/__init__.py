"""Editing what sounds in a scene: add, move, widen, rename, retype, level, mute, remove, sound, path; undo and redo.

`edit_scene(folder, operation, base)` does one operation and saves it as a new version; `undo` and `redo` likewise.
`apply(draft, operation, studio)` is the same without a disk. The protocol over HTTP is in docs/editing.md.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonoworld.edit.desk import edit_scene, redo, undo
    from sonoworld.edit.drafting import apply
    from sonoworld.edit.operations import parse_operation
    from sonoworld.edit.suggest import suggestions

__all__ = ["apply", "edit_scene", "parse_operation", "redo", "suggestions", "undo"]

_HOMES = {"apply": "drafting", "parse_operation": "operations", "suggestions": "suggest"}


def __getattr__(name: str) -> Any:  # PEP 562: OpenCV and the detector wait until something is edited
    if name in __all__:
        from importlib import import_module  # noqa: PLC0415

        return getattr(import_module(f"sonoworld.edit.{_HOMES.get(name, 'desk')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
