"""What can go wrong, as types. Every message says what, where, expected, got, and what to do."""


class SonoworldError(Exception):
    """An error meant to be read by the person at the keyboard; the CLI prints it without a traceback."""

    exit_code = 1


class InputError(SonoworldError):
    """The photo, scene, recipe or option given cannot be used. Nothing was written."""

    exit_code = 2


class ShapeError(InputError):
    """An array has the wrong shape, dtype or range."""

    def __init__(self, what: str, *, expected: str, got: str) -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")


class UnsafeFileError(InputError):
    """A file is malformed, too large, or points outside its folder; it was not opened further."""


class StaleVersionError(InputError):
    """An edit was thought for a version of a scene that is no longer the newest. Nothing was changed."""


class RecipeError(InputError):
    """A recipe names a stage, backend or option that does not exist, or gives it a wrong value."""


class BackendMissingError(SonoworldError):
    """A backend was asked for whose package, weights or key is not here; the message says how to get it."""

    exit_code = 3


class StageError(SonoworldError):
    """A stage could not do its work on these inputs; what earlier stages finished is kept."""

    exit_code = 4
