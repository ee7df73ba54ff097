"""Loudspeakers: where they stand, the hull around the listener, and the laws of decoding to them."""

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import InputError, ShapeError
from sonoworld.frames import Pose
from sonoworld.render import render_walk, still_walk
from sonoworld.render.hrirs import fibonacci_sphere
from sonoworld.render.hrtf import mirror_signs
from sonoworld.render.speakers import LAYOUTS, Layout, Speaker, parse_layout
from sonoworld.render.speakers_decode import Method, decoded, energy_vectors, speaker_decoder
from sonoworld.render.speakers_hull import speaker_hull
from sonoworld.render.speakers_loudness import layout_loudness, place_weights
from sonoworld.types import Clip, SoundField, Source, Spread

SPHERE = fibonacci_sphere(1000)
TURN = np.arange(0, 2 * np.pi, np.deg2rad(3))
RING = np.stack([np.cos(TURN), np.sin(TURN), 0 * TURN], -1)
GOLDEN = (1 + np.sqrt(5)) / 2


def standing(name: str, directions: np.ndarray) -> Layout:
    x, y, z = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).T
    angles = np.rad2deg([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))]).T
    return Layout(name, tuple(Speaker(str(i), float(a), float(e)) for i, (a, e) in enumerate(angles)))


def dodecahedron() -> Layout:
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    for a in (-1 / GOLDEN, 1 / GOLDEN):
        for b in (-GOLDEN, GOLDEN):
            corners += [(0, a, b), (a, b, 0), (b, 0, a)]
    return standing("dodecahedron", np.array(corners, float))


REGULAR = {
    "octahedron": standing("octahedron", np.concatenate([np.eye(3), -np.eye(3)])),
    "cube": LAYOUTS["cube"],
    "dodecahedron": dodecahedron(),
}


def full(layout: Layout, order: int, method: Method = "allrad", max_re: bool = True) -> np.ndarray:
    return speaker_decoder(layout, order, method, max_re)[list(layout.full_range)]


# --- layouts --------------------------------------------------------------------------------------------------------


def test_channel_masks_are_the_standards() -> None:
    # KSAUDIO_SPEAKER_STEREO, _QUAD, _5POINT1_SURROUND, _7POINT1_SURROUND (ksmedia.h); 7.1.4 as in FFmpeg
    wanted = {"stereo": 0x3, "quad": 0x33, "5.1": 0x60F, "7.1": 0x63F, "5.1.4": 0x2D60F, "7.1.4": 0x2D63F, "cube": 0}
    assert {name: layout.wave_mask for name, layout in LAYOUTS.items()} == wanted
    swapped = Layout("swapped", LAYOUTS["stereo"].speakers[::-1])
    assert swapped.wave_mask == 0


@pytest.mark.parametrize("name", LAYOUTS)
def test_labels_say_where_they_stand(name: str) -> None:
    for one in LAYOUTS[name].speakers:
        if not one.lfe:
            assert np.sign(one.azimuth_deg) == {"L": 1, "R": -1, "C": 0}[one.label[-1]], one
            assert (one.elevation_deg > 0) == one.label.startswith(("T", "U")), one
            assert (abs(one.azimuth_deg) > 90) == ("B" in one.label) or one.label in ("SL", "SR"), one


