"""Runs `sofa_tables` in a process of its own and believes nothing it says without checking."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from sonoworld.errors import UnsafeFileError

MAX_FILE_BYTES = 512 * 2**20
TIMEOUT_S = 120.0
SCRIPT = Path(__file__).with_name("sofa_tables.py")
SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""At the start of every HDF5 file (or, with a user block, at 512, 1024, ...: netCDF does not write those)."""


@dataclass(frozen=True, slots=True)
class Table:
    """One dataset: its values, and its `Type` and `Units` in lower case ("" where it says none)."""

    values: Float64[np.ndarray, "..."]
    type: str = ""
    units: str = ""


@dataclass(frozen=True, slots=True)
class SofaTables:
    """What a SOFA file holds, not yet understood: global texts and datasets by name. `path` is for messages."""

    path: Path
    texts: Mapping[str, str]
    tables: Mapping[str, Table]

    def table(self, key: str, advice: str = "") -> Table:
        """A dataset.

        Raises:
            UnsafeFileError: the file has none of that name.
        """
        if key not in self.tables:
            raise self.refused(key, "a dataset", "nothing", advice)
        return self.tables[key]

    def quoted(self, key: str) -> str:
        """A global text for messages."""
        return repr(self.texts.get(key, "")[:60])

    def refused(self, where: str, expected: str, got: str, advice: str = "") -> UnsafeFileError:
        """The error that turns this file down."""
        return refused(self.path, where, expected, got, advice)


def refused(path: Path, where: str, expected: str, got: str, advice: str = "") -> UnsafeFileError:
    """The one form of every refusal: what, where, expected, got, and what to do."""
    return UnsafeFileError(f"HRTF {path}: {where}: expected {expected}, got {got}{'; ' + advice if advice else ''}")


def read_tables(path: Path) -> SofaTables:
    """The tables of a SOFA file, read in another process with bounded memory and time.

    Raises:
        UnsafeFileError: missing, too large, not HDF5, damaged, or refused by `sofa_tables`.
    """
    _check_file(path)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(SCRIPT), str(path)],
            capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise refused(
            path, "file", f"to be read within {TIMEOUT_S:g} s", "no end", "it is damaged; get it again"
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1][:200] if said else f"exit {done.returncode}"
        got = _died_of(-done.returncode) if done.returncode < 0 else last
        raise refused(path, "file", "readable HDF5", got, "it is damaged or no SOFA file; get it again")
    return decoded(path, done.stdout)


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise refused(path, "file", "a SOFA file", "a folder or device")
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
    except OSError as error:
        raise refused(path, "file", "a SOFA file", error.strerror or type(error).__name__) from error
    if size > MAX_FILE_BYTES:
        raise refused(path, "file", f"at most {MAX_FILE_BYTES} bytes", str(size))
    if start != SIGNATURE:
        raise refused(path, "file", "a SOFA file (HDF5)", f"one that starts with {start!r}")


def _died_of(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"a crash of the HDF5 library ({name})"


def decoded(path: Path, output: bytes) -> SofaTables:
    """What `sofa_tables.answer` said about a file.

    Raises:
        UnsafeFileError: it refused the file, or made no sense.
    """
    head, _, body = output.partition(b"\n")
    try:
        document: dict[str, Any] = json.loads(head)
        if "refused" in document:
            where, expected, got = document["refused"]
            raise refused(path, where, expected, got)
        tables: dict[str, Table] = {}
        at = 0
        for entry in document["tables"]:
            shape = tuple(int(side) for side in entry["shape"])
            values = np.frombuffer(body, "<f8", math.prod(shape), at).reshape(shape).astype(np.float64, copy=False)
            at += values.nbytes
            tables[entry["key"]] = Table(
                values, str(entry["type"]).strip().lower(), str(entry["units"]).strip().lower()
            )
        return SofaTables(path, {str(key): str(text) for key, text in document["texts"].items()}, tables)
    except (ValueError, KeyError, TypeError) as error:
        raise refused(path, "file", "readable HDF5", f"nonsense from its reader ({error})") from error
