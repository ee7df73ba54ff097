"""Ears: the shipped mannequin, the sphere against its own series and limits, SOFA files good and hostile."""

import hashlib
import importlib.util
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from sonoworld.encode.harmonics import channel_degrees, harmonics
from sonoworld.errors import InputError, ShapeError, UnsafeFileError
from sonoworld.render.equalise import minimum_phase
from sonoworld.render.hrirs import HrirSet, fibonacci_sphere, fill_gaps, resampled, sphere_areas, trimmed
from sonoworld.render.hrtf import hrir, mirror_signs
from sonoworld.render.magls import centred_spectra, decoder, match_diffuse_field
from sonoworld.render.sofa import read_sofa
from sonoworld.render.sphere_hrtf import sphere_hrirs, sphere_response

KEMAR_SOFA = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
KEMAR_SHA256 = "ac899dabec8b30b1788ce2530a7208685021b946dd18753878af69dd91609d11"
GRID = fibonacci_sphere(700)
F = np.fft.rfftfreq(1024, 1 / 48000)


def ears(filters: np.ndarray, direction: np.ndarray, order: int) -> np.ndarray:
    return np.einsum("mc,ect->met", harmonics(np.atleast_2d(direction), order), filters.astype(float))


def interaural_lag(pair: np.ndarray) -> int:
    """Samples by which the right ear is later, below 1.2 kHz."""
    low = butter(4, 1200, fs=48000, output="sos")
    left, right = sosfiltfilt(low, pair)
    return int(np.argmax(np.correlate(right, left, "full"))) - (len(left) - 1)


@cache
def sphere_48k() -> HrirSet:
    return sphere_hrirs(48000)


