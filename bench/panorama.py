"""How near the embedded panorama comes to a real one: crops of real panoramas are continued and held against the rest.

    python bench/panorama.py FOLDER [--out PICTURES]

FOLDER holds 2:1 panoramas. For every crop named in CROPS whose panorama is there: a view of 1024×768 is cut out, placed
with its true camera and continued all around at 2048×1024. Printed per crop, over 20° bands of elevation outside the
photo: mean distance of the bands' mean colours (CIE Lab) to the true ones, and the mean log ratio of their deviations
of lightness (0: as lively as the truth, negative: bland); the gradient across ±180° and along the photo's border,
against the picture's own; how much of the invented horizon is a mirror image or repeat of something else in it (largest
correlation of a 20° piece with another, true picture in brackets); seconds and peak memory.
"""

import argparse
import math
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sonoworld.backend import Run
from sonoworld.frames import Pose, world_from_camera_rotation
from sonoworld.panorama.complete import complete
from sonoworld.sphere import camera_pixel_directions, pinhole, row_elevations, sample_panorama
from sonoworld.types import Camera, CameraSigma, Photo

HEIGHT, CROP, ROLL_DEG = 1024, (1024, 768), 2.0
CROPS = (
    ("pano_01", 20, -3, 75, 8.0),
    ("pano_03", 10, -5, 70, 12.5),
    ("pano_04", -60, 3, 75, 10.0),
    ("pano_01", -150, 0, 70, math.inf),
    ("pano_03", 150, -8, 75, math.inf),
)
"""Panorama (start of its name), yaw, pitch, field of view (degrees), and the most its Lab distance may be."""
LIVELINESS, BORDER, SECONDS, GIB = 0.35, (0.7, 1.2), 20.0, 1.5


@dataclass(frozen=True)
class Measured:
    lab: float
    lively: float
    seam: float
    border: float
    mirror: float
    mirror_true: float


def cut(truth: np.ndarray, yaw: float, pitch: float, fov: float) -> tuple[Photo, Camera, np.ndarray]:
    """The crop, its camera facing ahead, and the panorama turned so that the crop's azimuth is ahead."""
    turned = np.roll(truth, round(yaw / 360 * truth.shape[1]), 1)
    K = pinhole(fov, CROP)
    rotation = world_from_camera_rotation(pitch, math.radians(ROLL_DEG))
    camera = Camera(K, CROP, Pose(rotation, np.zeros(3)), CameraSigma(0.0, 0.0, 0.0))
    directions = camera_pixel_directions(K, CROP, camera.world_from_camera)
    return Photo(sample_panorama(turned, directions)), camera, turned


def gradients(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64)
    wide = np.concatenate([grey[:, -2:], grey, grey[:, :2]], 1)
    return np.hypot(cv2.Sobel(wide, cv2.CV_64F, 1, 0), cv2.Sobel(wide, cv2.CV_64F, 0, 1))[:, 2:-2]


def repeats(image: np.ndarray, free: np.ndarray) -> float:
    """Largest correlation between 20° pieces of the horizon band (±12°), plain or mirrored, at least 15° apart."""
    height, width = image.shape[:2]
    rows = np.abs(np.degrees(row_elevations(height))) < 12
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[rows].astype(np.float32)
    detail = grey - cv2.GaussianBlur(np.tile(grey, 3), (0, 0), 40)[:, width : 2 * width]
    columns = np.flatnonzero(free[rows].all(0))
    piece, worst = round(20 / 360 * width), 0.0
    doubled = np.concatenate([detail, detail[:, :piece]], 1)
    for start in columns[:: piece // 2]:
        part = doubled[:, start : start + piece]
        if not free[:, (np.arange(start, start + piece)) % width][rows].all():
            continue
        for shown in (part, part[:, ::-1]):
            found = cv2.matchTemplate(doubled, np.ascontiguousarray(shown), cv2.TM_CCOEFF_NORMED)[0]
            away = np.abs((np.arange(len(found)) - start + width / 2) % width - width / 2)
            worst = max(worst, float(found[away > 15 / 360 * width].max()))
    return worst


def measure(made: np.ndarray, truth: np.ndarray, known: np.ndarray) -> Measured:
    labs = [cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for image in (made, truth)]
    elevation = np.degrees(row_elevations(len(made)))
    distances, livelinesses = [], []
    for low in range(-90, 90, 20):
        rows = (elevation >= low) & (elevation < low + 20)
        free = ~known[rows]
        if free.sum() < 100:
            continue
        ours, theirs = labs[0][rows][free], labs[1][rows][free]
        distances.append(np.linalg.norm(ours.mean(0) - theirs.mean(0)))
        livelinesses.append(np.log((ours[:, 0].std() + 0.5) / (theirs[:, 0].std() + 0.5)))
    grey = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY).astype(np.float64)
    steps = np.abs(grey - np.roll(grey, 1, 1)).mean(0)
    mask = known.astype(np.uint8)
    edge = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    near = (cv2.dilate(mask, np.ones((41, 41), np.uint8)) > 0) & ~edge
    slope = gradients(made)
    return Measured(
        lab=float(np.mean(distances)),
        lively=float(np.mean(livelinesses)),
        seam=float(steps[0] / np.median(steps)),
        border=float(slope[edge].mean() / slope[near].mean()),
        mirror=repeats(made, ~known),
        mirror_true=repeats(truth, ~known),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of panoramas")
    parser.add_argument("--out", type=Path, help="write made and true panoramas here")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of crops")
    options = parser.parse_args()
    failed = 0
    print("crop                     Lab (most)    lively  ±180°  border  repeat (true)   s     GiB")
    for number, (name, yaw, pitch, fov, most) in enumerate(CROPS):
        if options.only is not None and number not in options.only:
            continue
        file = next(options.folder.glob(f"{name}*"), None)
        if file is None:
            sys.exit(f"{options.folder}: expected a panorama named {name}*")
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        truth = cv2.resize(picture, (2 * HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
        photo, camera, truth = cut(truth, yaw, math.radians(pitch), math.radians(fov))
        began = time.perf_counter()
        made = complete(photo, camera, HEIGHT, Run(np.random.default_rng(0)), detect=True)
        seconds = time.perf_counter() - began
        gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        m = measure(made.rgb, truth, made.known)
        fits = m.lab <= most and abs(m.lively) <= LIVELINESS and seconds <= SECONDS and gib <= GIB
        fits = fits and all(BORDER[0] <= ratio <= BORDER[1] for ratio in (m.seam, m.border))
        failed += not fits
        print(
            f"{number} {name} {yaw:+4d} {pitch:+3d} {fov:3d}  {m.lab:5.1f} ({most:4.1f})   {m.lively:+.2f}   "
            f"{m.seam:.2f}   {m.border:.2f}    {m.mirror:.2f} ({m.mirror_true:.2f})   {seconds:5.1f}  {gib:.2f}  "
            f"{'ok' if fits else 'NO'}",
            flush=True,
        )
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            both = np.concatenate([made.rgb, truth])
            cv2.imwrite(str(options.out / f"{number}_{name}.jpg"), cv2.cvtColor(both, cv2.COLOR_RGB2BGR))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
