"""What people read at the end of a verb: tables of sources, and the one-line account of the view."""

import math
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sonoworld.frames import angles_from_direction, camera_angles
from sonoworld.types import Camera, Scene, Source, WalkSurface


def source_record(source: Source) -> dict[str, Any]:
    """A source as `sources --json` lists it: degrees, metres, dB SPL at 1 m; None where it has no place."""
    centroid = source.centroid
    azimuth = elevation = distance = None
    if centroid is not None:
        az, el = angles_from_direction(centroid)
        azimuth, elevation = math.degrees(float(az)), math.degrees(float(el))
        distance = float(np.linalg.norm(centroid))
    return {
        "id": source.id,
        "label": source.label,
        "spread": source.spread.value,
        "azimuth_deg": azimuth,
        "elevation_deg": elevation,
        "distance_m": distance,
        "level_db": source.level_db,
        "solid_angle_sr": source.solid_angle_sr,
        "prompt": source.prompt,
        "confidence": source.confidence,
        "backend": source.backend,
        "imagined": source.imagined,
        "reason": source.reason,
        "sound": source.clip.made_by if source.clip else None,
    }


def sources_table(sources: tuple[Source, ...]) -> Table:
    """Sources for people: what sounds, where, how loud, how sure."""
    table = Table(title="What sounds where", title_justify="left")
    for name in ("id", "kind"):
        table.add_column(name)
    for name in ("az", "el", "distance", "level", "sure"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("prompt")
    for record in map(source_record, sources):
        placed = record["azimuth_deg"] is not None
        table.add_row(
            record["id"],
            record["spread"],
            f"{record['azimuth_deg']:+.0f}°" if placed else "around",
            f"{record['elevation_deg']:+.0f}°" if placed else "",
            f"{record['distance_m']:.1f} m" if placed else "",
            f"{record['level_db']:.0f} dB",
            f"{100 * record['confidence']:.0f} %",
            escape(record["prompt"]),
        )
    return table


def say_view(scene: Scene, console: Console) -> None:
    """How the photo was placed, whether to trust it, and how far one may walk."""
    _say_placing(scene.camera, console)
    if scene.ground is not None:
        _say_ground(scene.ground, console)


def _say_ground(ground: WalkSurface, console: Console) -> None:
    near = ground.nearest_m
    thing = f"the nearest thing is {near:.1f} m away" if math.isfinite(near) else "nothing is near"
    console.print(
        f"Walk: comfortable to {ground.comfortable_radius_m:.1f} m from where the photo was taken ({thing}); "
        f"the eye is {ground.eye_height_m:.1f} m over the ground",
        highlight=False,
        soft_wrap=True,
    )


def _say_placing(camera: Camera | None, console: Console) -> None:
    if camera is None:
        console.print("View: a whole panorama; nothing had to be invented.", highlight=False)
        return
    _, pitch, roll = (math.degrees(angle) for angle in camera_angles(camera.world_from_camera.rotation))
    sigma = camera.sigma
    console.print(
        f"View: {math.degrees(camera.fov):.0f}° wide (±{math.degrees(sigma.fov):.0f}), "
        f"pitch {pitch:+.1f}° (±{math.degrees(sigma.pitch):.1f}), roll {roll:+.1f}° (±{math.degrees(sigma.roll):.1f})",
        highlight=False,
    )
    if not sigma.confident:
        console.print(
            "[yellow]The camera's view is a guess on this photo; set what you know, for example "
            "--set calibrate.fov_deg=70 --set calibrate.pitch_deg=0[/yellow]",
            highlight=False,
        )
