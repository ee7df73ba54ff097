"""Where the peers live: a virtual environment or a build each, made once in a cache folder, none of it in ours."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

HERE = Path(__file__).resolve().parent
SYSTEM_HRTF = Path("/usr/share/libmysofa/default.sofa")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class PeerMissingError(RuntimeError):
    """A peer cannot run here; the message is the reason, one line."""


def cache_folder() -> Path:
    """$SONOWORLD_BENCH_CACHE, else the user's cache folder."""
    named = os.environ.get("SONOWORLD_BENCH_CACHE")
    return Path(named).resolve() if named else user_cache_path("sonoworld") / "bench"


def python_with(requirements: Sequence[str]) -> Path:
    """The Python of a virtual environment that holds just these packages.

    Raises:
        PeerMissingError: it cannot be made.
    """
    key = "\n".join([sys.version, *requirements])
    folder = cache_folder() / f"env-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / ".made").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
        (folder / ".made").write_text(key)
    return python


def spatialaudio_program() -> tuple[Path, Path]:
    """The compiled worker of libspatialaudio, and the HRTF that Debian brings along.

    The system's library where it is installed; else Debian's packages, unpacked into the cache: no root is needed.

    Raises:
        PeerMissingError: no library, no compiler, or an interface that is not that of version 0.3.
    """
    if sys.platform != "linux":
        raise PeerMissingError("Debian's libspatialaudio runs on Linux only")
    installed = Path("/usr/include/spatialaudio/Ambisonics.h").is_file() and SYSTEM_HRTF.is_file()
    root = Path("/") if installed else debian_root("spatialaudio", "libspatialaudio-dev")
    program = built("realtime_spatialaudio", HERE / "realtime_spatialaudio.cpp", root)
    return program, root / SYSTEM_HRTF.relative_to("/")


def allocation_counter() -> Path:
    """The library that counts calls of malloc.

    Raises:
        PeerMissingError: not Linux with glibc, or no compiler.
    """
    if platform.libc_ver()[0] != "glibc":
        raise PeerMissingError("allocations are counted on Linux with glibc only")
    return built("realtime_allocations.so", HERE / "realtime_allocations.cpp", None)


def built(name: str, source: Path, root: Path | None) -> Path:
    """A source compiled once; `root`: the folder with `usr/` in which libspatialaudio lies, None: not needed.

    Raises:
        PeerMissingError: it does not compile.
    """
    command = [*_compiler(root is not None), "-std=c++17", "-O3", "-w", str(source)]
    if root is None:
        command += ["-shared", "-fPIC"]
    else:
        libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
        command += [f"-I{root / 'usr' / 'include'}", f"-L{libraries}", "-lspatialaudio", "-lmysofa"]
        command += [f"-Wl,-rpath,{libraries}"]
    key = hashlib.sha256("\0".join([*command, source.read_text("utf-8")]).encode()).hexdigest()[:12]
    program = cache_folder() / f"{key}-{name}"
    if not program.is_file():
        program.parent.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_name(f"{os.getpid()}-{program.name}")
        _run([*command, "-o", str(unfinished)])
        unfinished.replace(program)
    return program


def _compiler(debian_library: bool) -> list[str]:
    """$CXX or the system's; else zig from PyPI, which for Debian's library needs Debian's C++ headers."""
    named = os.environ.get("CXX", "").split()
    found = named or [path for one in ("g++", "clang++", "c++") if (path := shutil.which(one))][:1]
    if found:
        return [*found, "-march=native"]
    zig = [sys.executable, "-m", "ziglang", "c++", "-mcpu=native"]
    if not debian_library:
        return zig
    names = _run(["apt-cache", *_lists("libstdc++6"), "pkgnames", "libstdc++-"]).split()
    versions = [int(n[1]) for name in names if (n := re.fullmatch(r"libstdc\+\+-(\d+)-dev", name))]
    if not versions:
        raise PeerMissingError("no C++ compiler, and no libstdc++ headers for zig (apt-get install g++)")
    headers = debian_root("headers", f"libstdc++-{max(versions)}-dev") / "usr" / "include"
    machine = f"{platform.machine()}-linux-gnu"
    folders = (headers / "c++" / str(max(versions)), headers / machine / "c++" / str(max(versions)))
    library = f"/usr/lib/{machine}/libstdc++.so.6"
    target = f"{machine}.{platform.libc_ver()[1]}"
    flags = ["-target", target, "-fno-exceptions", "-nostdinc++", "-nostdlib++", *(f"-I{f}" for f in folders)]
    return [*zig, *flags, library]


def debian_root(name: str, package: str) -> Path:
    """A folder with a Debian package, and what it needs of libspatialaudio and libmysofa, unpacked.

    Raises:
        PeerMissingError: this is no Debian, or it does not have the package.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise PeerMissingError(f"{package} is installed from Debian's packages, and this system has no apt-get")
    root = cache_folder() / f"debian-{name}"
    if (root / ".made").is_file():
        return root
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    lists = _lists(package)
    wanted = _needed(package, lists)
    _run(["apt-get", *lists, "download", *wanted], root)
    for file in sorted(root.glob("*.deb")):
        _run(["dpkg", "-x", str(file), str(root)])
        file.unlink()
    (root / ".made").write_text("\n".join(wanted))
    return root


def _lists(package: str) -> list[str]:
    """Options for apt: none where the system's lists know the package, else lists of our own, which need no root."""
    if subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0:
        return []
    folder = cache_folder() / "apt"
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}"]
    _run(["apt-get", *options, "update"])
    return options


def _needed(package: str, lists: Sequence[str]) -> list[str]:
    wanted: list[str] = []
    waiting = [package]
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        wanted.append(name)
        depends = re.findall(r"^\s*Depends: (\S+)$", _run(["apt-cache", *lists, "depends", name]), re.MULTILINE)
        waiting += [n for n in depends if n.startswith(("libspatialaudio", "libmysofa"))]
    return wanted


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()] or ["no message"]
        errors = [line for line in said if re.search(r"\berror\b|^E:", line, re.IGNORECASE)] or said[-1:]
        raise PeerMissingError(f"{Path(command[0]).name} {' '.join(command[1:3])} ...: {errors[0].strip()}")
    return done.stdout
