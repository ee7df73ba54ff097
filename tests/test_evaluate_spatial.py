import math

import numpy as np
import pytest

from sonoworld.errors import InputError
from sonoworld.evaluate import spatial, spatial_map

RATE_HZ = 8000
CURVE = {  # degrees to the right: CC, AUC of one plane wave, from a run of the release's own evaluator
    0: (1.000, 1.000),
    10: (0.982, 0.992),
    20: (0.929, 0.969),
    30: (0.847, 0.932),
    42: (0.716, 0.870),
    56: (0.529, 0.778),
    83: (0.108, 0.543),
    90: (-0.007, 0.480),
    120: (-0.478, 0.256),
    180: (-0.952, 0.003),
}


def wave(azimuth_deg: float, elevation_deg: float = 0.0, samples: int = 4000) -> np.ndarray:
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    gains = [1, math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)]
    return np.outer(gains, np.random.default_rng(0).standard_normal(samples))


@pytest.mark.parametrize("off_deg", CURVE)
def test_one_plane_wave_off_follows_the_known_curve(off_deg: int) -> None:
    # to the left it is another curve, up to 8e-4 away: the release's samples are fewer at the end of each row
    got = spatial.compare(wave(-off_deg), wave(0), RATE_HZ)
    assert (got["cc"], got["auc"]) == pytest.approx(CURVE[off_deg], abs=5e-4)  # the curve has three decimals
    assert got["angular_error_deg"] == pytest.approx(off_deg, abs=1e-6)
    assert got["azimuth_error_rad"] == pytest.approx(math.radians(off_deg), abs=1e-9)
    assert got["band_angular_error_rad"] == pytest.approx(math.radians(off_deg), abs=1e-6)


def test_a_random_direction_is_a_right_angle_off() -> None:
    vectors = np.random.default_rng(3).standard_normal((20_000, 3))
    errors = [spatial.direction_errors_rad(v, np.array([0.36, 0.48, 0.8]))[0] for v in vectors]
    assert np.mean(errors) == pytest.approx(math.pi / 2, abs=0.015)


def released_samples(foa: np.ndarray) -> np.ndarray:
    """The release's map and its samples, one by one."""
    values = []
    for r in range(90):
        el = math.radians(90 - 2 * r)
        az = np.radians(np.arange(-180, 180, 2))
        flat = math.sqrt(2) * math.cos(el)
        beams = np.stack([np.ones(180), -flat * np.sin(az), np.full(180, math.sin(el)), flat * np.cos(az)])
        row = np.sqrt(((beams.T @ foa) ** 2).mean(1))
        n = round(180 * math.sin(math.pi * (r + 0.5) / 90))
        for k in range(n):
            at = k / n * (180 - 0.5 * 180 / n)
            low = int(at)
            values.append((1 - at + low) * row[low] + (at - low) * row[(low + 1) % 180])
    return np.array(values)


def released_auc(saliency: np.ndarray, truth: np.ndarray) -> float:
    """The area under the release's curve, a trapezium after another; written in ranks, not thresholds."""
    fixated = truth > truth.max() - truth.std()
    found, rest = int(fixated.sum()), int((~fixated).sum())
    area, x, y = 0.0, 0.0, 0.0
    hits = 0
    for place, index in enumerate(np.argsort(-saliency), start=1):
        if fixated[index]:
            new_x, new_y = (place - hits) / rest, hits / found
            area += (new_x - x) * (y + new_y) / 2
            x, y, hits = new_x, new_y, hits + 1
    return area + (1 - x) * (y + 1) / 2


def test_the_release_definitions_recomputed_point_by_point() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = wave(30, 40) + 0.3 * rng.standard_normal((4, 4000)), wave(-70, 10) + wave(100, -20)
    got = spatial.compare(ours, theirs, RATE_HZ)
    samples = [released_samples(foa) for foa in (ours, theirs)]
    assert got["cc"] == pytest.approx(np.corrcoef(samples[0], samples[1])[0, 1], abs=1e-6)  # the release: float32
    assert got["auc"] == pytest.approx(released_auc(*samples), abs=1e-5)


