"""The 80 kinds of things of COCO, in the order in which detectors number them, and groups of them.

Source: Lin et al., Microsoft COCO (ECCV 2014); the usual 80 of its 91 numbers.
"""

NAMES: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear",
    "hair drier", "toothbrush",
)  # fmt: skip

ROAD_VEHICLES = frozenset({"car", "bus", "truck", "motorcycle"})
VEHICLES = ROAD_VEHICLES | {"bicycle", "train", "boat", "airplane"}
ANIMALS = frozenset(NAMES[14:24])
STREET_AND_FIELD = VEHICLES | (ANIMALS - {"dog", "cat"}) | {"traffic light"}
"""Things that are not met in rooms."""

INDOOR = frozenset(
    {"couch", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "microwave", "oven",
     "toaster", "sink", "refrigerator", "book", "vase", "hair drier", "toothbrush", "wine glass", "cup", "bowl"}
)  # fmt: skip
"""Things that mostly stand in rooms; chairs, clocks, bottles and plants stand outdoors too and say nothing."""

ALIKE: tuple[frozenset[str], ...] = (ROAD_VEHICLES | {"train"}, ANIMALS, frozenset({"bicycle", "motorcycle"}))
"""Kinds that the detector takes for one another: two of one group in one place are one thing."""


def alike(a: str, b: str) -> bool:
    """Whether two labels may name the same thing."""
    return a == b or any(a in group and b in group for group in ALIKE)
