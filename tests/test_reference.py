"""The torch reference against the NumPy engine, against one-shot convolution, and against itself in batches."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sonoworld.encode import EncodeOptions
from sonoworld.encode.air import WAYS_M, air_blend
from sonoworld.encode.area import area_gains, cap_gains
from sonoworld.encode.directivity import directivity_gain
from sonoworld.encode.harmonics import harmonics
from sonoworld.encode.propagate import fade
from sonoworld.encode.rotate import rotation_matrix
from sonoworld.errors import ShapeError
from sonoworld.frames import world_from_head_rotation
from sonoworld.render.engine import Engine
from sonoworld.render.hrtf import hrir
from sonoworld.render.reference import (
    Aim,
    Around,
    Bed,
    Clock,
    Head,
    Sources,
    field_reference,
    gains_reference,
    head_rotations,
    render_reference,
)
from sonoworld.render.reference_blocks import fft_size
from sonoworld.render.reference_travel import air_shares
from sonoworld.types import Directivity

Q = 3


def t64(array: object) -> torch.Tensor:
    return torch.as_tensor(np.asarray(array), dtype=torch.float64)


def moving(blocks: int, block: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Where Q sources and a head are at the end of every block: about 8 m/s and 200° a second."""
    rng = np.random.default_rng(seed)
    s = (np.arange(blocks) * block / 48000)[:, None, None]
    return {
        "positions": rng.standard_normal((Q, 3)) * 3 + [2.0, 0.0, 0.0] + s * rng.standard_normal((Q, 3)) * 8,
        "level_db": 100 - 20 * rng.random((blocks, Q)),
        "origins": (s * rng.standard_normal((1, 3)) * 2)[:, 0],
        "angles": rng.standard_normal(3) + (s * rng.standard_normal((1, 3)) * 3.5)[:, 0],
    }


def sound(samples: int, seed: int = 1) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((Q, samples))).astype(np.float32)


