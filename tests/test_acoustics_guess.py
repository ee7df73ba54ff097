"""Default rooms, materials and statistical late fields, against handbook numbers and exact boxes."""

import numpy as np
import pytest
import torch

from sonoworld.acoustics import OCTAVES_HZ, LateField, diffuse_covariance, shoebox
from sonoworld.acoustics.guess import box_walls, guessed_room, looks_indoors, statistical_late
from sonoworld.acoustics.late import late_response
from sonoworld.acoustics.materials import MATERIALS, absorption_of
from sonoworld.acoustics.noise import band_noise, covariance_roots, late_taps
from sonoworld.errors import InputError
from sonoworld.sphere import pixel_directions
from sonoworld.types import Geometry

B = len(OCTAVES_HZ)
SIZE, EYE = (6.0, 4.5, 2.8), (2.5, 2.0, 1.5)


def box(turn: float = 0.0) -> Geometry:
    """A box seen from within, as depth."""
    u = pixel_directions(64)
    c, s = np.cos(turn), np.sin(turn)
    R = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])  # world into the box's axes
    walls = shoebox(SIZE, EYE, np.full((6, B), 0.2))
    along = u @ R.T @ walls.normals.T
    way = np.where(along > 1e-9, walls.offsets_m / np.maximum(along, 1e-9), np.inf)
    wall = way.argmin(-1)
    distance = way.min(-1).astype(np.float32)
    normal = (-walls.normals[wall] @ R).astype(np.float32)
    none = np.zeros(distance.shape, bool)
    return Geometry(distance, normal, none, ~none, True)


def field() -> Geometry:
    """Flat ground 1.7 m below, and sky."""
    u = pixel_directions(64)
    down = u[..., 2] < -0.02
    distance = np.where(down, 1.7 / np.maximum(-u[..., 2], 0.02), 200.0).astype(np.float32)
    normal = np.tile(np.array([0, 0, 1], np.float32), (*down.shape, 1))
    return Geometry(distance, normal, ~down, down, True)


@pytest.mark.parametrize("turn", [0.0, 0.3, -0.6])
def test_a_box_is_told_from_its_depth(turn: float) -> None:
    walls = box_walls(box(turn))
    expected = shoebox(SIZE, EYE, np.full((6, B), 0.2))
    np.testing.assert_allclose(walls.offsets_m, expected.offsets_m, atol=0.05)
    yaw = np.arctan2(walls.normals[0, 1], walls.normals[0, 0])
    assert yaw == pytest.approx(turn, abs=0.02)


def test_indoors_is_a_box_that_rings_and_outdoors_a_ground() -> None:
    assert looks_indoors(box())
    room = guessed_room(box())
    assert (len(room.walls), room.guessed) == (6, True)
    assert room.late is not None
    assert 0.3 < room.late.t60_s[3] < 0.9  # furnished rooms of 75 m³: about half a second
    assert not looks_indoors(field())
    outside = guessed_room(field(), ground="grass")
    assert (outside.late, outside.walls.materials) == (None, ("grass",))
    assert outside.walls.offsets_m[0] == pytest.approx(1.7, abs=0.05)


def test_eyring_is_the_textbooks() -> None:
    # 10 × 8 × 3 m, 240 m³, 268 m², ᾱ = 0.2: 0.161 V/(−S ln(1 − ᾱ)) = 0.646 s (Kuttruff, Room Acoustics, eq. 5.24)
    late = statistical_late(shoebox((10, 8, 3), (5, 4, 1.5), np.full((6, B), 0.2)), furniture=0.0)
    assert late.t60_s[1] == pytest.approx(0.646, rel=0.02)
    assert late.t60_s[7] < 0.85 * late.t60_s[1]  # air
    total = late.level_db + 10 * np.log10(np.exp(6 * np.log(10) * late.mixing_s / late.t60_s))
    # 4 (1 − ᾱ)/(S ᾱ) re 1/(4π): 10 lg(16π · 0.8/53.6)
    assert total[1] == pytest.approx(-1.25, abs=0.02)


def test_unknown_materials_are_told() -> None:
    assert all(absorption_of(m).min() > 0 and absorption_of(m).max() < 1 for m in MATERIALS)
    with pytest.raises(InputError, match="carpet"):
        absorption_of("cheese")


def test_late_taps_are_the_torch_reference() -> None:
    rng = np.random.default_rng(1)
    roots = rng.standard_normal((B, 4, 4)) / 4
    covariance = roots @ np.swapaxes(roots, 1, 2)
    late = LateField(np.linspace(0.5, 0.2, B), np.linspace(-3, -9, B), 0.03, covariance)
    taps = late_taps(late, None, 48000, seed=4)
    expected = late_response(
        torch.from_numpy(band_noise(taps.shape[1], 48000, 4)),
        torch.tensor(late.t60_s),
        torch.tensor(late.level_db * np.log(10) / 10),
        torch.tensor(late.mixing_s).double(),
        torch.from_numpy(covariance_roots(covariance)),
        48000,
    ).numpy()
    np.testing.assert_allclose(taps, expected, atol=1e-6)


@pytest.mark.parametrize("what", ["t60", "energy", "mixing"])
def test_gradients_of_the_late_field(what: str) -> None:
    noise = torch.from_numpy(band_noise(1500, 8000, 2))
    root = torch.from_numpy(covariance_roots(diffuse_covariance()))
    start = {
        "t60": torch.full((B,), 0.3).double(),
        "energy": torch.zeros(B).double(),
        "mixing": torch.tensor(0.02).double(),
    }
    weight = torch.from_numpy(np.random.default_rng(3).standard_normal((4, 1500)))

    def value(x: torch.Tensor) -> torch.Tensor:
        now = {**start, what: x}
        return (late_response(noise, now["t60"], now["energy"], now["mixing"], root, 8000) * weight).sum()

    x = start[what].clone().requires_grad_()
    value(x).backward()
    assert x.grad is not None
    way = torch.ones_like(x)
    step = 1e-6
    with torch.no_grad():
        slope = (value(x + step * way) - value(x - step * way)) / (2 * step)
    assert float((x.grad * way).sum()) == pytest.approx(float(slope), rel=1e-5)
