"""The bookkeeping of bench/realtime.py: turns, percentiles, delays, claims, and peers that are missing. No timings."""

import gc
import importlib
import json
import re
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.hrtf import hrir

BENCH = Path(__file__).parent.parent / "bench"
sys.path += [str(BENCH), str(BENCH / "peers")]

realtime: Any = importlib.import_module("realtime")
claims: Any = importlib.import_module("peers.realtime_claims")
environments: Any = importlib.import_module("peers.realtime_environments")
rounds: Any = importlib.import_module("peers.realtime_rounds")
scenes: Any = importlib.import_module("peers.realtime_scene")
table: Any = importlib.import_module("peers.realtime_table")
serving: Any = importlib.import_module("realtime_serve")
stream: Any = importlib.import_module("realtime_stream")

Case, Delay, Timing, Measured = rounds.Case, rounds.Delay, rounds.Timing, claims.Measured
Missing: type[Exception] = environments.PeerMissingError
ONE, FIVE = Case("moving", 1), Case("moving", 5)


class Fake:
    """Takes as many ns as blocks were asked for, writes down its turns, and fails at one of them."""

    def __init__(
        self, name: str, log: list[tuple[str, Any, int, int]], orders: tuple[int, ...], fails: int = -1
    ) -> None:
        self.name, self.log, self.orders, self.fails = name, log, orders, fails
        self.turns = 0

    def can(self, case: Any) -> bool:
        return case.order in self.orders

    def run(self, case: Any, warm: int, blocks: int) -> list[int]:
        if self.turns == self.fails:
            raise Missing("it stopped")
        self.turns += 1
        self.log.append((self.name, case, warm, blocks))
        return [blocks] * blocks


def test_turns_go_round() -> None:
    expected = [(ONE, "a"), (ONE, "b"), (FIVE, "a"), (FIVE, "b")]
    assert list(rounds.turns(["a", "b"], [ONE, FIVE], 3)) == 3 * expected


def test_systems_take_turns_and_skip_what_they_cannot() -> None:
    log: list[tuple[str, Any, int, int]] = []
    workers = {"a": Fake("a", log, (1, 5)), "b": Fake("b", log, (1,)), "c": Fake("c", log, (1, 5))}
    times, failed = rounds.interleaved(workers, {ONE: 10, FIVE: 4}, 3, warm=2)
    one_round = [("a", ONE, 2, 4), ("b", ONE, 2, 4), ("c", ONE, 2, 4), ("a", FIVE, 2, 2), ("c", FIVE, 2, 2)]
    assert log == 3 * one_round
    assert failed == {}
    assert set(times) == {("a", ONE), ("b", ONE), ("c", ONE), ("a", FIVE), ("c", FIVE)}
    assert times["a", ONE] == 3 * [[4, 4, 4, 4]]


def test_who_fails_is_named_and_left_out() -> None:
    log: list[tuple[str, Any, int, int]] = []
    workers = {"a": Fake("a", log, (1, 5)), "b": Fake("b", log, (1, 5), fails=1)}
    times, failed = rounds.interleaved(workers, {ONE: 4, FIVE: 4}, 2)
    assert failed == {"b": "it stopped (moving, order 5)"}
    assert {name for name, _ in times} == {"a"}
    assert len(times["a", FIVE]) == 2


def test_percentiles_by_hand() -> None:
    # 1..100 µs in two rounds: between the 50th and 51st, and 0.01 of the way from the 99th to the 100th
    found = rounds.timing([[1000 * n for n in range(1, 51)], [1000 * n for n in range(51, 101)]])
    assert found.p50_ms == pytest.approx(0.0505)
    assert found.p99_ms == pytest.approx(0.09901)
    assert (found.max_ms, found.blocks) == (pytest.approx(0.1), 100)


def test_the_quietest_round_counts() -> None:
    loud, quiet = [10] * 90 + [1000] * 10, [10] * 90 + [15] * 10
    assert rounds.timing([loud, quiet, loud]).best_spread == pytest.approx(1.5)
    assert rounds.timing([loud]).best_spread == pytest.approx(100)