def test_shipped_file_is_the_one_its_script_made() -> None:
    data = files("sonoworld.render").joinpath("data/kemar_sh_hrir.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == KEMAR_SHA256
    assert len(data) < 300_000


@pytest.mark.skipif(not KEMAR_SOFA.is_file(), reason="the KEMAR measurement (Debian package libmysofa1) is not here")
def test_script_makes_the_shipped_filters_again() -> None:
    path = Path(__file__).parent.parent / "assets/make_kemar_sh.py"
    spec = importlib.util.spec_from_file_location("make_kemar_sh", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for order in (1, 4):
        made = decoder(script.prepared(KEMAR_SOFA), order)[0]
        assert np.abs(made - hrir("kemar", order)[0]).max() < 1e-4 * np.abs(made).max()


@pytest.mark.parametrize("name", ["kemar", "sphere"])
@pytest.mark.parametrize("order", [1, 3, 7])
def test_left_is_left(name: str, order: int) -> None:
    filters = hrir(name, order)
    assert filters.shape == (2, (order + 1) ** 2, 256)
    left, right = ears(filters, np.array([0.0, 1.0, 0.0]), order)[0]
    assert 10 * np.log10((left**2).sum() / (right**2).sum()) > 5
    lag = interaural_lag(np.stack([left, right]))
    # earlier on the left: 0.4..1 ms between the ears of a head (first order blurs it)
    assert (8 if order == 1 else 22) < lag < 48


@pytest.mark.parametrize("order", range(1, 8))
def test_the_mannequin_is_its_mirror_image(order: int) -> None:
    left, right = hrir("kemar", order)
    np.testing.assert_array_equal(right, left * mirror_signs(order)[:, None])
    flipped = GRID[:50] * [1, -1, 1]
    np.testing.assert_allclose(
        ears(hrir("kemar", order), flipped, order)[:, ::-1], ears(hrir("kemar", order), GRID[:50], order), atol=1e-6
    )


@pytest.mark.parametrize("order", range(1, 8))
def test_reference_level_is_the_diffuse_field(order: int) -> None:
    spectrum = np.abs(np.fft.rfft(ears(hrir("kemar", order), GRID, order), 1024)) ** 2
    diffuse_db = 10 * np.log10(spectrum.mean((0, 1)))
    band = (F > 100) & (F < 16000)
    assert np.abs(diffuse_db[band]).max() < (3.6 if order == 1 else 3.0)
    assert abs(np.average(diffuse_db[band], weights=1 / F[band])) < 0.4


@pytest.mark.parametrize(
    ("order", "low_db", "high_db"), [(1, 1.6, 0.8), (3, 0.2, 0.4), (5, 0.03, 0.3), (7, 0.03, 0.25)]
)
def test_magls_keeps_magnitudes(order: int, low_db: float, high_db: float) -> None:
    whole = sphere_48k()
    wanted = np.abs(np.fft.rfft(whole.taps, 1024))
    got = np.abs(np.fft.rfft(ears(decoder(whole, order), whole.directions, order), 1024))
    error = np.abs(20 * np.log10(got / wanted + 1e-9))
    assert error[..., (F > 200) & (F < 1500)].mean() < low_db
    assert error[..., (F > 2000) & (F < 16000)].mean() < high_db


def test_covariance_is_the_sets_own() -> None:
    whole = sphere_48k()
    Y = harmonics(whole.directions, 2) * np.sqrt(2 * np.array(channel_degrees(2)) + 1)
    areas = sphere_areas(whole.directions) / (4 * np.pi)
    H = centred_spectra(whole)[4:480:16]
    D = np.linalg.lstsq(Y, H.transpose(1, 0, 2).reshape(len(Y), -1), rcond=None)[0]
    D = D.reshape(Y.shape[1], len(H), 2).transpose(1, 0, 2)
    matched = match_diffuse_field(D, H, Y, areas)
    seen = Y @ matched
    wanted = np.einsum("fme,m,fmg->feg", H.conj(), areas, H)
    got = np.einsum("fme,m,fmg->feg", seen.conj(), areas, seen)
    np.testing.assert_allclose(got, wanted, atol=1e-6)
    # already matched: nothing changes
    np.testing.assert_allclose(match_diffuse_field(matched, H, Y, areas), matched, atol=1e-6)


def test_decoder_is_exact_for_a_field_of_its_own_order() -> None:
    # ears that hear first-order patterns are decoded exactly by any order, below and above the cut
    pulse = np.zeros((len(GRID), 2, 256))
    pulse[:, 0, 48] = 1 + 0.6 * GRID[:, 1]
    pulse[:, 1, 48] = 1 - 0.6 * GRID[:, 1]
    out = ears(decoder(HrirSet(pulse, GRID, 48000.0), 3), GRID, 3)
    np.testing.assert_allclose(out, pulse, atol=2e-3)


def test_sphere_meets_its_limits() -> None:
    f = np.array([0.0, 20.0, 15000.0])
    towards = sphere_response(np.array([1.0, 0.0, -1.0]), f)
    np.testing.assert_allclose(towards[:2], 1, atol=0.06)
    # a wall doubles the pressure at high frequencies
    assert abs(towards[2, 0]) == pytest.approx(2, abs=0.05)
    assert abs(towards[2, 2]) < abs(towards[2, 0])
    # long waves: extra arrival (3/2)(a/c) cos γ (Kuhn 1977, eq. 3)
    phase = np.angle(towards[1]) / (2 * np.pi * 20)
    np.testing.assert_allclose(phase, 1.5 * 0.0875 / 343 * np.array([1, 0, -1]), atol=2e-6)


def test_minimum_phase_is_causal_and_keeps_the_magnitude() -> None:
    magnitude = 1 / np.sqrt(1 + (np.fft.rfftfreq(2048) * 20) ** 2)
    H = minimum_phase(magnitude)
    np.testing.assert_allclose(np.abs(H), magnitude, rtol=1e-9)
    taps = np.fft.irfft(H, 2048)
    assert (taps[1024:] ** 2).sum() < 1e-6 * (taps**2).sum()


@pytest.mark.parametrize("rate", [44100, 96000])
def test_other_rates_sound_the_same(rate: int) -> None:
    one = np.abs(np.fft.rfft(hrir("kemar", 2, 48000), 4800, axis=-1))
    other = np.abs(np.fft.rfft(hrir("kemar", 2, rate), rate // 10, axis=-1))
    bins = slice(20, 1600)  # 200 Hz..16 kHz
    np.testing.assert_allclose(other[..., bins], one[..., bins], atol=0.03)


def test_gaps_are_continued_and_holes_are_errors() -> None:
    whole = sphere_48k()
    measured = whole.directions[:, 2] > np.sin(np.deg2rad(-40))
    partial = HrirSet(whole.taps[measured], whole.directions[measured], 48000.0)
    filled = fill_gaps(partial)
    assert (filled.directions[:, 2] < -0.9).any()
    # what was invented below is close to what the sphere does there, below 1.5 kHz
    new = filled.directions[len(partial.directions) :]
    got = np.fft.rfft(filled.taps[len(partial.directions) :], 1024)
    wanted = np.stack([sphere_response(side * new[:, 1], F) for side in (1.0, -1.0)], -1)
    band = (F > 100) & (F < 1500)
    error_db = 20 * np.log10(np.abs(got[..., band]) / np.abs(wanted[band].transpose(1, 2, 0)))
    assert np.abs(error_db).mean() < 1.0
    assert len(fill_gaps(whole).directions) == len(whole.directions)
    ring = np.abs(whole.directions[:, 2]) < 0.1
    with pytest.raises(InputError, match="leaves no gap wider"):
        fill_gaps(HrirSet(whole.taps[ring], whole.directions[ring], 48000.0))


def test_a_room_is_not_a_head() -> None:
    taps = np.random.default_rng(0).standard_normal((4, 2, 48000)) * np.exp(-np.arange(48000) / 8000)
    with pytest.raises(InputError, match="room"):
        trimmed(HrirSet(taps, np.eye(4, 3) + 0.1, 48000.0))


@pytest.mark.parametrize("bad", [0, 8, -1])
def test_orders_of_ears(bad: int) -> None:
    with pytest.raises(ShapeError, match=r"1\.\.7"):
        hrir("kemar", bad)


# --- SOFA files -----------------------------------------------------------------------------------------------------


def write_sofa(path: Path, hrirs: HrirSet, **changes: object) -> Path:
    azimuth = np.rad2deg(np.arctan2(hrirs.directions[:, 1], hrirs.directions[:, 0])) % 360
    elevation = np.rad2deg(np.arcsin(hrirs.directions[:, 2]))
    content: dict[str, object] = {
        "Data.IR": hrirs.taps,
        "Data.SamplingRate": np.array([hrirs.rate_hz]),
        "Data.Delay": np.zeros((1, 2)),
        "SourcePosition": np.stack([azimuth, elevation, np.full(len(azimuth), 1.4)], -1),
        "ListenerView": np.array([[1.0, 0, 0]]),
        "ListenerUp": np.array([[0.0, 0, 1]]),
        "ReceiverPosition": np.array([[[0.0], [0.09], [0.0]], [[0.0], [-0.09], [0.0]]]),
    }
    content.update({key: value for key, value in changes.items() if "." in key or key[0].isupper()})
    with h5py.File(path, "w") as file:
        for key, value in content.items():
            if value is not None:
                file[key] = value
        for key, value in {"Conventions": "SOFA", "DataType": "FIR"}.items():
            file.attrs[key] = np.bytes_(changes.get(key.lower(), value))
        if "SourcePosition" in file:
            file["SourcePosition"].attrs["Type"] = np.bytes_(changes.get("kind", "spherical"))
    return path


@cache
def small() -> HrirSet:
    directions = fibonacci_sphere(120)
    taps = np.zeros((120, 2, 96))
    delay = 40 - 20 * np.stack([directions[:, 1], -directions[:, 1]], -1)
    taps[np.arange(120)[:, None], [[0, 1]], np.round(delay).astype(int)] = 1.0
    return HrirSet(taps, directions, 48000.0)


def test_sofa_round_trip(tmp_path: Path) -> None:
    back = read_sofa(write_sofa(tmp_path / "a.sofa", small()))
    np.testing.assert_allclose(back.taps, small().taps, atol=1e-15)
    np.testing.assert_allclose(back.directions, small().directions, atol=1e-12)
    filters = hrir(tmp_path / "a.sofa", 4)
    assert interaural_lag(ears(filters, np.array([0.0, 1.0, 0.0]), 4)[0]) == pytest.approx(40, abs=4)


def test_sofa_cartesian_and_swapped_ears(tmp_path: Path) -> None:
    file = write_sofa(
        tmp_path / "c.sofa",
        HrirSet(small().taps[:, ::-1].copy(), small().directions, 48000.0),
        kind="cartesian",
        SourcePosition=small().directions * 1.7,
        ReceiverPosition=np.array([[[0.0], [-0.09], [0.0]], [[0.0], [0.09], [0.0]]]),
    )
    back = read_sofa(file)
    np.testing.assert_allclose(back.taps, small().taps, atol=1e-15)
    np.testing.assert_allclose(back.directions, small().directions, atol=1e-12)


def test_sofa_delay_is_honoured(tmp_path: Path) -> None:
    base = np.zeros((120, 2, 64))
    base[..., 16] = 1.0
    delay = np.tile([[100.0, 112.5]], (120, 1))
    file = write_sofa(tmp_path / "d.sofa", HrirSet(base, small().directions, 48000.0), **{"Data.Delay": delay})
    taps = read_sofa(file).taps
    assert np.argmax(taps[0, 0]) == 16
    turned = np.angle(np.fft.rfft(taps[0, 1], 1024)[:100] / np.fft.rfft(taps[0, 0], 1024)[:100])
    np.testing.assert_allclose(np.unwrap(turned), -2 * np.pi * np.arange(100) / 1024 * 12.5, atol=0.01)


@pytest.mark.skipif(not KEMAR_SOFA.is_file(), reason="the KEMAR measurement (Debian package libmysofa1) is not here")
def test_a_real_sofa_file() -> None:
    measured = read_sofa(KEMAR_SOFA)
    assert measured.taps.shape == (710, 2, 512)
    assert resampled(measured, 48000).taps.shape == (710, 2, 558)
    left, right = ears(hrir(KEMAR_SOFA, 3), np.array([0.0, 1.0, 0.0]), 3)[0]
    assert (left**2).sum() > 4 * (right**2).sum()


HOSTILE: dict[str, dict[str, object]] = {
    "no data": {"Data.IR": None},
    "one ear": {"Data.IR": np.zeros((120, 1, 64))},
    "two dimensions": {"Data.IR": np.zeros((120, 64))},
    "nan": {"Data.IR": np.full((120, 2, 64), np.nan)},
    "silence": {"Data.IR": np.zeros((120, 2, 64))},
    "words": {"Data.IR": np.full((120, 2, 64), b"x")},
    "few taps": {"Data.IR": np.ones((120, 2, 4))},
    "rate": {"Data.SamplingRate": np.array([-1.0])},
    "no rate": {"Data.SamplingRate": np.zeros(0)},
    "many rates": {"Data.SamplingRate": np.array([44100.0, 48000.0])},
    "positions": {"SourcePosition": np.zeros((7, 3))},
    "no positions": {"SourcePosition": None},
    "position type": {"kind": "toroidal"},
    "middle of the head": {"kind": "cartesian", "SourcePosition": np.zeros((120, 3))},
    "delay shape": {"Data.Delay": np.zeros((5, 2))},
    "no delay": {"Data.Delay": None},
    "negative delay": {"Data.Delay": np.array([[-5.0, 0.0]])},
    "endless delay": {"Data.Delay": np.array([[0.0, 1e30]])},
    "view": {"ListenerView": np.array([[0.0, 1.0, 0.0]])},
    "ears": {"ReceiverPosition": np.zeros((3, 3, 1))},
    "convention": {"conventions": "NETCDF"},
    "data type": {"datatype": "SOS"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sofa_is_one_clear_error(tmp_path: Path, name: str) -> None:
    file = write_sofa(tmp_path / "bad.sofa", small(), **HOSTILE[name])
    with pytest.raises(InputError, match=r"expected|holds|stands|too large"):
        read_sofa(file)


def test_sofa_never_reads_other_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(120 * 2 * 64).tobytes())
    write_sofa(tmp_path / "other.sofa", small())
    for kind in ("external data", "external link", "soft link"):
        path = write_sofa(tmp_path / "link.sofa", small(), **{"Data.IR": None})
        with h5py.File(path, "a") as file:
            if kind == "external data":
                file.create_dataset("Data.IR", (120, 2, 64), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
            elif kind == "external link":
                file["Data.IR"] = h5py.ExternalLink(str(tmp_path / "other.sofa"), "Data.IR")
            else:
                file["Data.IR"] = h5py.SoftLink("/SourcePosition")
        with pytest.raises(UnsafeFileError):
            read_sofa(path)


def test_sofa_bombs_and_rubbish(tmp_path: Path) -> None:
    bomb = write_sofa(tmp_path / "bomb.sofa", small(), **{"Data.IR": None})
    with h5py.File(bomb, "a") as file:
        file.create_dataset("Data.IR", (100_000, 2, 60_000), "f8", chunks=(100, 2, 1000), compression="gzip")
    with pytest.raises(UnsafeFileError, match="at most"):
        read_sofa(bomb)
    good = write_sofa(tmp_path / "good.sofa", small()).read_bytes()
    rng = np.random.default_rng(0)
    for cut in (0, 100, 2000, len(good) // 2):
        (tmp_path / "cut.sofa").write_bytes(good[:cut])
        with pytest.raises(UnsafeFileError):
            read_sofa(tmp_path / "cut.sofa")
    for _ in range(60):
        broken = bytearray(good)
        for at in rng.integers(0, min(len(good), 20000), 30):
            broken[at] = int(rng.integers(256))
        (tmp_path / "fuzz.sofa").write_bytes(bytes(broken))
        with suppress(InputError):
            read_sofa(tmp_path / "fuzz.sofa")
    with pytest.raises(UnsafeFileError, match="no such file"):
        read_sofa(tmp_path / "none.sofa")
