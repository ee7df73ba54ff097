"""Edit operations as values: what each does to a draft, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sonoworld import sphere, testing
from sonoworld.disk.draft_file import Draft
from sonoworld.disk.versions import Kind, Version
from sonoworld.edit import operations as ops
from sonoworld.edit.drafting import Studio, World, apply
from sonoworld.edit.operations import parse_operation
from sonoworld.edit.places import hit, unit
from sonoworld.edit.steps import redo_target, undo_target
from sonoworld.edit.suggest import STUFF
from sonoworld.errors import InputError
from sonoworld.perceive.stuff import Stuff
from sonoworld.types import Clip, Geometry, Motion, Panorama, Source, Spread

coordinate = st.floats(-50, 50)
places = st.tuples(coordinate, coordinate, coordinate).filter(lambda p: np.linalg.norm(p) > 0.5)


def point(at: tuple[float, float, float], id_: str = "bus") -> Source:
    ahead = np.array(at) / np.linalg.norm(at)
    return Source(
        id_, "bus", "a bus", Spread.POINT, 80.0, 1.0, "test", np.array([at], np.float32),
        -ahead[None].astype(np.float32), np.ones(1, np.float32), 0.0,
    )  # fmt: skip


def surface(at: tuple[float, float, float], seed: int = 0) -> Source:
    rng = np.random.default_rng(seed)
    points = (np.array(at) + rng.normal(size=(30, 3))).astype(np.float32)
    weights = rng.random(30).astype(np.float32)
    normals = np.tile(np.array([-1, 0, 0], np.float32), (30, 1))
    return replace(
        point(at, "wall"), spread=Spread.AREA, points=points, normals=normals, weights=weights / weights.sum()
    )


def wind() -> Source:
    none = np.zeros((0, 3), np.float32)
    return Source("wind", "wind", "", Spread.AMBIENT, 40.0, 1.0, "test", none, none, none[:, 0], 4 * np.pi)


def clip(source: Source, seed: int, backend: str | None) -> Clip:
    """A sound that tells what it was asked for."""
    samples = np.full(4, seed + 1, np.float32)
    return Clip(samples, 48000, True, 23.0, f"{source.label} {backend}", "CC0-1.0")


def seen() -> World:
    """Red all around but for a green disc of 10° radius ahead, 20° up; everything 5 m away."""
    geometry = testing.tiny_geometry()
    panorama = testing.tiny_panorama()
    directions = sphere_directions(panorama.rgb.shape[0])
    rgb = np.full(panorama.rgb.shape, (180, 40, 40), np.uint8)
    rgb[directions @ UP_AHEAD > np.cos(np.radians(10))] = (30, 170, 60)
    flat = replace(geometry, distance=np.full_like(geometry.distance, 5.0), sky=np.zeros_like(geometry.sky))
    return World(Panorama(rgb, panorama.known), flat, ())


UP_AHEAD = np.array([np.cos(np.radians(20)), 0, np.sin(np.radians(20))])


def sphere_directions(height: int) -> np.ndarray:
    """By the page of conventions, not by our code: column centres left from behind, rows down from the zenith."""
    azimuth = np.pi - 2 * np.pi * (np.arange(2 * height) + 0.5) / (2 * height)
    elevation = np.pi / 2 - np.pi * (np.arange(height)[:, None] + 0.5) / height
    x, y = np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth)
    return np.stack([x, y, np.broadcast_to(np.sin(elevation), x.shape)], -1)


STUDIO = Studio(seen, clip, Path, 7)


def done(draft: Draft, operation: ops.Operation) -> Draft:
    return apply(draft, operation, STUDIO).draft


def one(draft: Draft, id_: str) -> Source:
    (found,) = (s for s in draft.sources if s.id == id_)
    return found


@given(places, places, st.integers(0, 3))
def test_a_moved_source_is_where_it_was_moved_to(start: ops.Point, goal: ops.Point, seed: int) -> None:
    path = Motion(np.array([0.0, 1.0]), np.array([start, (1.0, 2.0, 3.0)]))
    wall = replace(surface(start, seed), path=path)
    after = one(done(Draft((point((1, 2, 3)), wall)), ops.Move(id="wall", position=goal)), "wall")
    assert after.centroid is not None
    np.testing.assert_allclose(after.centroid, goal, atol=2e-4)
    np.testing.assert_allclose(after.points - after.points[0], wall.points - wall.points[0], atol=1e-4)
    assert after.path is not None
    np.testing.assert_allclose(np.diff(after.path.positions, axis=0), np.diff(path.positions, axis=0))
    assert after.weights is not None


def test_a_source_moved_in_a_direction_stands_on_what_is_seen_there() -> None:
    after = one(done(Draft((point((1, 2, 3)),)), ops.Move(id="bus", direction=(0, 9, 0))), "bus")
    np.testing.assert_allclose(after.points, [[0, 5, 0]], atol=1e-5)


@given(places, st.floats(0.05, 40))
def test_a_widened_point_is_an_even_disc_that_faces_the_eye(at: ops.Point, radius_m: float) -> None:
    after = one(done(Draft((point(at),)), ops.Widen(id="bus", radius_m=radius_m)), "bus")
    away = after.points - np.array(at)
    reach = np.linalg.norm(away, axis=1)
    assert after.spread is Spread.AREA
    np.testing.assert_allclose(after.centroid, at, atol=1e-4 * (1 + radius_m))
    assert reach.max() == pytest.approx(radius_m, rel=0.1)
    assert (reach**2).mean() == pytest.approx(radius_m**2 / 2, rel=0.05)  # a uniform disc
    assert np.abs(away @ (np.array(at) / np.linalg.norm(at))).max() < 1e-4 * (1 + np.linalg.norm(at))


@given(places, st.floats(0.05, 40), st.integers(0, 3))
def test_widening_is_a_scale_and_zero_a_point(at: ops.Point, radius_m: float, seed: int) -> None:
    before = surface(at, seed)
    draft = done(Draft((before,)), ops.Widen(id="wall", radius_m=radius_m))
    twice = one(done(draft, ops.Widen(id="wall", radius_m=2 * radius_m)), "wall")
    once = one(draft, "wall")
    c = np.asarray(before.centroid)
    np.testing.assert_allclose(twice.points - c, 2 * (once.points - c), atol=1e-3)
    spot = one(done(draft, ops.Widen(id="wall", radius_m=0)), "wall")
    assert spot.spread is Spread.POINT
    np.testing.assert_allclose(spot.points, c[None], atol=1e-3)


def test_a_click_grows_the_region_that_is_pointed_at() -> None:
    added = apply(Draft((wind(),)), ops.Add(direction=(0.94, 0, 0.342), label="ivy", spread=Spread.AREA), STUDIO)
    ivy = one(added.draft, "ivy")
    assert added.id == "ivy"
    angle = np.degrees(np.arccos(ivy.points @ UP_AHEAD / np.linalg.norm(ivy.points, axis=1)))
    assert 6 < angle.max() < 10.5  # the green disc, and nothing of the red around it
    np.testing.assert_allclose(np.linalg.norm(ivy.points, axis=1), 5, atol=0.05)
    assert ivy.solid_angle_sr == pytest.approx(2 * np.pi * (1 - np.cos(np.radians(10))), rel=0.1)
    assert ivy.clip is not None
    assert ivy.clip.samples[0] == 8  # the fresh seed


def test_what_is_not_said_is_suggested() -> None:
    added = apply(Draft(()), ops.Add(direction=(1, 0, -1)), STUDIO)
    source = one(added.draft, added.id)
    assert source.label in {words[0] for stuff in Stuff for words in STUFF[stuff]}
    assert "added by hand; this looks like" in source.reason
    assert source.level_db > 20


def test_ids_of_added_sources_are_their_own() -> None:
    draft = Draft((point((1, 0, 0)), point((2, 0, 0), "bus-2")))
    assert apply(draft, ops.Add(direction=(1, 0, 0), label="Bus"), STUDIO).id == "bus-3"


def test_rename_keeps_the_sound_and_the_id() -> None:
    before = replace(point((1, 0, 0)), clip=clip(wind(), 1, None))
    after = one(done(Draft((before,)), ops.Rename(id="bus", label="tram")), "bus")
    assert (after.label, after.prompt, after.clip) == ("tram", "a bus", before.clip)


def test_retyped_there_and_back() -> None:
    draft = done(Draft((point((4, 0, 1.4)),)), ops.Retype(id="bus", spread=Spread.AREA))
    assert one(draft, "bus").spread is Spread.AREA
    draft = done(draft, ops.Retype(id="bus", spread=Spread.AMBIENT))
    assert len(one(draft, "bus").points) == 0
    with pytest.raises(InputError, match="expected a direction"):
        done(draft, ops.Retype(id="bus", spread=Spread.AREA))
    draft = done(draft, ops.Retype(id="bus", spread=Spread.POINT, direction=(0, -3, 0)))
    np.testing.assert_allclose(one(draft, "bus").points, [[0, -5, 0]], atol=1e-5)


def test_level_mute_and_remove() -> None:
    draft = Draft((point((1, 0, 0)), wind()))
    assert one(done(draft, ops.Level(id="bus", level_db=33)), "bus").level_db == 33
    muted = done(draft, ops.Mute(id="wind"))
    assert [s.id for s in muted.heard] == ["bus"]
    assert done(muted, ops.Mute(id="wind", muted=False)) == draft
    gone = done(muted, ops.Remove(id="wind"))
    assert [s.id for s in gone.sources] == ["bus"]
    assert gone.muted == frozenset()


def test_another_candidate_is_another_seed() -> None:
    draft = Draft((wind(),))
    fresh, third = (
        one(done(draft, ops.Sound(id="wind")), "wind"),
        one(done(draft, ops.Sound(id="wind", seed=3)), "wind"),
    )
    assert fresh.clip is not None
    assert third.clip is not None
    assert (fresh.clip.samples[0], third.clip.samples[0]) == (8, 4)


def test_a_path() -> None:
    draft = Draft((point((1, 0, 0)), wind()))
    led = done(draft, ops.Path(id="bus", times_s=(0, 2), positions=((1, 0, 0), (5, 0, 0)), loops=True))
    path = one(led, "bus").path
    assert path is not None
    assert path.loops
    np.testing.assert_array_equal(path.positions, [[1, 0, 0], [5, 0, 0]])
    assert one(done(led, ops.Path(id="bus", times_s=(), positions=())), "bus").path is None
    for bad in (((0, 2), ((1, 0, 0),)), ((2, 1), ((1, 0, 0), (5, 0, 0)))):
        with pytest.raises(InputError, match="times"):
            done(draft, ops.Path(id="bus", times_s=bad[0], positions=bad[1]))
    with pytest.raises(InputError, match="no way to go"):
        done(draft, ops.Path(id="wind", times_s=(0,), positions=((1, 0, 0),)))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"op": "explode"}, "does not match any of the expected tags"),
        ({"op": "level", "id": "bus", "level_db": float("nan")}, "level_db"),
        ({"op": "level", "id": "bus", "level_db": 1e9}, "level_db"),
        ({"op": "move", "id": "bus"}, "either a position or a direction"),
        ({"op": "move", "id": "bus", "position": [0, 0]}, "position"),
        ({"op": "mute", "id": "bus", "and": "more"}, "and"),
        ({"op": "add", "direction": [1, 0, 0], "label": "   "}, "label"),
        ({"op": "sound", "id": "bus", "file": "x", "seed": 1}, "not both"),
        ({"op": "path", "id": "bus", "times_s": [0.0] * 1001, "positions": []}, "times_s"),
        ("level", "edit: "),
        (None, "edit: "),
    ],
)  # fmt: skip
def test_bad_documents_are_refused(document: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_operation(document)


def test_what_is_not_there() -> None:
    with pytest.raises(InputError, match="no source 'cat' \\(expected one of wind\\)"):
        done(Draft((wind(),)), ops.Remove(id="cat"))
    with pytest.raises(InputError, match="points somewhere"):
        done(Draft(()), ops.Add(direction=(0, 0, 0), label="x"))
    with pytest.raises(InputError, match="from all around"):
        done(Draft((wind(),)), ops.Move(id="wind", position=(1, 0, 0)))


@given(st.lists(st.sampled_from(["edit", "undo", "redo"]), max_size=25))
def test_undo_and_redo_are_those_of_two_stacks(wishes: list[Kind]) -> None:
    """The oracle: a text editor's pair of stacks."""
    versions = [_version(0, "made", 0)]
    now, undoable, redoable = 0, list[int](), list[int]()
    for wish in wishes:
        undo, redo = undo_target(tuple(versions)), redo_target(tuple(versions))
        assert (undo.version if undo else None) == (undoable[-1] if undoable else None)
        assert (redo.version if redo else None) == (redoable[-1] if redoable else None)
        number = len(versions)
        if wish == "edit":
            undoable.append(now)
            redoable.clear()
            now = number
            versions.append(_version(number, "edit", number))
        elif wish == "undo" and undo:
            redoable.append(now)
            now = undoable.pop()
            versions.append(_version(number, "undo", now))
        elif wish == "redo" and redo:
            undoable.append(now)
            now = redoable.pop()
            versions.append(_version(number, "redo", now))


