import base64
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from playwright.sync_api import Browser, Page
from scipy.signal import fftconvolve, firwin, resample_poly

from browser.courtyard import POINT_LEFT, small_world, source
from browser.visitor import Visitor
from sonoworld.encode.decorrelate import decorrelated
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.motion import headings, places, sent_at
from sonoworld.encode.options import EncodeOptions
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.types import Directivity, Motion, Spread
from sonoworld.view import export_folder, running

pytestmark = pytest.mark.browser


def solo(visitor: Visitor, label: str) -> None:
    visitor.page.get_by_role("button", name=f"Solo {label}", exact=True).click()


def balance_db(ears: np.ndarray) -> float:
    """Left over right."""
    return float(20 * np.log10(ears[0] / ears[1]))


def loudness(ears: np.ndarray) -> float:
    return float(np.sqrt(np.square(ears).sum()))


def test_the_full_ears_run(visitor: Visitor) -> None:
    assert visitor.ask("__sonoworld.ears") == "binaural"
    assert visitor.ask("__sonoworld.audioState") == "running"
    assert visitor.listen().min() > 0.003


@pytest.mark.parametrize(
    ("position", "yaw", "pitch"), [((0, 0, 0), 0.0, 0.0), ((1, 1, 0), 2.5, -0.6), ((-0.5, 0.5, 0.3), -1.2, 0.5)]
)
def test_both_ears_get_what_the_filters_say(
    visitor: Visitor, world_folder: Path, position: tuple[float, float, float], yaw: float, pitch: float
) -> None:
    """White noise of RMS 1 at 70 dB through Σ y·h: level, distance, rotation, channel order and ears at once."""
    solo(visitor, "fountain")
    visitor.stand(position, yaw, pitch)
    offset = np.array(POINT_LEFT) - position
    u = offset @ world_from_head_rotation(yaw, pitch)
    response = np.einsum("c,ect->et", harmonics(u, 5), hrir("kemar", 5, 48000))
    screen = json.loads((world_folder / "world.json").read_text())["sound"]["screen_gain_db"]
    level = 10 ** ((70 - 100 + screen) / 20) / math.sqrt(offset @ offset + 0.1**2)
    expected = level * np.sqrt(np.square(response).sum(1))
    np.testing.assert_allclose(visitor.listen(600), expected, rtol=0.04)


def decoded(page: Page, expression: str) -> np.ndarray:
    """[2, t] of a promise of two Float32Arrays."""
    text = page.evaluate(
        f"""(async () => {{
          const bytes = (await {expression}).map((ear) => new Uint8Array(ear.buffer, ear.byteOffset, ear.byteLength));
          return bytes.map((ear) => btoa(Array.from(ear, (byte) => String.fromCharCode(byte)).join("")));
        }})()"""
    )
    return np.stack([np.frombuffer(base64.b64decode(ear), np.float32) for ear in text])


def assert_plays_as_rendered(visitor: Visitor, folder: Path, order: int, rate_hz: int, tolerance: float) -> None:
    """The whole page, offline, against the NumPy engine: files read, copies made, sources mixed, ears decoded."""
    position, yaw, pitch = (1.5, -0.5, 0.2), 0.7, -0.3
    visitor.stand(position, yaw, pitch)
    heard = decoded(visitor.page, f"__sonoworld.record(0.4, {rate_hz})")
    world = json.loads((folder / "world.json").read_text())
    engine = Engine(order, rate_hz, 128, max_sources=16, executor="numpy")
    engine.set_listener(position, yaw, pitch)
    rows, bed = furnish(engine, world["sources"], folder, rate_hz, copies=order == 5)
    engine.set_bed(bed[None])
    blocks = heard.shape[1] // 128
    x = np.zeros((blocks, 16, 128), np.float32)
    for row, sound in rows.items():
        x[:, row] = np.resize(sound, blocks * 128).reshape(blocks, 128)
    expected = np.concatenate([engine.process(block) for block in x], axis=1)
    assert np.abs(expected).max() > 1e-3
    difference = heard[:, : blocks * 128] - expected
    if rate_hz != 48000:  # the browser's resampler takes highs that ours leaves
        difference = fftconvolve(difference, firwin(255, 12000, fs=rate_hz)[None], axes=1)
    assert np.abs(difference).max() <= tolerance * np.abs(expected).max()