def test_a_table_of_ones_own() -> None:
    rows = [{"label": "A", "azimuth_deg": 40}, {"label": "B", "azimuth_deg": -40.5, "elevation_deg": 10}]
    made = parse_layout({"name": "x", "speakers": [*rows, {"label": "LFE", "lfe": True}]})
    assert made == Layout("x", (Speaker("A", 40.0), Speaker("B", -40.5, 10.0), Speaker("LFE", lfe=True)))
    assert made.full_range == (0, 1)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "layout"),
        ({"speakers": [{"label": "A", "azimuth": 3}]}, r"speakers\[0\].azimuth"),
        ({"speakers": [{"azimuth_deg": 3}]}, r"speakers\[0\].label"),
        ({"speakers": [{"label": "A", "azimuth_deg": "30"}]}, r"speakers\[0\].azimuth_deg"),
        ({"speakers": [{"label": "A", "azimuth_deg": float("nan")}]}, r"speakers\[0\].azimuth_deg"),
        ({"speakers": [{"label": "A"}]}, "2..64 loudspeakers"),
        ({"speakers": [{"label": "A"}, {"label": "S", "lfe": True}]}, "2..64 loudspeakers"),
        ({"speakers": [{"label": "A"}, {"label": "A", "azimuth_deg": 9}]}, "every label once"),
        ({"speakers": [{"label": "A"}, {"label": "B", "azimuth_deg": 360}]}, "A and B nearer"),
        ({"speakers": [{"label": "A"}, {"label": "B", "elevation_deg": 91}]}, "-90..90"),
        ({"speakers": [{"label": "A"}, {"label": "B", "azimuth_deg": 1e9}]}, "-360..360"),
    ],
)
def test_a_table_that_is_none_is_one_error(document: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_layout(document)


# --- hull -----------------------------------------------------------------------------------------------------------


@st.composite
def anywhere(draw: st.DrawFn) -> np.ndarray:
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    v = rng.standard_normal((draw(st.integers(2, 12)), 3))
    v[:, 2] *= draw(st.sampled_from([0.0, 0.3, 1.0]))
    v = v / np.linalg.norm(v, axis=1, keepdims=True)
    return v[[i for i in range(len(v)) if i == 0 or (v[:i] @ v[i]).max() < 0.99]]


@given(anywhere())
def test_every_direction_lies_in_one_triangle(speakers: np.ndarray) -> None:
    if len(speakers) < 2:
        return
    hull = speaker_hull(speakers)
    np.testing.assert_array_equal(hull.vertices[: len(speakers)], speakers)
    gains = SPHERE[:200] @ np.linalg.inv(hull.vertices[hull.triangles])
    inside = (gains > 1e-9).all(-1).sum(0)
    on_an_edge = ((gains > -1e-7).all(-1) & (np.abs(gains).min(-1) < 1e-7)).any(0)
    assert (inside[~on_an_edge] == 1).all()
    # what a vertex stands for is played whole
    np.testing.assert_allclose((hull.share**2).sum(0), 1, rtol=1e-12)


def test_imaginary_loudspeakers_close_rings_and_pairs() -> None:
    up = np.array([0.0, 0.0, 1.0])
    for name, wanted in (("quad", [up, -up]), ("7.1", [up, -up]), ("stereo", [[-1.0, 0, 0], up, -up])):
        hull = speaker_hull(LAYOUTS[name].directions)
        added = hull.vertices[len(LAYOUTS[name].directions) :]
        assert len(added) == len(wanted)
        np.testing.assert_allclose(sorted(map(tuple, added)), sorted(map(tuple, np.array(wanted))), atol=1e-12)
    opposite = speaker_hull(np.array([[0.0, 1, 0], [0, -1, 0]]))
    assert len(opposite.vertices) == 6
    with pytest.raises(ShapeError, match="at least 2"):
        speaker_hull(up[None])


# --- decoders -------------------------------------------------------------------------------------------------------

LAW = [(name, method) for name in REGULAR for method in ("allrad", "sampling", "mode", "epad")]


@pytest.mark.parametrize(("name", "method"), LAW)
@pytest.mark.parametrize("max_re", [True, False])
def test_loudspeakers_of_regular_layouts_are_alike(name: str, method: Method, max_re: bool) -> None:
    layout = REGULAR[name]
    D, u = full(layout, 1, method, max_re), layout.directions
    for axis, angle in (([1, 1, 1], 2 * np.pi / 3), ([0, 0, 1], np.pi if name == "dodecahedron" else np.pi / 2)):
        R = Rotation.from_rotvec(angle * np.array(axis) / np.linalg.norm(axis)).as_matrix()
        turned_to = (u @ R.T @ u.T).argmax(1)
        np.testing.assert_allclose(u[turned_to], u @ R.T, atol=1e-12)
        # a field that turns by R is played by the loudspeakers that R turns to
        np.testing.assert_allclose(D[turned_to] @ rotation_matrix(R, 1), D, atol=1e-12)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("method", ["allrad", "sampling"])
def test_left_and_right_mirror_each_other(name: str, method: Method) -> None:
    layout = LAYOUTS[name]
    D, u = full(layout, 4, method), layout.directions
    mirrored = (u * [1, -1, 1] @ u.T).argmax(1)
    np.testing.assert_allclose(D[mirrored], D * mirror_signs(4), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "spread_db"),
    [("stereo", 0.8), ("quad", 0.8), ("5.1", 1.9), ("7.1", 1.6), ("5.1.4", 4.2), ("7.1.4", 3.4), ("cube", 0.5)],
)
@pytest.mark.parametrize("order", [1, 3, 5])
def test_loudness_hardly_depends_on_direction(name: str, spread_db: float, order: int) -> None:
    layout = LAYOUTS[name]
    energy, _ = energy_vectors(full(layout, order), layout.directions, SPHERE)
    assert 10 * np.log10(energy.max() / energy.min()) < spread_db
    assert energy.mean() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    ("name", "mean_deg", "worst_deg"),
    [("quad", 6, 9), ("5.1", 8, 22), ("7.1", 3, 10), ("5.1.4", 10, 23), ("7.1.4", 7, 11), ("cube", 8, 12)],
)
def test_energy_comes_from_where_the_source_is(name: str, mean_deg: float, worst_deg: float) -> None:
    layout = LAYOUTS[name]
    _, vector = energy_vectors(full(layout, 3), layout.directions, RING)
    # how high it seems is for the ring's elevation alone: 5.1.4 and 7.1.4 have no loudspeakers below
    cosine = (vector * RING).sum(1) / np.linalg.norm(vector, axis=1)
    off = np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))
    assert off.mean() < mean_deg
    assert off.max() < worst_deg


