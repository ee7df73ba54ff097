"""Baselines do what they are said to do, and a run resumes what it has done."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sonoworld.errors import InputError
from sonoworld.evaluate import methods, spatial, tables
from sonoworld.evaluate.baselines import files, ours, release, see2sound, trivial
from sonoworld.evaluate.datasets.synthetic import oracle_anchors
from sonoworld.evaluate.datasets.synthetic_layout import Body, Layout
from sonoworld.evaluate.datasets.synthetic_truth import Take, recording
from sonoworld.evaluate.datasets.values import Anchors
from sonoworld.evaluate.kept import Scored, all_scored
from sonoworld.evaluate.results import Results, Row
from sonoworld.evaluate.run import Method, Station, scored
from sonoworld.frames import Pose

RATE_HZ = 48000
EYE = Pose(np.eye(3), np.zeros(3))


def layout_of(*bodies: Body) -> Layout:
    return Layout("scene", bodies, (), 0.0, False, 20.0)


BIRD = layout_of(Body("birds", "ball", "birds", (0.0, 5.0, 0.0), (1.0, 1.0), 0.0, 80.0))
STREAM = layout_of(Body("stream", "strip", "stream", (0.0, 4.0, -1.6), (10.0, 2.0), 0.0, 80.0))


def anchors(layout: Layout) -> Anchors:
    return oracle_anchors(layout, 128, 0.5)


def degrees(foa: np.ndarray, u: list[float]) -> float:
    cosine = float(spatial.direction(foa) @ np.array(u))
    assert math.isfinite(cosine)
    return math.degrees(math.acos(min(1.0, cosine)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_trivial_rows() -> None:
    given = anchors(BIRD)
    assert degrees(trivial.front(given, EYE, 24000, rng()), [1, 0, 0]) < 1e-3
    assert np.isnan(spatial.direction(trivial.mono(given, EYE, 4800, rng()))).all()
    drawn = [spatial.direction(trivial.chance(given, EYE, 24000, rng(s))) for s in range(400)]
    assert np.linalg.norm(np.mean(drawn, axis=0)) < 0.15
    to_left = np.degrees(np.arccos(np.stack(drawn) @ [0, 1, 0]))
    assert np.mean(to_left) == pytest.approx(90, abs=6)  # of a random direction, exactly 90°


def test_release_takes_one_pixel_of_a_point() -> None:
    """Every draw is a place on the sphere's surface, and draws differ; ours is its middle."""
    given = anchors(BIRD)
    mask = given.soundings[0].mask
    assert mask is not None
    drawn = np.concatenate([release.pixels(mask, given.geometry, 1, rng(s)) for s in range(20)])
    np.testing.assert_allclose(np.linalg.norm(drawn - (0.0, 5.0, 0.0), axis=1), 1.0, atol=1e-3)
    assert np.std(drawn, axis=0).max() > 0.1
    assert degrees(ours.OURS(given, EYE, 24000, rng()), [0, 1, 0]) < 0.5
    assert np.mean([degrees(release.release(given, EYE, 24000, rng(s)), [0, 1, 0]) for s in range(20)]) > 3


def test_release_draws_areas_by_pixels() -> None:
    """More than half of its pixels lie in the half of the strip's seen surface that is near: weights are unused."""
    given = anchors(STREAM)
    mask = given.soundings[0].mask
    assert mask is not None
    drawn = release.pixels(mask, given.geometry, 1000, rng())
    far = np.linalg.norm(drawn, axis=1)
    assert np.mean(far < math.hypot(math.hypot(5.0, 4.0), 1.6)) > 0.7  # half of the strip's surface is |x| < 5


def test_release_clamps() -> None:
    loud = layout_of(Body("birds", "ball", "birds", (0.0, 5.0, 0.0), (1.0, 1.0), 0.0, 130.0))
    assert np.abs(release.release(anchors(loud), EYE, 4800, rng())).max() <= 1.0


