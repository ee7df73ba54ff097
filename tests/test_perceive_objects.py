"""The detector's session: as many threads as the environment allows."""

import pytest

from sonoworld.perceive import objects


@pytest.mark.parametrize(("allowed", "taken"), [("1", 1), ("2", 2), ("16", 2), ("", 2), ("many", 2), ("0", 1)])
def test_a_worker_among_others_takes_one_core(monkeypatch: pytest.MonkeyPatch, allowed: str, taken: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    assert objects._threads() == taken
