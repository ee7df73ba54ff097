"""One world, made in a process of its own: it can be ended at any time, and takes nobody along when it dies.

The request is the first line of its input, JSON; lines of its output are progress. It ends when its input does, which
is when the server that started it is gone.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import TextIO, cast

from sonoworld.errors import SonoworldError

ORPHANED = 75
"""Exit status where the server is gone (EX_TEMPFAIL): the job goes on when it is back."""


class Teller:
    """A `flow.Watch` that writes a line for everything that happens."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def say(self, **fields: str | float | bool) -> None:
        """One line of progress."""
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()

    def started(self, step: str, backend: str) -> None:
        """A step begins."""
        self.say(step=step, fraction=0.0, note=backend)

    def progress(self, step: str, fraction: float, note: str) -> None:
        """A step is `fraction` (0..1) done."""
        self.say(step=step, fraction=min(max(fraction, 0.0), 1.0), note=note)

    def finished(self, step: str, seconds: float, *, stored: bool) -> None:
        """A step is done, or was `stored` by an earlier run."""
        del seconds
        self.say(step=step, fraction=1.0, note="kept from before" if stored else "")


def main() -> int:
    """Make what the first line asks for."""
    out, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not garble the progress
    teller = Teller(out)
    request = cast("dict[str, object]", json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _make(request, teller)
    except SonoworldError as error:
        teller.say(error=str(error))
        return error.exit_code
    teller.say(done=True)
    return 0


def _make(request: dict[str, object], teller: Teller) -> None:
    from sonoworld.disk.photo import read_photo  # noqa: PLC0415  heavy: the first line of progress comes before
    from sonoworld.flow import make_scene  # noqa: PLC0415
    from sonoworld.recipe import load  # noqa: PLC0415

    settings = tuple(str(setting) for setting in cast("list[object]", request["settings"]))
    recipe = load(str(request["recipe"]), settings)
    make_scene(read_photo(Path(str(request["photo"]))), recipe, Path(str(request["out"])), watch=teller)


def _end_with_input() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main())
