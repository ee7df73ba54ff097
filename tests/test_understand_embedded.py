"""What is seen decides what is heard: plausible, in few words, in known pixels, and never waves in a room."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonoworld import frames, sphere
from sonoworld.backend import Run
from sonoworld.perceive.around import Thing
from sonoworld.perceive.coco import NAMES
from sonoworld.perceive.seen import Seen
from sonoworld.perceive.stuff import Parse, Stuff
from sonoworld.perceive.survey import Survey
from sonoworld.types import Panorama, Sounding, Spread
from sonoworld.understand.bodies_of_water import find_water
from sonoworld.understand.embedded import EMBEDDED, EmbeddedOptions
from sonoworld.understand.from_things import VOICES, Place, from_things
from sonoworld.understand.levels import LEVELS_DB
from sonoworld.understand.listen import soundings
from sonoworld.understand.surroundings import surroundings

HEIGHT = 256
SHAPE = (HEIGHT, 2 * HEIGHT)
COLOURS = {
    Stuff.SKY: (130, 170, 235), Stuff.VEGETATION: (50, 95, 40), Stuff.WATER: (50, 90, 140),
    Stuff.GROUND: (110, 130, 70), Stuff.ROAD: (100, 100, 102), Stuff.BUILDING: (170, 110, 90),
    Stuff.OTHER: (200, 60, 60),
}  # fmt: skip


def surveyed(bands: Sequence[tuple[Stuff, int]], *, man_made: float, known: np.ndarray | None = None) -> Survey:
    """A survey as if bands of stuff (kind, last row) had been seen from the zenith down."""
    labels = np.empty(SHAPE, np.uint8)
    top = 0
    for kind, end in bands:
        labels[top:end] = kind
        top = end
    assert top == HEIGHT
    probability = np.full((*SHAPE, 7), 0.02, np.float32)
    np.put_along_axis(probability, labels[..., None].astype(int), np.float32(0.88), axis=-1)
    known = np.ones(SHAPE, bool) if known is None else known
    weight = np.where(known, sphere.pixel_solid_angles(HEIGHT)[:, None], 0)
    share = np.array([weight[labels == k].sum() for k in Stuff]) / weight.sum()
    above = weight * (sphere.row_elevations(HEIGHT) > np.radians(10))[:, None]
    overhead = float(above[labels == Stuff.SKY].sum() / above.sum()) if above.sum() else None
    return Survey(Parse(probability, man_made), labels, known, share, np.where(share > 0, 0.88, 0.0), overhead)


def painted(view: Survey, roughness: float = 1.0) -> Panorama:
    colours = np.array([COLOURS[k] for k in Stuff], float)[view.labels]
    noise = np.random.default_rng(0).normal(0, roughness, (*SHAPE, 1))
    return Panorama(np.clip(colours + noise, 0, 255).astype(np.uint8), view.known)


def thing(
    label: str, azimuth_deg: float, *, score: float = 0.7, size_deg: float = 10.0, elevation: float = -5
) -> Thing:
    centre = frames.direction_from_angles(np.array(np.radians(azimuth_deg)), np.array(np.radians(elevation)))
    mask = sphere.pixel_directions(HEIGHT) @ centre > np.cos(np.radians(size_deg / 2))
    return Thing(label, score, centre, float(np.radians(size_deg)), float(np.radians(size_deg)), mask)


def heard(view: Survey, things: Sequence[Thing] = (), **options: object) -> tuple[Sounding, ...]:
    chosen = EmbeddedOptions.model_validate(options)
    return soundings(painted(view), Seen(view, tuple(things)), chosen)


FOREST = [(Stuff.SKY, 90), (Stuff.VEGETATION, 150), (Stuff.GROUND, HEIGHT)]
STREET = [(Stuff.SKY, 80), (Stuff.BUILDING, 135), (Stuff.ROAD, HEIGHT)]
ROOM = [(Stuff.BUILDING, 150), (Stuff.ROAD, HEIGHT)]
LAKE = [(Stuff.SKY, 118), (Stuff.VEGETATION, 134), (Stuff.WATER, 190), (Stuff.GROUND, HEIGHT)]
SEA = [(Stuff.SKY, 128), (Stuff.WATER, 190), (Stuff.GROUND, HEIGHT)]


def labels_of(found: Sequence[Sounding]) -> set[str]:
    return {s.label for s in found}


def test_a_forest_rustles_and_sings() -> None:
    found = heard(surveyed(FOREST, man_made=0.02))
    assert {"wind", "leaves", "birds", "grass"} <= labels_of(found)
    assert not labels_of(found) & {"traffic", "city hum", "room tone"}


def test_a_street_hums_and_its_vehicles_are_traffic() -> None:
    cars = [thing("car", a) for a in (-40, 0, 30)]
    found = heard(surveyed(STREET, man_made=0.95), [*cars, thing("bus", 80, size_deg=14)])
    assert {"city hum", "traffic", "bus engine"} <= labels_of(found)
    traffic = next(s for s in found if s.label == "traffic")
    assert traffic.spread is Spread.AREA
    assert traffic.mask is not None
    assert traffic.mask[cars[1].mask].all()


def test_without_a_detector_a_street_still_has_traffic() -> None:
    found = heard(surveyed(STREET, man_made=0.95), detect=False)
    traffic = next(s for s in found if s.label == "traffic")
    assert traffic.confidence < 0.5
    assert "not looked for" in traffic.reason


@pytest.mark.parametrize("bands", [ROOM, [(Stuff.BUILDING, 130), (Stuff.WATER, HEIGHT)]])
def test_rooms_have_no_waves_wind_or_birds(bands: list[tuple[Stuff, int]]) -> None:
    found = heard(surveyed(bands, man_made=0.98), [thing("couch", 10), thing("tv", 40), thing("dining table", 90)])
    assert {"room tone", "television murmur"} <= labels_of(found)
    outdoor = {"sea waves", "river", "stream", "lapping lake", "wind", "leaves", "birds", "traffic", "city hum"}
    assert not labels_of(found) & outdoor


def test_a_person_who_knows_better_is_believed() -> None:
    assert "room tone" in labels_of(heard(surveyed(FOREST, man_made=0.0), indoors=True))
    assert "room tone" not in labels_of(heard(surveyed(ROOM, man_made=0.98), indoors=False))


def test_water_is_a_lake_among_land_and_a_sea_under_the_sky() -> None:
    for bands, label in ((LAKE, "lapping lake"), (SEA, "sea waves")):
        view = surveyed(bands, man_made=0.02)
        water = find_water(painted(view).rgb, view)
        assert water is not None
        assert water.label == label


def test_rough_near_water_runs() -> None:
    view = surveyed(LAKE, man_made=0.02)
    rgb = painted(view).rgb.copy()
    coarse = np.random.default_rng(1).normal(0, 45, (HEIGHT // 2, HEIGHT))
    waves = np.kron(coarse, np.ones((2, 2)))[..., None]
    rgb = np.where((view.labels == Stuff.WATER)[..., None], np.clip(rgb + waves, 0, 255), rgb).astype(np.uint8)
    water = find_water(rgb, view)
    assert water is not None
    assert water.label in ("river", "stream")


def test_haze_at_the_horizon_is_no_water() -> None:
    view = surveyed([(Stuff.SKY, 128), (Stuff.WATER, 131), (Stuff.GROUND, HEIGHT)], man_made=0.0)
    assert find_water(painted(view).rgb, view) is None


def test_yellow_water_is_not_believed() -> None:
    view = surveyed(LAKE, man_made=0.02)
    rgb = painted(view, roughness=25).rgb.copy()
    rgb[view.labels == Stuff.WATER] += np.array([60, 10, 0], np.uint8)
    rgb[view.labels == Stuff.WATER, 2] = 40
    assert find_water(rgb, view) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.floats(-180, 180), st.floats(0.26, 0.95), st.floats(2, 30)), max_size=8
    ),
    st.booleans(),
)
def test_any_things_give_few_sane_soundings(seen: list[tuple[str, float, float, float]], indoors: bool) -> None:
    things = tuple(thing(n, a, score=s, size_deg=z) for n, a, s, z in seen)
    found = from_things(things, Place(indoors=indoors, paved=True))
    assert all(0 < s.confidence <= 0.9 and s.reason and s.mask is not None and s.mask.any() for s in found)
    assert all(20 < s.level_db < 115 for s in found)
    assert len(found) <= len(things) + 1


def test_every_voice_has_a_level_and_a_coco_name() -> None:
    assert set(VOICES) <= set(NAMES)
    assert {v.label for v in VOICES.values()} <= set(LEVELS_DB)


@pytest.mark.parametrize(("count", "label"), [(1, "footsteps"), (2, "voices"), (6, "crowd murmur")])
def test_people_walk_talk_or_murmur(count: int, label: str) -> None:
    people = tuple(thing("person", 6.0 * i, size_deg=6) for i in range(count))
    (one,) = from_things(people, Place(indoors=False, paved=True))
    assert one.label == label


def test_far_or_doubtful_things_are_silent() -> None:
    place = Place(indoors=False, paved=False)
    assert from_things((thing("person", 0, size_deg=2),), place) == ()
    assert from_things((thing("bear", 0, score=0.4),), place) == ()
    assert from_things((thing("cow", 0, score=0.5, size_deg=1.5),), place) == ()


def test_a_cyclist_is_a_bicycle() -> None:
    (one,) = from_things((thing("person", 0), thing("bicycle", 3)), Place(indoors=False, paved=True))
    assert one.label == "bicycle"


def test_masks_stay_in_known_pixels_and_are_large_enough() -> None:
    known = np.zeros(SHAPE, bool)
    known[70:190, 180:330] = True
    found = heard(surveyed(FOREST, man_made=0.02, known=known))
    masks = [s.mask for s in found if s.mask is not None]
    assert masks
    assert all(float(known[m].mean()) > 0.9 for m in masks)
    assert all(s.mask is None for s in found if s.spread is Spread.AMBIENT)


def test_at_most_the_asked_number() -> None:
    assert len(heard(surveyed(FOREST, man_made=0.02), most=2)) == 2
    assert len(heard(surveyed(STREET, man_made=0.95), [thing("car", a) for a in range(-90, 90, 20)])) <= 9


def test_levels_are_known_for_every_label() -> None:
    for bands in (FOREST, STREET, ROOM, LAKE, SEA):
        for s in heard(surveyed(bands, man_made=0.5)):
            assert s.label in LEVELS_DB
            assert s.backend == "embedded"
            assert s.reason


def test_indoors_is_a_probability() -> None:
    forest, room = (surroundings(Seen(surveyed(b, man_made=m), ())) for b, m in ((FOREST, 0.0), (ROOM, 1.0)))
    assert 0 < forest.indoors_probability < 0.05
    assert 0.6 < room.indoors_probability < 1


def test_the_backend_runs_on_a_panorama() -> None:
    stage = EMBEDDED.make(EmbeddedOptions(detect=False))
    panorama = painted(surveyed(FOREST, man_made=0.0), roughness=10)
    found = stage(panorama, None, Run(np.random.default_rng(0)))
    assert 3 <= len(found) <= 9
    assert found[0].spread is Spread.AMBIENT


# ---------------------------------------------------------------- why, and why not


def left_out(view: Survey, things: Sequence[Thing], **options: object) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    chosen = EmbeddedOptions.model_validate(options)
    soundings(painted(view), Seen(view, tuple(things)), chosen, lambda what, why: told.append((what, why)))
    return told


def test_reasons_name_the_evidence_and_what_to_look_for() -> None:
    things = [thing("bus", 20, score=0.63), thing("dog", -40, score=0.71)]
    for one in heard(surveyed(STREET, man_made=0.9), things):
        assert one.visible is (one.mask is not None)
        assert bool(one.grounding) == bool(one.visible)
    found = {s.label: s for s in heard(surveyed(STREET, man_made=0.9), things)}
    assert "the detector sees a dog (score 0.71)" in found["dog"].reason
    assert found["dog"].grounding == "dog"
    assert "(score 0.63)" in found["bus engine"].reason
    forest = {s.label: s for s in heard(surveyed(FOREST, man_made=0.1))}
    assert re.search(r"trees and bushes are \d+ % of the picture", forest["leaves"].reason)
    assert forest["birds"].visible is False


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (thing("dog", 10, score=0.3), "doubtful: the detector's score is under 0.45"),
        (thing("person", 10, score=0.3), "doubtful: the detector's score is under 0.4"),
        (thing("person", 10, size_deg=2), "too far away to be heard alone"),
        (thing("car", 10, size_deg=2), "too small, or stands still"),
        (thing("clock", 10, elevation=-5), "its sound is expected indoors only"),
        (thing("bench", 10), "makes no sound of its own"),
        (thing("sheep", 10, score=0.5, size_deg=2), "so small that it may be a stone or a tuft"),
    ],
)
def test_things_that_are_not_heard_are_listed_with_the_reason(seen: Thing, why: str) -> None:
    assert (seen.label, why) in left_out(surveyed(STREET, man_made=0.9), [seen])


def test_every_thing_is_heard_or_listed() -> None:
    rng = np.random.default_rng(7)
    things = [
        thing(str(rng.choice(NAMES)), float(rng.uniform(-180, 180)), score=float(rng.uniform(0.25, 1)), size_deg=8)
        for _ in range(30)
    ]
    view = surveyed(STREET, man_made=0.9)
    heard_all = heard(view, things, most=64)
    told = left_out(view, things, most=64)
    named = {word for s in heard_all for word in s.grounding.split(", ")}
    for one in things:
        assert one.label in named or any(what == one.label for what, _ in told), one.label


def test_what_is_beyond_the_asked_number_and_what_is_replaced_is_listed() -> None:
    told = left_out(surveyed(FOREST, man_made=0.1), [thing("bird", 10, score=0.9)], most=2)
    assert any("birds are seen, no others are supposed" in why for _, why in told)
    assert any("less certain than the 2 that are kept" in why for _, why in told)
