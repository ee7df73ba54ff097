"""A scene folder as it is made, small: a courtyard, wind all around, a stream on its ground, sounds from `synth`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import small_world

from browser.courtyard import WALL_M, courtyard
from sonoworld import sphere, testing
from sonoworld.backend import Backend, Lifted, Options
from sonoworld.flow import make_scene
from sonoworld.recipe import Choice
from sonoworld.sound.synth import SYNTH, SynthOptions
from sonoworld.types import Geometry, Panorama, Stage

HEIGHT, EYE_M, SKY_M = 128, 1.6, 60.0


def seen() -> tuple[Panorama, Geometry]:
    """What the eye sees of the courtyard: walls 5 m away, ground 1.6 m below, sky from 4 m over the eye on."""
    ahead = sphere.pixel_directions(HEIGHT)
    walls = WALL_M / np.maximum(np.abs(ahead[..., :2]).max(-1), 1e-9)
    ground = np.where(ahead[..., 2] < 0, EYE_M / np.maximum(-ahead[..., 2], 1e-9), np.inf)
    near = np.minimum(walls, ground)
    sky = ahead[..., 2] * near > 4.0
    distance = np.where(sky, SKY_M, near).astype(np.float32)
    wall = np.abs(ahead[..., 0]) > np.abs(ahead[..., 1])
    rgb = np.where(wall[..., None], (200, 40, 40), (40, 60, 200))
    rgb = np.where((ground <= walls)[..., None], (50, 150, 60), rgb)
    rgb = np.where(sky[..., None], (150, 200, 230), rgb).astype(np.uint8)
    geometry = Geometry(distance, -ahead.astype(np.float32), sky, ~sky, metric=True)
    return Panorama(rgb, np.ones(sky.shape, bool)), geometry


def make_garden(folder: Path) -> Path:
    """Make it in `folder`, and return that."""
    panorama, geometry = seen()
    recipe = small_world.recipe()
    choices = {
        **recipe.choices,
        "panorama": _choice("panorama", lambda photo, camera, run: panorama),
        "lift": _choice("lift", lambda panorama, run: Lifted(geometry)),
        "seed": _choice("seed", lambda panorama, geometry, run: courtyard()),
        "sound": Choice(SYNTH, SynthOptions(seconds=4)),
    }
    make_scene(testing.tiny_photo(), replace(recipe, choices=choices), folder)
    return folder


def _choice(stage: Stage, work: Callable[..., Any]) -> Choice:
    return Choice(Backend(stage, "courtyard", "1", "made in code", Options, lambda options: work), Options())