@pytest.mark.parametrize("layout", [BIRD, STREAM])
def test_oracle_is_where_the_truth_is(layout: Layout) -> None:
    """Without bounce and occlusion, within 2°."""
    here = Pose(np.eye(3), np.array([1.0, -1.0, -0.1]))
    truth = recording(layout, here, Take(1.0, 5))
    estimate = ours.ROWS["oracle anchors"](anchors(layout), here, RATE_HZ, rng())
    assert spatial.compare(estimate, truth, RATE_HZ)["angular_error_deg"] <= 2.0


def test_see2sound_hears_the_side_but_not_behind() -> None:
    to_left = spatial.direction(see2sound.see2sound(anchors(BIRD), EYE, 24000, rng()))
    assert to_left[1] > 0.2
    assert to_left[0] > 0  # from the front half: it knows only a picture


def test_files_of_others(tmp_path: Path) -> None:
    place = tmp_path / "scene" / "mic"
    place.mkdir(parents=True)
    surround = np.zeros((6, 100), np.float32)
    surround[4] = 1.0  # left surround, 110°
    soundfile.write(place / "foa.wav", surround.T * 0.5, RATE_HZ, subtype="FLOAT")
    foa = files.Submission("see-2-sound", tmp_path, files.FORMATS["see-2-sound"]).read("scene", "mic")
    np.testing.assert_allclose(foa[:, 0], 0.5 * np.array([1, math.sin(1.919862), 0, math.cos(1.919862)]), atol=1e-6)
    with pytest.raises(InputError, match="4 channels"):
        files.Submission("visage", tmp_path, "foa").read("scene", "mic")
    with pytest.raises(InputError, match="found 0"):
        files.Submission("visage", tmp_path, "foa").read("scene", "other")
    mono = files.first_order(np.ones((1, 5), np.float32), "mono", "x")
    np.testing.assert_array_equal(mono, np.array([[1], [0], [0], [0]]) * np.ones(5))


def test_rows_are_scored_the_same_again() -> None:
    given = anchors(BIRD)
    references = {"one": recording(BIRD, EYE, Take(0.5, 1))}
    named = [Method("release", release.release, 3), Method("mono", trivial.mono)]
    station = Station("scene", "mic", EYE, {"part": "open"})
    first = scored(station, references, lambda _: given, named, 0)
    again = scored(station, references, lambda _: given, named[::-1], 0)
    np.testing.assert_equal(dict(first[0].metrics), dict(again[1].metrics))
    assert math.isnan(first[1].metrics["angular_error_rad"])  # and is counted
    assert first[0].provenance == {"part": "open", "draws": "3"}


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    asked: list[int] = []

    def job(at: int) -> Scored:
        if at == 1 and len(asked) < 2:
            asked.append(at)
            raise InputError("stopped")
        asked.append(at)
        return Scored((Row("m", "s", str(at), "c", {"cc": math.nan if at else 0.5}),), ((f"at {at}", bytes([at])),))

    told: list[str] = []
    with pytest.raises(InputError, match="stopped"):
        all_scored(job, ["a", "b"], tmp_path, workers=1, told=told.append)
    kept = all_scored(job, ["a", "b"], tmp_path, workers=1, told=told.append)
    rows = kept.rows
    assert [(caption, file.read_bytes()) for caption, file in kept.pictures] == [("at 0", b"\0"), ("at 1", b"\1")]
    assert asked == [0, 1, 1]
    assert rows[0].metrics == {"cc": 0.5}
    assert math.isnan(rows[1].metrics["cc"])
    with pytest.raises(InputError, match="workers"):
        all_scored(job, ["a"], tmp_path, workers=0, told=told.append)


