"""A world as one GLB file: its splats, and what sounds (KHR_audio_emitter, a draft of Khronos, glTF PR 2137).

The extension's emitters are those of Web Audio's PannerNode: "inverse" distance with reference and roll-off 1 is
1/max(d, 1 m), our law beyond the first metre. It knows points and what sounds everywhere: a surface becomes its centre.
Programs that do not know the extension show the splats, or points. The draft has changed its mind about two names,
`autoPlay` and `emitter` of a node, now `autoplay` and `emitters`; programs of both ages exist, so both are written.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonoworld.disk.glb import write_glb
from sonoworld.disk.glb_splats import GLB_AXES, splats_document
from sonoworld.disk.splat_file_axes import turned
from sonoworld.encode.level import gain_of
from sonoworld.encode.options import EncodeOptions
from sonoworld.errors import InputError
from sonoworld.frames import world_from_axes
from sonoworld.types import Source, Splats
from sonoworld.view.export_sound import encoded
from sonoworld.view.world import clip_scale, screen_gain_db
from sonoworld.wording import one_line

EXTENSION = "KHR_audio_emitter"
MOST_SOURCES = 1000
_POSITIONAL = {"shapeType": "omnidirectional", "distanceModel": "inverse", "refDistance": 1.0, "rolloffFactor": 1.0}


def export_glb(splats: Splats, sources: Sequence[Source], path: Path, axes: str | None = None) -> int:
    """Write splats and sounds (world axes) as a GLB file, and return how many sources sound in it.

    Args:
        splats: The picture.
        sources: Those without a clip are left out.
        path: File to write, whole or not at all.
        axes: Axes of the file; None: those of glTF, y up, the visitor looking along −z.

    Raises:
        InputError: no splats, axes that are none, or more than fits into 4 GiB.
    """
    sounding = [source for source in sources if source.clip is not None]
    if len(sounding) > MOST_SOURCES:
        raise InputError(f"{path}: expected at most {MOST_SOURCES} sources, got {len(sounding)}")
    file_from_world = world_from_axes(axes or GLB_AXES).T
    document, parts = splats_document(path, turned(splats, file_from_world))
    if sounding:
        gain = 10 ** (screen_gain_db(tuple(sounding), EncodeOptions()) / 20)
        clips = [_clip(source) for source in sounding]
        _add_clips(document, clips)
        for number, source in enumerate(sounding):
            _add_emitter(document, source, number, gain, file_from_world)
        parts += clips
    write_glb(path, document, parts)
    return len(sounding)


def _clip(source: Source) -> np.ndarray:
    if source.clip is None:
        raise InputError(f"{source.id}: expected a clip")
    samples = source.clip.samples * np.float32(clip_scale(source))
    return np.frombuffer(encoded(samples, source.clip.rate_hz, "mp3"), np.uint8)


def _add_clips(document: dict[str, Any], clips: list[np.ndarray]) -> None:
    views, at = document["bufferViews"], document["buffers"][0]["byteLength"]
    audio: list[dict[str, object]] = []
    for clip in clips:
        audio.append({"bufferView": len(views), "mimeType": "audio/mpeg"})
        views.append({"buffer": 0, "byteOffset": at, "byteLength": clip.nbytes})
        at += clip.nbytes + -clip.nbytes % 4
    document["buffers"][0]["byteLength"] = at
    document["extensionsUsed"].append(EXTENSION)
    document["extensions"] = {EXTENSION: {"audio": audio, "sources": [], "emitters": []}}


def _add_emitter(
    document: dict[str, Any], source: Source, number: int, screen_gain: float, file_from_world: np.ndarray
) -> None:
    """One source, its emitter, and the node that it is at, or the scene where it is everywhere."""
    sound, name = document["extensions"][EXTENSION], one_line(source.label) or source.id
    loops = source.clip is not None and source.clip.loops
    gain = screen_gain * gain_of(source, "spl") / clip_scale(source)
    sound["sources"].append(
        {"name": name, "audio": number, "gain": round(gain, 6), "loop": loops, "autoPlay": True, "autoplay": True}
    )
    centre = source.centroid
    kind = {"type": "global"} if centre is None else {"type": "positional", "positional": _POSITIONAL}
    sound["emitters"].append({"name": name, "sources": [number], **kind})
    scene = document["scenes"][0]
    if centre is None:
        scene.setdefault("extensions", {EXTENSION: {"emitters": []}})[EXTENSION]["emitters"].append(number)
        return
    nodes = document["nodes"]
    scene["nodes"].append(len(nodes))
    at = [round(float(one), 6) for one in file_from_world @ centre]
    nodes.append(
        {"name": name, "translation": at, "extensions": {EXTENSION: {"emitter": number, "emitters": [number]}}}
    )