def test_the_isotropic_auc_is_the_chance_to_rank_right() -> None:
    """Without ties the area is the chance that a place inside outranks one outside (Mann-Whitney)."""
    rng = np.random.default_rng(2)
    truth = rng.standard_normal(3000)
    saliency = truth + rng.standard_normal(3000)
    fixated = truth > truth.max() - truth.std()
    chance = (saliency[fixated][:, None] > saliency[~fixated][None]).mean()
    # steps of the curve that go up and right at once are cut by the trapezium rule: at most half a step each
    assert spatial_map.auc_judd(saliency, truth) == pytest.approx(chance, abs=0.51 / fixated.sum())
    assert spatial_map.auc_judd_released(saliency, truth) == pytest.approx(chance, abs=1.01 / fixated.sum())


def test_the_isotropic_samples_are_even_over_the_sphere() -> None:
    """Oracle: means of x, y, z over the sphere are 0, of their squares 1/3."""
    elevation, azimuth = np.meshgrid(np.radians(89.0 - 2 * np.arange(90)), np.radians(-179.0 + 2 * np.arange(180)))
    for power, mean in ((1, 0.0), (2, 1 / 3)):
        for part in (np.sin(azimuth) * np.cos(elevation), np.cos(azimuth) * np.cos(elevation), np.sin(elevation)):
            samples = spatial_map.sphere_samples(np.ascontiguousarray(part.T) ** power, isotropic=True)
            assert samples.mean() == pytest.approx(mean, abs=1e-3)


def test_sound_without_direction_is_undefined_not_a_number() -> None:
    mono = wave(0)
    mono[1:] = 0
    got = spatial.compare(mono, wave(20), RATE_HZ)
    for key in ("angular_error_rad", "azimuth_error_rad", "elevation_error_rad", "cc", "auc", "cc_isotropic"):
        assert math.isnan(got[key])
    assert math.isnan(got["band_angular_error_rad"])
    assert got["band_undefined_share"] == 1
    assert got["diffuseness_error"] == pytest.approx(1)


def test_the_isotropic_map_does_not_depend_on_where_up_is() -> None:
    flat = spatial.compare(wave(42), wave(0), RATE_HZ)
    tall = spatial.compare(wave(0, 42), wave(0), RATE_HZ)
    assert tall["cc_isotropic"] == pytest.approx(flat["cc_isotropic"], abs=5e-4)
    assert tall["auc_isotropic"] == pytest.approx(flat["auc_isotropic"], abs=5e-4)
    assert abs(tall["cc"] - flat["cc"]) > 0.02


def test_peak_of_the_map_lies_where_the_wave_comes_from() -> None:
    peak = np.unravel_index(spatial.energy_map(wave(-61, 21), isotropic=True).argmax(), (90, 180))
    assert (89 - 2 * peak[0], -179 + 2 * peak[1]) == (21, 61)  # right is positive


def test_sources_are_paired_for_the_least_angle() -> None:
    a = np.radians([0.0, 90.0, 200.0])
    truth = np.stack([np.cos(a), np.sin(a), 0 * a], axis=1)
    b = np.radians([95.0, 30.0])
    got = spatial.match_sources(np.stack([np.cos(b), np.sin(b), 0 * b], axis=1), truth)
    assert got["localisation_error_rad"] == pytest.approx(math.radians(17.5))
    assert got["recall"] == pytest.approx(1 / 3)
    assert got["precision"] == pytest.approx(1 / 2)


def test_wrong_input_is_told() -> None:
    bad = wave(0)
    bad[0, 0] = np.nan
    with pytest.raises(InputError, match="finite"):
        spatial.compare(bad, wave(0), RATE_HZ)
    with pytest.raises(InputError, match="none"):
        spatial.compare(wave(0)[:, :0], wave(0), RATE_HZ)


def test_auc_needs_something_to_find() -> None:
    assert math.isnan(spatial_map.auc_judd(np.arange(4.0), np.ones(4)))
