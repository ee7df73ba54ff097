"""Data sets: what is written is read back, poses and truths agree with formulas that are not ours."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.propagate import air_absorption_db_m
from sonoworld.errors import InputError
from sonoworld.evaluate import spatial
from sonoworld.evaluate.datasets import r3vival
from sonoworld.evaluate.datasets.foa_folder import foa_pairs, read_foa
from sonoworld.evaluate.datasets.sonoscene360 import marks_of, microphone_pose, read_sonoscene360
from sonoworld.evaluate.datasets.sonoscene360_write import WrittenMicrophone, WrittenScene, write_sonoscene360
from sonoworld.evaluate.datasets.synthetic import SyntheticSize, oracle_anchors, write_synthetic
from sonoworld.evaluate.datasets.synthetic_layout import GROUND_Z_M, Body, Layout, layouts
from sonoworld.evaluate.datasets.synthetic_picture import picture
from sonoworld.evaluate.datasets.synthetic_truth import Take, harmonics_explicit, iso9613_db_m, recording
from sonoworld.evaluate.datasets.values import Marks
from sonoworld.frames import Pose
from sonoworld.types import Geometry

RATE_HZ = 48000


def turned(yaw: float, place: list[float]) -> Pose:
    turn = [[math.cos(yaw), -math.sin(yaw), 0.0], [math.sin(yaw), math.cos(yaw), 0.0], [0.0, 0.0, 1.0]]
    return Pose(np.array(turn), np.array(place))


def wave(u: list[float], seed: int, samples: int = RATE_HZ) -> np.ndarray:
    signal = np.random.default_rng(seed).standard_normal(samples) * 0.1
    return (np.array([1.0, u[1], u[2], u[0]])[:, None] * signal).astype(np.float32)


def tree(root: Path) -> np.ndarray:
    """A tree of one scene with a microphone that looks to the left; returns what it recorded."""
    foa = wave([0.6, 0.64, 0.48], 1)
    mic = WrittenMicrophone(
        "mic1", marks_of(turned(math.pi / 2, [2.0, 1.0, -0.2]), GROUND_Z_M), {"s1": foa}, (("left", "birds"),)
    )
    rgb = np.zeros((256, 512, 3), np.uint8)
    write_sonoscene360(root, [WrittenScene("pool", rgb, ("birds", "water"), (mic,))])
    return foa


def level_ground() -> Geometry:
    layout = Layout("ground", (), (), 0.0, False, 40.0)
    return picture(layout, 512)[1]


def test_tree_is_read_back(tmp_path: Path) -> None:
    foa = tree(tmp_path)
    dataset = read_sonoscene360(tmp_path)
    (scene,) = dataset.scenes
    (mic,) = scene.microphones
    assert (scene.id, scene.known_sources, mic.annotations) == ("pool", ("birds", "water"), (("left", "birds"),))
    assert dataset.clip_count == 1
    assert mic.recordings[0].path.relative_to(tmp_path).as_posix() == "data/pool/audio/mic1/s1/foa.wav"
    assert soundfile.info(mic.recordings[0].path).subtype == "PCM_16"
    back = read_foa(mic.recordings[0].path)
    scale = float((back * foa).sum() / (foa * foa).sum())
    np.testing.assert_allclose(back, scale * foa, atol=1.1 / 32768)  # 16 bits, cut towards −∞


def test_tree_is_scored_as_the_release_scores(tmp_path: Path) -> None:
    """The release's definitions, computed here from the WAV file alone."""
    tree(tmp_path)
    samples, _ = soundfile.read(next(tmp_path.rglob("foa.wav")), always_2d=True)
    estimate = wave([0.8, -0.36, 0.48], 2)

    def angles(x: np.ndarray) -> tuple[float, float]:
        w, y, z, x_ = x
        i = [np.mean(w * c) for c in (x_, y, z)]
        return -math.degrees(math.atan2(i[1], i[0])), math.degrees(math.atan2(i[2], math.hypot(i[0], i[1])))

    (az, el), (az2, el2) = angles(estimate.astype(np.float64)), angles(samples.T)
    across = min(abs(az - az2), 360 - abs(az - az2))
    h = math.sin(math.radians(el - el2) / 2) ** 2
    h += math.cos(math.radians(el)) * math.cos(math.radians(el2)) * math.sin(math.radians(across) / 2) ** 2
    (mic,) = read_sonoscene360(tmp_path).scenes[0].microphones
    ours = spatial.compare(estimate, read_foa(mic.recordings[0].path), RATE_HZ)
    assert ours["angular_error_deg"] == pytest.approx(math.degrees(2 * math.asin(math.sqrt(h))), abs=1e-4)
    assert math.degrees(ours["azimuth_error_rad"]) == pytest.approx(across, abs=1e-4)
    assert math.degrees(ours["elevation_error_rad"]) == pytest.approx(abs(el - el2), abs=1e-4)
    cc, auc = release_agreement(estimate, samples.T)
    assert ours["cc"] == pytest.approx(cc, abs=1e-5)
    assert ours["auc"] == pytest.approx(auc, abs=1e-5)


