"""Sound: every source gets a clip. `synthesise(label, prompt, seconds=..., rng=...)` makes one from words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sonoworld.sound.studio import synthesise

__all__ = ["synthesise"]


def __getattr__(name: str) -> Any:  # PEP 562: SciPy and numba wait until a sound is asked for
    if name == "synthesise":
        from sonoworld.sound.studio import synthesise  # noqa: PLC0415

        return synthesise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
