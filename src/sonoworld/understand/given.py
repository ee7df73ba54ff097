"""Sources said by hand, in a TOML file of the user's own."""

from collections.abc import Callable

from pydantic import Field

from sonoworld.backend import Backend, Options


class GivenOptions(Options):
    """Where the file is."""

    path: str = Field(description="a sources file: [[source]] tables with label, spread, and a place")


def _make(options: GivenOptions) -> Callable[..., object]:
    from sonoworld.understand.sources_file import read_soundings  # noqa: PLC0415

    return lambda panorama, camera, run: read_soundings(options.path, panorama.known.shape[0], camera)


GIVEN = Backend(
    stage="understand",
    name="given",
    version="1",
    summary="sources said by hand in a TOML file",
    options=GivenOptions,
    make=_make,
)
