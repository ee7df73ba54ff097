"""The kernel as WebAssembly against the NumPy executor: the browser's sound is the package's sound."""

import numpy as np
import pytest

from sonoworld.encode.options import EncodeOptions
from sonoworld.render.engine_numpy import NumpyExecutor
from sonoworld.render.executor import Plan, Shape
from sonoworld.render.hrtf import hrir
from test_native_kernel import LAWS, SOURCES, rendered
from wasm_executor import wasm_executor


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("order", "block"), [(1, 128), (3, 128), (5, 128), (7, 128), (3, 100), (2, 7), (4, 512)])
def test_wasm_equals_numpy(order: int, block: int, law: str) -> None:
    laws = LAWS[law].model_copy(update={"order": order})
    plan = Plan(order, 48000, block, SOURCES, hrir("kemar", order), laws)
    expected = rendered(NumpyExecutor(plan), block, order)
    with wasm_executor(plan) as executor:
        got = rendered(executor, block, order)
    assert np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max()


def test_nonsense_is_refused() -> None:
    plan = Plan(1, 48000, 128, 2, hrir("kemar", 1), EncodeOptions(order=1))
    with wasm_executor(plan) as executor:
        assert not executor.place(2, np.zeros(3), 1.0, Shape(), None)
        assert not executor.place(0, np.array([np.nan, 0.0, 0.0]), 1.0, Shape(), None)
        assert not executor.listener(np.array([np.inf, 0.0, 0.0]), 0.0, 0.0, 0.0)
        assert not executor.remove(-1)
        sizes = [1, 128, 2, hrir("kemar", 1), 256, np.zeros(6)]
        for wrong in ((0, 0), (0, 11), (1, 0), (2, 0), (2, 5000), (4, 0)):
            refused = [wrong[1] if at == wrong[0] else value for at, value in enumerate(sizes)]
            assert executor.call("make", *refused, None, 0, None, None, 0, 0, engine=False) == 0
