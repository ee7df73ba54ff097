"""The verb that listens: render a world's sound along a walk to a file."""

import time
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from tyro.conf import Positional, arg

from sonoworld.disk import atomic, wav
from sonoworld.disk.ambix import write_ambix
from sonoworld.disk.scene import load_sources
from sonoworld.encode import EncodeOptions
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.frames import Pose
from sonoworld.render import Walk, parse_walk, render_walk, still_walk
from sonoworld.render.convolve import convolved
from sonoworld.render.ears import ears

DEFAULT_SECONDS = 10.0


def render(  # noqa: PLR0913, PLR0917  one per option of the command line
    scene: Positional[Path],
    out: Positional[Path],
    format_: Annotated[Literal["binaural", "ambix"], arg(name="format")] = "binaural",
    order: int = 3,
    walk: Path | None = None,
    seconds: float | None = None,
    hrtf: str = "kemar",
) -> None:
    """Render a world's sound to a WAV file.

    Args:
        scene: Folder of a world.
        out: WAV file to write (float32, 48 kHz).
        format_: Two ears for headphones (binaural), or the sound field at the head (ambix: ACN, SN3D).
        order: Ambisonic order: 1..7 for binaural, 0..10 for ambix.
        walk: walk.json with the listener's path; without it one stands at the photo's eye, looking ahead.
        seconds: Length; default the walk's, or 10.
        hrtf: Whose ears: kemar, sphere, or a SOFA file.
    """
    console = Console()
    options = _options(format_, order)
    path = _walk(walk, seconds)
    if format_ == "ambix" and hrtf != "kemar":
        raise InputError(f"--hrtf: expected --format binaural (a sound field has no ears), got {format_}")
    sources = load_sources(scene)
    began = time.perf_counter()
    if format_ == "ambix":
        field = render_walk(sources, path, "ambix", order, seconds, options)
        signal, note = field.signal, f"0 dBFS RMS is {field.full_scale_db:g} dB SPL; no gain applied"
        took = time.perf_counter() - began
        write_ambix(out, field)
    else:
        from sonoworld.render.loudness import file_gain  # noqa: PLC0415  half a second to import

        whose = ears(hrtf, order)
        console.print(f"ears: {whose.line}", highlight=False, soft_wrap=True, markup=False)
        field = render_walk(sources, path, "ambix", order, seconds, options)
        raw = convolved(field.signal, whose.filters)
        gain = file_gain(raw, wav.RATE_HZ)
        signal = gain.apply(raw)
        note = f"one gain of {gain.gain_db:+.1f} dB ({'peak at −1 dBTP' if gain.held_by_peak else 'to −23 LUFS'})"
        took = time.perf_counter() - began
        wav.write_wav(out, signal, wav.RATE_HZ)
    length = signal.shape[1] / wav.RATE_HZ
    console.print(
        f"{out}: {format_}, order {order}, {signal.shape[0]} channels, {length:.1f} s, {note}; "
        f"rendered at {length / took:.0f}× real time",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _options(format_: str, order: int) -> EncodeOptions:
    low, high = (1, 7) if format_ == "binaural" else (0, 10)
    if not low <= order <= high:
        raise InputError(f"--order: expected {low}..{high} for {format_}, got {order}")
    return EncodeOptions(order=order)


def _walk(file: Path | None, seconds: float | None) -> Walk:
    if seconds is not None and not 0 < seconds <= 3600:
        raise InputError(f"--seconds: expected more than 0 and at most 3600, got {seconds:g}")
    if file is None:
        return still_walk(Pose.identity(), DEFAULT_SECONDS if seconds is None else seconds)
    return read_walk(file)


def read_walk(file: Path) -> Walk:
    """A walk from its JSON file.

    Raises:
        InputError: not a walk; names the file and the place in it.
    """
    try:
        return parse_walk(atomic.read_json(file))
    except UnsafeFileError:
        raise
    except InputError as error:
        raise InputError(f"{file}: {error}") from error
