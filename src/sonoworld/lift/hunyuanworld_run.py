"""Runs HunyuanWorld's program on a panorama, and reads the layers that it writes."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

from PIL import Image

from sonoworld.backend import Lift, Lifted, Run
from sonoworld.errors import BackendMissingError, StageError
from sonoworld.lift.hunyuanworld import HOW, PROGRAM, HunyuanWorldOptions, missing_for
from sonoworld.lift.mesh_file import MeshFileOptions
from sonoworld.lift.mesh_world import mesh_world
from sonoworld.types import Panorama

TAIL_LINES = 12
MAX_LAYERS = 64
MADE = 0.8
"""Share of the way after which the layers are here."""

NAP_S = 0.1
_LAYER = re.compile(r"^mesh_layer(\d{1,2})\.ply$")


def hunyuanworld(options: HunyuanWorldOptions) -> Lift:
    """The stage function of `lift.hunyuanworld`.

    Raises:
        BackendMissingError: its code or its Python is not here.
    """
    if why := missing_for(options):
        raise BackendMissingError(f"lift.hunyuanworld cannot run here: {why}")

    def lift(panorama: Panorama, run: Run) -> Lifted:
        seed = int(run.rng.integers(2**31))
        with tempfile.TemporaryDirectory(prefix="sonoworld-") as name:
            folder = Path(name)
            Image.fromarray(panorama.rgb).save(folder / "panorama.png")
            _run(command(options, folder, seed), options, lambda fraction, note: run.tell(MADE * fraction, note))
            last = replace(run, tell=lambda fraction, note: run.tell(MADE + (1 - MADE) * fraction, note))
            return mesh_world(reading(layers(folder / "layers"), options))(panorama, last)

    return lift


def command(options: HunyuanWorldOptions, folder: Path, seed: int) -> list[str]:
    """The program with its arguments (argparse of demo_scenegen.py); labels stand last, for they are many."""
    python = str(Path(options.python).expanduser())
    words = [python, PROGRAM, "--image_path", str(folder / "panorama.png"), "--output_path", str(folder / "layers")]
    words += ["--classes", options.place, "--seed", str(seed)]
    words += ["--fp8_attention", "--fp8_gemm"] if options.fp8 else []
    for name, labels in (("--labels_fg1", options.near_labels), ("--labels_fg2", options.far_labels)):
        plain = [label.strip() for label in labels]
        if any(not label or label.startswith("-") for label in plain):
            raise StageError(f"lift.hunyuanworld: expected labels that are words, got {labels}")
        words += [name, *plain] if plain else []
    return words


def layers(folder: Path) -> tuple[Path, ...]:
    """The meshes that were written, in their order.

    Raises:
        StageError: there are none.
    """
    found = {int(match[1]): file for file in folder.glob("*.ply") if (match := _LAYER.match(file.name))}
    if not 0 < len(found) <= MAX_LAYERS:
        raise StageError(f"lift.hunyuanworld: expected mesh_layer0.ply and more from {PROGRAM}, got {len(found)} files")
    return tuple(found[i] for i in sorted(found))


def reading(paths: tuple[Path, ...], options: HunyuanWorldOptions) -> MeshFileOptions:
    """How `mesh_file` reads the layers; their axes are its default for PLY."""
    return MeshFileOptions.model_validate(
        {
            "paths": tuple(map(str, paths)),
            "camera_height_m": options.camera_height_m,
            "yaw_deg": options.yaw_deg,
            "sky_radius_m": options.sky_radius_m,
            "max_splats": options.max_splats,
        }
    )


def _run(words: list[str], options: HunyuanWorldOptions, tell: Callable[[float, str], None]) -> None:
    """Run to the end, telling what it prints; stopped with all its children when time is up or `tell` raises."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **({"HF_HUB_OFFLINE": "1"} if options.offline else {})}
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(
        words,
        cwd=Path(options.code).expanduser(),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        reader = Thread(target=_read, args=(process, tail), daemon=True)
        reader.start()
        try:
            _wait(process, tail, options.timeout_s, tell)
        finally:
            _stop(process)
            reader.join(timeout=5)
    if process.returncode != 0:
        raise StageError(_failure(process.returncode, tail))


def _read(process: subprocess.Popen[str], tail: deque[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        text = "".join(c if c.isprintable() else " " for c in line[-500:]).strip()
        if text:
            tail.append(text)


def _wait(
    process: subprocess.Popen[str], tail: deque[str], timeout_s: float, tell: Callable[[float, str], None]
) -> None:
    began = time.monotonic()
    while process.poll() is None:
        waited = time.monotonic() - began
        if waited > timeout_s:
            raise StageError(f"lift.hunyuanworld: {PROGRAM} was stopped after {timeout_s:g} s (option timeout_s)")
        tell(waited / (waited + 600.0), tail[-1][:80] if tail else "HunyuanWorld begins")
        time.sleep(NAP_S)


def _stop(process: subprocess.Popen[str]) -> None:
    """End the program and what it started, if it still runs."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)  # a session of its own: its leader's id is the group's
    process.wait()


def _failure(code: int, tail: deque[str]) -> str:
    said = "\n".join(f"    {line}" for line in tail) or "    (nothing)"
    text = "\n".join(tail)
    if "out of memory" in text.lower():
        hint = "\n  the GPU has too little memory for it: --set lift.fp8=true, or a GPU of 40 GB"
    elif "ModuleNotFoundError" in text:
        hint = f"\n  {HOW}"
    else:
        hint = ""
    return f"lift.hunyuanworld: {PROGRAM} ended with code {code}; it said last:\n{said}{hint}"
