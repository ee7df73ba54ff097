"""What the tests of adapters share: a torchvision that imports."""

import pytest
from torchvision_nms import stand_in


@pytest.fixture(scope="session", autouse=True)
def torchvision_imports() -> object:
    pytest.importorskip("torch")
    try:
        return stand_in()
    except ImportError:
        pytest.skip("torchvision is not installed")
