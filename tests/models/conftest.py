"""What the tests of adapters share: a torchvision that imports."""

from pathlib import Path

import pytest
from torchvision_nms import stand_in

from sonoworld.understand import vlm_cache


@pytest.fixture(scope="session", autouse=True)
def torchvision_imports() -> object:
    pytest.importorskip("torch")
    try:
        return stand_in()
    except ImportError:
        pytest.skip("torchvision is not installed")


@pytest.fixture(autouse=True)
def answers_of_this_test_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answers of other tests, and none left in the user's folder."""
    monkeypatch.setattr(vlm_cache, "folder", lambda: tmp_path / "answers")
