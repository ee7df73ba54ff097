"""torchvision builds whose C extension does not fit the installed torch: `nms` is put in, so that it imports."""

import sys
from typing import Any


def stand_in() -> Any:
    """Defines `torchvision::nms` where the extension is missing, and returns what must stay alive."""
    import torch  # noqa: PLC0415

    try:
        import torchvision  # noqa: F401, PLC0415
    except RuntimeError:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        ops = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            ops.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        ops.impl("nms", _nms, "CPU")
        return ops
    return None


def _nms(dets, scores, iou_threshold):  # type: ignore[no-untyped-def]
    import torch  # noqa: PLC0415

    order, keep = scores.argsort(descending=True).tolist(), []
    while order:
        i = order.pop(0)
        keep.append(i)
        rest = dets[order]
        low, high = torch.maximum(dets[i, :2], rest[:, :2]), torch.minimum(dets[i, 2:], rest[:, 2:])
        both = (high - low).clamp(min=0).prod(1)
        area = (rest[:, 2:] - rest[:, :2]).prod(1) + (dets[i, 2:] - dets[i, :2]).prod() - both
        order = [j for j, iou in zip(order, (both / area).tolist(), strict=True) if iou <= iou_threshold]
    return torch.tensor(keep, dtype=torch.int64)