def streamed(engine: Engine, x: np.ndarray, place: Callable[[int], None]) -> np.ndarray:
    """All of x through the engine, which is told where everything is before each block."""
    parts = []
    for k in range(-(-x.shape[1] // engine.block)):
        place(k)
        part = x[:, k * engine.block : (k + 1) * engine.block]
        parts.append(engine.process(np.pad(part, ((0, 0), (0, engine.block - part.shape[1])))))
    return np.concatenate(parts, 1)[:, : x.shape[1]]


def placing(engine: Engine, world: dict[str, np.ndarray]) -> Callable[[int], None]:
    def place(k: int) -> None:
        engine.set_sources(world["positions"][k], world["level_db"][k])
        engine.set_listener(world["origins"][k], *world["angles"][k])

    return place


def assert_same(got: torch.Tensor, wanted: np.ndarray, limit: float = 1e-6) -> None:
    assert np.abs(wanted).max() > 1e-3
    assert np.abs(got.detach().numpy() - wanted).max() <= limit * np.abs(wanted).max()


def around(world: dict[str, np.ndarray], **sources: object) -> Around:
    head = Head.looking(t64(world["origins"]), t64(world["angles"]))
    return Around(Sources.at(t64(world["positions"]), t64(world["level_db"]), **sources), head)


def kemar(order: int) -> torch.Tensor:
    return torch.from_numpy(hrir("kemar", order))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("block", "order"), [(64, 1), (100, 5), (256, 3), (256, 7), (1024, 3)])
def test_moving_sources_and_head_are_the_engines(block: int, order: int, dtype: torch.dtype) -> None:
    x = sound(2000)
    world = moving(-(-2000 // block), block)
    engine = Engine(order=order, block=block, max_sources=Q, executor="numpy")
    wanted = streamed(engine, x, placing(engine, world))
    law = EncodeOptions(order=order)
    got = render_reference(torch.from_numpy(x).to(dtype), around(world), kemar(order), law, Clock(48000, block))
    assert got.dtype == dtype
    assert_same(got, wanted)


@pytest.mark.parametrize("block", [64, 256])
@pytest.mark.parametrize(
    "law",
    [
        EncodeOptions(alpha=0.3),
        EncodeOptions(delay=True),
        EncodeOptions(air="iso9613"),
        EncodeOptions(delay=True, air="iso9613"),
        EncodeOptions(mode="paper", alpha=0.2),
        EncodeOptions(mode="paper", delay=True),
    ],
)
def test_every_law_is_the_engines(law: EncodeOptions, block: int) -> None:
    x = sound(9000)
    world = moving(-(-9000 // block), block, 3)
    world["positions"] = 4 * world["positions"]  # about 30 m/s at 15 m: 2000 samples away, Doppler, air
    engine = Engine(order=law.order, block=block, max_sources=Q, executor="numpy", law=law)
    wanted = streamed(engine, x, placing(engine, world))
    got = render_reference(torch.from_numpy(x), around(world), kemar(law.order), law, Clock(48000, block))
    assert_same(got, wanted)


AIM = Directivity(0.7, 2.5, np.array([0.6, 0.0, -0.8]))


@pytest.mark.parametrize("law", [EncodeOptions(order=4), EncodeOptions(order=4, delay=True, air="iso9613")])
def test_caps_surfaces_and_directivity_are_the_engines(law: EncodeOptions) -> None:
    blocks, block, rng = 12, 128, np.random.default_rng(5)
    x, world = sound(blocks * block), moving(12, 128, 6)
    points, weights = rng.standard_normal((20, 3)) + np.array([0.0, 3.0, 0.0]), rng.dirichlet(np.ones(20))
    caps = 0.3 + 0.1 * np.arange(blocks)
    engine = Engine(order=4, block=block, max_sources=Q, executor="numpy", law=law)

    def place(k: int) -> None:
        p, levels = world["positions"][k], world["level_db"][k]
        engine.set_source(0, p[0], levels[0], float(caps[k]))
        engine.set_source(1, [0.0, 0.0, 0.0], levels[1], (points, weights), AIM)
        engine.set_source(2, p[2], levels[2], None, AIM)
        engine.set_listener(world["origins"][k], *world["angles"][k])

    everything = np.zeros((blocks, Q, 20, 3))
    everything[:, [0, 2], 0], everything[:, 1] = world["positions"][:, [0, 2]], points
    shares = np.zeros((Q, 20))
    shares[[0, 2], 0], shares[1] = 1.0, weights
    half_angle = np.zeros((blocks, Q))
    half_angle[:, 0] = caps
    aim = Aim(t64(np.tile(AIM.facing, (1, Q, 1))), t64([[0.0, 0.7, 0.7]]), t64([[1.0, 2.5, 2.5]]))
    sources = Sources(t64(everything), t64(shares), t64(world["level_db"]), t64(half_angle), aim)
    scene = Around(sources, Head.looking(t64(world["origins"]), t64(world["angles"])))
    got = render_reference(torch.from_numpy(x), scene, kemar(4), law, Clock(48000, block))
    assert_same(got, streamed(engine, x, place))


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("length", [700, 3000])
def test_a_bed_is_the_engines(loops: bool, length: int) -> None:
    bed = (0.1 * np.random.default_rng(2).standard_normal((9, length))).astype(np.float32)
    world, x = moving(8, 256), sound(2000)
    engine = Engine(order=3, max_sources=Q, executor="numpy")
    engine.set_bed(bed, loop=loops)
    scene = around(world)
    scene = Around(scene.sources, scene.head, Bed(torch.from_numpy(bed), loops))
    assert_same(render_reference(torch.from_numpy(x), scene, kemar(3)), streamed(engine, x, placing(engine, world)))


@pytest.mark.parametrize("law", [EncodeOptions(), EncodeOptions(delay=True), EncodeOptions(delay=True, air="iso9613")])
def test_sources_that_come_go_and_jump_are_the_engines(law: EncodeOptions) -> None:
    # −inf dB is silence; at block 20 source 0 jumps by 100 m, and at block 25 all are farther than the engine remembers
    x, world = sound(40 * 256), moving(40, 256)
    engine = Engine(order=3, max_sources=Q, executor="numpy", law=law)
    world["level_db"][:3, 1] = -np.inf
    world["level_db"][10:14, 2] = -np.inf
    world["positions"][10:14, 2] = world["positions"][9, 2]  # fades out where it was last set
    world["positions"][20:, 0] += [0.0, 0.0, 100.0]
    world["positions"][25:] += [600.0, 0.0, 0.0]
    world["positions"][35:] -= [600.0, 0.0, 0.0]

    def place(k: int) -> None:
        for i in range(Q):
            if np.isfinite(world["level_db"][k, i]):
                engine.set_source(i, world["positions"][k, i], world["level_db"][k, i])
            else:
                engine.remove_source(i)
        engine.set_listener(world["origins"][k], *world["angles"][k])

    got = render_reference(torch.from_numpy(x), around(world), kemar(3), law)
    assert_same(got, streamed(engine, x, place))


def test_a_still_scene_is_one_set_of_gains_and_direct_convolution() -> None:
    x, rng = sound(500), np.random.default_rng(8)
    positions, levels, filters = rng.standard_normal((Q, 3)) * 2, np.array([100.0, 94.0, 88.0]), hrir("kemar", 2)
    origin, angles = np.array([0.3, -0.2, 0.1]), np.array([0.5, 0.2, -0.1])
    offset = (positions - origin) @ world_from_head_rotation(*angles)
    gains = harmonics(offset, 2) * (10 ** ((levels - 100) / 20) / np.sqrt((offset**2).sum(1) + 0.01))[:, None]
    field = gains.T @ x.astype(float)
    wanted = [sum(np.convolve(field[c], filters[e, c].astype(float))[:500] for c in range(9)) for e in range(2)]
    scene = Around(
        Sources.at(t64(positions)[None], t64(levels)[None]), Head.looking(t64(origin)[None], t64(angles)[None])
    )
    for block in (1, 64, 300, 512):
        got = render_reference(t64(x), scene, kemar(2), EncodeOptions(order=2), Clock(48000, block))
        assert_same(got, np.array(wanted), 1e-12)


@given(st.integers(1, 300), st.integers(1, 900), st.integers(1, 40))
def test_moving_gains_are_straight_lines_between_blocks(block: int, samples: int, seed: int) -> None:
    # the field of a constant input is its gain: compared with interpolation by NumPy
    blocks = -(-samples // block)
    scene = around(moving(blocks, block, seed))
    field = field_reference(torch.ones(Q, samples, dtype=torch.float64), scene, clock=Clock(48000, block))
    gains = gains_reference(scene, EncodeOptions()).sum(-1).numpy()
    at, ends = np.arange(1, samples + 1), np.arange(0, blocks + 1) * block
    wanted = [np.interp(at, ends, np.concatenate([g[:1], g])) for g in gains.T]
    np.testing.assert_allclose(field.numpy(), wanted, atol=1e-10)


def test_gains_are_encodes() -> None:
    rng = np.random.default_rng(4)
    points, weights = rng.standard_normal((5, 4, 7, 3)) * 3, rng.dirichlet(np.ones(7), 4)
    caps, angles = rng.uniform(0, np.pi, (5, 4)), rng.standard_normal((5, 3))
    facing = points[:, :, 0] / np.linalg.norm(points[:, :, 0], axis=-1, keepdims=True)
    law = EncodeOptions(order=10, alpha=0.1)
    R = np.stack([world_from_head_rotation(*a) for a in angles])
    wanted = np.empty((5, 121, 4))
    for k in range(5):
        for q in range(4):
            seen = points[k, q] @ R[k]
            sigma = fade(seen, law) * directivity_gain(seen, facing[k, q] @ R[k], 0.4, 1.7, law.near_m)
            wanted[k, :, q] = area_gains(seen, weights[q], sigma, 10) * cap_gains(float(caps[k, q]), 10) * 10**-0.5
    aim = Aim(t64(facing), t64([[0.4] * 4]), t64([[1.7] * 4]))
    sources = Sources(t64(points), t64(weights), t64([[90.0] * 4]), t64(caps), aim)
    got = gains_reference(Around(sources, Head(t64(R), torch.zeros(1, 3, dtype=torch.float64))), law)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=0, atol=1e-12)


def test_encode_is_the_same_in_torch() -> None:
    rng = np.random.default_rng(9)
    x, R = rng.standard_normal((50, 3)), np.stack([world_from_head_rotation(*a) for a in rng.standard_normal((9, 3))])
    caps, ways = np.array([0.0, 1e-9, 0.3, 1.0, 3.0, np.pi]), np.array([-1.0, 0.0, 5.0, 10.0, 77.0, 480.0, 1e4])
    assert np.abs(harmonics(t64(x), 10).numpy() - harmonics(x, 10)).max() < 1e-12
    assert np.abs(rotation_matrix(t64(R), 10).numpy() - rotation_matrix(R, 10)).max() < 1e-12
    assert (
        np.abs(head_rotations(t64([0.3, -2.0, 1.0])).numpy() - world_from_head_rotation(0.3, -2.0, 1.0)).max() < 1e-15
    )
    for order in (0, 1, 10):
        wanted = np.stack([cap_gains(float(a), order) for a in caps])
        assert np.abs(cap_gains(t64(caps), order).numpy() - wanted).max() < 1e-12
    left, share = air_blend(ways)
    shares = np.zeros((len(ways), len(WAYS_M)))
    shares[np.arange(len(ways)), left], shares[np.arange(len(ways)), left + 1] = 1 - share, share
    np.testing.assert_allclose(air_shares(t64(ways)).numpy(), shares, atol=1e-15)


def test_learnt_alpha_is_the_laws() -> None:
    scene = around(moving(4, 256))
    for mode in ("physical", "paper"):
        wanted = gains_reference(scene, EncodeOptions(order=1, mode=mode, alpha=0.3))
        learnt = Around(scene.sources, scene.head, None, t64(0.3))
        got = gains_reference(learnt, EncodeOptions(order=1, mode=mode))
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-14)
        with pytest.raises(ShapeError, match="alpha"):
            gains_reference(learnt, EncodeOptions(order=1, mode=mode, alpha=0.3))


@pytest.mark.parametrize("law", [EncodeOptions(order=2), EncodeOptions(order=2, delay=True, air="iso9613")])
def test_batches_are_loops(law: EncodeOptions) -> None:
    worlds = [moving(4, 256, seed) for seed in range(6)]
    audio = torch.stack([torch.from_numpy(sound(1000, seed)) for seed in range(6)]).double()
    filters, alpha = kemar(2), torch.linspace(0.0, 0.5, 6, dtype=torch.float64)
    alphas = alpha if law.air == "alpha" else None
    every = around({name: np.stack([w[name] for w in worlds]) for name in worlds[0]})
    got = render_reference(audio, Around(every.sources, every.head, None, alphas), filters, law)
    assert got.shape == (6, 2, 1000)
    for i, world in enumerate(worlds):
        one = around(world)
        scene = Around(one.sources, one.head, None, None if alphas is None else alpha[i])
        alone = render_reference(audio[i], scene, filters, law)
        assert_same(got[i], alone.numpy(), 1e-12)
        # one sound in many worlds, and two batch axes
        mixed = render_reference(audio[i], every if alphas is None else Around(every.sources, every.head), filters, law)
        again = render_reference(audio[i], one, filters, law)
        assert_same(mixed[i], again.numpy(), 1e-12)
    folded = around(
        {name: np.stack([w[name] for w in worlds]).reshape(2, 3, *w.shape) for name, w in worlds[0].items()}
    )
    assert_same(
        render_reference(audio.unflatten(0, (2, 3)), folded, filters, law).flatten(0, 1),
        render_reference(audio, every, filters, law).numpy(),
        1e-12,
    )


@pytest.mark.parametrize("law", [EncodeOptions(), EncodeOptions(delay=True, air="iso9613")])
def test_many_sounds_in_one_world_of_mixed_precision(law: EncodeOptions) -> None:
    world, audio = moving(4, 256), torch.stack([torch.from_numpy(sound(1000, seed)) for seed in range(3)])
    scene = around(world)
    head = Head(scene.head.rotations.float(), scene.head.origins.float())
    got = render_reference(audio, Around(scene.sources, head), kemar(3), law)
    assert got.dtype == torch.float32
    for i in range(3):
        assert_same(got[i], render_reference(audio[i], scene, kemar(3), law).numpy(), 1e-5)
    still = Around(
        Sources.at(t64([[[2.0, 1.0, 0.5]] * Q]), t64([[100.0]])), Head(torch.eye(3)[None], torch.zeros(1, 3))
    )
    engine = Engine(max_sources=Q, executor="numpy", law=law)
    engine.set_sources(np.array([[2.0, 1.0, 0.5]] * Q), np.full(Q, 100.0))
    assert_same(render_reference(audio[0], still, kemar(3), law), streamed(engine, audio[0].numpy(), lambda _: None))


def test_every_batch_row_has_its_own_ears() -> None:
    scene, audio = around(moving(4, 256)), torch.from_numpy(sound(1000))
    filters = torch.stack([kemar(3), kemar(3).flip(0)])
    got = render_reference(audio, scene, filters)
    assert torch.equal(got[0], got[1].flip(0))


def test_wrong_use_is_an_error() -> None:
    scene, audio = around(moving(4, 256)), torch.from_numpy(sound(1000))
    with pytest.raises(ShapeError, match="filters"):
        render_reference(audio, scene, kemar(2))
    with pytest.raises(ShapeError, match="audio"):
        render_reference(audio[:2], scene, kemar(3))
    with pytest.raises(ShapeError, match="audio"):
        render_reference(audio[:, :0], scene, kemar(3))
    with pytest.raises(ShapeError, match="blocks"):
        render_reference(audio, scene, kemar(3), clock=Clock(48000, 128))
    with pytest.raises(ShapeError, match="near_field"):
        render_reference(audio, scene, kemar(3), EncodeOptions(near_field=True))
    with pytest.raises(ShapeError, match="bed"):
        field_reference(audio, Around(scene.sources, scene.head, Bed(torch.zeros(25, 10))))
    with pytest.raises(ShapeError, match="away from every source"):
        at_head = Around(Sources.at(scene.head.origins[:, None], t64([[100.0]])), scene.head)
        gains_reference(at_head, EncodeOptions(mode="paper"))
    with pytest.raises(ShapeError, match="Clock"):
        Clock(48000, 0)


WRONG_SHAPES = """
import torch
from torch import ones, zeros
from sonoworld.errors import ShapeError
from sonoworld.render.reference import Aim, Around, Head, Sources

for make in (
    lambda: Sources.at(zeros(2, 3), zeros(1, 2)),
    lambda: Sources(zeros(1, 2, 4, 3), ones(2, 3), zeros(1, 2)),
    lambda: Sources.at(zeros(1, 2, 3), zeros(1, 3)),
    lambda: Sources.at(zeros(1, 2, 3), zeros(1, 2), zeros(2)),
    lambda: Head(torch.eye(3), zeros(1, 3)),
    lambda: Head(torch.eye(3)[None], zeros(3)),
    lambda: Aim(zeros(1, 2, 3), zeros(2), ones(1, 2)),
    lambda: Around(Sources.at(zeros(4, 2, 3), zeros(1, 2)), Head(torch.eye(3)[None], zeros(3, 3))),
):
    try:
        make()
    except ShapeError as error:
        print(error)
"""


def test_wrong_shapes_are_named_where_no_type_hook_watches() -> None:
    done = subprocess.run([sys.executable, "-c", WRONG_SHAPES], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "Sources.points: expected [*b, k, q, m, 3], got (2, 1, 3)",
        "Sources.weights: expected [*b, 2, 4], got (2, 3)",
        "Sources.level_db: expected [*b, k, 2], got (1, 3)",
        "Sources.half_angle: expected [*b, k, 2], got (2,)",
        "Head.rotations: expected [*b, k, 3, 3], got (3, 3)",
        "Head.origins: expected [*b, k, 3], got (3,)",
        "Aim.pattern: expected [*b, k, q], got (2,)",
        "blocks: expected 1, or one number for all, got {'Sources.level_db': 1, 'Sources.points': 4, "
        "'Head.origins': 3, 'Head.rotations': 1}",
    ]


@given(st.integers(1, 10**7))
def test_fft_sizes_are_smooth_and_near(least: int) -> None:
    size = fft_size(least)
    assert least <= size < max(1.5 * least, least + 1)
    for prime in (2, 3, 5):
        while size % prime == 0:
            size //= prime
    assert size == 1


def test_without_torch_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['torch'] = None; import sonoworld.render.reference"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "sonoworld[learn]" in done.stderr


def test_torch_is_not_loaded_with_the_package() -> None:
    code = (
        "import sys, sonoworld, sonoworld.render, sonoworld.render.engine, sonoworld.cli; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
