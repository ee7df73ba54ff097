"""How well pixels are told apart into stuff, against regions labelled by hand; and the fit of the learned reading.

    python bench/parsing.py FOLDER [FOLDER ...] [--write HEAD.npz] [--pictures OUT]

The folders hold photos named in `reference/stuff.json`, which says where each is from; boundaries are left unlabelled
there. Printed per photo: accuracy of the rules alone, and of rules and learned reading together where the reading was
fitted on all other photos (leave one out), so that no photo was learned from before it is judged. Photos marked
`judge_only` (their terms forbid some uses) are judged but never learned from. Rules were set by hand on those called
development photos. Claim: on photos nobody tuned on, together at least 0.08 better than the rules
alone. (0.85 would be wanted there and is not reached.) `--write` fits on all photos and stores the weights that ship.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from sonoworld.backend import Run
from sonoworld.calibrate.lines import LinesOptions, make
from sonoworld.perceive.learned import CELLS, Head, cell_cues, read_panorama, read_photo, views
from sonoworld.perceive.objects import CELL_PX, FEATURES, SIDE_PX, features, letterbox
from sonoworld.perceive.stuff import Stuff, parse
from sonoworld.sphere import camera_pixel_directions, pixel_from_direction, row_elevations
from sonoworld.types import Photo

REFERENCE = Path(__file__).parent / "reference" / "stuff.json"
SIDE = {False: 1024, True: 2048}
UNLABELLED = 255
COMPONENTS, HIDDEN, RIDGE, ROUNDS = 96, 64, 0.001, 40
PER_CLASS, PER_CLASS_VARIED, ZOOM = 200, 60, 1.6
GAIN = 0.08
DEVELOPMENT, OTHERS, JUDGED = "development photos", "others", "never learned from"


@dataclass(frozen=True)
class Labelled:
    name: str
    tuned_on: bool
    judge_only: bool
    panorama: bool
    rgb: np.ndarray
    elevation: np.ndarray
    sigma: float
    labels: np.ndarray


def labelled(folders: list[Path]) -> list[Labelled]:
    """The photos that are there, at working size, with their elevations by the package's own calibration."""
    found: list[Labelled] = []
    for name, entry in json.loads(REFERENCE.read_text("utf-8")).items():
        file = next((f for folder in folders for f in sorted(folder.glob(f"{name}*"))), None)
        if file is None:
            print(f"{name}: not in the folders ({entry['from']})")
            continue
        bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if bgr is None:
            raise SystemExit(f"{file}: expected a picture that OpenCV reads")
        panorama = name.startswith("pano")
        scale = SIDE[panorama] / max(bgr.shape[:2])
        rgb = np.ascontiguousarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1])
        height, width = rgb.shape[:2]
        labels = np.full((height, width), UNLABELLED, np.uint8)
        for kind, polygon in entry["regions"]:
            corners = np.round(np.array(polygon) * [width / 100, height / 100]).astype(np.int32)
            cv2.fillPoly(labels, [corners], int(Stuff[kind.upper()]))
        elevation, sigma = _elevation(rgb, panorama)
        found.append(
            Labelled(
                name,
                entry["from"] == "development photo",
                entry.get("judge_only", False),
                panorama,
                rgb,
                elevation,
                sigma,
                labels,
            )
        )
    return found


def _elevation(rgb: np.ndarray, panorama: bool) -> tuple[np.ndarray, float]:
    height, width = rgb.shape[:2]
    if panorama:
        return np.repeat(row_elevations(height).astype(np.float32)[:, None], width, 1), math.radians(1)
    camera = make(LinesOptions())(Photo(rgb), Run(np.random.default_rng(0)))
    up = camera_pixel_directions(camera.K, (width, height), camera.world_from_camera)[..., 2]
    return np.arcsin(np.clip(up, -1, 1)).astype(np.float32), max(camera.sigma.pitch, math.radians(1))


Square = tuple[np.ndarray, np.ndarray, np.ndarray]


