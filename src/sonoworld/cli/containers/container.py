"""One kind of export: its name, which options it knows, and the function that writes it."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

from sonoworld.errors import InputError
from sonoworld.view.export import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Options of `sonoworld export` besides its paths; what is not given has its default here."""

    axes: str | None = None
    lite: bool = False
    hrtf: str = "kemar"
    title: str = ""
    description: str = ""
    url: str = ""
    credit: str = ""
    seconds: float = 30.0
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: in words, and the bytes of its parts where they are worth a line."""

    what: str
    note: str
    parts: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of export.

    Attributes:
        name: As `--to` says it.
        kind: In words, plural.
        ending: Added to the scene's name where no name is given.
        knows: Names of `Choices` that it heeds; others are refused.
        write: From a scene folder, the target and the choices; told of every part that comes next.
    """

    name: str
    kind: str
    ending: str
    knows: frozenset[str]
    write: Callable[[Path, Path, Choices, Told], Written]

    def require_known(self, choices: Choices) -> None:
        """Refuse options that would do nothing.

        Raises:
            InputError: one was given that is for other kinds.
        """
        plain = Choices()
        for one in fields(Choices):
            if one.name not in self.knows and getattr(choices, one.name) != getattr(plain, one.name):
                raise InputError(f"export --to {self.name}: --{one.name} is not for {self.kind}")
