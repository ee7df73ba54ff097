"""What the tests play on: the part of sounddevice that is used, with a card of air that is as fast as it is told.

It hands out the blocks that a real card would ask for, keeps what it was given, and fails where it is told to.
"""

import os
import threading
import time
from typing import Any

import numpy as np

SPEED = float(os.environ.get("STUB_CARD_SPEED", "50"))
DEVICES: list[dict[str, Any]] = [
    {"name": "microphone", "hostapi": 0, "max_output_channels": 0, "default_samplerate": 48000.0},
    {"name": "headphones", "hostapi": 0, "max_output_channels": 2, "default_samplerate": 48000.0},
    {"name": "old radio", "hostapi": 0, "max_output_channels": 2, "default_samplerate": 44100.0},
    {"name": "headphones of a guest", "hostapi": 0, "max_output_channels": 2, "default_samplerate": 48000.0},
]
DEFAULT = 1
PLAYED: list[np.ndarray] = []
OPENED: list[dict[str, Any]] = []
UNDERFLOWS: set[int] = set()
UNPLUG_AFTER = 10**9


class PortAudioError(Exception):
    pass


class CallbackAbort(Exception):  # noqa: N818  sounddevice's own name
    pass


class _Flags:
    def __init__(self, output_underflow: bool) -> None:
        self.output_underflow = output_underflow


def query_hostapis() -> tuple[dict[str, str], ...]:
    return ({"name": "air"},)


def query_devices(kind: str | None = None) -> Any:
    if kind is None:
        return tuple(DEVICES)
    return {**DEVICES[DEFAULT], "index": DEFAULT}


def check_output_settings(device: int, channels: int, dtype: str, samplerate: int) -> None:
    assert (channels, dtype) == (2, "float32")
    if samplerate != DEVICES[device]["default_samplerate"]:
        raise PortAudioError("Invalid sample rate")


class OutputStream:
    def __init__(self, **settings: Any) -> None:
        if DEVICES[settings["device"]].get("busy"):
            raise PortAudioError("Device unavailable")
        OPENED.append(settings)
        self.settings = settings
        self.active = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "OutputStream":
        self.active = True
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.active = False
        self._thread.join()

    def _run(self) -> None:
        frames, rate = self.settings["blocksize"], self.settings["samplerate"]
        block = 0
        while self.active:
            out = np.full((frames, 2), np.nan, np.float32)
            try:
                self.settings["callback"](out, frames, None, _Flags(block in UNDERFLOWS))
            except CallbackAbort:
                self.active = False
                return
            PLAYED.append(out)
            block += 1
            if block >= UNPLUG_AFTER:
                self.active = False
            time.sleep(frames / rate / SPEED)