def test_what_is_turned_off() -> None:
    """One thing at a time: areas, points, ambience."""
    given, here = anchors(STREAM), Pose(np.eye(3), np.array([1.0, -1.0, -0.1]))
    whole, *off = (
        one(given, here, RATE_HZ // 2, rng())
        for one in (ours.OURS, *(ours.ABLATIONS[f"ours, {name}"] for name in ("areas as points", "no ambience")))
    )
    assert spatial.diffuseness(off[0]) < 0.05 < spatial.diffuseness(whole), "a point is heard from one direction"
    loud = layout_of(Body("birds", "ball", "birds", (0.0, 3.0, 0.0), (2.0, 2.0), 0.0, 50.0))
    given = anchors(replace(loud, ambient_db=60.0))
    whole, wide, dry = (
        one(given, EYE, RATE_HZ // 2, rng())
        for one in (ours.OURS, ours.ABLATIONS["ours, points as areas"], ours.ABLATIONS["ours, no ambience"])
    )
    assert spatial.diffuseness(dry) < 0.01 < spatial.diffuseness(whole)
    assert spatial.covariance_distance(wide, whole) > 1e-3


def test_names_of_methods() -> None:
    assert [m.name for m in methods.chosen(("chance",), truth=False, ablations=False)] == ["chance", "ours"]
    assert "oracle" not in {m.name for m in methods.chosen(("all",), truth=False)}
    assert len(methods.chosen((), truth=True, ablations=False)) == len(methods.BASELINES)
    few = methods.chosen((), truth=True, seen=False)
    assert [m.name for m in methods.chosen((), truth=True)] == [*(m.name for m in few), *methods.SEEN]
    with pytest.raises(InputError, match="'nobody'"):
        methods.chosen(("nobody",), truth=True)


def test_where_only_azimuths_count() -> None:
    rows = tuple(
        Row("ours", "000", f"S{at}", clip, {"angular_error_deg": 9.0, "cc": 0.5, "azimuth_error_rad": math.radians(v)})
        for clip, values in (("direct", (1.0, 2.0, 6.0)), ("room", (4.0, math.nan, math.nan)))
        for at, v in enumerate(values)
    )
    found = Results("r3vival", "", "", 0, {}, rows)
    assert tables.below(found) == (
        "median azimuth error (°)", {"direct": {"ours": pytest.approx(2.0)}, "room": {"ours": pytest.approx(4.0)}}
    )  # fmt: skip
    assert "| ours | 2.00 | 4.00 |" in tables.markdown(found)
    assert tables.below(replace(found, dataset="pairs")) is None


def test_table_in_a_page(tmp_path: Path) -> None:
    rows = tuple(
        Row(m, s, "mic", "c", {"angular_error_deg": v, "cc": 0.5, "auc": 0.5}, {"part": s})
        for m, v in (("ours", 1.0), ("release", 3.0), ("mono", math.nan))
        for s in ("a", "b")
    )
    results = Results("synthetic", "2020-01-01", "abc", 3, {}, rows, "sonoworld evaluate")
    page = tmp_path / "page.md"
    page.write_text("x\n<!-- table: synthetic -->\nold\n<!-- end -->\ny\n", "utf-8")
    tables.put_in_page(results, page)
    tables.put_in_page(results, page)
    text = page.read_text("utf-8")
    assert text.startswith("x\n") and text.endswith("\ny\n") and "old" not in text
    assert "2020-01-01, commit abc, seed 3" in text
    assert "| ours | 1 [1, 1] |" in text
    assert "| mono | - |" in text
    assert "-2 [-2, -2]" in text
    page.write_text(page.read_text("utf-8") + "<!-- table: synthetic, seed 3 -->\n<!-- end -->\n", "utf-8")
    tables.put_in_page(replace(results, date="2021-02-03"), page)
    of_any, of_seed = page.read_text("utf-8").split("<!-- table: synthetic, seed 3 -->")
    assert "2020-01-01" in of_any and "2021-02-03" not in of_any, "a seed with a place of its own leaves the other"
    assert "2021-02-03" in of_seed
    page.write_text("nothing", "utf-8")
    with pytest.raises(InputError, match="table: synthetic"):
        tables.put_in_page(results, page)
