"""A study as a folder: `site`, which any web server or a double click shows, and `key.json`, which stays at home.

The site names no method: sounds have names that say nothing, and only the key tells which is which. It asks no other
host for anything, and sends nothing: at the end people save their answers as a file, and send that.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sonoworld.disk import atomic, wav
from sonoworld.errors import InputError
from sonoworld.study import headphones, stimuli
from sonoworld.study.design import Design, to_json

FORMAT = 1
KEY = "key.json"
_PAGE = Path(__file__).parent / "page"
_RATE_HZ = wav.RATE_HZ


def write(design: Design, scenes: Sequence[stimuli.Scene], folder: Path, *, title: str) -> Path:
    """Write both.

    Args:
        design: the trials.
        scenes: what is seen and heard, all that the design names.
        folder: must not be there yet, or be empty.
        title: of the page.

    Returns:
        The page, `folder/site/index.html`.

    Raises:
        InputError: the folder holds something, or a scene or method of the design has no stimuli.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: expected a folder that is empty or not there yet, got one with files")
    by_name = {scene.name: scene for scene in scenes}
    for name in design.scenes:
        if name not in by_name or set(design.methods) - set(by_name[name].sounds):
            raise InputError(f"{name}: there are not the stimuli of all methods ({', '.join(design.methods)})")
    site = folder / "site"
    (site / "media").mkdir(parents=True)
    for file in sorted(_PAGE.iterdir()):
        shutil.copyfile(file, site / file.name)
    asked = headphones.checks(_RATE_HZ, design.seed)
    key = {"format": FORMAT, **to_json(design), "checks": [{"kind": c.kind, "answer": c.answer} for c in asked]}
    key["study"] = study_id(key)
    names = {name: _copied(by_name[name], design, site) for name in design.scenes}
    text = json.dumps(_plan(key, design, names, title) | {"checks": _checks(asked, site)}, ensure_ascii=False)
    # a script, since pages opened by a double click may not read other files; plain words, which end no script element
    (site / "plan.js").write_text("window.PLAN = " + text.replace("</", "<\\/") + ";\n", encoding="utf-8")
    atomic.write_json(folder / KEY, key)
    return site / "index.html"


def study_id(key: Mapping[str, Any]) -> str:
    """Twelve digits that answers repeat, so that they meet the right key."""
    plain = {name: value for name, value in key.items() if name != "study"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def _copied(scene: stimuli.Scene, design: Design, site: Path) -> dict[str, Any]:
    """The scene's files under names without meaning; its entry in the plan, and method -> name of sound."""
    seen = f"{_nameless(design.seed, scene.name, '')}{scene.seen.suffix.lower()}"
    shutil.copyfile(scene.seen, site / "media" / seen)
    entry: dict[str, Any] = {"seen": seen, "sounds": {}}
    for method in design.methods:
        sound = scene.sounds[method]
        entry["sounds"][method] = name = f"{_nameless(design.seed, scene.name, method)}.flac"
        _write_sound(sound, site / "media" / name)
    return entry


def _write_sound(sound: stimuli.Stimulus, file: Path) -> None:
    """All in one format and at their level, which no browser has to set."""
    import soundfile  # noqa: PLC0415  heavy

    heard = wav.read_sound(sound.file)
    samples = heard.samples * np.float32(10 ** (sound.gain_db / 20))
    soundfile.write(file, samples.T, heard.rate_hz, format="FLAC", subtype="PCM_24")


def _plan(key: Mapping[str, Any], design: Design, scenes: Mapping[str, dict[str, Any]], title: str) -> dict[str, Any]:
    """What the page reads: no name of a method or a scene."""
    listeners = [
        [
            {"seen": scenes[t.scene]["seen"], "sounds": [scenes[t.scene]["sounds"][m] for m in (t.first, t.second)]}
            for t in trials
        ]
        for trials in design.listeners
    ]
    return {
        "format": FORMAT,
        "study": key["study"],
        "title": title,
        "criteria": dict(design.criteria),
        "listeners": listeners,
    }


def _checks(asked: Sequence[headphones.Check], site: Path) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    for number, check in enumerate(asked):
        name = f"check-{number}.wav"
        wav.write_wav(site / "media" / name, check.sound, _RATE_HZ)
        entries.append({"kind": check.kind, "file": name})
    return entries


def _nameless(seed: int, scene: str, method: str) -> str:
    return hashlib.sha256(json.dumps([seed, scene, method]).encode()).hexdigest()[:12]