@pytest.mark.parametrize(("name", "order"), [("octahedron", 1), ("cube", 1), ("dodecahedron", 2)])
@pytest.mark.parametrize("method", ["sampling", "mode", "epad"])
def test_max_re_reaches_its_length(name: str, order: int, method: Method) -> None:
    # on spherical designs the energy vector is the source's direction times the largest root of P_(N+1)
    layout = REGULAR[name]
    root = {1: 1 / np.sqrt(3), 2: np.sqrt(3 / 5)}[order]
    energy, vector = energy_vectors(full(layout, order, method), layout.directions, SPHERE)
    np.testing.assert_allclose(energy, 1, rtol=1e-12)
    np.testing.assert_allclose(vector, root * SPHERE, atol=1e-12)
    _, basic = energy_vectors(full(layout, order, method, max_re=False), layout.directions, SPHERE)
    assert (np.linalg.norm(basic, axis=1) < root - 0.05).all()


@pytest.mark.parametrize(("name", "order"), [("octahedron", 1), ("cube", 1), ("dodecahedron", 2)])
def test_mode_matching_gives_the_field_back(name: str, order: int) -> None:
    layout = REGULAR[name]
    again = harmonics(layout.directions, order).T @ full(layout, order, "mode", max_re=False)
    np.testing.assert_allclose(again, again[0, 0] * np.eye(len(again)), atol=1e-12)


def test_epad_keeps_energy_where_sampling_does_not() -> None:
    wry = standing("wry", SPHERE[::40] + 0.15 * np.random.default_rng(0).standard_normal((25, 3)))
    even, _ = energy_vectors(full(wry, 2, "epad", max_re=False), wry.directions, SPHERE)
    uneven, _ = energy_vectors(full(wry, 2, "sampling", max_re=False), wry.directions, SPHERE)
    np.testing.assert_allclose(even, 1, rtol=1e-12)
    assert uneven.max() / uneven.min() > 1.2


def test_a_source_at_a_loudspeaker_is_loudest_there() -> None:
    for layout in LAYOUTS.values():
        gains = harmonics(layout.directions, 7) @ full(layout, 7).T
        np.testing.assert_array_equal(np.abs(gains).argmax(1), np.arange(len(gains)))


def test_overhead_sounds_stay_in_a_ring() -> None:
    # a helicopter above 5.1: as loud as one ahead, and from all around
    layout = LAYOUTS["5.1"]
    energy, vector = energy_vectors(full(layout, 3), layout.directions, np.array([[1.0, 0, 0], [0, 0, 1]]))
    assert abs(10 * np.log10(energy[1] / energy[0])) < 1.5
    assert np.linalg.norm(vector[1]) < 0.3


def test_lfe_is_silent() -> None:
    D = speaker_decoder(LAYOUTS["7.1.4"], 3)
    assert D.shape == (12, 16)
    silent = [one.label for one, row in zip(LAYOUTS["7.1.4"].speakers, D, strict=True) if not row.any()]
    assert silent == ["LFE"]


