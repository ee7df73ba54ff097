"""Scenes as a SonoScene360 tree: the layout that the official loader reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from sonoworld.evaluate.datasets.values import Marks

RATE_HZ = 48000


@dataclass(frozen=True, slots=True)
class WrittenMicrophone:
    """A microphone to be written: `clips` are sample id -> [W, Y, Z, X]."""

    id: str
    marks: Marks
    clips: Mapping[str, Float32[np.ndarray, "4 t"]]
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenScene:
    """A scene to be written."""

    id: str
    rgb: UInt8[np.ndarray, "h w 3"]
    known_sources: tuple[str, ...]
    microphones: tuple[WrittenMicrophone, ...]


def write_sonoscene360(root: Path, scenes: Sequence[WrittenScene]) -> float:
    """Write `data/metadata.json` and all it names.

    Returns:
        The one gain that all recordings were multiplied by, so that none of them clips in 16 bits.
    """
    peak = max(float(np.abs(c).max()) for s in scenes for m in s.microphones for c in m.clips.values())
    gain = 0.5 / peak if peak > 0 else 1.0
    index: dict[str, object] = {
        "scene_names": [scene.id for scene in scenes],
        "scene_input_images_paths": {s.id: f"data/{s.id}/images/panorama_outpainted.jpg" for s in scenes},
        "scene_mic_metadata_paths": {
            s.id: {m.id: f"data/{s.id}/metadata/{m.id}.json" for m in s.microphones} for s in scenes
        },
        "scene_mic_recording_paths": {
            s.id: {m.id: [_sound_path(s.id, m.id, clip) for clip in m.clips] for m in s.microphones} for s in scenes
        },
    }
    for scene in scenes:
        _write_scene(root, scene, gain)
    _write_json(root / "data" / "metadata.json", index)
    return gain


def _sound_path(scene: str, mic: str, clip: str) -> str:
    return f"data/{scene}/audio/{mic}/{clip}/foa.wav"


def _write_scene(root: Path, scene: WrittenScene, gain: float) -> None:
    import soundfile  # noqa: PLC0415  heavy

    folder = root / "data" / scene.id
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name in ("panorama.jpg", "panorama_outpainted.jpg"):
        Image.fromarray(np.asarray(scene.rgb)).save(folder / "images" / name, quality=95)
    _write_json(folder / "metadata" / "known_sources.json", {"known_sources": list(scene.known_sources)})
    for mic in scene.microphones:
        _write_json(folder / "metadata" / f"{mic.id}.json", _mic_text(mic, scene.rgb.shape))
        for clip, foa in mic.clips.items():
            path = root / _sound_path(scene.id, mic.id, clip)
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, foa.T * gain, RATE_HZ, subtype="PCM_16")


def _mic_text(mic: WrittenMicrophone, shape: tuple[int, ...]) -> dict[str, object]:
    def point(uv: tuple[float, float]) -> dict[str, float]:
        return {"x": uv[0] * shape[1], "y": uv[1] * shape[0]}

    return {
        "2d_points": {"mic_location_2d": point(mic.marks.ground), "mic_center_2d": point(mic.marks.centre)},
        "apriltag": {"rotation": mic.marks.camera_from_world.tolist()},
        "sound_source_annotations": [{"direction": d, "text_label": label} for d, label in mic.annotations],
    }


def _write_json(path: Path, table: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
