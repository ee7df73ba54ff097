"""Panning and decoding to loudspeakers against another way to the same numbers, and on layouts without a shape."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.cli import main
from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.encode.max_re import max_re_weights
from sonoworld.errors import ShapeError
from sonoworld.frames import Pose, world_from_head_rotation
from sonoworld.render import Walk, render_walk, still_walk
from sonoworld.render.hrirs import fibonacci_sphere
from sonoworld.render.speakers import LAYOUTS, Layout, LayoutName, Speaker
from sonoworld.render.speakers_decode import energy_vectors, speaker_decoder
from sonoworld.render.speakers_hull import Hull, speaker_hull
from sonoworld.types import Clip, Source, Spread

SPHERE = fibonacci_sphere(2000)


def layout_of(*places_deg: tuple[float, float]) -> Layout:
    return Layout("test", tuple(Speaker(str(i), *place) for i, place in enumerate(places_deg)))


def panned(hull: Hull, towards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains [n s] of energy 1, found by trying all triangles; and which triangle each direction is in."""
    weights = towards @ np.linalg.inv(hull.vertices[hull.triangles])
    hit = weights.min(-1).argmax(0)
    inside = np.take_along_axis(weights, hit[None, :, None], 0)[0]
    gains = np.einsum("nk,snk->ns", np.maximum(inside, 0), hull.share[:, hull.triangles[hit]])
    return gains / np.linalg.norm(gains, axis=1, keepdims=True), hit


def split(corners: np.ndarray, times: int) -> list[np.ndarray]:
    """A spherical triangle cut into 4^times by the middles of its sides."""
    if times == 0:
        return [corners]
    a, b, c = corners
    ab, bc, ca = ((p + q) / np.linalg.norm(p + q) for p, q in ((a, b), (b, c), (c, a)))
    smaller = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
    return [piece for rows in smaller for piece in split(np.stack(rows), times - 1)]


def integrated(layout: Layout, order: int) -> np.ndarray:
    """AllRAD with infinitely many virtual loudspeakers: Gauss–Legendre products over triangles, good to 1e-12."""
    hull = speaker_hull(layout.directions)
    x, w = np.polynomial.legendre.leggauss(10)
    first, along = np.meshgrid((x + 1) / 2, (x + 1) / 2, indexing="ij")
    nodes = np.stack([first, (1 - first) * along, (1 - first) * (1 - along)], -1).reshape(-1, 3)
    areas = (np.outer(w, w) / 4 * (1 - first)).ravel()
    degrees = np.array(channel_degrees(order))
    total = np.zeros((len(layout.directions), (order + 1) ** 2))
    for triangle in hull.triangles:
        for part in split(hull.vertices[triangle], 2):
            places = nodes @ part
            # dΩ = |det| dA/|q|³ for a plane triangle seen from the origin
            solid = areas * abs(np.linalg.det(part)) / np.linalg.norm(places, axis=1) ** 3
            gains = places @ np.linalg.inv(hull.vertices[triangle]) @ hull.share[:, triangle].T
            gains /= np.linalg.norm(gains, axis=1, keepdims=True)
            total += (gains * solid[:, None]).T @ harmonics(places, order)
    decoder = total * (max_re_weights(order) * (2 * np.arange(order + 1) + 1))[degrees]
    return decoder / np.sqrt((decoder**2 / (2 * degrees + 1)).sum())


@pytest.mark.parametrize("name", LAYOUTS)
def test_as_if_there_were_infinitely_many_virtual_loudspeakers(name: LayoutName) -> None:
    layout = LAYOUTS[name]
    exact = integrated(layout, 5)
    ours = speaker_decoder(layout, 5)[list(layout.full_range)]
    # 0.3 % of the largest gain: 0.03 dB
    np.testing.assert_allclose(ours, exact, atol=3e-3 * np.abs(exact).max())


@pytest.mark.parametrize("name", LAYOUTS)
def test_panning_points_to_the_source_between_real_loudspeakers(name: LayoutName) -> None:
    real = LAYOUTS[name].directions
    hull = speaker_hull(real)
    gains, hit = panned(hull, SPHERE)
    assert gains.min() >= 0
    np.testing.assert_allclose((gains**2).sum(1), 1, rtol=1e-12)
    between = (hull.triangles[hit] < len(real)).all(1)
    assert between.any() == (name in ("5.1.4", "7.1.4"))  # elsewhere every triangle has an imaginary corner
    velocity = gains[between] @ real
    velocity /= np.linalg.norm(velocity, axis=1, keepdims=True)
    np.testing.assert_allclose(velocity, SPHERE[between], atol=1e-12)


@pytest.mark.parametrize("name", ["quad", "5.1", "7.1"])
def test_panning_on_a_ring_is_between_two_neighbours(name: LayoutName) -> None:
    real = LAYOUTS[name].directions
    turn = np.deg2rad(np.arange(0.5, 360))
    towards = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    gains, _ = panned(speaker_hull(real), towards)
    assert ((gains > 1e-9).sum(1) <= 2).all()
    velocity = gains @ real
    np.testing.assert_allclose(velocity / np.linalg.norm(velocity, axis=1, keepdims=True), towards, atol=1e-9)


