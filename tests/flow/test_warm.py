"""What is kept from scene to scene: made once, within its budget, gone when memory runs out; no byte changes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import small_world
from hypothesis import given
from hypothesis import strategies as st
from small_world import Amount

from sonoworld import plan, testing
from sonoworld.backend import BACKEND_STAGES, Backend, Options, Weights, find
from sonoworld.errors import InputError, SonoworldError, StageError
from sonoworld.flow import make_scene
from sonoworld.recipe import Choice, Recipe
from sonoworld.warm import Keeper


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def counting(made: Counter[str], before: dict[str, Callable[[], None]] | None = None) -> Recipe:
    """The small world, whose backends count how often they are made."""
    plain = small_world.recipe(before)

    def counted(choice: Choice) -> Choice:
        def make(options: Any) -> Any:
            made[choice.backend.stage] += 1
            return choice.backend.make(options)

        return replace(choice, backend=replace(choice.backend, make=make))

    return replace(plain, choices={stage: counted(choice) for stage, choice in plain.choices.items()})


def one_gb(spec: Backend, options: Options) -> float:
    return 1.0


def test_models_are_made_once_and_no_byte_changes(tmp_path: Path) -> None:
    made: Counter[str] = Counter()
    recipe, keeper = counting(made), Keeper(10.0, one_gb)
    for name, seed in (("a", 1), ("b", 2)):
        make_scene(testing.tiny_photo(), recipe, tmp_path / name, seed=seed, keeper=keeper)
        make_scene(testing.tiny_photo(), small_world.recipe(), tmp_path / f"cold-{name}", seed=seed)
    assert made == dict.fromkeys(BACKEND_STAGES, 1)
    assert keeper.kept == tuple(f"{stage}.fake" for stage in BACKEND_STAGES)
    for name in ("a", "b"):
        assert content(tmp_path / name) == content(tmp_path / f"cold-{name}")
    make_scene(testing.tiny_photo(), recipe, tmp_path / "c")
    assert made == dict.fromkeys(BACKEND_STAGES, 2), "without a keeper they are made anew"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30), st.integers(1, 12))
def test_the_budget_holds_at_every_moment(asked: list[tuple[int, int]], budget: int) -> None:
    alive: dict[int, int] = {}

    class Model:
        def __init__(self, amount: int) -> None:
            self.amount = amount
            alive[id(self)] = amount
            kept = sum(alive.values())
            assert kept <= max(budget, amount), "room is made before it is loaded"

        def __del__(self) -> None:
            alive.pop(id(self), None)

    keeper = Keeper(float(budget), lambda spec, options: float(options.amount))  # type: ignore[attr-defined]
    spec = replace(small_world.backend("lift"), make=lambda options: Model(options.amount))
    for amount, _ in asked:
        model = keeper.made(spec, Amount(amount=amount))
        assert model.amount == amount
        del model
        assert sum(alive.values()) <= budget


def test_the_longest_unused_goes_first() -> None:
    keeper = Keeper(2.0, one_gb)
    calibrate, lift, seed = (small_world.backend(stage) for stage in ("calibrate", "lift", "seed"))
    first = keeper.made(calibrate, Amount())
    keeper.made(lift, Amount())
    assert keeper.made(calibrate, Amount()) is first
    keeper.made(seed, Amount())
    assert keeper.kept == ("calibrate.fake", "seed.fake")
    assert keeper.made(calibrate, Amount()) is first
    assert keeper.made(calibrate, Amount(amount=2)) is not first, "other options: another model"
    again = keeper.made(calibrate, Amount(amount=2))
    assert keeper.made(calibrate, Amount(amount=2), "changed files") is not again


@pytest.mark.parametrize("error", [MemoryError, type("OutOfMemoryError", (RuntimeError,), {})])
def test_all_is_let_go_when_memory_runs_out(tmp_path: Path, error: type[Exception]) -> None:
    full = True

    def greedy() -> None:
        if full:
            raise error("tried to allocate")

    made: Counter[str] = Counter()
    recipe, keeper = counting(made, {"understand": greedy}), Keeper(10.0, one_gb)
    with pytest.raises(StageError, match="tried to allocate"):
        make_scene(testing.tiny_photo(), recipe, tmp_path / "world", keeper=keeper)
    assert keeper.kept == ()
    full = False
    make_scene(testing.tiny_photo(), recipe, tmp_path / "world", keeper=keeper)
    assert made["understand"] == 2
    assert made["lift"] == 1, "what was finished is stored"


def test_other_errors_keep_the_models(tmp_path: Path) -> None:
    def fails() -> None:
        raise ValueError("a bad picture")

    keeper = Keeper(10.0, one_gb)
    with pytest.raises(SonoworldError, match="a bad picture"):
        make_scene(testing.tiny_photo(), counting(Counter(), {"understand": fails}), tmp_path / "world", keeper=keeper)
    assert "lift.fake" in keeper.kept


def test_the_plan_says_what_a_model_takes() -> None:
    moge = find("lift", "moge")
    assert plan.kept_gb(moge, moge.options.model_validate({})) == moge.weights[0].size_gb
    assert plan.kept_gb(moge, moge.options.model_validate({"model": "somebody/else"})) == float("inf")
    assert plan.kept_gb(find("lift", "popup"), find("lift", "popup").options()) == 0
    spec = replace(
        small_world.backend("lift"), weights_for=lambda options: (Weights("a/b", 3.0, "MIT", "hf download"),)
    )
    keeper = plan.keeper(3.0 + plan.WORKING_GB)
    assert keeper.made(spec, Amount()) is keeper.made(spec, Amount())
    small = plan.keeper(2.9 + plan.WORKING_GB)
    assert small.made(spec, Amount()) is not small.made(spec, Amount())
    assert small.kept == ()
    with pytest.raises(InputError, match="expected a budget in GB above 0"):
        plan.keeper(plan.WORKING_GB)
