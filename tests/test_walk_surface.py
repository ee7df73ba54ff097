"""Ground and obstacles of worlds whose every distance is known: boxes on level ground, cast ray by ray."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_world
from hypothesis import given, settings
from hypothesis import strategies as st

from browser import courtyard
from sonoworld import testing
from sonoworld.disk.arrays import write_arrays
from sonoworld.disk.ground_value import GROUND
from sonoworld.disk.mesh_files import read_meshes
from sonoworld.disk.scene import check_scene, load_scene
from sonoworld.errors import ShapeError, SonoworldError
from sonoworld.flow import make_scene
from sonoworld.frames import angles_from_direction, world_from_axes
from sonoworld.sphere import pixel_directions
from sonoworld.terrain import collider, walk_surface
from sonoworld.terrain.grid import Grid, continued, low_quantile, reached
from sonoworld.types import Geometry, Splats, WalkSurface
from sonoworld.view import export_folder
from sonoworld.view.world import ground_bytes, ground_part

H, EYE_M, FAR_M = 192, 1.6, 100.0
Box = tuple[float, float, float, float, float, float]
"""x, y and z of its lower and of its upper corner."""


def world(*boxes: Box, ground_m: float = -EYE_M) -> Geometry:
    """Boxes on level ground, as distances and exact normals."""
    d = pixel_directions(H)
    distance, normal = np.full(d.shape[:2], np.inf), -d
    with np.errstate(divide="ignore"):
        floor = np.where(d[..., 2] < 0, ground_m / d[..., 2], np.inf)
    normal = np.where((floor < distance)[..., None], [0.0, 0.0, 1.0], normal)
    distance = np.minimum(distance, floor)
    for box in boxes:
        with np.errstate(divide="ignore"):
            a, b = np.array(box[:3]) / d, np.array(box[3:]) / d
        near, far = np.minimum(a, b), np.maximum(a, b)
        enters, axis = near.max(-1), near.argmax(-1)
        hit = (enters < far.min(-1)) & (enters > 0) & (enters < distance)
        face = -np.sign(np.take_along_axis(d, axis[..., None], -1)) * np.eye(3)[axis]
        distance, normal = np.where(hit, enters, distance), np.where(hit[..., None], face, normal)
    sky = ~(distance < FAR_M)
    distance = np.where(sky, FAR_M, distance).astype(np.float32)
    return Geometry(distance, normal.astype(np.float32), sky, ~sky, metric=True)


def at(walk: WalkSurface, x: float, y: float) -> tuple[int, int]:
    middle = walk.floor_m.shape[0] // 2
    return middle + round(x / walk.cell_m), middle + round(y / walk.cell_m)


def test_open_ground_is_level_and_free() -> None:
    walk = walk_surface(world())
    np.testing.assert_allclose(walk.floor_m, -EYE_M, atol=1e-4)
    assert walk.walkable.all()
    i, j = np.indices(walk.seen.shape) - walk.seen.shape[0] // 2
    assert walk.seen[np.hypot(i, j) * walk.cell_m < 4].all()  # further out, rays are further apart than cells
    assert (walk.eye_height_m, walk.nearest_m) == (pytest.approx(EYE_M), math.inf)
    assert walk.comfortable_radius_m == 1.5


def test_a_block_stops_and_is_as_high_as_it_is() -> None:
    walk = walk_surface(world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6)))
    face = at(walk, 2.05, 0.0)
    assert walk.blocked[face]
    assert walk.height_m[face] == pytest.approx(1.0, abs=0.05)
    assert not walk.walkable[at(walk, 1.85, 0.0)]  # a body's width before it
    for free in ((1.6, 0.0), (2.5, -1.0), (-2.0, 0.0)):
        assert walk.walkable[at(walk, *free)]
        assert walk.height_m[at(walk, *free)] == 0
    np.testing.assert_allclose(walk.floor_m[walk.walkable], -EYE_M, atol=0.05)
    assert walk.nearest_m == pytest.approx(math.hypot(2.0, 1.0), abs=0.4)
    assert walk.comfortable_radius_m == pytest.approx(walk.nearest_m / 2)


def test_a_low_step_is_climbed_a_high_one_is_not() -> None:
    low = walk_surface(world((1.0, -9.0, -EYE_M, 9.0, 9.0, -EYE_M + 0.2)))
    assert low.walkable[at(low, 3.0, 0.0)]
    assert low.floor_m[at(low, 3.0, 0.0)] == pytest.approx(-EYE_M + 0.2, abs=0.02)
    assert low.floor_m[at(low, 0.5, 0.0)] == pytest.approx(-EYE_M, abs=0.02)
    high = walk_surface(world((1.0, -9.0, -EYE_M, 9.0, 9.0, -EYE_M + 0.6)))
    assert not high.walkable[at(high, 3.0, 0.0)]
    assert high.walkable[at(high, 0.5, 0.0)]


def test_stairs_are_climbed() -> None:
    steps = [(1.0 + 0.3 * i, -2.0, -EYE_M, 6.5, 2.0, -EYE_M + 0.15 * (i + 1)) for i in range(6)]
    walk = walk_surface(world(*steps))
    along = [walk.floor_m[at(walk, 1.15 + 0.3 * i, 0.0)] for i in range(6)]
    np.testing.assert_allclose(along, [-EYE_M + 0.15 * (i + 1) for i in range(6)], atol=0.1)
    assert all(walk.walkable[at(walk, 1.15 + 0.3 * i, 0.0)] for i in range(6))


def test_a_terrace_ends_where_it_drops() -> None:
    terrace = walk_surface(world((-9.0, -9.0, -3.0, 1.5, 9.0, -EYE_M), ground_m=-3.0))
    assert terrace.walkable[at(terrace, 1.0, 0.0)]
    assert not terrace.walkable[at(terrace, 5.0, 0.0)]
    assert terrace.eye_height_m == pytest.approx(EYE_M, abs=1e-3)
    assert terrace.height_m[at(terrace, 5.0, 0.0)] == 0  # nothing stands there: it is deep


def test_what_hangs_overhead_is_walked_under() -> None:
    walk = walk_surface(world((1.0, -3.0, 0.5, 4.0, 3.0, 0.8)))
    assert walk.walkable[at(walk, 2.0, 0.0)]
    assert walk.nearest_m == math.inf


def test_a_room_encloses() -> None:
    walls = [(2.0, -3, -EYE_M, 2.2, 3, 1.2), (-2.2, -3, -EYE_M, -2.0, 3, 1.2)]
    walls += [(-2.2, 2.0, -EYE_M, 2.2, 2.2, 1.2), (-2.2, -2.2, -EYE_M, 2.2, -2.0, 1.2)]
    walls += [(-2.2, -2.2, 1.1, 2.2, 2.2, 1.2)]
    walk = walk_surface(world(*walls))
    cell = np.argwhere(walk.walkable) - walk.floor_m.shape[0] // 2
    assert 1.5 < np.abs(cell).max() * walk.cell_m < 1.95
    assert walk.comfortable_radius_m == pytest.approx(1.0, abs=0.1)


def test_walls_of_a_room_face_inwards() -> None:
    walls = [(2.0, -3, -EYE_M, 2.6, 3, 1.2), (-2.6, -3, -EYE_M, -2.0, 3, 1.2)]
    walls += [(-2.6, 2.0, -EYE_M, 2.6, 2.6, 1.2), (-2.6, -2.6, -EYE_M, 2.6, -2.0, 1.2)]
    vertices, faces = collider(walk_surface(world(*walls)))
    middle, normal = sides(vertices, faces)
    inner = (np.abs(normal[:, 2]) < 0.5) & (np.abs(middle[:, :2]).max(1) < 2.0)
    assert inner.sum() >= 8
    assert (np.einsum("nc,nc->n", middle[inner], normal[inner]) < 0).mean() > 0.7


def test_where_somebody_stood_is_free() -> None:
    walk = walk_surface(world((0.1, -0.1, -EYE_M, 0.3, 0.1, -0.5)))
    middle = walk.floor_m.shape[0] // 2
    assert walk.walkable[middle, middle]


def test_soft_edges_hang_no_curtains() -> None:
    """Between a post and the ground behind it lie distances of neither, as learned depth has them."""
    sharp = world((2.0, -0.15, -EYE_M, 2.3, 0.15, 0.5))
    log = np.log(sharp.distance)
    for _ in range(2):
        log = (np.roll(log, 1, 1) + 2 * log + np.roll(log, -1, 1)) / 4
    from sonoworld.lift.surface import surface_normals  # noqa: PLC0415

    soft = np.exp(log).astype(np.float32)
    walk = walk_surface(replace(sharp, distance=soft, normal=surface_normals(soft)))
    sides = [walk.walkable[at(walk, x, y)] for x in (1.5, 2.2, 3.0) for y in (-0.9, 0.9)]
    assert all(sides)
    assert walk.blocked[at(walk, 2.0, 0.0)]


def test_nothing_below_the_eye_is_said() -> None:
    nothing = world()
    sky = np.ones_like(nothing.sky)
    walk = walk_surface(replace(nothing, sky=sky, distance=np.full_like(nothing.distance, FAR_M)))
    assert not walk.seen.any()
    np.testing.assert_array_equal(walk.floor_m, np.float32(-1.6))
    assert walk.walkable.all()


def test_splats_of_an_imported_world_show_ground_behind_things() -> None:
    geometry = world((2.0, -3.0, -EYE_M, 2.2, 3.0, 0.0))
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(2.6, 5.8, 0.05), np.arange(-2, 2, 0.05)))
    means = np.stack([x, y, np.full_like(x, -EYE_M + 0.3)], -1).astype(np.float32)
    n = len(means)
    splats = Splats(
        means,
        np.full((n, 3), np.log(0.03), np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (n, 1)),
        np.full(n, 4, np.float32),
        np.zeros((n, 1, 3), np.float32),
    )
    behind = at(walk_surface(geometry), 4.0, 0.0)
    assert not walk_surface(geometry).seen[behind]
    assert walk_surface(geometry, splats).seen[behind]


def test_same_geometry_same_surface_and_no_input_changes() -> None:
    geometry = world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6))
    before = geometry.distance.tobytes()
    assert testing.same_value(walk_surface(geometry), walk_surface(geometry))
    assert geometry.distance.tobytes() == before


@settings(max_examples=20, deadline=None)
@given(st.floats(0.6, 40), st.floats(-3, 3), st.floats(0.5, 3))
def test_a_pillar_anywhere_keeps_the_laws(x: float, y: float, tall: float) -> None:
    walk = walk_surface(world((x, y - 0.3, -EYE_M, x + 0.5, y + 0.3, -EYE_M + tall)))
    assert not (walk.walkable & walk.blocked).any()
    assert ((walk.height_m > 0) <= walk.blocked).all()
    assert 0.5 <= walk.comfortable_radius_m <= 1.5
    np.testing.assert_allclose(walk.floor_m[walk.walkable], -EYE_M, atol=0.3)


# ---------------------------------------------------------------- collider


def sides(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles and unit normals of triangles."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    normal = np.cross(b - a, c - a)
    return (a + b + c) / 3, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def test_the_collider_is_small_and_faces_the_walker() -> None:
    walk = walk_surface(world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6), (-9, 4.0, -EYE_M, 9, 4.5, 3.0)))
    vertices, faces = collider(walk)
    assert len(faces) < 4000
    assert faces.min() == 0
    assert faces.max() == len(vertices) - 1
    middle, normal = sides(vertices, faces)
    upright = np.abs(normal[:, 2]) < 0.5
    assert (normal[~upright, 2] > 0).all()
    np.testing.assert_allclose(vertices[: faces[~upright].max() + 1, 2], walk.eye_height_m * -1, atol=0.05)
    # the face of the block is met from the eye, at its place
    near = upright & (np.abs(middle[:, 1]) < 0.6) & (np.abs(middle[:, 0] - 2.0) < 0.2)
    assert near.any()
    assert (normal[near] @ [1, 0, 0]).min() < -0.7


def nearest_hit(vertices: np.ndarray, faces: np.ndarray, direction: np.ndarray) -> float:
    """Along a unit direction from the eye: Möller and Trumbore 1997, for all triangles at once."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    p = np.cross(direction, c - a)
    det = np.einsum("nc,nc->n", b - a, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("nc,nc->n", -a, p) / det
        q = np.cross(-a, b - a)
        v, t = q @ direction / det, np.einsum("nc,nc->n", c - a, q) / det
        inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return float(t[inside].min())


@pytest.mark.parametrize(("yaw", "wall_m"), [(0.0, 2.0), (0.2, 2.0), (math.pi / 2, 4.0), (2.0, 4.0)])
def test_a_ray_from_the_eye_meets_the_collider_where_the_world_is(yaw: float, wall_m: float) -> None:
    walk = walk_surface(world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6), (-9, 4.0, -EYE_M, 9, 4.5, 3.0)))
    direction = np.array([math.cos(yaw), math.sin(yaw), 0.0])
    along = direction[0] if wall_m == 2.0 else direction[1]
    down = direction - np.array([0, 0, 1.2 * along / wall_m])
    hit = nearest_hit(*collider(walk), down / np.linalg.norm(down)) * direction / np.linalg.norm(down)
    assert max(hit[0] if wall_m == 2.0 else hit[1], 0) == pytest.approx(wall_m, abs=0.15)