@given(st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_a_delay_is_found(lag: int, seed: int) -> None:
    reference = np.random.default_rng(seed).standard_normal((2, 64))
    response = np.zeros((2, 512))
    response[:, lag : lag + 64] = reference
    assert rounds.delay(response, reference, True) == Delay(lag, 0.0)
    assert rounds.delay(0.5 * response, reference, False) == Delay(lag, None)


def test_a_wrong_sample_is_an_error() -> None:
    reference = np.random.default_rng(0).standard_normal((2, 64))
    response = np.pad(reference, ((0, 0), (0, 200)))
    response[1, 250] = 0.5 * np.abs(reference).max()
    assert rounds.delay(response, reference, True) == Delay(0, pytest.approx(0.5))


def test_timed_counts_poses_and_keeps_warm_ones_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    collecting: list[bool] = []

    def step(i: int) -> None:
        seen.append(i)
        collecting.append(gc.isenabled())

    poses = count()
    assert len(serving.timed(step, poses, 3, 5)) == 5
    assert len(serving.timed(step, poses, 0, 2)) == 2
    assert seen == list(range(10))
    assert collecting == [True] * 3 + [False] * 7
    assert gc.isenabled()
    monkeypatch.setattr(serving, "TURN_S", 0.0)
    assert len(serving.timed(step, poses, 0, 100)) == 1


WORKER = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
from realtime_serve import About, Heard, serve
class System:
    def about(self):
        return About("1.0", (1,), ("moving",), "nothing")
    def prepare(self, scene, order):
        def step(i):
            print("chatter of a library")
            if i == 12:
                raise RuntimeError("no more blocks")
        return step
    def impulse(self, order):
        response = np.zeros((2, 32))
        response[:, 5] = 1
        return Heard(response, np.ones((2, 1)), True)
serve(System())
"""


def worker(folder: Path) -> Any:
    program = folder / "worker.py"
    program.write_text(WORKER.format(folder=str(BENCH / "peers")))
    return rounds.Worker([sys.executable, str(program)], folder / "log", None)


def test_a_worker_stays_answers_and_says_why_it_ended(tmp_path: Path) -> None:
    made = worker(tmp_path)
    try:
        assert made.about["version"] == "1.0"
        assert made.can(ONE)
        assert not made.can(FIVE)
        assert not made.can(Case("static", 1))
        assert len(made.run(ONE, 2, 4)) == 4
        assert made.impulse(1) == Delay(5, 0.0)
        assert len(made.run(ONE, 0, 3)) == 3
        with pytest.raises(Missing, match="no more blocks"):
            made.run(ONE, 0, 20)
        with pytest.raises(Missing, match="no more blocks"):
            made.run(ONE, 0, 1)
    finally:
        made.close()


def test_a_peer_that_cannot_start_is_named(tmp_path: Path) -> None:
    def absent(_: Path) -> list[str]:
        raise Missing("this system has no apt-get")

    wanted: dict[str, Callable[[Path], list[str]]] = {
        claims.SPATIAL: absent,
        claims.SPAUDIOPY: lambda _: [sys.executable, "-c", "raise ValueError('too new')"],
    }
    workers, missing = realtime.started(wanted, tmp_path, None)
    assert workers == {}
    assert missing == {
        claims.SPATIAL: "this system has no apt-get",
        claims.SPAUDIOPY: "ValueError: too new",
        claims.SPHERICAL: "not asked for (--peers)",
    }


def measured(ours_ms: float, spread: float = 1.5, **more: Any) -> Any:
    """Peers take 1 ms, we what is given."""
    peers = [claims.SPATIAL, claims.SPAUDIOPY]
    theirs = {(p, Case("moving", n)): Timing(1, 1, 1, 100, 1) for p in peers for n in (1, 3, 5)}
    ours = {(claims.NATIVE, Case("moving", n)): Timing(ours_ms, 1, 1, 100, spread) for n in (1, 3, 5)}
    many = {(claims.NATIVE, claims.MANY): Timing(0.4, 1, 1, 100, 1)}
    given = {
        "missing": {},
        "delays": {(claims.NATIVE, 1): Delay(0, 1e-7)},
        "allocations": {"into": 0.0, "all_on": 0.0, "known": 1.0},
    }
    return Measured({**theirs, **ours, **many}, **{**given, **more})


def verdicts(found: Any) -> dict[str, bool | None]:
    return {one.text: one.holds for one in claims.claims(found)}


def test_all_claims_hold_where_all_is_well() -> None:
    found = verdicts(measured(0.02))
    assert set(found.values()) == {True}
    assert len(found) == 5 + 3 + 3


@pytest.mark.parametrize(
    ("peer", "order", "limit"),
    [
        ("libspatialaudio", 1, 0.16),
        ("libspatialaudio", 3, 0.065),
        ("spaudiopy", 1, 1 / 15),
        ("spaudiopy", 3, 1 / 30),
        ("spaudiopy", 5, 1 / 40),
    ],
)
def test_every_ratio_has_its_limit(peer: str, order: int, limit: float) -> None:
    def holds(ours_ms: float) -> bool | None:
        named = [v for text, v in verdicts(measured(ours_ms)).items() if peer in text and f"order {order}:" in text]
        assert len(named) == 1
        return named[0]

    assert holds(0.999 * limit) is True
    assert holds(1.001 * limit) is False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"spread": 2.0}, "p99 < 2 x p50"),
        ({"delays": {(claims.NATIVE, 1): Delay(0, 0.0), (claims.NATIVE, 3): Delay(1, 0.0)}}, "added samples"),
        ({"delays": {(claims.NATIVE, 1): Delay(0, 2e-6)}}, "added samples"),
        ({"allocations": {"into": 0.0, "all_on": 0.001, "known": 1.0}}, "allocations"),
        ({"allocations": {"into": 0.0, "all_on": 0.0, "known": 0.0}}, "allocations"),
    ],
)
def test_a_claim_fails_alone(change: dict[str, Any], text: str) -> None:
    failed = [name for name, holds in verdicts(measured(0.02, **change)).items() if not holds]
    assert failed
    assert all(text in name for name in failed)


def without_spaudiopy() -> Any:
    whole = measured(0.02)
    timings = {key: value for key, value in whole.timings.items() if key[0] != claims.SPAUDIOPY}
    return Measured(timings, {claims.SPAUDIOPY: "no network [here]"}, whole.delays, {}, whole.allocations)


def test_a_missing_peer_is_named_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    found = without_spaudiopy()
    unshown = [one for one in claims.claims(found) if one.holds is None]
    assert len(unshown) == 3
    assert all("spaudiopy" in one.text and one.got == "spaudiopy: no network [here]" for one in unshown)
    about = {claims.NATIVE: {"version": "1", "differs": "ours"}}
    table.show(found, about, {"cpu": "a"})
    assert "missing: spaudiopy: no network [here]" in capsys.readouterr().out
    said = json.loads(table.document(found, about, {"cpu": "a"}))
    assert said["missing"] == {"spaudiopy": "no network [here]"}
    assert [one["holds"] for one in said["claims"]].count(None) == 3


@pytest.mark.parametrize(
    ("found", "words", "code"),
    [
        (measured(0.02), [], 0),
        (measured(0.9), [], 1),
        (measured(0.9), ["--report"], 0),
        (without_spaudiopy(), [], 1),
        (without_spaudiopy(), ["--report", "--json"], 0),
    ],
)
def test_exit_code(found: Any, words: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*_: object) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        return found, {}, {}

    monkeypatch.setattr(realtime, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["realtime.py", *words])
    assert realtime.main() == code


def test_reasons_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SONOWORLD_BENCH_CACHE", str(tmp_path))
    assert environments.cache_folder() == tmp_path
    compiler = tmp_path / "compiler.py"
    compiler.write_text("import sys; sys.exit('In file a.h\\na.cpp:1: error: no such type\\n1 error')")
    monkeypatch.setenv("CXX", f"{sys.executable} {compiler}")
    with pytest.raises(Missing, match=r"a\.cpp:1: error: no such type$"):
        environments.built("nothing", compiler, None)
    monkeypatch.setattr(environments.shutil, "which", lambda _: None)
    with pytest.raises(Missing, match="no apt-get"):
        environments.debian_root("x", "libspatialaudio-dev")
    monkeypatch.setattr(environments.sys, "platform", "darwin")
    with pytest.raises(Missing, match="Linux only"):
        environments.spatialaudio_program()


def test_everything_moves_in_every_block_and_comes_back() -> None:
    here = scenes.scene()
    for values in (here.positions, here.heads[:, None], here.rotations.reshape(scenes.POSES, 1, 9)):
        steps = np.linalg.norm(np.roll(values, -1, 0) - values, axis=-1)
        assert steps.min() > 1e-6
        assert steps.max() < 5 * np.median(steps)  # the last step, back to the first pose, is like the others


def test_the_scene_is_in_our_axes() -> None:
    here = scenes.scene(3)
    for p in (0, 100, 555):
        rotation = world_from_head_rotation(*here.head_angles[p])
        np.testing.assert_allclose(here.rotations[p], rotation, atol=1e-15)
        azimuth, elevation = here.seen[p].T
        unit = np.stack(
            [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)], -1
        )
        offsets = (here.positions[p] - here.heads[p]) @ rotation
        np.testing.assert_allclose(unit, offsets / np.linalg.norm(offsets, axis=-1, keepdims=True), atol=1e-12)
        alpha, beta, gamma = scenes.zyz(rotation)
        about_y = np.array([[np.cos(beta), 0, np.sin(beta)], [0, 1, 0], [-np.sin(beta), 0, np.cos(beta)]])
        again = world_from_head_rotation(alpha, 0.0) @ about_y @ world_from_head_rotation(gamma, 0.0)
        np.testing.assert_allclose(again, rotation, atol=1e-12)


def test_the_compiled_peer_reads_the_same_scene(tmp_path: Path) -> None:
    scenes.write(tmp_path)
    source = (BENCH / "peers" / "realtime_spatialaudio.cpp").read_text("utf-8")
    sizes = {name: int(n) for name, n in re.findall(r"\b(BLOCK|SOURCES|POSES|SIGNAL_BLOCKS) = (\d+)", source)}
    assert sizes == {name: getattr(scenes, name) for name in ("BLOCK", "SOURCES", "POSES", "SIGNAL_BLOCKS")}
    here, rows = scenes.scene(), np.fromfile(tmp_path / "angles.f64", "<f8").reshape(scenes.POSES, 3 + 2 * 8)
    np.testing.assert_array_equal(rows[:, :3], here.head_angles)
    np.testing.assert_array_equal(rows[:, 3::2], here.room[..., 0])
    heard = np.fromfile(tmp_path / "signal.f32", "<f4").reshape(64, 8, 256)
    np.testing.assert_array_equal(heard, scenes.signal())


def our_parts(order: int, inverse: bool = False) -> Any:
    """Our own functions as a library without an engine."""
    rotations = scenes.scene().rotations

    def gains(azimuth: np.ndarray, zenith: np.ndarray) -> np.ndarray:
        level = np.sin(zenith)
        unit = np.stack([np.cos(azimuth) * level, np.sin(azimuth) * level, np.cos(zenith)], -1)
        return harmonics(unit, order)

    def turn(i: int) -> np.ndarray:
        return rotation_matrix(rotations[i] if inverse else np.ascontiguousarray(rotations[i].T), order)

    def decode(field: np.ndarray, filters: np.ndarray) -> np.ndarray:
        pairs = [[np.convolve(x, h) for x, h in zip(field, ear, strict=True)] for ear in filters]
        return np.sum(pairs, 1)

    return stream.Parts(gains, turn, decode, hrir("kemar", order))


def test_a_library_without_an_engine_becomes_a_stream() -> None:
    system = stream.Streamed("1", "", our_parts)
    heard = system.impulse(2)
    found = rounds.delay(heard.response, heard.reference, heard.exact)
    assert found.samples == 0
    assert found.error < 1e-6
    moving, turned = system.prepare("moving", 2), system.prepare("turned", 2)
    for i in range(3):
        np.testing.assert_allclose(moving(i), turned(i), atol=1e-6)
    still, single = system.prepare("static", 2), system.prepare("single", 2)
    assert still(0).shape == single(0).shape == (2, 256)


def test_a_library_that_turns_the_other_way_is_refused() -> None:
    system = stream.Streamed("1", "", lambda order: our_parts(order, inverse=True))
    with pytest.raises(RuntimeError, match="another way"):
        system.prepare("moving", 1)


def test_blocks_are_shared_and_every_claim_has_its_case() -> None:
    planned = realtime.plan([1, 3, 5], 4000)
    assert all(planned[Case("moving", order)] == 4000 for order in (1, 3, 5))
    assert planned[claims.MANY] == 1000
    assert {case.scene for case in planned} == {"moving", "all_on", "static", "single", "turned", "many"}
    assert min(realtime.plan([1], 1).values()) == 1
    assert set(realtime.commands([])) == {claims.SPIN, claims.NATIVE, claims.NUMPY}
    assert claims.SPATIAL_SHORT in realtime.commands([claims.SPATIAL])
