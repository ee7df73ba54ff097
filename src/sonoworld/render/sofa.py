"""SOFA files (AES69): head-related impulse responses measured by others, read with suspicion.

Only free-field HRIRs of one listener and two ears are taken; everything else is an error that says what it is.
"""

from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float64

from sonoworld.errors import UnsafeFileError
from sonoworld.render.hrirs import HrirSet

MAX_FILE_BYTES = 512 * 1024**2
MAX_VALUES = 64 * 1024**2
MAX_TAPS = 65536


def read_sofa(path: Path) -> HrirSet:
    """Impulse responses of a SOFA file with `Data.Delay` applied, ears ordered (left, right), FLU directions.

    Raises:
        UnsafeFileError: not a SOFA file of HRIRs, malformed, too large, or pointing into other files.
    """
    if not path.is_file():
        raise UnsafeFileError(f"HRTF {path}: no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnsafeFileError(f"HRTF {path}: expected at most {MAX_FILE_BYTES} bytes, got {path.stat().st_size}")
    try:
        with h5py.File(path, "r") as file:
            return _read(file, str(path))
    except UnsafeFileError:
        raise
    except Exception as error:
        raise UnsafeFileError(
            f"HRTF {path}: cannot be read as a SOFA file ({type(error).__name__}: {error})"
        ) from error


def _read(file: h5py.File, name: str) -> HrirSet:
    kind = _text(file.attrs.get("DataType"))
    if _text(file.attrs.get("Conventions")) != "SOFA" or not kind.startswith("FIR"):
        raise UnsafeFileError(f"HRTF {name}: expected a SOFA file with DataType FIR, got {kind or 'no DataType'!r}")
    taps = _numbers(file, "Data.IR", name)
    if taps.ndim != 3 or taps.shape[1] != 2 or not 16 <= taps.shape[2] <= MAX_TAPS:
        raise UnsafeFileError(
            f"HRTF {name}: expected Data.IR of [directions, 2 ears, 16..{MAX_TAPS}], got {taps.shape}"
        )
    rates = _numbers(file, "Data.SamplingRate", name).reshape(-1)
    if rates.size == 0 or np.ptp(rates) != 0 or not 8000 <= rates[0] <= 768000:
        raise UnsafeFileError(f"HRTF {name}: expected one Data.SamplingRate of 8..768 kHz, got {rates[:4]}")
    _check_listener(file, name)
    directions = _directions(file, len(taps), name)
    taps = _delayed(taps, _numbers(file, "Data.Delay", name), name)
    if _left_ear(file, name) == 1:
        taps = taps[:, ::-1]
    return HrirSet(np.ascontiguousarray(taps), directions, float(rates[0]))


def _text(value: object) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) if value is not None else ""


def _numbers(file: h5py.File, key: str, name: str) -> np.ndarray:
    """One dataset as float64, only if it lies in this file, is numeric, finite and of a sane size."""
    link = file.get(key, getlink=True)
    item = file.get(key) if isinstance(link, h5py.HardLink) else None
    if not isinstance(item, h5py.Dataset):
        raise UnsafeFileError(f"HRTF {name}: expected a dataset {key} inside the file, got none")
    if item.is_virtual or item.external:
        raise UnsafeFileError(f"HRTF {name}: {key} points into another file")
    if item.dtype.kind not in "fiu" or item.shape is None or np.prod(item.shape) > MAX_VALUES:
        raise UnsafeFileError(
            f"HRTF {name}: expected {key} of at most {MAX_VALUES} numbers, got {item.dtype} {item.shape}"
        )
    values = np.asarray(item[()], np.float64)
    if not np.isfinite(values).all():
        raise UnsafeFileError(f"HRTF {name}: {key} holds NaN or infinity")
    return values


def _directions(file: h5py.File, count: int, name: str) -> Float64[np.ndarray, "m 3"]:
    place = _numbers(file, "SourcePosition", name)
    if place.shape != (count, 3):
        raise UnsafeFileError(f"HRTF {name}: expected SourcePosition of [{count}, 3], got {place.shape}")
    kind = _text(file["SourcePosition"].attrs.get("Type")) or "spherical"
    if kind == "spherical":
        azimuth, elevation = np.deg2rad(place[:, 0]), np.deg2rad(place[:, 1])
        flat = np.cos(elevation)
        return np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], -1)
    if kind != "cartesian":
        raise UnsafeFileError(f"HRTF {name}: expected spherical or cartesian SourcePosition, got {kind!r}")
    length = np.linalg.norm(place, axis=1, keepdims=True)
    if not (length > 0).all():
        raise UnsafeFileError(f"HRTF {name}: a source stands in the middle of the head")
    return place / length


def _check_listener(file: h5py.File, name: str) -> None:
    for key, expected in (("ListenerView", (1.0, 0.0, 0.0)), ("ListenerUp", (0.0, 0.0, 1.0))):
        if key not in file or (_text(file[key].attrs.get("Type")) or "cartesian") != "cartesian":
            continue
        seen = _numbers(file, key, name).reshape(-1, 3)
        if not np.allclose(seen, expected, atol=1e-6):
            raise UnsafeFileError(f"HRTF {name}: expected {key} {expected}, got {seen[0]}")


def _left_ear(file: h5py.File, name: str) -> int:
    """Which receiver is the left ear: the one at positive y; receiver 0 where the file does not say."""
    if (
        "ReceiverPosition" not in file
        or (_text(file["ReceiverPosition"].attrs.get("Type")) or "cartesian") != "cartesian"
    ):
        return 0
    place = _numbers(file, "ReceiverPosition", name)
    if place.ndim < 2 or place.shape[:2] != (2, 3):
        raise UnsafeFileError(f"HRTF {name}: expected ReceiverPosition of two ears [2, 3, ...], got {place.shape}")
    side = place.reshape(2, 3, -1)[:, 1, 0]
    return int(side[1] > side[0])


def _delayed(taps: np.ndarray, delay: np.ndarray, name: str) -> np.ndarray:
    """`Data.Delay` in samples, [1 or m, 2], applied exactly (fractions by the phase of a long enough FFT)."""
    if delay.ndim != 2 or delay.shape[0] not in (1, len(taps)) or delay.shape[1] != 2:
        raise UnsafeFileError(f"HRTF {name}: expected Data.Delay of [1 or {len(taps)}, 2], got {delay.shape}")
    if not (delay.min() >= 0 and delay.max() <= MAX_TAPS):
        raise UnsafeFileError(
            f"HRTF {name}: expected Data.Delay in 0..{MAX_TAPS} samples, got {delay.min()}..{delay.max()}"
        )
    spread = delay - delay.min()  # the delay common to all is distance, not direction
    if not spread.any():
        return taps
    longer = taps.shape[-1] + int(np.ceil(spread.max())) + 32
    if len(taps) * 2 * longer > MAX_VALUES:
        raise UnsafeFileError(f"HRTF {name}: Data.Delay up to {delay.max()} samples makes the set too large")
    turns = -2j * np.pi * np.fft.rfftfreq(2 * longer)
    moved = np.fft.irfft(np.fft.rfft(taps, 2 * longer) * np.exp(turns * spread[..., None]), 2 * longer)
    return moved[..., :longer]
