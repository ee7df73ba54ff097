"""A process of its own that opens an HDF5 file and hands over the few tables a SOFA reader needs.

The HDF5 library is written in C and files made to break it do (buffer overflows are reported against every release),
so the file is never opened where the user's work is: `sofa_process` starts this script, with limits, and checks what
comes back. It imports nothing of sonoworld, so that it starts fast.

Output: one line of JSON, then the tables as little-endian float64, one after another.
"""

import json
import math
import sys
from typing import Any

import h5py
import numpy as np

MAX_VALUES = 32 * 2**20
MAX_TEXT_BYTES = 4096
MAX_ADDRESS_BYTES = 3 * 2**30
MAX_CPU_S = 60
FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
"""What netCDF writes. Each at most once: deflate applied twice expands a million times."""
MAX_EXPANSION = 1100
"""Deflate ends at 1032:1 (RFC 1951); tables smaller than `FREE_BYTES` may also hold nothing but their fill value."""
FREE_BYTES = 2**20

REQUIRED = ("Data.IR", "Data.SamplingRate", "Data.Delay", "SourcePosition")
OPTIONAL = ("ListenerPosition", "ListenerView", "ListenerUp", "ReceiverPosition")
GLOBAL = ("Conventions", "SOFAConventions", "DataType", "Title", "DatabaseName", "ListenerShortName")
LOCAL = ("Type", "Units")


class RefusedError(Exception):
    """What is wrong: where in the file, what was expected, what is there."""

    def __init__(self, where: str, expected: str, got: str) -> None:
        super().__init__(where, expected, got)


def tables(path: str) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Description (JSON) and values (float64) of the tables of a SOFA file.

    Raises:
        RefusedError: a table is missing, not numeric, too large, made to expand, or lies in another file.
    """
    values: list[np.ndarray] = []
    described: list[dict[str, Any]] = []
    with h5py.File(path, "r") as file:
        texts = {key: text_attribute(file, key) for key in GLOBAL}
        for key in (*REQUIRED, *OPTIONAL):
            dataset = numeric_dataset(file, key)
            if dataset is None:
                continue
            values.append(np.ascontiguousarray(dataset[()], "<f8"))
            words = {name.lower(): text_attribute(dataset, name) for name in LOCAL}
            described.append({"key": key, "shape": list(dataset.shape), **words})
    return {"texts": texts, "tables": described}, values


def numeric_dataset(file: h5py.File, key: str) -> h5py.Dataset | None:
    """A dataset that can be read within bounds; None where an optional one is absent.

    Raises:
        RefusedError: see `tables`.
    """
    link = file.get(key, getlink=True)
    if link is None and key in OPTIONAL:
        return None
    item = file.get(key) if isinstance(link, h5py.HardLink) else None
    if not isinstance(item, h5py.Dataset):
        kind = "nothing" if link is None else f"a {type(item if item is not None else link).__name__}"
        raise RefusedError(key, "a dataset inside the file", kind)
    if item.is_virtual or item.external:
        raise RefusedError(key, "values inside the file", "a pointer to another file")
    if item.dtype.kind not in "fiu" or item.dtype.itemsize > 8:
        raise RefusedError(key, "numbers of at most 64 bits", str(item.dtype))
    shape: tuple[int, ...] | None = item.shape
    if shape is None or not 1 <= len(shape) <= 4 or not 0 < math.prod(shape) <= MAX_VALUES:
        raise RefusedError(key, f"1..{MAX_VALUES} numbers in 1..4 dimensions", f"shape {shape}")
    check_storage(item, key)
    return item


def check_storage(item: h5py.Dataset, key: str) -> None:
    """Compression must be netCDF's, once, and cannot promise more than it can hold.

    Raises:
        RefusedError: see `tables`.
    """
    properties = item.id.get_create_plist()
    filters = [int(properties.get_filter(i)[0]) for i in range(properties.get_nfilters())]
    if not set(filters) <= FILTERS or len(set(filters)) != len(filters):
        raise RefusedError(key, "compression by deflate, shuffle, fletcher32, each once", f"HDF5 filters {filters}")
    if math.prod(item.chunks or (1,)) > MAX_VALUES:
        raise RefusedError(key, f"chunks of at most {MAX_VALUES} numbers", f"{item.chunks}")
    stored = item.id.get_storage_size()
    if item.nbytes > max(FREE_BYTES, MAX_EXPANSION * stored):
        raise RefusedError(key, f"at most {MAX_EXPANSION} times what is stored", f"{item.nbytes} from {stored} bytes")


def text_attribute(holder: h5py.File | h5py.Dataset, key: str) -> str:
    """A short text attribute; "" where it is absent, empty or not text."""
    if key not in holder.attrs:
        return ""
    attribute = holder.attrs.get_id(key)
    dtype = attribute.dtype
    if attribute.get_space().get_simple_extent_npoints() * dtype.itemsize > MAX_TEXT_BYTES or dtype.kind not in "SO":
        return ""
    value: object = holder.attrs[key]
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value[:MAX_TEXT_BYTES] if isinstance(value, str) else ""


def limit_resources() -> None:
    """Memory and processor time, where the system can (not on Windows)."""
    try:
        import resource  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MAX_ADDRESS_BYTES), (resource.RLIMIT_CPU, MAX_CPU_S)):
        _, hard = resource.getrlimit(what)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(what, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(path: str) -> bytes:
    """What goes to standard output for a file; see the top."""
    try:
        described, values = tables(path)
    except RefusedError as refused:
        described, values = {"refused": refused.args}, []
    return json.dumps(described).encode() + b"\n" + b"".join(table.tobytes() for table in values)


def main() -> None:
    """Answers for the file named on the command line; exit code 1 and a traceback where HDF5 cannot read it."""
    limit_resources()
    sys.stdout.buffer.write(answer(sys.argv[1]))


if __name__ == "__main__":
    main()
