"""SOFA files (AES69-2022): head-related impulse responses measured by others, read with suspicion.

Only free-field HRIRs of one listener and two ears are taken; everything else is an error that says what it is.
Letters: m directions, t taps.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from sonoworld.render.hrirs import HrirSet
from sonoworld.render.sofa_delay import delayed
from sonoworld.render.sofa_places import check_listener, right_ear_first, source_places
from sonoworld.render.sofa_process import SofaTables, read_tables

MIN_TAPS, MAX_TAPS = 16, 65536
MAX_DELAY_SAMPLES = 65536
MAX_VALUES = 64 * 2**20
MIN_DIRECTIONS, MAX_DIRECTIONS = 6, 65536
PEAK_RANGE = (1e-9, 1e9)
NEAREST_OF_FARTHEST = 1 / 1.5
"""Distances within one set: several shells of directions would be averaged into none of them."""

TAKEN = ("SimpleFreeFieldHRIR", "GeneralFIR")
OTHERS = {
    "SimpleFreeFieldHRTF": "it holds spectra: save it as SimpleFreeFieldHRIR",
    "SimpleFreeFieldHRSOS": "it holds second-order sections: save it as SimpleFreeFieldHRIR",
    "FreeFieldHRIR": "save it as SimpleFreeFieldHRIR",
    "FreeFieldHRTF": "it holds spectra: save it as SimpleFreeFieldHRIR",
    "GeneralFIR-E": "save it as SimpleFreeFieldHRIR",
    "GeneralFIRE": "save it as SimpleFreeFieldHRIR",
    "SimpleHeadphoneIR": "it holds responses of headphones, not of a head",
    "SingleRoomDRIR": "it holds responses of a room",
    "SingleRoomSRIR": "it holds responses of a room",
    "SingleRoomMIMOSRIR": "it holds responses of a room",
    "MultiSpeakerBRIR": "it holds responses of a room",
    "FreeFieldDirectivityTF": "it holds the directivity of a source",
}


@dataclass(frozen=True, slots=True)
class Sofa:
    """Impulse responses, and what people want to know about them: nearest and farthest distance, ..."""

    hrirs: HrirSet
    title: str
    convention: str
    radius_m: tuple[float, float]
    ears: str

    @property
    def line(self) -> str:
        """What was loaded, in one line."""
        m, _, t = self.hrirs.taps.shape
        near, far = (f"{radius:.3g}" for radius in self.radius_m)
        return (
            f"{self.title}: {self.convention}, {m} directions, {t} taps at {self.hrirs.rate_hz / 1000:g} kHz, "
            f"radius {near if near == far else f'{near}..{far}'} m, {self.ears}"
        )


def read_sofa(path: Path) -> HrirSet:
    """Impulse responses of a SOFA file with `Data.Delay` applied, ears ordered (left, right), FLU directions.

    Raises:
        UnsafeFileError: see `load_sofa`.
    """
    return load_sofa(path).hrirs


def load_sofa(path: Path) -> Sofa:
    """A SOFA file of free-field HRIRs: conventions SimpleFreeFieldHRIR and GeneralFIR, in the standard's units.

    `Data.Delay` ([1, 2] or [m, 2] samples, fractions too) is applied, less what is common to all: that is distance,
    not direction. The file is opened in another process (`sofa_tables`), so that a damaged one does no harm.

    Raises:
        UnsafeFileError: not a SOFA file of HRIRs, malformed, too large, or pointing into other files.
    """
    return understood(read_tables(path))


def understood(content: SofaTables) -> Sofa:
    """What the tables of a SOFA file mean.

    Raises:
        UnsafeFileError: see `load_sofa`.
    """
    convention = _convention(content)
    for key, table in content.tables.items():
        if table.values.size == 0 or not np.isfinite(table.values).all():
            raise content.refused(key, "finite numbers", "NaN or infinity" if table.values.size else "none")
    taps = _taps(content)
    rate_hz = _rate(content, len(taps))
    check_listener(content)
    places = source_places(content, len(taps))
    radius = np.linalg.norm(places, axis=1)
    if radius.min() < NEAREST_OF_FARTHEST * radius.max():
        raise content.refused(
            "SourcePosition",
            f"one distance (nearest at least {NEAREST_OF_FARTHEST:.2f} of the farthest)",
            f"{radius.min():.3g}..{radius.max():.3g} m",
            "keep one distance per file",
        )
    moved = delayed(taps, _delay(content, taps, rate_hz))
    swapped, ears = right_ear_first(content)
    hrirs = HrirSet(np.ascontiguousarray(moved[:, ::-1] if swapped else moved), places / radius[:, None], rate_hz)
    return Sofa(hrirs, _title(content), convention, (float(radius.min()), float(radius.max())), ears)


def _convention(content: SofaTables) -> str:
    if content.texts.get("Conventions") != "SOFA":
        raise content.refused("attribute Conventions", "'SOFA'", content.quoted("Conventions"))
    convention = content.texts.get("SOFAConventions", "")
    if convention not in TAKEN:
        raise content.refused(
            "attribute SOFAConventions",
            " or ".join(TAKEN),
            content.quoted("SOFAConventions"),
            OTHERS.get(convention, ""),
        )
    if content.texts.get("DataType") != "FIR":
        raise content.refused("attribute DataType", "'FIR'", content.quoted("DataType"))
    return convention


def _taps(content: SofaTables) -> Float64[np.ndarray, "m 2 t"]:
    taps = content.table("Data.IR").values
    if taps.ndim != 3 or taps.shape[1] != 2 or not MIN_TAPS <= taps.shape[2] <= MAX_TAPS:
        raise content.refused(
            "Data.IR", f"[directions, 2 ears, {MIN_TAPS}..{MAX_TAPS} taps]", f"shape {list(taps.shape)}"
        )
    if not MIN_DIRECTIONS <= len(taps) <= MAX_DIRECTIONS:
        raise content.refused("Data.IR", f"{MIN_DIRECTIONS}..{MAX_DIRECTIONS} directions", str(len(taps)))
    peaks = np.abs(taps).max((0, 2))
    if not ((peaks >= PEAK_RANGE[0]) & (peaks <= PEAK_RANGE[1])).all():
        raise content.refused(
            "Data.IR", f"a peak of {PEAK_RANGE[0]:g}..{PEAK_RANGE[1]:g} at each ear", f"{peaks[0]:g}, {peaks[1]:g}"
        )
    return taps


def _rate(content: SofaTables, directions: int) -> float:
    table = content.table("Data.SamplingRate")
    rates = table.values
    if rates.shape not in ((1,), (directions,)) or np.ptp(rates) != 0 or not 8000 <= rates[0] <= 768000:
        raise content.refused(
            "Data.SamplingRate", "one rate of 8000..768000 Hz", f"{rates.reshape(-1)[:3]}, shape {list(rates.shape)}"
        )
    if table.units not in ("", "hertz", "hz"):
        raise content.refused("Data.SamplingRate:Units", "'hertz'", repr(table.units))
    return float(rates[0])


def _delay(content: SofaTables, taps: Float64[np.ndarray, "m 2 t"], rate_hz: float) -> Float64[np.ndarray, "k 2"]:
    """`Data.Delay` less its least, [1 or m, 2]."""
    delay = content.table("Data.Delay", "zeros of [1, 2] mean no delay").values
    if delay.shape not in ((1, 2), (len(taps), 2)):
        raise content.refused("Data.Delay", f"samples of [1, 2] or [{len(taps)}, 2]", f"shape {list(delay.shape)}")
    if not (delay.min() >= 0 and delay.max() <= MAX_DELAY_SAMPLES):
        raise content.refused("Data.Delay", f"0..{MAX_DELAY_SAMPLES} samples", f"{delay.min():g}..{delay.max():g}")
    values = taps.shape[0] * 2 * (taps.shape[2] + np.ptp(delay)) * max(1.0, 48000 / rate_hz)
    if values > MAX_VALUES:
        raise content.refused("Data.IR", f"at most {MAX_VALUES} values, delayed and at 48 kHz", f"{values:.3g}")
    return delay - delay.min()


def _title(content: SofaTables) -> str:
    words = (content.texts.get(key, "") for key in ("ListenerShortName", "Title", "DatabaseName"))
    printable = ("".join(c for c in word if c.isprintable())[:60].strip() for word in words)
    return ", ".join(dict.fromkeys(word for word in printable if word)) or content.path.name