# ---------------------------------------------------------------- kept with the scene


def test_it_is_kept_as_it_was_with_its_collider(tmp_path: Path) -> None:
    walk = walk_surface(world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6)))
    names = GROUND.save(tmp_path, walk)
    assert testing.same_value(GROUND.load(tmp_path), walk)
    (mesh,) = read_meshes(tmp_path / names[1])
    vertices, faces = collider(walk)
    np.testing.assert_array_equal(mesh.faces, faces)
    np.testing.assert_allclose(mesh.vertices @ world_from_axes("RUB").T, vertices, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"blocked": np.zeros((3, 3), bool)},
        {"floor_m": np.zeros((97, 97))},
        {"floor_m": np.full((97, 97), np.nan, np.float32)},
        {"cell_m": np.zeros(2)},
        {"nearest_m": np.array(-1.0)},
        {"seen": None},
    ],
)
def test_a_strangers_grid_is_refused(tmp_path: Path, change: dict[str, np.ndarray | None]) -> None:
    GROUND.save(tmp_path, walk_surface(world()))
    with np.load(tmp_path / "ground.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files} | change
    write_arrays(tmp_path / "ground.npz", {name: a for name, a in arrays.items() if a is not None})
    with pytest.raises(SonoworldError):
        GROUND.load(tmp_path)


def test_worlds_made_before_get_their_ground(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    scene = make_scene(testing.tiny_photo(), small_world.recipe(), folder)
    assert scene.ground is not None
    document = json.loads((folder / "scene.json").read_text())
    for name in ("ground.npz", "collider.glb"):
        del document["files"][name]
        (folder / name).unlink()
    (folder / "scene.json").write_text(json.dumps(document))
    assert check_scene(folder) == ()
    assert testing.same_value(load_scene(folder), scene)


def test_the_page_is_told(tmp_path: Path) -> None:
    walk = walk_surface(world((2.0, -0.5, -EYE_M, 3.0, 0.5, -0.6)))
    part, data = ground_part(walk), ground_bytes(walk)
    n = part.cells
    np.testing.assert_array_equal(np.frombuffer(data, "<f4", n * n).reshape(n, n), walk.floor_m)
    np.testing.assert_array_equal(np.frombuffer(data, np.uint8, offset=4 * n * n).reshape(n, n), walk.walkable)
    folder = export_folder(replace(courtyard.small_world(), ground=walk), tmp_path / "site")
    told = json.loads((folder / "world.json").read_text())
    assert (folder / told["ground"]["file"]).read_bytes() == data
    assert told["ground"] == {"file": "ground.bin", "cells": 97, "cell_m": 0.125}
    assert told["comfortable_radius_m"] == pytest.approx(walk.comfortable_radius_m, abs=0.01)


# ---------------------------------------------------------------- grid


def test_quantiles_of_cells_are_numpys() -> None:
    rng = np.random.default_rng(0)
    cell, value = rng.integers(0, 9, 500), rng.normal(size=500).astype(np.float32)
    cell[cell == 4] = 3
    out = low_quantile(cell, value, 3, 0.25).ravel()
    assert np.isnan(out[4])
    for k in (0, 3, 8):
        assert (
            out[k] == np.quantile(value[cell == k], 0.25, method="inverted_cdf")
            or out[k] in np.sort(value[cell == k])[[int(0.25 * (cell == k).sum())]]
        )


def test_what_is_known_stays_and_planes_go_on() -> None:
    i, j = np.mgrid[0:33, 0:33].astype(np.float32)
    plane = (0.1 * i - 0.05 * j).astype(np.float32)
    known = np.hypot(i - 16, j - 16) > 5
    out = continued(np.where(known, plane, np.float32(np.nan)), known)
    np.testing.assert_array_equal(out[known], plane[known])
    assert np.abs(out - plane).max() < 0.25
    flat = continued(np.full((33, 33), 2, np.float32), i + j == 0)
    np.testing.assert_allclose(flat, 2)


def test_regions_hang_together_by_sides() -> None:
    cells = np.zeros((5, 5), bool)
    cells[:2, :2] = cells[2, 2] = True
    start = np.zeros_like(cells)
    start[0, 0] = True
    assert reached(cells, start, corners=False).sum() == 4
    assert reached(cells, start, corners=True).sum() == 5


def test_points_fall_into_their_cells() -> None:
    grid = Grid(5, 0.5)
    points = np.array([[0, 0, 9], [1.2, -1.2, 0], [1.3, 0, 0], [-0.24, 0.26, 0]], np.float32)
    cell, inside = grid.cell_of(points)
    assert inside.tolist() == [True, True, False, True]
    assert cell[inside].tolist() == [12, 20, 13]
    assert grid.distance()[2, 2] == 0


def test_a_value_must_be_whole() -> None:
    walk = walk_surface(world())
    for change in (
        {"floor_m": np.full_like(walk.floor_m, np.nan)},
        {"cell_m": 0.0},
        {"nearest_m": 0.0},
        {"blocked": np.ones_like(walk.blocked)},
    ):
        with pytest.raises(ShapeError):
            replace(walk, **change)


def test_directions_are_those_of_the_world(tmp_path: Path) -> None:
    """A wall to the left of the eye is blocked to the left."""
    walk = walk_surface(world((-1.0, 2.0, -EYE_M, 1.0, 2.5, 1.0)))
    assert walk.blocked[at(walk, 0.0, 2.05)]
    assert not walk.blocked[at(walk, 0.0, -2.05)]
    azimuth, _ = angles_from_direction(np.array([0.0, 2.05, 0.0]))
    assert azimuth == pytest.approx(math.pi / 2)
