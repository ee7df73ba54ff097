"""SOFA files of strangers: bytes changed, fields changed, and what the reader makes of any tables at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from fuzz_edits import Edit, edited, edits
from fuzz_outcomes import check_sofa, outcome, sofa_outcome
from fuzz_seeds import sofas
from hypothesis import given, settings
from hypothesis import strategies as st

from sofa_files import Content, content_of, small, tiny
from sonoworld.render.designed import sofa_filters
from sonoworld.render.sofa import load_sofa, understood
from sonoworld.render.sofa_process import SofaTables, Table

KEYS = sorted(tiny().data)
DTYPES = ("<f8", ">f4", "<f2", "i1", "<u8", "?", "<c16", "S3", "<M8[s]")
TYPES = ("spherical", "cartesian", "Cartesian", "spherical harmonics", "", "\0", "ü")
UNITS = (
    "metre",
    "degree, degree, metre",
    "degree,degree",
    "radian, radian, metre",
    "hertz",
    "",
    ",,",
    "meter, meter, meter",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def test_the_seeds_are_valid(folder: Path) -> None:
    for name, data in sofas().items():
        (folder / name).write_bytes(data)
        assert outcome(sofa_outcome, folder / name) == "read", name
        assert len(data) < 16000


@settings(max_examples=250)
@given(name=st.sampled_from(sorted(sofas())), other=st.sampled_from(sorted(sofas())), changes=edits(8192))
def test_bytes(folder: Path, name: str, other: str, changes: list[Edit]) -> None:
    path = folder / name
    path.write_bytes(edited(sofas()[name], changes, sofas()[other]))
    outcome(sofa_outcome, path)


@settings(max_examples=12)
@given(name=st.sampled_from(sorted(sofas())), changes=edits(8192))
def test_bytes_through_the_process(folder: Path, name: str, changes: list[Edit]) -> None:
    path = folder / name
    path.write_bytes(edited(sofas()[name], changes))
    assert outcome(lambda p: check_sofa(load_sofa(p)), path) == outcome(sofa_outcome, path)


# --- fields ---------------------------------------------------------------------------------------------------------

Change = Callable[[Content, h5py.File | None], None]
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 6, 16, 17]), max_size=4).map(tuple)


def values(shape: tuple[int, ...], dtype: str, scale: float) -> np.ndarray:
    noise = np.random.default_rng(len(shape)).standard_normal(shape) * scale
    with np.errstate(all="ignore"):
        made = np.asarray(noise).astype(dtype)
    return made.astype(h5py.opaque_dtype(made.dtype)) if made.dtype.kind == "M" else made


@st.composite
def field_change(draw: st.DrawFn) -> Change:
    key = draw(st.sampled_from(KEYS))
    match draw(st.integers(0, 6)):
        case 0:
            return lambda c, f: c.data.update({key: None})
        case 1:
            shape, dtype = draw(SHAPES), draw(st.sampled_from(DTYPES))
            scale = draw(st.sampled_from([0.0, 1.0, 90.0, 1e5, 1e300]))
            return lambda c, f: c.data.update({key: values(shape, dtype, scale)})
        case 2:
            words = draw(st.sampled_from(TYPES)), draw(st.sampled_from(UNITS))
            return lambda c, f: c.words.update({key: words})
        case 3:
            other = draw(st.sampled_from(KEYS))
            return lambda c, f: c.data.update({key: c.data[other]})
        case 4:
            text = draw(st.sampled_from(["Conventions", "SOFAConventions", "DataType", "Title", "DatabaseName"]))
            value = draw(
                st.sampled_from(
                    ["SOFA", "GeneralFIR", "", "x" * 60000, np.arange(3), np.zeros((2, 2)), h5py.Empty("S1")]
                )
            )
            return lambda c, f: c.texts.update({text: value})
        case 5:
            number = draw(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-300, 1e300, 8000.0, 0.5, 65536.0]))
            at = draw(st.integers(0, 200))
            return lambda c, f: _poke(c, key, at, number)
        case _:
            return lambda c, f: _strange(f, key)


def _poke(content: Content, key: str, at: int, number: float) -> None:
    old = content.data[key]
    if isinstance(old, np.ndarray) and old.dtype == np.float64 and old.size:
        new = old.copy()
        new.reshape(-1)[at % new.size] = number
        content.data[key] = new


def _strange(file: h5py.File | None, key: str) -> None:
    """A folder, a link into nowhere, an enumeration or words of any length where a table should be."""
    if file is None:
        return
    kinds: list[Callable[[], Any]] = [
        lambda: file.create_group(key),
        lambda: file.__setitem__(key, h5py.SoftLink(f"/{key}")),
        lambda: file.__setitem__(key, h5py.ExternalLink("/dev/zero", key)),
        lambda: file.create_dataset(key, data=["words", "of", "any length"], dtype=h5py.string_dtype()),
        lambda: file.create_dataset(key, (3,), h5py.enum_dtype({"a": 1, "b": 2})),
        lambda: file.create_dataset(key, (2,), h5py.vlen_dtype(np.float64)),
        lambda: file.create_dataset(key, (2,), np.dtype([("re", "f8"), ("im", "f8")])),
        lambda: file.create_dataset(key, data=h5py.Empty("f8")),
        lambda: file.create_dataset(key, (2, 3, 1, 1, 1), "f8"),
        lambda: file.create_dataset(key, (6, 2, 16), "f8", chunks=(1, 1, 1), compression="lzf"),
    ]
    if key in file:
        del file[key]
    kinds[len(key) % len(kinds)]()


@settings(max_examples=250)
@given(changes=st.lists(field_change(), min_size=1, max_size=3))
def test_fields(folder: Path, changes: list[Change]) -> None:
    content = tiny()
    for change in changes:
        change(content, None)
    path = folder / "fields.sofa"
    content.write(path)
    with h5py.File(path, "a") as file:
        for change in changes:
            change(content, file)
    outcome(sofa_outcome, path)


# --- meaning --------------------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from(
    [0.0, 1.0, -1.0, 0.5, 2.0, 16.0, 90.0, -90.0, 360.0, 48000.0, 1e-9, 1e9, 1e30, np.nan, np.inf]
)


@st.composite
def any_tables(draw: st.DrawFn) -> SofaTables:
    content = tiny()
    words = {key: content.words.get(key, ("", "")) for key in KEYS}
    tables = {key: Table(np.asarray(content.data[key], float), *words[key]) for key in KEYS}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        shape = draw(SHAPES | st.just(tables[key].values.shape))
        count = int(np.prod(shape))
        numbers = draw(st.lists(NUMBERS, min_size=1, max_size=5))
        said = draw(st.sampled_from([words[key], (draw(st.sampled_from(TYPES)), draw(st.sampled_from(UNITS)))]))
        array = np.resize(np.array(numbers), count).reshape(shape)
        tables[key] = Table(array, *said)
    return SofaTables(Path("any.sofa"), content.texts, tables)


@settings(max_examples=400)
@given(any_tables())
def test_meaning(tables: SofaTables) -> None:
    outcome(lambda path: check_sofa(understood(tables)), tables.path)


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), loud=st.sampled_from([1e-9, 1.0, 1e9]), count=st.sampled_from([6, 7, 40]))
def test_whatever_is_read_can_be_heard_or_is_refused(folder: Path, seed: int, loud: float, count: int) -> None:
    # any directions and any numbers of a valid file, all the way to filters
    rng = np.random.default_rng(seed)
    content = content_of(small())
    kept = rng.permutation(120)[:count]
    content.data["Data.IR"] = rng.standard_normal((count, 2, 16)) * loud * (rng.random((count, 1, 1)) > 0.5)
    content.data["SourcePosition"] = content.data["SourcePosition"][kept]
    content.data["Data.Delay"] = rng.uniform(0, 20, (count, 2))
    path = content.write(folder / "heard.sofa")
    outcome(lambda p: str(np.isfinite(sofa_filters(p, 1, 48000)).all()), path)