def test_orders_and_methods_that_do_not_fit() -> None:
    cube = LAYOUTS["cube"]
    with pytest.raises(ShapeError, match="at least 9 loudspeakers for 9 channels"):
        speaker_decoder(cube, 2, "mode")
    with pytest.raises(ShapeError, match="singular"):
        speaker_decoder(LAYOUTS["7.1"], 1, "epad")
    with pytest.raises(ShapeError, match=r"0\.\.10"):
        speaker_decoder(cube, 11)


# --- recordings -----------------------------------------------------------------------------------------------------


def bell(x: float, y: float) -> Source:
    samples = (0.1 * np.random.default_rng(0).standard_normal(9600)).astype(np.float32)
    point = np.array([[x, y, 0]], np.float32)
    clip = Clip(samples, 48000, True, 0.0, "test", "MIT")
    return Source(
        "s", "a", "a", Spread.POINT, 100.0, 1.0, "test", point, 0 * point, np.ones(1, np.float32), 0.1, clip=clip
    )


def test_a_walk_over_loudspeakers() -> None:
    walk = still_walk(Pose.identity(), 0.2)
    field = render_walk([bell(0, 2)], walk, "ambix", 3)
    played = render_walk([bell(0, 2)], walk, "5.1", 3)
    np.testing.assert_array_equal(played, decoded(field, LAYOUTS["5.1"]))
    np.testing.assert_array_equal(played, render_walk([bell(0, 2)], walk, LAYOUTS["5.1"], 3))
    power = dict(zip(["FL", "FR", "FC", "LFE", "SL", "SR"], (played.astype(float) ** 2).mean(1), strict=True))
    assert power["LFE"] == 0
    assert min(power["FL"], power["SL"]) > 5 * max(power["FR"], power["SR"], power["FC"])
    # the energy that arrives is the source's own, 6 dB down at 2 m
    assert sum(power.values()) == pytest.approx((field.signal[0].astype(float) ** 2).mean(), rel=0.2)


def test_a_recorded_field_decodes_by_its_own_order() -> None:
    signal = np.zeros((4, 5), np.float32)
    signal[:, 2] = harmonics(np.array([0.0, -1, 0]), 1)
    played = decoded(SoundField(signal, 44100), LAYOUTS["stereo"])
    assert played.shape == (2, 5)
    assert played[1, 2] > 1.5 * abs(played[0, 2])


@pytest.mark.parametrize(("name", "channels"), [("stereo", [0, 1]), ("5.1", [0, 1, 2, 4, 5])])
def test_loudness_is_pyloudnorms_where_that_knows_the_layout(name: str, channels: list[int]) -> None:
    layout = LAYOUTS[name]
    rng = np.random.default_rng(1)
    t = np.arange(48000 * 4) / 48000
    level = np.where((t > 1) & (t < 2.5), 1e-3, 1.0)  # a pause, for the gates
    signal = (0.1 * rng.standard_normal((len(layout.speakers), len(t))) * level).astype(np.float32)
    wanted = pyloudnorm.Meter(48000).integrated_loudness(signal[channels].T.astype(float))
    assert layout_loudness(signal, layout) == pytest.approx(wanted, abs=0.05)


def test_loudness_meets_the_standards_tone() -> None:
    # BS.1770-5: 0 dB FS at 997 Hz in one front channel reads −3.01 LKFS; a side channel 1.5 dB more
    t = np.arange(48000 * 2) / 48000
    for channel, wanted in ((0, -3.01), (4, -3.01 + 1.49), (3, -np.inf)):
        signal = np.zeros((6, len(t)), np.float32)
        signal[channel] = np.sin(2 * np.pi * 997 * t)
        assert layout_loudness(signal, LAYOUTS["5.1"]) == pytest.approx(wanted, abs=0.02)
    assert layout_loudness(np.ones((6, 100), np.float32), LAYOUTS["5.1"]) == -np.inf
    np.testing.assert_array_equal(place_weights(LAYOUTS["7.1.4"]), [1, 1, 1, 0, 1, 1, 1.41, 1.41, 1, 1, 1, 1])
    with pytest.raises(ShapeError, match="expected 6, got 2"):
        layout_loudness(np.ones((2, 100), np.float32), LAYOUTS["5.1"])
