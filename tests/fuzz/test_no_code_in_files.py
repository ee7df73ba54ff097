"""A file is never a program: nothing in the source runs what a file holds, and a file that tries to does nothing."""

import ast
import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonoworld.disk.arrays import read_arrays
from sonoworld.disk.depth_file import read_depth
from sonoworld.errors import SonoworldError, UnsafeFileError
from sonoworld.weights import Checkpoint, filled, loading

ROOT = Path(__file__).parent.parent.parent
SOURCES = sorted(file for folder in ("src", "buildhook") for file in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "imp"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
METHODS = {"extractall", "system", "popen", "unsafe_load", "full_load", "load_module"}


def objections(tree: ast.AST) -> Iterator[str]:
    """What in a module could run what a file holds, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"line {node.lineno}: imports {n}" for n in names if n.split(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            yield from (f"line {node.lineno}: {what}" for what in _of_call(node))


def _of_call(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    given = {k.arg: ast.unparse(k.value) for k in node.keywords}
    if isinstance(node.func, ast.Name) and called in BUILTINS:
        yield f"calls {called}"
    if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        yield f"calls {called}"
    if called == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    if called in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
        yield "np.load without allow_pickle=False"
    if called in ("yaml.load", "yaml.load_all"):
        yield "yaml.load instead of yaml.safe_load"
    if given.get("shell") == "True":
        yield "a command for a shell"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_nothing_runs_what_a_file_holds(file: Path) -> None:
    assert not list(objections(ast.parse(file.read_text("utf-8"))))


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from dill import loads", "eval(x)", "torch.load(f)", "torch.load(f, weights_only=False)",
        "np.load(f)", "yaml.load(f)", "archive.extractall()", "os.system(x)", "subprocess.run(x, shell=True)",
    ],
)  # fmt: skip
def test_the_search_finds(line: str) -> None:
    assert list(objections(ast.parse(line)))


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_the_trap_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))  # noqa: S301  shows that the tests below could fail
    assert (tmp_path / "sprung").is_dir()


def test_arrays_of_objects_are_not_unpickled(tmp_path: Path) -> None:
    array = np.array([Trap(tmp_path / "sprung")], object)
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    (tmp_path / "a.npy").write_bytes(out.getvalue())
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("depth.npy", out.getvalue())
    with pytest.raises(UnsafeFileError, match="of plain arrays"):
        read_arrays(tmp_path / "a.npz", ("depth",))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(SonoworldError, match="expected"):
            read_depth(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_checkpoints_are_not_unpickled(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415

    torch.save({"weight": torch.zeros(2), "more": Trap(tmp_path / "sprung")}, tmp_path / "a.pt")
    checkpoint = Checkpoint(str(tmp_path), None, True, ())
    with pytest.raises(SonoworldError, match="weights"), loading(checkpoint, "a test"):
        filled(torch.nn.Linear(2, 2), tmp_path / "a.pt", checkpoint, "a test")
    assert not (tmp_path / "sprung").exists()
