"""The body of a PLY file: rows of one element, a stretch at a time, whatever form they are in.

A row is a numpy record. Memory beyond the result stays at one stretch; no count is believed before the size of the
file allows it.
"""

import itertools
import os
import warnings
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from sonoworld.disk.ply_header import FORMS, Element, Header
from sonoworld.errors import InputError, UnsafeFileError

ROWS_AT_A_TIME = 1 << 14
"""About 1 MB of splats: converted while they are in the processor's cache."""


def skip_to(file: BinaryIO, header: Header, element: Element, path: Path) -> None:
    """Step over the elements before this one.

    Raises:
        InputError: one of them has rows of unknown size (lists), or the file is in words and it is not the first.
        UnsafeFileError: the file ends before.
    """
    before = header.elements[: header.elements.index(element)]
    rows = [one for one in before if one.count]
    if rows and (header.form == "ascii" or not all(one.fixed() for one in rows)):
        raise InputError(f"{path}: expected 'element {element.name}' before elements with lists, got it after")
    step = sum(one.count * one.dtype("<").itemsize for one in rows)
    if step > os.fstat(file.fileno()).st_size - file.tell():
        raise UnsafeFileError(f"{path}: expected {step} bytes before element {element.name}, got the end of the file")
    file.seek(step, os.SEEK_CUR)


def check_size(file: BinaryIO, header: Header, element: Element, path: Path, most: int) -> None:
    """Compare a count with a limit, and with the bytes left in the file.

    Raises:
        UnsafeFileError: more rows than `most`, or than the file has bytes for, or bytes left over at the end.
    """
    if element.count > most:
        raise UnsafeFileError(f"{path}: expected at most {most} rows of {element.name}, got {element.count}")
    got = os.fstat(file.fileno()).st_size - file.tell()
    if header.form == "ascii":
        need = 2 * element.count * len(element.properties) - 1  # a digit and a space each
        alone = False
    else:
        need = element.count * element.dtype("<").itemsize
        alone = element is header.elements[-1]
    if got < need or (alone and got != need):
        raise UnsafeFileError(f"{path}: expected {need} bytes for {element.count} rows of {element.name}, got {got}")


def rows(file: BinaryIO, header: Header, element: Element, path: Path) -> Generator[tuple[slice, np.ndarray]]:
    """Stretches of rows with the place they belong to; call `check_size` first.

    Raises:
        UnsafeFileError: the file ends early or, in words, has a line that is not these numbers.
    """
    if header.form == "ascii":
        yield from _rows_in_words(file, element, path)
        return
    dtype = element.dtype(FORMS[header.form])
    block = np.empty(min(ROWS_AT_A_TIME, element.count), dtype)
    for start in range(0, element.count, ROWS_AT_A_TIME):
        part = slice(start, min(start + ROWS_AT_A_TIME, element.count))
        table = block[: part.stop - start]
        if _fill(file, table) != table.nbytes:
            raise UnsafeFileError(
                f"{path}: expected more of element {element.name} at {start}, got the end of the file"
            )
        yield part, table


def _fill(file: BinaryIO, table: np.ndarray) -> int:
    got, raw = 0, table.view(np.uint8).data
    while got < len(raw) and (more := file.readinto(raw[got:])):  # type: ignore[attr-defined]  # every real file has it
        got += more
    return got


def take(table: np.ndarray, names: Sequence[str], target: np.ndarray) -> None:
    """Copy columns of records into the columns of `target` [n c]; fast where they lie side by side as float32."""
    fields = cast("dict[str, tuple[np.dtype[Any], int]]", table.dtype.fields)
    places = [fields[name] for name in names]
    if not places:
        return
    beside = all(kind == np.dtype("<f4") and at == places[0][1] + 4 * i for i, (kind, at, *_) in enumerate(places))
    if not beside:
        for i, name in enumerate(names):
            target[:, i] = table[name]
        return
    step = table.dtype.itemsize
    together = np.ndarray((len(table), len(names)), "<f4", table.view(np.uint8), places[0][1], (step, 4))
    if target.flags.c_contiguous and target.dtype == np.float32:
        whole = f"V{4 * len(names)}"  # moving all floats of a row at once is twice as fast as column by column
        target.view(whole)[:, 0] = np.ndarray(len(table), whole, table.view(np.uint8), places[0][1], step)
    else:
        target[...] = together


def _rows_in_words(file: BinaryIO, element: Element, path: Path) -> Generator[tuple[slice, np.ndarray]]:
    dtype = element.dtype("=")
    for start in range(0, element.count, ROWS_AT_A_TIME):
        part = slice(start, min(start + ROWS_AT_A_TIME, element.count))
        yield part, _parse(file, dtype, part, path)


def _parse(file: BinaryIO, dtype: np.dtype[np.void], part: slice, path: Path) -> np.ndarray:
    """The next lines; the file then stands at the first line after them."""
    want = part.stop - part.start
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of no lines left; judged by the number of rows
            lines = (line.decode("ascii") for line in itertools.islice(file, want))
            table = np.loadtxt(lines, dtype, comments=None, ndmin=1)
    except (ValueError, OverflowError) as error:
        numbers = len(dtype.names or ())
        raise UnsafeFileError(
            f"{path}: expected lines of {numbers} numbers after line {part.start}: {error}"
        ) from error
    if len(table) != want:
        raise UnsafeFileError(f"{path}: expected {part.stop} lines of numbers, got {part.start + len(table)}")
    return table