SHAPELESS = {
    "opposite": [(90.0, 0.0), (-90.0, 0.0)],
    "one above the other": [(0.0, 90.0), (0.0, -90.0)],
    "close together": [(0.0, 0.0), (1.5, 0.0)],
    "an arc ahead": [(a, 0.0) for a in (-40.0, -20.0, 0.0, 20.0, 40.0)],
    "an upright arc": [(0.0, 0.0), (0.0, 45.0), (0.0, 90.0)],
    "a ring at 30°": [(60.0 * i, 30.0) for i in range(6)],
    "a ring at 75°": [(60.0 * i, 75.0) for i in range(6)],
    "a ring and the zenith": [*((90.0 * i, 0.0) for i in range(4)), (0.0, 90.0)],
    "measured, a little off": [(30.01, 0.02), (-30.0, 0.0), (0.0, 0.01), (110.0, 0.0), (-110.0, -0.01)],
}


@pytest.mark.parametrize("order", [1, 4, 7])
@pytest.mark.parametrize("places", SHAPELESS.values(), ids=SHAPELESS)
def test_layouts_without_depth_play_everything(places: list[tuple[float, float]], order: int) -> None:
    layout = layout_of(*places)
    decoder = speaker_decoder(layout, order)
    assert np.isfinite(decoder).all()
    energy, _ = energy_vectors(decoder, layout.directions, SPHERE)
    assert energy.mean() == pytest.approx(1, abs=1e-3)
    # wherever a source is, it is heard
    assert 10 * np.log10(energy.min()) > -5


@given(st.integers(0, 2**31), st.integers(3, 12), st.integers(1, 7))
def test_any_loudspeakers_play_every_direction(seed: int, count: int, order: int) -> None:
    rng = np.random.default_rng(seed)
    places = np.stack([rng.uniform(-180, 180, count), np.rad2deg(np.arcsin(rng.uniform(-1, 1, count)))], -1)
    try:
        layout = layout_of(*((float(a), float(e)) for a, e in places))
    except ShapeError:  # two at one place: refused where it is said
        u = np.deg2rad(places)
        v = np.stack([np.cos(u[:, 1]) * np.cos(u[:, 0]), np.cos(u[:, 1]) * np.sin(u[:, 0]), np.sin(u[:, 1])], -1)
        assert max(v[i] @ v[j] for i, j in combinations(range(count), 2)) > np.cos(np.deg2rad(1.01))
        return
    energy, _ = energy_vectors(speaker_decoder(layout, order), layout.directions, SPHERE[::4])
    assert np.isfinite(energy).all()
    assert energy.min() > 0.05


def test_a_cluster_of_loudspeakers_is_not_a_louder_place() -> None:
    # three close together in front and one behind: sampled, the front has thrice the energy, 4.8 dB
    layout = layout_of((10, 0), (-10, 0), (0, 0), (180, 0))
    ends = np.array([[1.0, 0, 0], [-1, 0, 0]])
    lean = {}
    for method in ("allrad", "sampling"):
        front, back = energy_vectors(speaker_decoder(layout, 3, method), layout.directions, ends)[0]
        lean[method] = abs(10 * np.log10(front / back))
    assert lean["sampling"] == pytest.approx(10 * np.log10(3), abs=0.5)
    assert lean["allrad"] < lean["sampling"] / 2


def bell() -> Source:
    samples = (0.1 * np.random.default_rng(0).standard_normal(9600)).astype(np.float32)
    point, one = np.array([[0, 2, 0]], np.float32), np.ones(1, np.float32)
    clip = Clip(samples, 48000, True, 0.0, "test", "MIT")
    return Source("s", "a", "a", Spread.POINT, 100.0, 1.0, "test", point, 0 * point, one, 0.1, clip=clip)


def test_loudspeakers_turn_with_the_head_or_keep_looking_ahead() -> None:
    level = np.zeros(2)
    times, way = np.array([0, 0.2]), np.array([[0, 0, 0], [0.5, 0, 0]], float)
    turned, straight = Walk(times, way, level + np.pi / 2, level + 0.2, level), Walk(times, way, level, level, level)
    ahead = render_walk([bell()], turned, "quad", 3, facing="ahead")
    np.testing.assert_array_equal(ahead, render_walk([bell()], straight, "quad", 3))
    left_front, right_front = (ahead[:2].astype(float) ** 2).mean(1)
    assert left_front > 5 * right_front
    faced = still_walk(Pose(world_from_head_rotation(np.pi / 2, 0.0, 0.0), np.zeros(3)), 0.2)
    left_front, right_front = (render_walk([bell()], faced, "quad", 3)[:2].astype(float) ** 2).mean(1)
    assert left_front == pytest.approx(right_front, rel=1e-3)
    with pytest.raises(ShapeError, match="'ahead' for loudspeakers"):
        render_walk([bell()], turned, "ambix", facing="ahead")  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_only_loudspeakers_face_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["render", "x", str(tmp_path / "a.wav"), "--format", "ambix", "--facing", "ahead"])
    assert caught.value.code == 2
    assert "--facing ahead: expected a --format of loudspeakers, got ambix" in capsys.readouterr().err
