"""The `sonoworld` command: one verb per thing a person wants to do."""

import os
import sys
import traceback
from collections.abc import Sequence

from tyro.extras import SubcommandApp

from sonoworld.errors import SonoworldError

INTERRUPTED = 130


def build_app() -> SubcommandApp:
    """All verbs, in the order in which a new user meets them."""
    from sonoworld.cli import (  # noqa: PLC0415  heavy: only once a verb is wanted
        batch,
        edit,
        evaluate,
        export,
        film,
        hear,
        learn,
        listen,
        look,
        make,
        models,
        packing,
        serving,
        show,
        sounds,
        study,
    )  # fmt: skip

    app = SubcommandApp()
    for verb in (make.demo, make.create, show.view, look.sources, listen.listen, hear.render, film.film, sounds.sounds):
        app.command(verb)
    app.command(edit.edit)
    app.command(learn.learn)
    app.command(serving.serve)
    app.command(batch.batch)
    app.command(packing.pack)
    for verb in (export.export, look.check, look.backends, look.recipe, models.models, look.doctor):
        app.command(verb)
    app.command(evaluate.evaluate)
    app.command(study.study)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors meant for people go to stderr as one message, with their exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        from sonoworld import __version__  # noqa: PLC0415

        print(f"sonoworld {__version__}")
        return
    try:
        build_app().cli(
            prog="sonoworld", description="One photo in; a 3D world out that you can walk through and hear.", args=given
        )
    except SonoworldError as error:
        if os.environ.get("SONOWORLD_DEBUG"):
            traceback.print_exc()
        print(f"sonoworld: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("\nsonoworld: interrupted; finished steps are kept, run the same command to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as in `sonoworld sources ... | head`
