"""From decibels to a factor on samples, once.

Letters: L level in dB SPL at 1 m of an input whose RMS is 1; 100 dB SPL is RMS 1 (`FULL_SCALE_DB`).
"""

from typing import Literal

from sonoworld.types import FULL_SCALE_DB, Source

Policy = Literal["spl", "paper"]


def source_gain(level_db: float, clip_gain_db: float, policy: Policy = "spl") -> float:
    """Factor that brings stored clip samples to their level at 1 m.

    `spl`: 10^((L − 100)/20) on the clip brought to RMS near 1 by its own gain (CONVENTIONS.md, Level).
    `paper`: 10^(L/20) on the clip as it is (SonoWorld, section on spatialisation: a_i = 10^(v_i/20)·a_raw).
    """
    if policy == "paper":
        return 10.0 ** (level_db / 20)
    return 10.0 ** ((level_db - FULL_SCALE_DB + clip_gain_db) / 20)


def gain_of(source: Source, policy: Policy) -> float:
    """`source_gain` of a source and the clip it carries; a source without a clip is taken at RMS 1."""
    return source_gain(source.level_db, source.clip.clip_gain_db if source.clip else 0.0, policy)
