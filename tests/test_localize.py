"""Sources stand where their masks are, everywhere on the sphere, with weights that are true areas."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonoworld import frames, sphere, testing
from sonoworld.localize import LocalizeOptions, localize
from sonoworld.localize.names import slug, unique_ids
from sonoworld.localize.surface import Surface, depth_edges, thinned, visible_surface
from sonoworld.types import Geometry, Sounding, Source, Spread

HEIGHT = 256
OPTIONS = LocalizeOptions()
EVERYWHERE = np.ones((HEIGHT, 2 * HEIGHT), bool)


def shell(radius: float, height: int = HEIGHT) -> Geometry:
    """A sphere around the eye."""
    directions = sphere.pixel_directions(height)
    flat = np.zeros((height, 2 * height), bool)
    distance = np.full(flat.shape, radius, np.float32)
    return Geometry(distance, (-directions).astype(np.float32), flat, ~flat, metric=True)


def cap(direction: np.ndarray, radius: float, height: int = HEIGHT) -> np.ndarray:
    return sphere.pixel_directions(height) @ direction > np.cos(radius)


def sounding(spread: Spread, mask: np.ndarray | None = None, direction: np.ndarray | None = None) -> Sounding:
    return Sounding("thing", "a thing", spread, 60.0, 0.8, "test", mask=mask, direction=direction, reason="seen")


def place(one: Sounding, geometry: Geometry, known: np.ndarray = EVERYWHERE) -> Source:
    (source,) = localize((one,), geometry, known, OPTIONS)
    return source


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


@settings(max_examples=40)
@given(st.floats(-np.pi, np.pi), st.floats(-np.pi / 2, np.pi / 2), st.floats(0.03, 0.4), st.floats(0.5, 50))
def test_points_lie_in_their_direction(azimuth: float, elevation: float, size: float, radius: float) -> None:
    truth = frames.direction_from_angles(np.array(azimuth), np.array(elevation))
    source = place(sounding(Spread.POINT, cap(truth, size)), shell(radius))
    centroid = source.centroid
    assert centroid is not None
    assert angle_deg(centroid, truth) < 0.5
    np.testing.assert_allclose(np.linalg.norm(centroid), radius, rtol=1e-5)


@settings(max_examples=40)
@given(st.floats(-np.pi, np.pi), st.floats(-np.pi / 2, np.pi / 2), st.floats(0.1, 0.8))
def test_areas_lie_in_their_direction_and_fill_their_angle(azimuth: float, elevation: float, size: float) -> None:
    truth = frames.direction_from_angles(np.array(azimuth), np.array(elevation))
    source = place(sounding(Spread.AREA, cap(truth, size)), shell(3.0))
    centroid = source.centroid
    assert centroid is not None
    assert angle_deg(centroid, truth) < 1.0
    np.testing.assert_allclose(source.solid_angle_sr, 2 * np.pi * (1 - np.cos(size)), rtol=0.05)
    assert len(source.points) <= OPTIONS.max_points


def test_a_stated_direction_is_kept_exactly() -> None:
    truth = frames.direction_from_angles(np.array(np.radians(40.0)), np.array(np.radians(10.0)))
    source = place(sounding(Spread.POINT, direction=truth), shell(7.0))
    assert source.centroid is not None
    assert angle_deg(source.centroid, truth) < 1e-4
    np.testing.assert_allclose(np.linalg.norm(source.centroid), 7.0, rtol=1e-6)


def wall(distance: float, height: int = 512) -> Geometry:
    """An infinite wall ahead at x = distance, nothing behind (a far shell)."""
    directions = sphere.pixel_directions(height)
    ahead = directions[..., 0] > 0.05
    r = np.where(ahead, distance / np.maximum(directions[..., 0], 0.05), 1000.0).astype(np.float32)
    normal = np.where(ahead[..., None], np.array([-1.0, 0, 0]), -directions).astype(np.float32)
    return Geometry(r, normal, ~ahead, ahead, metric=True)


def test_weights_are_true_areas() -> None:
    """On a wall, a rectangle three times as wide as another has three times its weight."""
    geometry = wall(4.0)
    points = sphere.pixel_directions(512) * geometry.distance[..., None]
    left = (points[..., 1] > 1) & (points[..., 1] < 4) & (np.abs(points[..., 2]) < 1) & (points[..., 0] > 0)
    right = (points[..., 1] < -1) & (points[..., 1] > -2) & (np.abs(points[..., 2]) < 1) & (points[..., 0] > 0)
    surface = visible_surface(left | right, geometry, 1.2, 0.1)
    on_left = surface.weights[surface.points[:, 1] > 0].sum()
    np.testing.assert_allclose(on_left, 0.75, atol=0.005)
    np.testing.assert_allclose(surface.weights.sum(), 1.0)
    np.testing.assert_allclose(surface.points[:, 0], 4.0, rtol=1e-4)


@settings(max_examples=30)
@given(st.integers(1, 600), st.integers(0, 5))
def test_thinning_keeps_weight_and_centroid(limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(500, 3)) + np.array([-5.0, 0, 0])  # across ±180°
    weights = rng.random(500)
    whole = Surface(points, -points / np.linalg.norm(points, axis=1, keepdims=True), weights / weights.sum())
    kept = thinned(whole, limit)
    assert len(kept.weights) <= limit or limit >= 500
    np.testing.assert_allclose(kept.weights.sum(), 1.0)
    np.testing.assert_allclose(kept.weights @ kept.points, whole.weights @ whole.points, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(kept.normals, axis=1), 1.0, atol=1e-6)


def test_thinned_points_stay_on_the_surface() -> None:
    surface = visible_surface(cap(np.array([-1.0, 0, 0]), 0.6), shell(5.0), 1.2, 0.1)
    kept = thinned(surface, 300)
    np.testing.assert_allclose(np.linalg.norm(kept.points, axis=1), 5.0, rtol=0.03)


def test_depth_edges_and_sky_are_left_out() -> None:
    geometry = testing.tiny_geometry()
    mask = np.ones(geometry.sky.shape, bool)
    surface = visible_surface(mask, geometry, 1.2, 0.1)
    assert np.linalg.norm(surface.points, axis=1).max() < 41
    edge = depth_edges(geometry.distance, 1.2)
    assert edge.any()
    assert not edge[-10:].any()


def test_a_point_in_the_sky_is_placed_on_the_shell() -> None:
    up = np.array([0.0, 0, 1])
    source = place(sounding(Spread.POINT, cap(up, 0.1, 128)), testing.tiny_geometry(), testing.tiny_panorama().known)
    np.testing.assert_allclose(source.points[0], [0, 0, testing.SKY_RADIUS_M], atol=0.5)


@pytest.mark.parametrize("mask", [None, np.zeros((HEIGHT, 2 * HEIGHT), bool)])
@pytest.mark.parametrize("spread", [Spread.POINT, Spread.AREA])
def test_what_was_not_found_is_ambient_and_says_so(mask: np.ndarray | None, spread: Spread) -> None:
    source = place(sounding(spread, mask), shell(3.0))
    assert source.spread is Spread.AMBIENT
    assert "not found" in source.reason
    assert source.confidence < 0.8


def test_ambience_has_no_points_and_fills_the_sphere() -> None:
    source = place(sounding(Spread.AMBIENT), shell(3.0))
    assert len(source.points) == 0
    np.testing.assert_allclose(source.solid_angle_sr, 4 * np.pi)
    assert source.reason == "seen"


def test_imagined_is_said() -> None:
    known = np.zeros((HEIGHT, 2 * HEIGHT), bool)
    known[:, HEIGHT:] = True
    left, right = np.array([0.0, 1, 0]), np.array([0.0, -1, 0])
    for spread in (Spread.POINT, Spread.AREA):
        assert place(sounding(spread, cap(left, 0.2)), shell(3.0), known).imagined
        assert not place(sounding(spread, cap(right, 0.2)), shell(3.0), known).imagined


@given(st.lists(st.text(max_size=60), max_size=8))
def test_ids_are_unique_and_safe(labels: list[str]) -> None:
    ids = unique_ids([*labels, "Bus", "bus", "BUS!", "../../etc/passwd", "…"])
    assert len(set(ids)) == len(ids)
    assert all(len(i) <= 40 and i == slug(i) for i in ids)


def test_ids_read_well() -> None:
    assert unique_ids(["Bus", "bus", "Café № 5"]) == ["bus", "bus-2", "cafe-no-5"]


def test_order_is_kept() -> None:
    many = tuple(dataclasses.replace(sounding(Spread.AMBIENT), label=name) for name in "cab")
    assert [s.label for s in localize(many, shell(3.0), EVERYWHERE, OPTIONS)] == ["c", "a", "b"]
