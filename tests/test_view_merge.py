"""Overlapping views become one map: in metres, without steps at their borders, across ±180° and over the poles."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Bool, Float32, Float64

from sonoworld import sphere
from sonoworld.errors import StageError
from sonoworld.lift import sphere_poisson
from sonoworld.lift.disparity_fit import Disparity, fitted
from sonoworld.lift.view_depth import panorama_view, seen, tile_disparity, tile_view, turned
from sonoworld.lift.view_merge import Merged, View, log_factors, merge
from sonoworld.tiles import Tile, side_px, sphere_tiles

HEIGHT = 128
Distance = Callable[[Float64[np.ndarray, "*b 3"]], Float64[np.ndarray, "*b"]]
DIRECTIONS = sphere.pixel_directions(HEIGHT)


def shell(d: Float64[np.ndarray, "*b 3"]) -> Float64[np.ndarray, "*b"]:
    return np.full(d.shape[:-1], 3.0)


def room(d: Float64[np.ndarray, "*b 3"]) -> Float64[np.ndarray, "*b"]:
    """Walls at x = −2 and 4 m, y = −3 and 2.5 m, the floor 1.6 m below, the ceiling 1.4 m above."""
    low, high = np.array([-2.0, -3.0, -1.6]), np.array([4.0, 2.5, 1.4])
    with np.errstate(divide="ignore"):
        return np.where(d > 0, high / d, low / d).min(-1)


def ground(d: Float64[np.ndarray, "*b 3"]) -> Float64[np.ndarray, "*b"]:
    """Level, 1.6 m below; nothing above."""
    with np.errstate(divide="ignore"):
        return np.where(d[..., 2] < -0.05, 1.6 / np.maximum(-d[..., 2], 1e-9), np.inf)


def street(d: Float64[np.ndarray, "*b 3"]) -> Float64[np.ndarray, "*b"]:
    """The room with a post 0.5 m thick, 1.5 m away to the left behind: edges."""
    post = (np.abs(np.arctan2(d[..., 1], d[..., 0]) - 2.4) < 0.17) & (d[..., 2] > -0.7) & (d[..., 2] < 0.6)
    return np.where(post, 1.5 / np.hypot(d[..., 0], d[..., 1]), room(d))


def looked_at(world: Distance, tiles: Sequence[Tile], factors: Float64[np.ndarray, "k"]) -> list[View]:
    """What a perfect model but for its scale says of the tiles: z-depth."""
    views: list[View] = []
    for tile, factor in zip(tiles, factors, strict=True):
        side = side_px(tile)
        d = sphere.camera_pixel_directions(tile.K, (side, side), tile.pose)
        z = world(d) * (d @ tile.pose.rotation[:, 2]) * factor
        views.append(tile_view(seen(z.astype(np.float32), np.zeros(z.shape, np.bool_)), tile, HEIGHT))
    return views


def noise(seed: int, k: int) -> Float64[np.ndarray, "k"]:
    """Factors of 0.9 to 1.1, whose median is 1."""
    factors = np.random.default_rng(seed).uniform(-1, 1, k) * np.log(1.1)
    return np.exp(np.clip(factors - np.median(factors), np.log(0.9), np.log(1.1)))


def off(merged: Merged, world: Distance) -> Float64[np.ndarray, "h w"]:
    """Relative error where the map says a distance."""
    return np.where(merged.solid, merged.distance / world(DIRECTIONS) - 1, 0)


TILES = sphere_tiles(256, 90.0, 0.33)


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("world", [shell, room])
def test_metres_are_kept_to_one_percent(world: Distance, seed: int | None) -> None:
    factors = np.ones(len(TILES)) if seed is None else noise(seed, len(TILES))
    merged = merge(looked_at(world, TILES, factors), HEIGHT)
    assert merged.solid.all()
    error = np.abs(off(merged, world))
    assert error.max() < (1e-3 if world is shell else 0.01)
    assert abs(np.median(off(merged, world))) < 1e-3
    np.testing.assert_allclose(merged.factors * factors, 1, atol=2e-3)


def test_ground_under_an_open_sky() -> None:
    merged = merge(looked_at(ground, TILES, noise(4, len(TILES))), HEIGHT)
    near = ground(DIRECTIONS) < 15
    assert merged.solid[near].all()
    assert np.abs(off(merged, ground)[near]).max() < 0.01
    assert merged.far[DIRECTIONS[..., 2] > 0.02].all()
    assert not (merged.far & merged.solid).any()


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 100.0), st.integers(0, 2**31))
def test_a_scale_of_all_views_is_a_scale_of_the_map(scale: float, seed: int) -> None:
    factors = noise(seed, len(TILES))
    views = looked_at(room, TILES, factors)
    larger = [View(v.pixels, v.q + np.float32(np.log(scale)), v.far, v.weight) for v in views]
    np.testing.assert_allclose(merge(larger, HEIGHT).distance, scale * merge(views, HEIGHT).distance, rtol=1e-4)


def test_the_scale_is_that_of_the_middle_view() -> None:
    """Three views in fourteen that are wrong by a factor of 10 do not move it."""
    factors = np.ones(len(TILES))
    factors[[2, 5, 9]] = 10.0
    merged = merge(looked_at(room, TILES, factors), HEIGHT)
    assert np.abs(off(merged, room)).max() < 0.01


def bent(tiles: Sequence[Tile], amount: float) -> list[View]:
    """Views of the shell that each grow from their upper left to their lower right, as models do."""
    views = looked_at(shell, tiles, np.ones(len(tiles)))
    out: list[View] = []
    for tile, view in zip(tiles, views, strict=True):
        d = DIRECTIONS.reshape(-1, 3)[view.pixels] @ tile.pose.rotation
        slope = amount * (d[:, 0] + d[:, 1])
        out.append(View(view.pixels, (view.q + slope).astype(np.float32), view.far, view.weight))
    return out


def steps(distance: Float32[np.ndarray, "h w"]) -> float:
    """Largest relative step between neighbours, per angle between them (in pixels of the equator)."""
    q = np.log(distance.astype(np.float64))
    across = np.abs(np.roll(q, -1, 1) - q) / np.cos(sphere.row_elevations(len(q)))[:, None]
    inner = slice(len(q) // 16, -(len(q) // 16))  # near a pole one step of a column is no way at all
    return float(max(across[inner].max(), np.abs(np.diff(q, axis=0)).max()))


def test_no_steps_where_views_end() -> None:
    """Views that bend by ±10 % disagree by as much at their borders; what is left is a gentle slope."""
    views = bent(TILES, 0.1)
    merged = merge(views, HEIGHT)
    hard = np.full(2 * HEIGHT * HEIGHT, np.nan)
    best = np.zeros(2 * HEIGHT * HEIGHT)
    for view in views:
        better = view.weight > best[view.pixels]
        hard[view.pixels[better]], best[view.pixels[better]] = np.exp(view.q[better]), view.weight[better]
    one_view = 0.1 * np.sqrt(2) * np.pi / HEIGHT  # the slope of the views themselves, each pixel
    assert steps(hard.reshape(HEIGHT, -1).astype(np.float32)) > 20 * one_view
    assert steps(merged.distance) < 3 * one_view
    assert 0.9 < np.median(merged.distance) / 3 < 1.1
    assert 0.01 < np.median(merged.spread[merged.spread > 0]) < 0.1


def test_nothing_happens_at_the_wrap_and_at_the_poles() -> None:
    """Turning the world and the views by a quarter turns the map; the seam and the poles are places like others."""
    views = bent(TILES, 0.1)
    merged = merge(views, HEIGHT)
    quarter = HEIGHT // 2
    moved: list[View] = []
    for v in views:
        rows, columns = np.divmod(v.pixels, 2 * HEIGHT)
        pixels = rows * 2 * HEIGHT + (columns + quarter) % (2 * HEIGHT)
        order = np.argsort(pixels)
        moved.append(View(pixels[order], v.q[order], v.far[order], v.weight[order]))
    np.testing.assert_allclose(merge(moved, HEIGHT).distance, np.roll(merged.distance, quarter, 1), rtol=1e-5)
    for pole in (0, -1):
        around = merged.distance[pole]
        assert np.ptp(np.log(around)) < 2 * 0.1 * np.sqrt(2) * np.pi / HEIGHT * 2


def test_edges_stay_sharp() -> None:
    merged = merge(looked_at(street, TILES, noise(6, len(TILES))), HEIGHT)
    truth = street(DIRECTIONS)
    error = np.abs(np.log(merged.distance / truth))
    assert float((error > 0.05).mean()) < 0.01
    edge = np.abs(np.diff(np.log(truth), axis=1)) > 0.2
    rows, columns = np.nonzero(edge)
    one_before, two_after = merged.distance[rows, columns - 1], merged.distance[rows, columns + 2]
    sharp = (
        np.abs(np.log(two_after / one_before) / np.log(truth[rows, columns + 2] / truth[rows, columns - 1]) - 1) < 0.1
    )
    assert sharp.mean() > 0.9  # within two pixels all of the step has been made


def test_views_apart_keep_their_own_metres() -> None:
    tiles = sphere_tiles(64, 60.0, 0.1)
    up, down = tiles[-1], tiles[0]
    views = looked_at(shell, (up, down), np.array([1.0, 2.0]))
    np.testing.assert_allclose(log_factors(views, HEIGHT), 0, atol=1e-6)
    merged = merge(views, HEIGHT)
    assert abs(merged.distance[2, 5] - 3) < 0.05
    assert abs(merged.distance[-3, 5] - 6) < 0.1
    assert not merged.solid[HEIGHT // 2].any()
    assert not merged.far.any()


def test_only_sky_is_said() -> None:
    with pytest.raises(StageError, match="nothing but sky"):
        merge(looked_at(lambda d: np.full(d.shape[:-1], np.inf), TILES, np.ones(len(TILES))), HEIGHT)


def test_the_report_says_how_far_views_agree() -> None:
    said = merge(bent(TILES, 0.1), HEIGHT).report()
    assert said.startswith(f"{len(TILES)} views: distances differ by ")
    assert "after factors of 0.9" in said or "after factors of 1.0" in said


def disparities(world: Distance, seed: int, shift: float, bend: float = 0.0) -> list[Disparity]:
    """Inverse z-depth of every tile, each with a scale and a shift of its own."""
    rng = np.random.default_rng(seed)
    out: list[Disparity] = []
    for tile in TILES:
        d = sphere.camera_pixel_directions(tile.K, (side_px(tile), side_px(tile)), tile.pose)
        ray = d @ tile.pose.rotation
        s = rng.uniform(0.5, 2) / (world(d) * ray[..., 2]) * (1 + bend * ray[..., 0]) + rng.uniform(0, shift)
        out.append(tile_disparity(seen(s.astype(np.float32), np.zeros(s.shape, np.bool_)), tile, HEIGHT))
    return out


@pytest.mark.parametrize("shift", [0.0, 0.3])
@pytest.mark.parametrize("world", [room, street])
def test_relative_disparities_give_the_shape_of_the_world(world: Distance, shift: float) -> None:
    merged = merge(fitted(disparities(world, 3, shift), HEIGHT), HEIGHT)
    assert merged.solid.mean() > 0.999
    ratio = np.log(merged.distance / world(DIRECTIONS))
    ratio -= np.median(ratio)
    assert float(np.quantile(np.abs(ratio), 0.9)) < 0.01
    assert float(np.quantile(np.abs(ratio), 0.98)) < 0.05
    assert float(np.median(merged.spread)) < 0.005


def test_relative_disparities_that_bend_stay_close() -> None:
    ratio = np.log(merge(fitted(disparities(room, 3, 0.2, 0.05), HEIGHT), HEIGHT).distance / room(DIRECTIONS))
    assert float(np.quantile(np.abs(ratio - np.median(ratio)), 0.9)) < 0.1


def test_disparity_of_0_is_sky() -> None:
    views = disparities(ground, 1, 0.0)
    merged = merge(fitted(views, HEIGHT), HEIGHT)
    assert merged.far[DIRECTIONS[..., 2] > 0.02].mean() > 0.99
    below = ground(DIRECTIONS) < 8
    ratio = np.log(merged.distance[below] / ground(DIRECTIONS)[below])
    assert np.abs(ratio - np.median(ratio)).max() < 0.02
    with pytest.raises(StageError, match="0 everywhere"):
        fitted([Disparity(v.pixels, v.s * 0, v.cosine, v.weight) for v in views], HEIGHT)


def test_views_that_contradict_each_other_are_refused() -> None:
    views = disparities(room, 1, 0.0)
    views[4] = Disparity(views[4].pixels, views[4].s.max() - views[4].s, views[4].cosine, views[4].weight)
    with pytest.raises(StageError, match="contradict each other"):
        fitted(views, HEIGHT)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("rows", [90, HEIGHT])
def test_turned_panoramas(turns: int, rows: int) -> None:
    """A model of whole panoramas, of its own size, that does not know the seam: a ramp of 10 % from left to right."""
    d = sphere.pixel_directions(rows)
    ramp = np.exp(np.linspace(-0.05, 0.05, 2 * rows, dtype=np.float32))[None]
    views: list[View] = []
    for turn in range(turns):
        world = np.roll(room(d), -(2 * rows * turn // turns), 1).astype(np.float32)
        views.append(panorama_view(seen(world * ramp, np.zeros(world.shape, np.bool_)), turn, turns, HEIGHT))
    merged = merge(views, HEIGHT)
    assert np.abs(np.log(merged.distance / room(DIRECTIONS))).max() < 0.08
    seam = np.log(merged.distance[:, 0] / merged.distance[:, -1])
    assert (np.abs(seam).max() < 0.02) == (turns > 1)


def test_a_turned_panorama_looks_to_the_left() -> None:
    rgb = np.arange(16, dtype=np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    assert turned(rgb, 1, 4, 8)[0, 0, 0] == 4
    assert turned(rgb, 0, 1, 8).tobytes() == rgb.tobytes()
    assert turned(rgb, 1, 2, 16).shape == (16, 32, 3)
    assert turned(rgb, 1, 2, 4).shape == (4, 8, 3)


def dense(near: np.ndarray, right: np.ndarray, down: np.ndarray, length: float) -> np.ndarray:
    """The same minimum by least squares over all unknowns at once."""
    h, w = near.shape
    rows: list[np.ndarray] = []
    values: list[float] = []
    for r in range(h):
        cosine = np.cos(np.pi / 2 - np.pi * (r + 0.5) / h)
        for c in range(w):
            for other, weight, want in (
                ((r, (c + 1) % w), 1 / cosine, right[r, c]),
                ((r + 1, c), np.cos(np.pi / 2 - np.pi * (r + 1) / h), down[r, c] if r + 1 < h else 0.0),
                (None, cosine * (np.pi / h / length) ** 2, near[r, c]),
            ):
                if other is not None and other[0] == h:
                    continue
                row = np.zeros((h, w))
                row[r, c] = 1.0 if other is None else -1.0
                if other is not None:
                    row[other] += 1.0
                rows.append(np.sqrt(weight) * row.reshape(-1))
                values.append(np.sqrt(weight) * want)
    return np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0].reshape(h, w)


@pytest.mark.parametrize("length", [0.2, 1.0])
def test_the_solution_is_the_least_squares_one(length: float) -> None:
    rng = np.random.default_rng(0)
    near, right, down = (rng.normal(size=s).astype(np.float32) for s in ((6, 12), (6, 12), (5, 12)))
    got = sphere_poisson.solve(near, right, down, length)
    np.testing.assert_allclose(got, dense(near, right, down, length), atol=1e-4)
    cosine = np.cos(sphere.row_elevations(6))[:, None]
    assert abs(((got - near) * cosine).sum()) < 1e-3


def test_a_picture_with_its_own_steps_is_itself() -> None:
    picture = np.random.default_rng(1).normal(size=(64, 128)).astype(np.float32)
    own = sphere_poisson.solve(picture, np.roll(picture, -1, 1) - picture, np.diff(picture, axis=0), 0.2)
    np.testing.assert_allclose(own, picture, atol=1e-4)


def test_what_a_model_may_say_instead_of_a_depth() -> None:
    depth = np.array([[1.0, np.inf, np.nan, 0.0, -1.0, 5.0]], np.float32)
    far: Bool[np.ndarray, "1 6"] = np.array([[False, False, False, False, False, True]])
    found = seen(depth, far)
    assert found.solid.tolist() == [[True, False, False, False, False, False]]
    assert found.far.tolist() == [[False, True, False, False, False, True]]
    assert np.isfinite(found.depth).all()
