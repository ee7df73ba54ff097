"""What bench/realtime.py claims, against what it measured. A claim about a peer that is missing is not shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from peers.realtime_rounds import Case, Delay, Timing

NATIVE, NUMPY, SPIN = "sonoworld native", "sonoworld numpy", "spin loop"
SPAUDIOPY, SPHERICAL = "spaudiopy", "spherical-array-processing"
FOOTPRINT = "memory and allocations"
SPATIAL, SPATIAL_SHORT = "libspatialaudio", "libspatialaudio, 256-tap HRTF"

RATIOS = (
    (SPATIAL, 1, "0.16"),
    (SPATIAL, 3, "0.065"),
    (SPAUDIOPY, 1, "1/15"),
    (SPAUDIOPY, 3, "1/30"),
    (SPAUDIOPY, 5, "1/40"),
)
"""Peer, order, and the most that our p50 may be of its p50."""

SAF_MS = {1: (0.043, 0.076), 3: (0.088, 0.148), 5: (0.188, 0.273), 7: (0.387, 0.531)}
"""p50, p99 of Spatial_Audio_Framework 1.3.2 (ambi_enc, rotator, ambi_bin) in this scene: quoted, another machine."""
SAF_DELAY_SAMPLES = 2048
MANY = Case("many", 5)
MANY_LIMIT_MS = 0.5
SPREAD_LIMIT = 2.0
EXACT = 1e-6


@dataclass(frozen=True, slots=True)
class Measured:
    """All numbers of a run; `missing`: why a system is not in it."""

    timings: Mapping[tuple[str, Case], Timing]
    missing: Mapping[str, str]
    delays: Mapping[tuple[str, int], Delay] = field(default_factory=dict[tuple[str, int], Delay])
    memory_mib: Mapping[tuple[str, int], float] = field(default_factory=dict[tuple[str, int], float])
    allocations: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Claim:
    """`holds` is None where nothing could be measured; `got` then says why."""

    text: str
    got: str
    holds: bool | None


def claims(found: Measured) -> list[Claim]:
    """Every claim, in the order in which it is printed."""
    return [
        *(_ratio(found, *one) for one in RATIOS),
        *(_spread(found, order) for order in sorted(_orders(found))),
        _many(found),
        _delay(found),
        _allocations(found),
    ]


def _orders(found: Measured) -> set[int]:
    return {case.order for name, case in found.timings if name == NATIVE and case.scene == "moving"}


def _absent(found: Measured, *names: str) -> str:
    reasons = [f"{name}: {found.missing[name]}" for name in names if name in found.missing]
    return "; ".join(reasons) or "not measured in this run"


def _ratio(found: Measured, peer: str, order: int, limit: str) -> Claim:
    text = f"order {order}: p50 <= {limit} x {peer}"
    ours, theirs = (found.timings.get((name, Case("moving", order))) for name in (NATIVE, peer))
    if ours is None or theirs is None:
        return Claim(text, _absent(found, NATIVE, peer), None)
    ratio = ours.p50_ms / theirs.p50_ms
    return Claim(text, f"{ratio:.4f}", ratio <= Fraction(limit))


def _spread(found: Measured, order: int) -> Claim:
    timing = found.timings[NATIVE, Case("moving", order)]
    text = f"order {order}: p99 < {SPREAD_LIMIT:g} x p50 in the quietest round"
    got = f"{timing.best_spread:.2f} (all rounds {timing.p99_ms / timing.p50_ms:.2f})"
    return Claim(text, got, timing.best_spread < SPREAD_LIMIT)


def _many(found: Measured) -> Claim:
    text = f"64 moving sources at order 5: p50 < {MANY_LIMIT_MS:g} ms"
    timing = found.timings.get((NATIVE, MANY))
    if timing is None:
        return Claim(text, _absent(found, NATIVE), None)
    return Claim(text, f"{timing.p50_ms:.4f} ms", timing.p50_ms < MANY_LIMIT_MS)


def _delay(found: Measured) -> Claim:
    text = f"0 added samples, and the answer to an impulse is the filters' own within {EXACT:g}"
    ours = [one for (name, _), one in found.delays.items() if name == NATIVE]
    if not ours:
        return Claim(text, _absent(found, NATIVE), None)
    samples, error = sorted({one.samples for one in ours}), max(one.error or 0.0 for one in ours)
    return Claim(text, f"{'/'.join(map(str, samples))} samples, {error:.1e}", samples == [0] and error <= EXACT)


def _allocations(found: Measured) -> Claim:
    text = "0 allocations a block, all on too, where the caller brings the output array"
    if "into" not in found.allocations:
        return Claim(text, _absent(found, FOOTPRINT, NATIVE), None)
    counted = max(found.allocations["into"], found.allocations["all_on"])
    works = found.allocations["known"] >= 1
    return Claim(text, f"{counted:g}" if works else "the counter does not count", works and counted == 0)
