"""The machine's sound card, through PortAudio (the package sounddevice): which there are, and one that plays."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32

from sonoworld.errors import BackendMissingError, InputError, SonoworldError
from sonoworld.render.live import Player

RATE_HZ = 48000
MOST_RECORDED_S = 1800.0
_SWITCH_S = 0.0005
"""How long another Python thread may keep the sound waiting; Python's own 5 ms is a whole block."""

Latency = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Device:
    """Something that plays two channels. `rate_hz` is 48 kHz, or the device's own rate where it cannot."""

    index: int
    name: str
    host: str
    rate_hz: int


@dataclass(slots=True)
class Playing:
    """What the sound card's thread leaves behind: missed deadlines, a failure, and what was played if asked for."""

    underruns: int = 0
    failure: Exception | None = None
    recorded: list[Float32[np.ndarray, "2 b"]] = field(default_factory=list[Float32[np.ndarray, "2 b"]])
    recorded_frames: int = 0
    stream: Any = None

    def check(self) -> None:
        """Raise what went wrong in the sound card's thread.

        Raises:
            SonoworldError: the stream stopped by itself (a device that was unplugged).
        """
        if self.failure is not None:
            raise self.failure
        if not self.stream.active:
            raise SonoworldError("the sound card stopped playing; is it still plugged in?")

    @property
    def recording(self) -> Float32[np.ndarray, "2 t"]:
        """All that was recorded."""
        return np.concatenate([np.zeros((2, 0), np.float32), *self.recorded], 1)


def load_portaudio() -> Any:
    """The package sounddevice, with the library it needs.

    Raises:
        BackendMissingError: either is missing; says how to get it.
        SonoworldError: PortAudio finds no sound system that it can start.
    """
    try:
        import sounddevice  # noqa: PLC0415  an optional extra
    except ImportError as error:
        raise BackendMissingError(
            "live listening needs the package sounddevice: pip install 'sonoworld[listen]' "
            "(and on Linux the library PortAudio: apt-get install libportaudio2)"
        ) from error
    except OSError as error:
        raise BackendMissingError(
            "live listening needs the library PortAudio: apt-get install libportaudio2 "
            f"(on Windows and macOS it comes with pip install 'sonoworld[listen]'); {error}"
        ) from error
    except Exception as error:  # PortAudioError, of the very module that did not load
        raise SonoworldError(f"PortAudio does not start: {error}; is the machine's sound system running?") from error
    return sounddevice


def output_devices() -> list[Device]:
    """All devices that play two channels.

    Raises:
        BackendMissingError: see `load_portaudio`.
    """
    sd = load_portaudio()
    hosts = sd.query_hostapis()
    return [
        Device(index, entry["name"], hosts[entry["hostapi"]]["name"], int(entry["default_samplerate"]))
        for index, entry in enumerate(sd.query_devices())
        if entry["max_output_channels"] >= 2
    ]


def find_device(wanted: str | None) -> Device:
    """The device of a number, or of a part of a name; None for the system's default.

    Raises:
        InputError: none, or several.
        BackendMissingError: see `load_portaudio`.
    """
    sd = load_portaudio()
    there = output_devices()
    if wanted is None:
        default = sd.query_devices(kind="output")["index"] if there else None
        found = [device for device in there if device.index == default]
    elif wanted.isdecimal():
        found = [device for device in there if device.index == int(wanted)]
    else:
        found = [device for device in there if wanted.lower() in device.name.lower()]
    if len(found) != 1:
        what = "a sound card that plays two channels" if wanted is None else f"one device for --device {wanted}"
        listed = "; ".join(f"{device.index}: {device.name}" for device in (found or there)) or "none at all"
        raise InputError(f"expected {what}, found {listed} (sonoworld listen --list-devices)")
    device = found[0]
    try:
        sd.check_output_settings(device=device.index, channels=2, dtype="float32", samplerate=RATE_HZ)
    except sd.PortAudioError:
        return device  # at its own rate; the caller says so
    return Device(device.index, device.name, device.host, RATE_HZ)


@contextmanager
def playing(device: Device, player: Player, latency: Latency, *, record: bool = False) -> Generator[Playing]:
    """Play until the context ends. The player must be made for the device's rate.

    Raises:
        SonoworldError: the device does not open.
    """
    sd = load_portaudio()
    state = Playing()

    def callback(out: Float32[np.ndarray, "t 2"], frames: int, _time: object, status: Any) -> None:
        state.underruns += bool(status.output_underflow)
        try:
            ears = player.pull(frames)
        except Exception as error:
            state.failure = error  # raised again by `check`, in the thread of whoever listens
            raise sd.CallbackAbort from error
        out[:] = ears.T
        if record and state.recorded_frames < MOST_RECORDED_S * device.rate_hz:
            state.recorded.append(ears)
            state.recorded_frames += frames

    try:
        stream = sd.OutputStream(
            samplerate=device.rate_hz,
            blocksize=player.block,
            device=device.index,
            channels=2,
            dtype="float32",
            latency=latency,
            callback=callback,
        )
        state.stream = stream
        with _undisturbed(), stream:
            yield state
    except sd.PortAudioError as error:
        raise SonoworldError(f"{device.name}: does not play ({error}); try another with --device") from error


@contextmanager
def _undisturbed() -> Generator[None]:
    """Keeps Python's garbage collector and thread switches from holding up the sound card's thread."""
    switch_s = sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(switch_s)
        gc.unfreeze()
