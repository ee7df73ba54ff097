"""Undo and redo, read off the versions: each undoing is a version, too, so nothing is ever lost."""

from sonoworld.disk.versions import Version


def undo_target(versions: tuple[Version, ...]) -> Version | None:
    """The version whose sources undo brings back; None where there is nothing to undo."""
    stack, at = _stack(versions)
    return stack[at - 1] if at > 0 else None


def redo_target(versions: tuple[Version, ...]) -> Version | None:
    """The version whose sources redo brings back; None where nothing was undone last."""
    stack, at = _stack(versions)
    return stack[at + 1] if at + 1 < len(stack) else None


def _stack(versions: tuple[Version, ...]) -> tuple[list[Version], int]:
    """Versions that undo and redo go along, and where on them the newest one stands (−1: none)."""
    stack: list[Version] = []
    at = -1
    for version in versions:
        if version.kind in ("undo", "redo"):
            at += 1 if version.kind == "redo" else -1
        else:
            stack = [*stack[: at + 1], version]
            at += 1
    return stack, at
