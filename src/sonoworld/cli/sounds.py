"""The verb that lets one hear a sound alone: any class, any backend, without a photo."""

from pathlib import Path
from typing import Annotated

import numpy as np
from rich.console import Console
from rich.table import Table
from tyro.conf import Positional, UseAppendAction, arg

from sonoworld.backend import Run, installed, require_available
from sonoworld.disk.wav import write_wav
from sonoworld.errors import InputError, StageError
from sonoworld.recipe import load
from sonoworld.types import Clip, Source, Spread

Settings = UseAppendAction[tuple[str, ...]]
PEAK = 10 ** (-1 / 20)
"""−1 dB of full scale: what is louder is turned down in the file, as a whole."""


def sounds(  # noqa: PLR0913, PLR0917  a command line has as many options as people need
    label: Positional[str | None] = None,
    out: Annotated[Path | None, arg(aliases=["-o"])] = None,
    prompt: str = "",
    backend: str = "synth",
    seconds: float | None = None,
    seed: int = 0,
    settings: Annotated[Settings, arg(name="set", metavar="KEY=VALUE")] = (),
    list_: Annotated[bool, arg(name="list")] = False,
) -> None:
    """Make the sound of one label and write it as a WAV file, to hear what a world would get.

    Args:
        label: What sounds, such as `rain` or "distant church bell".
        out: WAV file to write; default: the label, here.
        prompt: How it sounds, beside the label.
        backend: Backend of the sound stage (`--list` names them).
        seconds: Length of the loop, for backends that have a length.
        seed: Another seed is another dog.
        settings: Change one option of the backend, such as `path=my-recordings`; may be repeated.
        list_: List the classes that can be synthesised with the words that name them, and the backends.
    """
    console = Console()
    if list_:
        _list(console)
        return
    if label is None or not label.strip():
        raise InputError("sounds: expected a label, such as `sonoworld sounds rain` (`--list` lists them), got none")
    target = Path("-".join(label.split()).replace("/", "-") + ".wav") if out is None else out
    if target.suffix.lower() != ".wav":
        raise InputError(f"{target}: expected a name that ends in .wav, got {target.name!r}")
    length = () if seconds is None else (f"seconds={seconds:g}",)
    clip = made(label.strip(), prompt.strip() or label.strip(), backend, (*length, *settings), seed)
    _write(target, clip, console)


def made(label: str, prompt: str, backend: str, settings: tuple[str, ...], seed: int) -> Clip:
    """The clip that a backend makes of a label.

    Raises:
        RecipeError: no such backend or option.
        BackendMissingError: the backend cannot run here.
        StageError: the backend made none.
    """
    choice = load(settings=[f"sound.backend={backend}", *(f"sound.{setting}" for setting in settings)]).choices["sound"]
    require_available(choice.backend)
    none = np.zeros((0, 3), np.float32)
    # one's own words, wherever they are heard: no place, the level of speech
    source = Source("one", label, prompt, Spread.AMBIENT, 60.0, 1.0, "sounds", none, none, none[:, 0], 4 * np.pi)
    (one,) = choice.backend.make(choice.options)((source,), Run(np.random.default_rng(seed)))
    if one.clip is None:
        raise StageError(f"sound.{backend}: expected a sound for {label!r}, got none")
    return one.clip


def _write(target: Path, clip: Clip, console: Console) -> None:
    """Write a clip as it is stored, or softer where its peaks would not fit; say which, and whose it is."""
    from sonoworld.sound.level import integrated_lufs  # noqa: PLC0415  heavy
    from sonoworld.sound.loop import join_ratio  # noqa: PLC0415
    from sonoworld.sound.reverberation import estimated  # noqa: PLC0415

    samples = clip.samples.astype(np.float64)
    turned = min(1.0, PEAK / float(np.abs(samples).max()))
    write_wav(target, np.asarray(turned * samples, np.float32)[None], clip.rate_hz, note=clip.made_by)
    loudness = integrated_lufs(turned * samples, clip.rate_hz)
    whose = f"{clip.author}, {clip.licence}" if clip.author else clip.licence
    softer = f", {-20 * np.log10(turned):.1f} dB softer than in a world so that its peaks fit" if turned < 1 else ""
    loop = f", loops (join {join_ratio(samples):.2f} of its own events)" if clip.loops else ""
    heard = estimated(samples, clip.rate_hz)
    room = "cannot be told, nothing in it dies away freely" if heard is None else heard.told()
    lines = (
        f"{target}: {clip.made_by}",
        f"  {samples.size / clip.rate_hz:.2f} s at {clip.rate_hz} Hz, {loudness:.1f} LUFS{softer}{loop}",
        f"  reverberation: {room}",
        f"  {whose}",
    )
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _list(console: Console) -> None:
    from sonoworld.sound.vocabulary import PHRASES  # noqa: PLC0415

    table = Table(title="Sounds that can be synthesised, and the words that name them", title_justify="left")
    table.add_column("class", no_wrap=True)
    table.add_column("words")
    for name, words in PHRASES.items():
        table.add_row(name, ", ".join(word for word in words if word != name))
    console.print(table)
    for listing in installed("sound"):
        what = listing.backend.summary if listing.available and listing.backend else f"not here: {listing.reason}"
        console.print(f"  --backend {listing.name:<14} {what}", highlight=False, markup=False)