def squares(photo: Labelled) -> list[Square]:
    """Square pictures to learn from: themselves, the elevation of their cells, and the labels of their cells."""
    half = CELL_PX // 2
    if not photo.panorama:
        square, fit = letterbox(photo.rgb)
        cell = (np.arange(CELLS) + 0.5) * CELL_PX
        x, y = np.meshgrid((cell - fit.left) / fit.scale - 0.5, (cell - fit.top) / fit.scale - 0.5)
        at = x.astype(np.float32), y.astype(np.float32)
        above = cv2.remap(photo.elevation, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        labels = cv2.remap(photo.labels, *at, cv2.INTER_NEAREST, borderValue=UNLABELLED)
        return [(square, above, labels)]
    found: list[Square] = []
    for view in views(photo.rgb):
        directions = camera_pixel_directions(view.K, (SIDE_PX, SIDE_PX), view.pose)[half::CELL_PX, half::CELL_PX]
        u, v = pixel_from_direction(directions, len(photo.rgb))
        rows, columns = np.minimum(v.astype(int), len(photo.rgb) - 1), u.astype(int) % (2 * len(photo.rgb))
        found.append((view.square, view.elevation, photo.labels[rows, columns]))
    return found


def varied(square: Square, *, panorama: bool) -> list[Square]:
    """More to learn from: the mirror picture, and four parts of a photo, closer."""
    picture, above, labels = square
    more = [tuple(np.ascontiguousarray(a[:, ::-1]) for a in square)]
    for x, y in () if panorama else ((0.35, 0.4), (0.65, 0.6), (0.35, 0.65), (0.65, 0.4)):
        left, top = ((CELLS * (c - 0.5 / ZOOM)) for c in (x, y))
        part = np.array([[ZOOM, 0, -left * ZOOM], [0, ZOOM, -top * ZOOM]], np.float32)
        pixels = part * [1, 1, CELL_PX]
        more.append(
            (
                cv2.warpAffine(picture, pixels, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR),
                cv2.warpAffine(above, part, (CELLS, CELLS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
                cv2.warpAffine(labels, part, (CELLS, CELLS), flags=cv2.INTER_NEAREST, borderValue=UNLABELLED),
            )
        )
    return more


@dataclass(frozen=True)
class Samples:
    x: np.ndarray
    cues: np.ndarray
    y: np.ndarray
    w: np.ndarray


def samples(photo: Labelled, rng: np.random.Generator) -> list[Samples]:
    """Some cells of each kind in each square and its variations, as the network sees them."""
    taken: list[Samples] = []
    for square in squares(photo):
        taken += cells_of(square, PER_CLASS, 1.0, rng)
        for other in varied(square, panorama=photo.panorama):
            taken += cells_of(other, PER_CLASS_VARIED, 0.5, rng)
    return taken


def cells_of(square: Square, most: int, weight: float, rng: np.random.Generator) -> list[Samples]:
    """Up to `most` cells of each kind; kinds with more cells weigh more, by the root of their number."""
    picture, above, labels = square
    seen = [
        cv2.resize(F[c : c + 4].transpose(1, 2, 0), (CELLS, CELLS), interpolation=cv2.INTER_LINEAR)
        for F in features(picture)
        for c in range(0, len(F), 4)
    ]
    x, cues = np.concatenate(seen, -1), cell_cues(picture, above)
    taken: list[Samples] = []
    for kind in Stuff:
        rows, columns = np.nonzero(labels == kind)
        few = rng.permutation(len(rows))[:most]
        if len(few):
            at = rows[few], columns[few]
            weights = np.full(len(few), weight * len(few) ** -0.5)
            taken.append(Samples(x[at], cues[at], np.full(len(few), int(kind)), weights))
    return taken


def fit(parts: list[Samples], sizes: list[int]) -> Head:
    """A small network on principal components, folded onto the detector's channels."""
    x, cues, y, w = (np.concatenate([getattr(p, f) for p in parts]) for f in ("x", "cues", "y", "w"))
    mean, spread = x.mean(0), x.std(0) + 1e-2
    values, vectors = np.linalg.eigh(np.cov(((x[::3] - mean) / spread).T))
    basis = vectors[:, np.argsort(-values)[:COMPONENTS]] / spread[:, None] / 3
    inputs = torch.tensor(np.concatenate([(x - mean) @ basis, cues], 1).astype(np.float32))
    target, weight = torch.tensor(y), torch.tensor((w / w.mean()).astype(np.float32))
    first, first_bias, out, out_bias = _trained(inputs, target, weight)
    channels = basis @ first[:COMPONENTS]
    maps = np.split(channels, np.cumsum(sizes)[:-1])
    rest = (first[COMPONENTS:], first_bias - mean @ channels, out, out_bias)
    half = [np.ascontiguousarray(part.astype(np.float16).astype(np.float32)) for part in (*maps, *rest)]  # as stored
    return Head(tuple(half[: len(maps)]), *half[len(maps) :])


def _trained(inputs: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> list[np.ndarray]:
    """Weights, bias, weights, bias of one hidden layer, ridge-penalised."""
    torch.manual_seed(0)
    count = inputs.shape[1]
    layers = [torch.randn(count, HIDDEN) / count**0.5, torch.zeros(HIDDEN),
              torch.randn(HIDDEN, len(Stuff)) / HIDDEN**0.5, torch.zeros(len(Stuff))]  # fmt: skip
    W, a, V, v = (layer.requires_grad_() for layer in layers)
    search = torch.optim.LBFGS(layers, max_iter=ROUNDS, history_size=8, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        z = torch.nn.functional.silu(inputs @ W + a) @ V + v
        each = torch.nn.functional.cross_entropy(z, target, reduction="none")
        value = (each * weight).mean() + RIDGE * ((W**2).sum() + (V**2).sum())
        value.backward()
        return value

    search.step(loss)
    return [layer.detach().numpy().astype(np.float64) for layer in layers]


def accuracy(photo: Labelled, head: Head | None) -> tuple[float, np.ndarray]:
    """Share of labelled pixels that are told right, and the kinds of all pixels."""
    read = None
    if head is not None:
        read = read_panorama(photo.rgb, head) if photo.panorama else read_photo(photo.rgb, photo.elevation, head)
    parsed = parse(photo.rgb, photo.elevation, elevation_sigma=photo.sigma, wraps=photo.panorama, learned=read).labels
    judged = photo.labels != UNLABELLED
    return float((parsed[judged] == photo.labels[judged]).mean()), parsed


COLOURS = np.array(
    [[120, 180, 255], [30, 140, 40], [20, 60, 200], [170, 130, 60], [110, 110, 110], [200, 60, 60], [255, 0, 255]]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    torch.manual_seed(0)
    photos = labelled(options.folders)
    rng = np.random.default_rng(0)
    parts = [[] if photo.judge_only else samples(photo, rng) for photo in photos]
    square, _ = letterbox(photos[0].rgb)
    sizes = [len(F) for F in features(square)]
    scores: list[tuple[str, float, float]] = []
    whole = fit([p for part in parts for p in part], sizes)
    for i, photo in enumerate(photos):
        head = whole if photo.judge_only else fit([p for k, part in enumerate(parts) if k != i for p in part], sizes)
        (rules, _), (both, labels) = accuracy(photo, None), accuracy(photo, head)
        group = DEVELOPMENT if photo.tuned_on else JUDGED if photo.judge_only else OTHERS
        scores.append((group, rules, both))
        print(f"{photo.name:<28} rules {rules:.2f}   with the reading {both:.2f}", flush=True)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            shown = (photo.rgb // 2 + COLOURS[labels] // 2).astype(np.uint8)
            cv2.imwrite(str(options.pictures / f"{photo.name}.png"), shown[..., ::-1])
    for group in (DEVELOPMENT, OTHERS, JUDGED):
        chosen = np.array([(rules, both) for name, rules, both in scores if name == group])
        if len(chosen):
            print(f"mean of {len(chosen)} {group}: rules {chosen[:, 0].mean():.3f}, together {chosen[:, 1].mean():.3f}")
    if options.write:
        named = dict(zip(FEATURES, whole.maps, strict=True))
        rest = {name: getattr(whole, name) for name in ("cues", "bias", "out", "out_bias")}
        np.savez(options.write, **{k: v.astype(np.float16) for k, v in {**named, **rest}.items()})
        print(f"{options.write}: {options.write.stat().st_size / 1000:.0f} kB")
    others = np.array([(rules, both) for name, rules, both in scores if name != DEVELOPMENT])
    holds = not len(others) or others[:, 1].mean() >= others[:, 0].mean() + GAIN
    print("holds" if holds else f"FAILS: expected {GAIN} more than the rules on photos nobody tuned on")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
