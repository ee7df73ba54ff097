"""What bench/realtime.py prints: tables for people, or one JSON document."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from peers.realtime_claims import NATIVE, NUMPY, SAF_DELAY_SAMPLES, SAF_MS, SPIN, Claim, Measured, claims
from peers.realtime_rounds import Case, Timing
from peers.realtime_scene import BUDGET_MS

SAF = "SAF (quoted, other machine)"
OTHERS = {
    "static": "nothing moves",
    "single": "one moving source",
    "turned": "peers given directions in head axes, without rotating",
    "many": "64 moving sources",
}


def show(found: Measured, about: Mapping[str, Mapping[str, Any]], machine: Mapping[str, Any]) -> None:
    """Everything, for people."""
    console = Console(highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), soft_wrap=True)
    spin = [timing for (name, _), timing in found.timings.items() if name == SPIN]
    if spin:
        worst, best = (choose(t.p99_ms / t.p50_ms for t in spin) for choose in (max, min))
        console.print(
            f"how quiet the core was: a loop of {spin[0].p50_ms:.3f} ms that does nothing else had p99 / p50 of "
            f"{best:.2f} to {worst:.2f} by scene, {min(t.best_spread for t in spin):.2f} in its quietest round",
            soft_wrap=True,
        )
    console.print(_moving(found))
    console.print("all on: air (ISO 9613-1), travel time and Doppler, a cardioid for every source, in all 8")
    for scene, words in OTHERS.items():
        if any(case.scene == scene for name, case in found.timings if name != SPIN):
            console.print(f"\n{words}: p50 / p99, µs a block", style="italic")
            console.print(_other(found, scene))
    console.print(_beyond(found))
    console.print(_allocations(found), soft_wrap=True)
    console.print("What each does in a block beside encoding, turning and two ears, and where it differs:")
    for name, said in about.items():
        console.print(f"  {name} {said['version']}: {said['differs']}", soft_wrap=True, markup=False)
    for name, reason in found.missing.items():
        console.print(f"  [bold]missing[/]: {name}: {escape(reason)}", soft_wrap=True)
    console.print(_claims(claims(found)))


def document(found: Measured, about: Mapping[str, Mapping[str, Any]], machine: Mapping[str, Any]) -> str:
    """Everything, as JSON."""
    timings = [
        {"system": name, **asdict(case), **asdict(timing)} for (name, case), timing in sorted_timings(found.timings)
    ]
    delays = [{"system": name, "order": order, **asdict(one)} for (name, order), one in found.delays.items()]
    memory = [{"system": name, "order": order, "mib": mib} for (name, order), mib in found.memory_mib.items()]
    whole = {"machine": machine, "systems": about, "missing": found.missing, "timings": timings, "delays": delays}
    more = {"memory": memory, "allocations": found.allocations, "claims": [asdict(one) for one in claims(found)]}
    return json.dumps({**whole, **more}, indent=1)


def sorted_timings(
    timings: Mapping[tuple[str, Case], Timing],
) -> list[tuple[tuple[str, Case], Timing]]:
    """By order, then scene, in the order of measurement."""
    return sorted(timings.items(), key=lambda item: item[0][1].order)


def _moving(found: Measured) -> Table:
    table = Table(title=f"8 moving sources, turning head: ms a block (budget {BUDGET_MS:.3f} ms)", title_justify="left")
    table.add_column("order", justify="right")
    table.add_column("system", overflow="fold")
    for name in ("p50", "p99", "max", "p50 / ours"):
        table.add_column(name, justify="right", no_wrap=True)
    shown = [(k, t) for k, t in sorted_timings(found.timings) if k[1].scene in ("moving", "all_on") and k[0] != SPIN]
    for order in sorted({case.order for (_, case), _ in shown}):
        ours = found.timings.get((NATIVE, Case("moving", order)))
        for (name, case), timing in shown:
            if case.order == order:
                label = name if case.scene == "moving" else f"{name}, all on"
                table.add_row(str(order), label, *_three(timing), f"{timing.p50_ms / ours.p50_ms:.1f}" if ours else "")
        if order in SAF_MS:
            table.add_row(str(order), SAF, *(f"{ms:.3f}" for ms in SAF_MS[order]), "", "", style="dim")
        table.add_section()
    return table


def _three(timing: Timing) -> tuple[str, str, str]:
    return f"{timing.p50_ms:.4f}", f"{timing.p99_ms:.4f}", f"{timing.max_ms:.3f}"


def _other(found: Measured, scene: str) -> Table:
    here = {key: timing for key, timing in found.timings.items() if key[1].scene == scene and key[0] != SPIN}
    orders = sorted({case.order for _, case in here})
    table = Table("system")
    for order in orders:
        table.add_column(f"order {order}", justify="right", no_wrap=True)
    for name in dict.fromkeys(name for name, _ in here):
        cells = (here.get((name, Case(scene, order))) for order in orders)
        table.add_row(name, *(f"{1e3 * t.p50_ms:.1f} / {1e3 * t.p99_ms:.0f}" if t else "" for t in cells))
    return table


def _beyond(found: Measured) -> Table:
    orders = sorted({order for _, order in (*found.delays, *found.memory_mib)})
    named = " / ".join(map(str, orders))
    table = Table(title="Beside time", title_justify="left")
    table.add_column("system", overflow="fold")
    table.add_column("added\nsamples", justify="right")
    table.add_column("impulse:\nerror / peak", justify="right")
    table.add_column(f"memory, MiB, orders\n{named}", justify="right", no_wrap=True)
    for name in dict.fromkeys(name for name, _ in (*found.delays, *found.memory_mib)):
        delays = [found.delays[name, order] for order in orders if (name, order) in found.delays]
        exact = [one.error for one in delays if one.error is not None]
        samples = " / ".join(str(lag) for lag in dict.fromkeys(one.samples for one in delays))
        memory = [f"{found.memory_mib[name, order]:.2f}" for order in orders if (name, order) in found.memory_mib]
        about = "" if exact or not delays else "about "
        table.add_row(name, f"{about}{samples}", f"{max(exact):.1e}" if exact else "", " / ".join(memory))
    table.add_row(SAF, str(SAF_DELAY_SAMPLES), "", "", style="dim")
    return table


def _allocations(found: Measured) -> str:
    counted = found.allocations
    words = {
        "into": f"{NATIVE} with `out` given",
        "all_on": "all on",
        "as_it_is": "where `process` makes its own array",
        "numpy": NUMPY,
    }
    said = ", ".join(f"{counted[key]:g} {what}" for key, what in words.items() if key in counted)
    return f"allocations a block (calls of malloc and its kin, order 5): {said or 'not counted'}"


def _claims(found: Sequence[Claim]) -> Table:
    table = Table(title="Claims", title_justify="left")
    for name in ("claim", "measured", ""):
        table.add_column(name, overflow="fold")
    words = {True: "[green]holds[/]", False: "[red]fails[/]", None: "[yellow]not shown[/]"}
    for one in found:
        table.add_row(escape(one.text), escape(one.got), words[one.holds])
    return table
