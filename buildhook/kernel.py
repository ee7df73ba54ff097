"""The audio kernel, twice from one source: a Python extension for this machine, and WebAssembly for the browser.

The extension is compiled by the system's C++ compiler where there is one, else by zig from PyPI (`ziglang`), once per
instruction set; which of these runs is decided at run time. WebAssembly is always zig's.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from products import ROOT, Product

NATIVE = ROOT / "native"
X86 = platform.machine().lower() in ("x86_64", "amd64")
COMMON = ("-std=c++17", "-fvisibility=hidden", "-fno-math-errno", "-Wall", "-Wextra", "-DNDEBUG")
KERNEL = ("-O3", "-fno-exceptions", "-fno-rtti")
SYSTEM_SETS = {
    "plain": (),
    "avx2": ("-mavx2", "-mfma"),
    "avx512": ("-mavx2", "-mfma", "-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw"),
}
ZIG_SETS = {"plain": ("-mcpu=baseline",), "avx2": ("-mcpu=x86_64_v3",), "avx512": ("-mcpu=x86_64_v4",)}
NOTICE = """\
kernel.wasm and, where zig compiled it, the Python extension contain parts of libc++ and compiler-rt (the LLVM project,
Apache License 2.0 with LLVM exception) and of wasi-libc (MIT). The Python extension contains nanobind, whose licence
follows, and robin-map (MIT, Copyright (c) 2017 Thibaut Goetghebuer-Planchon).

"""
MISSING = "MISSING.txt"
"""Why there is no extension, where it could not be built; `sonoworld doctor` shows it."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """`command` starts it; `sets`: flags per instruction set; `plain`: flags for everything else."""

    name: str
    command: tuple[str, ...]
    sets: dict[str, tuple[str, ...]]
    plain: tuple[str, ...]


def zig() -> Compiler:
    """The compiler that comes from PyPI with the build requirements."""
    return Compiler("zig", (sys.executable, "-m", "ziglang", "c++"), ZIG_SETS, ("-mcpu=baseline",))


def system() -> Compiler | None:
    """$CXX, or the compiler on the PATH; None where there is none (or where only zig is known to do, on Windows)."""
    if os.name == "nt":
        return None
    named = os.environ.get("CXX", "").split()
    found = named or [path for name in ("g++", "clang++", "c++") if (path := shutil.which(name))][:1]
    return Compiler(Path(found[0]).name, tuple(found), SYSTEM_SETS, ()) if found else None


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def _python_headers() -> Path:
    folder = Path(sysconfig.get_paths()["include"])
    if not (folder / "Python.h").is_file():
        raise RuntimeError(
            f"this Python has no headers (no Python.h in {folder}); they come with your system's python3-dev package, "
            "and with every Python from python.org, conda or uv"
        )
    return folder


def extension(compiler: Compiler, out: Path) -> None:
    """Compile and link `kernel.<abi>.so` into `out`.

    Raises:
        RuntimeError: no Python headers, or the compiler fails; carries its output.
    """
    import nanobind

    root = Path(nanobind.include_dir()).parent
    includes = [f"-I{_python_headers()}", f"-I{root / 'include'}", f"-I{root / 'ext' / 'robin_map' / 'include'}"]
    sets = SYSTEM_SETS if X86 else {"plain": ()}
    shared = [] if os.name == "nt" else ["-fPIC"]
    x86 = ["-DSONOWORLD_X86_SETS"] if X86 else []
    with tempfile.TemporaryDirectory(prefix="sonoworld-native-") as scratch:
        jobs: list[list[str]] = []
        objects: list[str] = []

        def add(source: Path, name: str, *flags: str) -> None:
            objects.append(str(Path(scratch) / f"{name}.o"))
            jobs.append([*compiler.command, *COMMON, *shared, *flags, "-c", str(source), "-o", objects[-1]])

        for one in sets:
            flags = compiler.sets[one] if X86 else compiler.plain
            add(NATIVE / "lanes.cpp", f"lanes_{one}", *KERNEL, *flags, f"-DSONOWORLD_SET={one}", "-Wno-psabi")
        add(NATIVE / "control.cpp", "control", "-O2", *compiler.plain)
        add(NATIVE / "dispatch.cpp", "dispatch", "-O2", *compiler.plain, *x86)
        add(NATIVE / "python.cpp", "python", "-O2", *compiler.plain, *includes)
        binding = ("-Os", "-fno-strict-aliasing", "-DNB_COMPACT_ASSERTIONS", "-w")
        add(root / "src" / "nb_combined.cpp", "nanobind", *binding, *compiler.plain, *includes)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(_run, jobs))
        suffix = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
        _run([*compiler.command, *compiler.plain, *_link_flags(), *objects, "-o", str(out / f"kernel{suffix}")])
    (out / "compiler.txt").write_text(f"{compiler.name}\n")


def _link_flags() -> list[str]:
    if sys.platform == "darwin":
        return ["-shared", "-undefined", "dynamic_lookup"]
    if os.name == "nt":
        base = Path(sysconfig.get_config_var("installed_base") or sys.base_prefix)
        return ["-shared", f"-L{base / 'libs'}", f"-lpython{sys.version_info.major}{sys.version_info.minor}"]
    return ["-shared", "-s"]


EXPORTS = (
    *("bytes", "release", "room", "make", "free", "place", "cap", "surface", "direct"),
    *("remove", "move", "listener", "bed", "publish", "process"),
)


def wasm(out: Path) -> None:
    """Compile `kernel.wasm`: WebAssembly with 128-bit SIMD, a reactor without any system calls of its own."""
    sources = [str(NATIVE / name) for name in ("c_api.cpp", "control.cpp", "dispatch.cpp", "lanes.cpp")]
    target = ["-target", "wasm32-wasi", "-mcpu=generic+simd128", "-mexec-model=reactor"]
    exports = [f"-Wl,--export=sonoworld_{name}" for name in EXPORTS]
    flags = [*COMMON, *KERNEL, "-s", "-Wl,-z,stack-size=262144", "-Wl,--initial-memory=2097152", *exports]
    _run([*zig().command, *target, *flags, *sources, "-o", str(out / "kernel.wasm")])


def build(out: Path) -> None:
    """Both products. Where no extension can be had the reason is kept: everything else of the program still works."""
    wasm(out)
    nanobind = next(file for file in distribution("nanobind").files or () if file.name == "LICENSE")
    (out / "NOTICE.txt").write_text(NOTICE + nanobind.read_text())
    reasons: list[str] = []
    for compiler in (system(), zig()):
        if compiler is None:
            continue
        try:
            extension(compiler, out)
            return
        except RuntimeError as error:
            reasons.append(f"{compiler.name}: {error}")
    (out / MISSING).write_text("\n".join(reasons))
    print(f"sonoworld: the native audio kernel was not built:\n{reasons[-1]}", file=sys.stderr, flush=True)


def _variant() -> str:
    compiler = system()
    return f"{sysconfig.get_config_var('EXT_SUFFIX')} {platform.machine()} {compiler.name if compiler else 'zig'}"


KERNEL_PRODUCT = Product("native", inputs=("native", "buildhook/kernel.py"), build=build, variant=_variant())