def release_agreement(estimate: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Energy maps on 2° cells, rows sampled by their circumference, Pearson and AUC-Judd, in plain loops."""
    flat: list[list[float]] = []
    for x in (estimate.astype(np.float64), reference):
        covariance, values = x @ x.T / x.shape[1], []
        for row in range(90):
            el = math.radians(90 - 2 * row)
            line = []
            for column in range(180):
                az = math.radians(-180 + 2 * column)
                b = np.array(
                    [
                        1,
                        -math.sqrt(2) * math.sin(az) * math.cos(el),
                        math.sin(el),
                        math.sqrt(2) * math.cos(az) * math.cos(el),
                    ]
                )
                line.append(math.sqrt(max(0.0, float(b @ covariance @ b))))
            many = round(180 * math.sin(math.pi * (row + 0.5) / 90))
            at = np.arange(many) * (180 - 90 / many) / many  # its samples end half a sample before the row does
            values += list(np.interp(at, np.arange(180), line, period=180))
        flat.append(values)
    saliency, truth = (np.array(v) for v in flat)
    cc = float(np.corrcoef(saliency, truth)[0, 1])
    fixated = truth > truth.max() - truth.std()
    s = (saliency - saliency.min()) / (saliency.max() - saliency.min())
    tp, fp = [0.0], [0.0]
    for i, threshold in enumerate(sorted(s[fixated], reverse=True)):  # its count of what is found begins at 0
        tp.append(i / fixated.sum())
        fp.append((int((s >= threshold).sum()) - i) / (s.size - fixated.sum()))
    return cc, float(np.trapezoid([*tp, 1.0], [*fp, 1.0]))


@settings(max_examples=25, deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(1.5, 6.0), st.floats(-3.1, 3.1), st.floats(-1.2, 0.2))
def test_pose_from_marks(azimuth: float, far: float, yaw: float, z: float) -> None:
    pose = turned(yaw, [far * math.cos(azimuth), far * math.sin(azimuth), z])
    found = microphone_pose(marks_of(pose, GROUND_Z_M), GROUND)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.origin, pose.origin, atol=0.02 * far)


GROUND = level_ground()


def test_pose_in_the_releases_axes() -> None:
    """Identity looks along the release's +z, which is ours too: hearing axes [z, −x, −y] (facts of its loader)."""
    uv = (0.5, 0.75)  # ahead of us, 45° down: 1.6 m away
    found = microphone_pose(Marks(np.eye(3), uv, (0.5, 0.5)), GROUND)
    np.testing.assert_allclose(found.origin, [1.6, 0.0, 0.0], atol=0.02)
    np.testing.assert_allclose(found.rotation[:, 0], [0, 0, 1], atol=1e-12)  # front of the head in the world
    np.testing.assert_allclose(found.rotation[:, 1], [1, 0, 0], atol=1e-12)  # its left: −x of the release


def test_broken_trees_say_what_is_wrong(tmp_path: Path) -> None:
    tree(tmp_path)
    text = next(tmp_path.rglob("metadata/mic1.json"))
    said = json.loads(text.read_text())
    said["apriltag"]["rotation"][0][0] += 1.0
    text.write_text(json.dumps(said))
    with pytest.raises(InputError, match="not a rotation"):
        read_sonoscene360(tmp_path)
    tree(tmp_path)
    next(tmp_path.rglob("foa.wav")).unlink()
    with pytest.raises(InputError, match="recording is not there"):
        read_sonoscene360(tmp_path)


def test_truth_agrees_with_two_other_writings() -> None:
    """T0: harmonics by our recursion, air by our filter design's law."""
    u = np.random.default_rng(0).standard_normal((40, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    np.testing.assert_allclose(harmonics_explicit(u), harmonics(u, 3), atol=1e-12)
    f = np.array([125.0, 1000.0, 8000.0])
    np.testing.assert_allclose(iso9613_db_m(f), air_absorption_db_m(f), rtol=1e-3)


def test_iso9613_table() -> None:
    """ISO 9613-1, table 1 at 20 °C and 50 %: 4.66 dB/km at 1 kHz, 105 dB/km at 8 kHz."""
    np.testing.assert_allclose(1000 * iso9613_db_m(np.array([1000.0, 8000.0])), [4.66, 105.0], rtol=0.01)


def ball(place: tuple[float, float, float]) -> Body:
    return Body("birds", "ball", "birds", place, (0.5, 0.5), 0.0, 80.0)


@pytest.mark.parametrize("far", [2.0, 8.0])
def test_point_truth_is_a_plane_wave_of_1_over_d(far: float) -> None:
    """T0: W has RMS 10^((80 − 100)/20) / d but for the air, and the field comes from where the point is."""
    layout = Layout("one", (ball((0.0, far, 0.0)),), (), 0.0, False, -100.0)
    foa = recording(layout, turned(math.pi / 2, [0.0, 0.0, 0.0]), Take(0.5, 3))
    np.testing.assert_allclose(spatial.direction(foa), [1, 0, 0], atol=1e-4)
    rms = float(np.sqrt(np.mean(foa[0].astype(np.float64) ** 2)))
    assert 0.1 / far * 0.9 < rms < 0.1 / far * 1.0001


def test_wind_is_diffuse() -> None:
    layout = Layout("wind", (), (), 0.0, False, 60.0)
    foa = recording(layout, turned(0.0, [0.0, 0.0, 0.0]), Take(2.0, 3))
    assert spatial.diffuseness(foa) > 0.95


def test_picture_knows_its_distances() -> None:
    layout = Layout("one", (ball((4.0, 0.0, 0.0)),), (), 0.0, False, 40.0)
    _, geometry, masks = picture(layout, 128)
    assert geometry.distance[64, 128] == pytest.approx(3.5, abs=0.01)
    assert masks[0][64, 128]
    assert not masks[0][64, 0]
    assert geometry.distance[127, 5] == pytest.approx(1.6, abs=0.01)


def test_synthetic_is_a_tree_and_repeats(tmp_path: Path) -> None:
    size = SyntheticSize(scenes=1, microphones=1, clips=1, height_px=256, seconds=0.5)
    for name in ("a", "b"):
        write_synthetic(tmp_path / name, size, 4)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    (scene,) = read_sonoscene360(tmp_path / "a").scenes
    (layout,) = layouts(1, 1, 4)
    anchors = oracle_anchors(layout, 256, 0.5)
    pose = microphone_pose(scene.microphones[0].marks, anchors.geometry)
    np.testing.assert_allclose(pose.origin, layout.microphones[0].origin, atol=0.05)
    assert scene.known_sources == ("birds in a tree", "bird in a bush")


def array_response(path: Path, azimuth_right_deg: float) -> None:
    """A plane wave on the seven microphones, whole: a band-limited pulse, early where it comes from."""
    a = math.radians(azimuth_right_deg)
    u = np.array([math.cos(a), -math.sin(a), 0.0])
    s = math.sqrt(0.5)
    places = 0.05 * np.array([[1, 0, 0], [-1, 0, 0], [0, -s, s], [0, s, s], [0, -s, -s], [0, s, -s], [0, 0, 0]])
    f = np.fft.rfftfreq(4800, 1 / RATE_HZ)
    late = 0.02 - places @ u / 343.2
    pulse = np.exp(-((f / 4000) ** 2)) * np.exp(-2j * np.pi * f * late[:, None])
    soundfile.write(path, np.fft.irfft(pulse, 4800, axis=1).T, RATE_HZ, subtype="FLOAT")


@pytest.mark.parametrize("right_deg", [0, 90, 240])
def test_r3vival_hears_where_its_names_say(tmp_path: Path, right_deg: int) -> None:
    array_response(tmp_path / f"000_S{right_deg:03d}-150.wav", right_deg)
    (response,) = r3vival.read_r3vival(tmp_path)
    assert response.distance_m == 1.5
    found = spatial.direction(r3vival.direct_sound(response))
    assert math.degrees(math.acos(min(1.0, float(found @ r3vival.named_direction(response))))) < 2.0


def test_photo_boxes_point_where_the_loudspeakers_stand() -> None:
    """+60.4°, +90.5°, +119.2° to the right by the photo's description."""
    for box, right in zip(r3vival.SEEN_BOXES.values(), (60.4, 90.5, 119.2), strict=True):
        columns = np.nonzero(r3vival.photo_mask(box, 512).any(0))[0]
        assert (columns.mean() + 0.5) / 1024 * 360 - 180 == pytest.approx(right, abs=1.0)


def test_pairs_need_partners(tmp_path: Path) -> None:
    (tmp_path / "ref").mkdir()
    (tmp_path / "est").mkdir()
    with pytest.raises(InputError, match="found none"):
        foa_pairs(tmp_path / "est", tmp_path / "ref")
    soundfile.write(tmp_path / "ref" / "a.wav", np.zeros((10, 4)), RATE_HZ)
    with pytest.raises(InputError, match=r"a\.wav"):
        foa_pairs(tmp_path / "est", tmp_path / "ref")
    soundfile.write(tmp_path / "ref" / "a.wav", np.zeros((10, 3)), RATE_HZ)
    with pytest.raises(InputError, match="4 channels"):
        read_foa(tmp_path / "ref" / "a.wav")