def _version(number: int, kind: Kind, of: int) -> Version:
    return Version(1, number, kind, of, "", None, "", "", "")


@given(st.tuples(coordinate, coordinate, coordinate), st.tuples(*[st.floats(-1, 1)] * 3))
def test_a_ray_ends_on_what_is_seen(origin: tuple[float, float, float], towards: tuple[float, float, float]) -> None:
    """In a round room every ray from within ends where a line meets a sphere: |o + t u| = R."""
    radius_m, o = 5.0, 4.0 * np.array(origin) / 50 / np.sqrt(3)
    assume(np.linalg.norm(towards) > 1e-3)
    ahead = unit(towards)
    shape = (64, 128)
    room = Geometry(
        np.full(shape, radius_m, np.float32), -sphere.pixel_directions(64).astype(np.float32),
        np.zeros(shape, bool), np.ones(shape, bool), metric=True,
    )  # fmt: skip
    along = float(o @ ahead)
    t = -along + np.sqrt(along**2 - o @ o + radius_m**2)
    found = hit(room, o, ahead)
    np.testing.assert_allclose(found.position, o + t * ahead, atol=1e-3)
    assert not found.sky


def test_what_hides_is_not_hit_from_behind() -> None:
    """A pillar 2 m ahead of the eye, a wall at 5 m: who looks past the pillar from beside it sees the wall."""
    shape = (64, 128)
    distance = np.full(shape, 5.0, np.float32)
    distance[:, 60:68] = 2.0
    directions = sphere.pixel_directions(64).astype(np.float32)
    room = Geometry(distance, -directions, np.zeros(shape, bool), np.ones(shape, bool), metric=True)
    past = hit(room, np.array([3.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0]))  # crosses behind the pillar
    assert np.linalg.norm(past.position) == pytest.approx(5.0, abs=0.01)
    onto = hit(room, np.zeros(3), np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(onto.position, [2, 0, 0], atol=1e-6)
    with pytest.raises(InputError, match="point somewhere else"):
        hit(room, np.array([30.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]))