def test_a_recorded_walk_sounds_as_the_package_renders_it(visitor: Visitor, world_folder: Path) -> None:
    """Across the yard, past the fountain, turning, nodding and leaning; the same filters, order 5."""
    seconds = 3.0
    times_s = np.linspace(0, seconds, 31)
    phase = times_s / seconds
    walk = np.stack(
        [
            1.5 * np.sin(2 * np.pi * phase),
            2.4 * phase - 1,
            0.1 * np.sin(9 * phase),
            7 * phase - 2,
            0.5 * np.sin(5 * phase),
            0.4 * np.sin(8 * phase),
        ],
        axis=-1,
    )
    recorded = json.dumps({"timesS": times_s.tolist(), "poses": walk.tolist()})
    heard = decoded(visitor.page, f"__sonoworld.record({seconds}, 48000, {recorded})")
    engine = Engine(5, 48000, 128, max_sources=16, executor="numpy")
    rows, bed = furnish(
        engine, json.loads((world_folder / "world.json").read_text())["sources"], world_folder, 48000, True
    )
    engine.set_bed(bed[None])
    blocks = heard.shape[1] // 128
    x = np.zeros((blocks, 16, 128), np.float32)
    for row, sound in rows.items():
        x[:, row] = np.resize(sound, blocks * 128).reshape(blocks, 128)
    engine.set_listener(walk[0, :3], *walk[0, 3:])
    parts: list[np.ndarray] = []
    for number, block in enumerate(x):
        px, py, pz, yaw, pitch, roll = (np.interp((number + 1) * 128 / 48000, times_s, row) for row in walk.T)
        engine.set_listener((px, py, pz), yaw, pitch, roll)
        parts.append(engine.process(block))
    expected = np.concatenate(parts, axis=1)
    assert np.abs(expected).max() > 1e-2
    assert np.abs(heard[:, : blocks * 128] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_the_browser_plays_what_the_package_renders(visitor: Visitor, world_folder: Path) -> None:
    assert_plays_as_rendered(visitor, world_folder, 5, 48000, 1e-5)


def test_so_does_a_phone_with_coarser_ears_and_at_another_rate(
    chromium: Browser, world_url: str, world_folder: Path
) -> None:
    page = chromium.new_page(has_touch=True, is_mobile=True, reduced_motion="reduce")
    visitor = Visitor(page, world_url)
    assert_plays_as_rendered(visitor, world_folder, 3, 48000, 1e-5)
    # up to 0.9 % in this band lie between Chromium's resampler and SciPy's, whichever sounds the world has
    assert_plays_as_rendered(visitor, world_folder, 3, 44100, 1.5e-2)
    assert not visitor.problems
    page.close()


def as_chromium_reads(path: Path) -> tuple[np.ndarray, int]:
    """It divides positive 16-bit samples by 32767 and negative ones by 32768."""
    sound, rate_hz = sf.read(path, dtype="float32")
    return np.where(sound > 0, sound * np.float32(32768 / 32767), sound), rate_hz


def furnish(
    engine: Engine, sources: list[dict[str, Any]], folder: Path, rate_hz: int, copies: bool
) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """Places the sources of a world.json; returns the sound of every input row, and that of all ambience as W."""
    rows: dict[int, np.ndarray] = {}
    bed = np.zeros(rate_hz, np.float32)
    row = 0
    for part in sources:
        sound, stored_hz = as_chromium_reads(folder / part["clip"]["file"])
        sounds = [sound]
        if copies and part["labels"]:
            sounds += list(decorrelated(sound, part["id"], max(part["labels"]) + 1, stored_hz, loops=True))
        sounds = [resample_poly(one, rate_hz, stored_hz).astype(np.float32) for one in sounds]
        level_db = 100 + 20 * math.log10(part["gain"])
        points, weights = np.array(part["points"]), np.array(part["weights"])
        if part["spread"] == "ambient":
            bed += part["gain"] * sounds[0]
            continue
        if part["spread"] == "point":
            engine.set_source(row, points[0], level_db)
        elif copies:
            engine.set_source(row, [0, 0, 0], level_db, spread=(points, weights, np.array(part["labels"])))
        else:
            engine.set_source(row, [0, 0, 0], level_db, spread=(points, weights))
        for one in sounds:
            rows[row] = one
            row += 1
    return rows, bed


def test_a_siren_drives_past(chromium: Browser, tmp_path: Path) -> None:
    """With delay, Doppler, air and a horn that faces ahead: heard as the package says, and its name goes along."""
    path = Motion(np.array([0.0, 3.0]), np.array([[12.0, 5.0, 0.0], [3.0, -25.0, 0.0]]), loops=True, faces_ahead=True)
    aim = Directivity(0.5, 1.0, np.array([1.0, 0.0, 0.0]))
    siren = replace(source("s0", "siren", Spread.POINT, np.array([[4.0, 0, 0]]), 90.0), path=path, directivity=aim)
    laws = EncodeOptions(air="iso9613", delay=True, near_field=True)
    folder = export_folder(replace(small_world(), sources=(siren,)), tmp_path / "street", laws=laws)
    part = json.loads((folder / "world.json").read_text())["sources"][0]
    with running(folder) as url:
        visitor = Visitor(chromium.new_page(reduced_motion="reduce"), url)
        heard = decoded(visitor.page, "__sonoworld.record(0.5, 48000)")
        visitor.enter()
        far = visitor.page.locator(".label small")
        before = far.inner_text()
        visitor.wait(f"document.querySelector('.label small').textContent !== {before!r}")
        assert not visitor.problems
        visitor.page.close()
    engine = Engine(5, 48000, 128, max_sources=1, executor="numpy", law=laws)
    sound, _ = as_chromium_reads(folder / part["clip"]["file"])
    parts: list[np.ndarray] = []
    for block in range(heard.shape[1] // 128):
        sent = sent_at(path, np.array([(block + 1) * 128 / 48000]), np.zeros((1, 3)), 0.1)
        ahead = headings(path, sent)
        assert ahead is not None
        level_db = 100 + 20 * math.log10(part["gain"])
        engine.set_source(0, places(path, sent)[0], level_db, directivity=replace(aim, facing=ahead[0]))
        parts.append(engine.process(np.resize(np.roll(sound, -128 * block), 128)[None].astype(np.float32)))
    expected = np.concatenate(parts, axis=1)
    assert np.abs(expected).max() > 1e-3
    assert np.abs(heard[:, : expected.shape[1]] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_the_balance_follows_the_head(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    towards = balance_db(visitor.listen())
    visitor.stand(yaw=math.pi)
    away = balance_db(visitor.listen())
    visitor.stand(yaw=math.pi / 2)
    facing = balance_db(visitor.listen())
    assert towards > 6
    assert away == pytest.approx(-towards, abs=0.6)
    assert abs(facing) < 0.6


def test_nearer_is_louder_as_one_over_distance(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    heard = {}
    for r in (4.0, 2.0, 1.0):
        visitor.stand((0, POINT_LEFT[1] - r, 0), yaw=math.pi / 2)
        heard[r] = loudness(visitor.listen(600))
    for far, near in ((4.0, 2.0), (2.0, 1.0)):
        law = math.sqrt((far**2 + 0.01) / (near**2 + 0.01))
        assert heard[near] / heard[far] == pytest.approx(law, rel=0.03)


def test_a_surface_is_heard_ahead_and_to_the_side(visitor: Visitor) -> None:
    solo(visitor, "ivy")
    assert abs(balance_db(visitor.listen())) < 0.6
    visitor.stand(yaw=math.pi / 2)
    assert balance_db(visitor.listen()) < -6


def test_a_surface_widens_as_one_walks_up_to_it(visitor: Visitor) -> None:
    """Two metres of ivy, to the right: 5 m away it is there, half a metre away it reaches far round the head."""
    solo(visitor, "ivy")
    visitor.stand(yaw=math.pi / 2)
    far = visitor.listen(600)
    visitor.stand((4.5, 0, 0), yaw=math.pi / 2)
    near = visitor.listen(600)
    assert balance_db(near) > balance_db(far) + 1.5
    assert loudness(near) > 3 * loudness(far)


def test_ambience_is_the_same_everywhere(visitor: Visitor) -> None:
    solo(visitor, "wind")
    here = visitor.listen(600)
    visitor.stand((2, 2, 0), yaw=2.0)
    np.testing.assert_allclose(visitor.listen(600), here, rtol=0.04)


def test_mute_and_its_return(visitor: Visitor) -> None:
    solo(visitor, "fountain")
    before = loudness(visitor.listen())
    visitor.page.get_by_role("button", name="Mute fountain").click()
    assert loudness(visitor.listen()) < 1e-4
    visitor.page.get_by_role("button", name="Mute fountain").click()
    assert loudness(visitor.listen()) == pytest.approx(before, rel=0.05)


def test_nothing_leaves_above_the_ceiling(visitor: Visitor) -> None:
    visitor.stand(POINT_LEFT)  # inside the fountain: 20 dB above its level at 1 m
    heard = visitor.listen()
    peak = visitor.page.evaluate("__sonoworld.levels(300).peak")
    assert 0.5 < peak <= 10 ** (-1 / 20) + 1e-6
    assert loudness(heard) > 0.1


def test_volume_and_sound_off(visitor: Visitor) -> None:
    visitor.listen(600)  # the limiter lets go of what was loud before
    before = loudness(visitor.listen())
    visitor.page.locator("#volume").fill("-20")
    assert loudness(visitor.listen()) == pytest.approx(before / 10, rel=0.06)
    visitor.page.locator("#volume").fill("0")
    visitor.page.get_by_role("button", name="Sound on").click()
    visitor.wait("__sonoworld.audioState === 'suspended'")
    visitor.page.get_by_role("button", name="Sound off").click()
    visitor.wait("__sonoworld.audioState === 'running'")


def test_a_browser_without_vectors_is_told_so_and_hears(chromium: Browser, world_url: str) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.add_init_script("WebAssembly.validate = () => false")
    visitor = Visitor(page, world_url)
    assert visitor.ask("__sonoworld.ears") == "panner"
    assert "no vectors (SIMD)" in page.locator("#problem").inner_text()
    visitor.enter()
    assert visitor.listen().min() > 0.003
    assert not visitor.problems
    page.close()


def test_a_phone_without_worklets_is_told_so_and_walks_and_hears(chromium: Browser, world_url: str) -> None:
    phone = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = phone.new_page()
    page.add_init_script("delete window.AudioWorkletNode")
    visitor = Visitor(page, world_url)
    assert visitor.ask("__sonoworld.ears") == "panner"
    assert "no AudioWorklet" in page.locator("#problem").inner_text()
    visitor.enter()
    stick = page.locator("#stick").bounding_box()
    assert stick is not None
    page.mouse.move(stick["x"] + stick["width"] / 2, stick["y"] + 10)
    page.mouse.down()
    visitor.wait("__sonoworld.pose().position[0] > 0.2")
    page.mouse.up()
    visitor.stand()
    page.click("#show-panel")
    solo(visitor, "fountain")
    assert balance_db(visitor.listen()) > 3
    visitor.stand(yaw=math.pi)
    assert balance_db(visitor.listen()) < -3
    assert not visitor.problems
    phone.close()
