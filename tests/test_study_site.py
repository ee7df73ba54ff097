import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sonoworld.disk import wav
from sonoworld.errors import InputError
from sonoworld.study import design, site, stimuli

METHODS = ("MMAudio", "ours")
SCENES = ("brook", "town")


def stimuli_folder(folder: Path, *, rate_hz: int = 8000) -> Path:
    """Two scenes, one picture and two noises in each, of which one is 6 dB louder."""
    rng = np.random.default_rng(0)
    for scene in SCENES:
        (folder / scene).mkdir(parents=True)
        Image.fromarray(np.full((8, 16, 3), 90, np.uint8)).save(folder / scene / "view.png")
        for k, method in enumerate(METHODS):
            sound = (0.05 * 2**k * rng.standard_normal((2, rate_hz))).astype(np.float32)
            wav.write_wav(folder / scene / f"{method}.wav", sound, rate_hz)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    scenes = stimuli.read(stimuli_folder(folder / "in"))
    site.write(design.plan(METHODS, SCENES, 3, seed=4), scenes, folder / "out", title="A </script> study")
    return folder / "out"


def plan_of(made: Path) -> dict:
    text = (made / "site" / "plan.js").read_text()
    assert "</script>" not in text
    return json.loads(text.removeprefix("window.PLAN = ").removesuffix(";\n"))


def test_the_louder_is_turned_down_to_the_softer(tmp_path: Path) -> None:
    for scene in stimuli.read(stimuli_folder(tmp_path)):
        assert scene.sounds["MMAudio"].gain_db == pytest.approx(0)
        assert scene.sounds["ours"].gain_db == pytest.approx(-6.02, abs=0.3)


def test_the_site_is_whole_and_says_no_method(made: Path) -> None:
    plan = plan_of(made)
    listed = {c["file"] for c in plan["checks"]}
    for trial in (t for trials in plan["listeners"] for t in trials):
        listed |= {trial["seen"], *trial["sounds"]}
    assert listed == {file.name for file in (made / "site" / "media").iterdir()}
    for file in (made / "site").rglob("*"):
        assert "ours" not in file.name
    everything = "".join(f.read_text() for f in (made / "site").glob("*.*"))
    for word in (*METHODS, *SCENES, '"answer"'):
        assert word not in everything
    assert not re.search(r"(https?:)?//[a-z]", everything.replace("// ", "")), "no other host"


def test_the_key_tells_what_each_sound_is(made: Path) -> None:
    key, plan = json.loads((made / "key.json").read_text()), plan_of(made)
    assert key["study"] == plan["study"] == site.study_id(key)
    for trials, asked in zip(key["listeners"], plan["listeners"], strict=True):
        for trial, shown in zip(trials, asked, strict=True):
            for method, sound in zip((trial["first"], trial["second"]), shown["sounds"], strict=True):
                original, _ = wav.read_wav(made.parent / "in" / trial["scene"] / f"{method}.wav")
                played, _ = wav.read_wav(made / "site" / "media" / sound)
                gain = float((played * original).sum() / (original**2).sum())
                assert played == pytest.approx(gain * original, abs=1e-6)
                assert gain == pytest.approx(0.5 if method == "ours" else 1, rel=0.04)
    assert len(key["checks"]) == len(plan["checks"]) == 8


def test_nothing_is_overwritten(made: Path) -> None:
    scenes = stimuli.read(made.parent / "in")
    with pytest.raises(InputError, match="empty"):
        site.write(design.plan(METHODS, SCENES, 1), scenes, made, title="")
    with pytest.raises(InputError, match="OmniAudio"):
        site.write(design.plan((*METHODS, "OmniAudio"), SCENES, 1), scenes, made.parent / "new", title="")


def test_stimuli_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one folder for each scene"):
        stimuli.read(tmp_path / "none")
    folder = stimuli_folder(tmp_path / "in")
    town = folder / "town"
    (town / "ours.wav").rename(town / "theirs.wav")
    with pytest.raises(InputError, match="same methods: ours, theirs"):
        stimuli.read(folder)
    wav.write_wav(town / "theirs.wav", np.zeros((2, 8000), np.float32), 8000)
    with pytest.raises(InputError, match="silence"):
        stimuli.read(folder)
    wav.write_wav(town / "theirs.wav", np.full((2, 8000), 1.5, np.float32), 8000)
    with pytest.raises(InputError, match="would be cut"):
        stimuli.read(folder)
    wav.write_wav(town / "theirs.wav", np.ones((2, 16000), np.float32), 8000)
    with pytest.raises(InputError, match="one length"):
        stimuli.read(folder)
    wav.write_wav(town / "theirs.wav", np.ones((1, 8000), np.float32), 8000)
    with pytest.raises(InputError, match="two channels"):
        stimuli.read(folder)
    (town / "second.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="one film or picture"):
        stimuli.read(folder)
