"""SOFA files: what they mean, and what is turned down with one clear error."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from sofa_files import Content, content_of, read_here, small, spherical, tiny
from sonoworld.encode.harmonics import harmonics
from sonoworld.errors import InputError, UnsafeFileError
from sonoworld.render import sofa_process
from sonoworld.render.hrirs import HrirSet, resampled
from sonoworld.render.hrtf import hrir
from sonoworld.render.sofa import load_sofa, read_sofa
from sonoworld.render.sofa_delay import HALF_WIDTH, delayed

KEMAR_SOFA = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    loaded = load_sofa(content_of(small()).write(tmp_path / "a.sofa"))
    np.testing.assert_array_equal(loaded.hrirs.taps, small().taps)
    np.testing.assert_allclose(loaded.hrirs.directions, small().directions, atol=1e-12)
    assert loaded.line == (
        "T. Ester, a test, none: SimpleFreeFieldHRIR, 120 directions, 96 taps at 48 kHz, radius 1.4 m, "
        "ears by their positions"
    )


def test_left_is_left_after_decoding(tmp_path: Path) -> None:
    filters = hrir(content_of(small()).write(tmp_path / "a.sofa"), 4)
    pair = np.einsum("c,ect->et", harmonics(np.array([0.0, 1.0, 0.0]), 4), filters.astype(float))
    left, right = sosfiltfilt(butter(4, 1200, fs=48000, output="sos"), pair)
    # 40 samples between the ears of `small`
    assert int(np.argmax(np.correlate(right, left, "full"))) - (len(left) - 1) == pytest.approx(40, abs=4)


@pytest.mark.parametrize("storage", [{"compression": "gzip", "shuffle": True}, {"fletcher32": True}, {}])
@pytest.mark.parametrize("libver", [None, "latest"])
def test_every_storage_of_netcdf(tmp_path: Path, storage: dict[str, object], libver: str | None) -> None:
    content = content_of(small())
    content.data["Data.IR"] = content.data["Data.IR"].astype(">f4")
    content.storage = storage
    np.testing.assert_array_equal(read_sofa(content.write(tmp_path / "a.sofa", libver)).taps, small().taps)


def test_general_fir_cartesian_and_ears_the_other_way_round(tmp_path: Path) -> None:
    content = content_of(HrirSet(small().taps[:, ::-1].copy(), small().directions, 48000.0))
    content.texts["SOFAConventions"] = "GeneralFIR"
    content.data["SourcePosition"] = small().directions * 1.7
    content.words["SourcePosition"] = ("cartesian", "metre")
    content.data["ReceiverPosition"] = np.array([[[0.0], [-0.09], [0.0]], [[0.0], [0.09], [0.0]]])
    loaded = load_sofa(content.write(tmp_path / "c.sofa"))
    np.testing.assert_array_equal(loaded.hrirs.taps, small().taps)
    np.testing.assert_allclose(loaded.hrirs.directions, small().directions, atol=1e-12)
    assert "GeneralFIR, 120 directions" in loaded.line
    assert "radius 1.7 m" in loaded.line


def test_the_same_places_in_either_type(tmp_path: Path) -> None:
    content = content_of(small())
    content.data["ListenerView"] = np.array([[0.0, 0.0, 1.0]])
    content.words["ListenerView"] = ("spherical", "degrees, degrees, meters")
    content.data["ReceiverPosition"] = np.array([[[90.0], [0.0], [0.09]], [[270.0], [0.0], [0.09]]])
    content.words["ReceiverPosition"] = ("spherical", "degree, degree, metre")
    content.data["SourcePosition"] -= np.array([[360.0, 0.0, 0.0]]) * (content.data["SourcePosition"][:, :1] > 180)
    back = read_sofa(content.write(tmp_path / "s.sofa"))
    np.testing.assert_array_equal(back.taps, small().taps)
    np.testing.assert_allclose(back.directions, small().directions, atol=1e-12)


def test_without_ears_the_first_is_left(tmp_path: Path) -> None:
    content = content_of(small())
    content.data["ReceiverPosition"] = np.zeros((2, 3, 1))
    loaded = load_sofa(content.write(tmp_path / "z.sofa"))
    np.testing.assert_array_equal(loaded.hrirs.taps, small().taps)
    assert loaded.line.endswith("ears in the standard's order")


def test_words_of_strangers_are_only_words(tmp_path: Path) -> None:
    content = content_of(small())
    content.texts |= {"Title": "\x1b[31mred\nline", "DatabaseName": "x" * 500, "ListenerShortName": ""}
    line = load_sofa(content.write(tmp_path / "w.sofa")).line
    assert line.isprintable()
    assert len(line) < 250


# --- Data.Delay -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.booleans())
def test_whole_delays_move_samples(seed: int, everyone: bool) -> None:
    rng = np.random.default_rng(seed)
    taps, delay = rng.standard_normal((5, 2, 20)), rng.integers(0, 40, (1 if everyone else 5, 2))
    out = delayed(taps, delay.astype(float))
    for m in range(5):
        for ear in range(2):
            d = delay[0 if everyone else m, ear]
            np.testing.assert_array_equal(out[m, ear, d : d + 20], taps[m, ear])
            assert np.count_nonzero(out[m, ear]) == 20


@given(st.integers(0, 10**6))
def test_broken_delays_turn_the_phase(seed: int) -> None:
    rng = np.random.default_rng(seed)
    taps, delay = rng.standard_normal((3, 2, 20)), rng.uniform(0, 60, (3, 2))
    out = delayed(taps, delay)
    # oracle: the shift theorem, below 0.9 of the Nyquist frequency
    turns = np.exp(-2j * np.pi * np.arange(460) / 1024 * (delay[..., None] + HALF_WIDTH))
    wanted = np.fft.rfft(taps, 1024)[..., :460] * turns
    assert np.abs(np.fft.rfft(out, 1024)[..., :460] - wanted).max() < 1e-3 * np.abs(wanted).max()


@pytest.mark.parametrize("rows", [1, 120])
def test_delay_of_all_or_each(tmp_path: Path, rows: int) -> None:
    base = np.zeros((120, 2, 64))
    base[..., 16] = 1.0
    content = content_of(HrirSet(base, small().directions, 48000.0))
    content.data["Data.Delay"] = np.tile([[100.0, 112.5]], (rows, 1))
    taps = read_sofa(content.write(tmp_path / "d.sofa")).taps
    turned = np.angle(np.fft.rfft(taps[:, 1], 1024)[:, :100] / np.fft.rfft(taps[:, 0], 1024)[:, :100])
    expected = -2 * np.pi * np.arange(100) / 1024 * 12.5
    np.testing.assert_allclose(np.unwrap(turned), np.tile(expected, (120, 1)), atol=0.01)


# --- files that are turned down ---------------------------------------------------------------------------------------


def changed(**data: object) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content.data |= {key.replace("_", "."): value for key, value in data.items()}

    return change


def said(key: str, kind: str, units: str, value: np.ndarray | None = None) -> Callable[[Content], None]:
    def change(content: Content) -> None:
        content.words[key] = (kind, units)
        if value is not None:
            content.data[key] = value

    return change


def titled(**texts: object) -> Callable[[Content], None]:
    return lambda content: content.texts.update(texts)


M = len(small().directions)
PLACES = spherical(small().directions)
REFUSED: dict[str, tuple[Callable[[Content], None], str]] = {
    "no data": (changed(Data_IR=None), "Data.IR: expected a dataset inside the file, got nothing"),
    "one ear": (changed(Data_IR=np.zeros((M, 1, 64))), r"Data.IR: expected \[directions, 2 ears"),
    "two dimensions": (changed(Data_IR=np.zeros((M, 64))), r"got shape \[120, 64\]"),
    "nan": (changed(Data_IR=np.full((M, 2, 64), np.nan)), "Data.IR: expected finite numbers"),
    "silence": (changed(Data_IR=np.zeros((M, 2, 64))), "a peak of"),
    "one deaf ear": (changed(Data_IR=small().taps * [[[1], [0]]]), "got 1, 0"),
    "immense": (changed(Data_IR=small().taps * 1e200), "a peak of"),
    "words": (changed(Data_IR=np.full((M, 2, 64), b"x")), r"expected numbers .* got \|S1"),
    "complex": (changed(Data_IR=np.ones((M, 2, 64), complex)), "expected numbers"),
    "few taps": (changed(Data_IR=np.ones((M, 2, 4))), "16..65536 taps"),
    "few directions": (changed(Data_IR=np.ones((3, 2, 64))), r"6..65536 directions, got 3"),
    "rate": (changed(Data_SamplingRate=np.array([-1.0])), "one rate of 8000..768000 Hz"),
    "kilohertz": (changed(Data_SamplingRate=np.array([44.1])), "one rate"),
    "rate in other units": (said("Data.SamplingRate", "", "kHz"), "Units: expected 'hertz', got 'khz'"),
    "no rate": (changed(Data_SamplingRate=np.zeros(0)), "numbers in 1..4 dimensions"),
    "many rates": (changed(Data_SamplingRate=np.array([44100.0, 48000.0])), "one rate"),
    "positions": (changed(SourcePosition=np.zeros((7, 3))), r"SourcePosition: expected \[120, 3\]"),
    "no positions": (changed(SourcePosition=None), "SourcePosition: expected a dataset"),
    "no type": (said("SourcePosition", "", "degree, degree, metre"), "SourcePosition:Type: expected spherical"),
    "no units": (said("SourcePosition", "spherical", ""), "SourcePosition:Units: expected spherical"),
    "radians": (said("SourcePosition", "spherical", "radian, radian, metre"), "expected 'degree, degree, metre'"),
    "millimetres": (said("SourcePosition", "cartesian", "mm", small().directions), "expected 'metre', got 'mm'"),
    "position type": (said("SourcePosition", "toroidal", "metre"), "'spherical' or 'cartesian', got 'toroidal'"),
    "colatitude": (changed(SourcePosition=PLACES + np.array([0, 90, 0])), "elevation within ±90°"),
    "behind oneself": (changed(SourcePosition=PLACES * [1, 1, -1]), "radius >= 0 m"),
    "middle of the head": (changed(SourcePosition=PLACES * [1, 1, 0]), "middle of the head"),
    "two shells": (changed(SourcePosition=PLACES * np.linspace(1, 2, M)[:, None] ** [0, 0, 1]), "one distance"),
    "delay shape": (changed(Data_Delay=np.zeros((5, 2))), r"Data.Delay: expected samples of \[1, 2\] or \[120, 2\]"),
    "no delay": (changed(Data_Delay=None), "Data.Delay: expected a dataset"),
    "negative delay": (changed(Data_Delay=np.array([[-5.0, 0.0]])), r"expected 0..65536 samples, got -5..0"),
    "endless delay": (changed(Data_Delay=np.array([[0.0, 1e30]])), "samples"),
    "view": (changed(ListenerView=np.array([[0.0, 1.0, 0.0]])), r"ListenerView: expected \(1.0, 0, 0\)"),
    "no view": (changed(ListenerView=np.zeros((1, 3))), "ListenerView"),
    "upside down": (changed(ListenerUp=np.array([[0.0, 0.0, -1.0]])), "ListenerUp"),
    "elsewhere": (changed(ListenerPosition=np.ones((1, 3))), "ListenerPosition"),
    "flat view": (changed(ListenerView=np.array([1.0, 0.0])), r"ListenerView: expected \[1 or m, 3\]"),
    "three ears": (changed(ReceiverPosition=np.zeros((3, 3, 1))), "two ears"),
    "ears that change": (
        changed(ReceiverPosition=np.array([[[0.0, 0.0], [0.09, -0.09], [0, 0]], [[0, 0], [-0.09, 0.09], [0, 0]]])),
        "keep their sides",
    ),
    "not SOFA": (titled(Conventions="NETCDF"), "attribute Conventions: expected 'SOFA', got 'NETCDF'"),
    "headphones": (titled(SOFAConventions="SimpleHeadphoneIR"), "responses of headphones"),
    "a room": (titled(SOFAConventions="MultiSpeakerBRIR"), "responses of a room"),
    "spectra": (titled(SOFAConventions="SimpleFreeFieldHRTF", DataType="TF"), "save it as SimpleFreeFieldHRIR"),
    "data type": (titled(DataType="SOS"), "attribute DataType: expected 'FIR', got 'SOS'"),
    "an essay": (titled(Conventions="SOFA " * 5000), "attribute Conventions: expected 'SOFA', got ''"),
    "a number": (titled(Conventions=np.arange(4)), "attribute Conventions"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_clear_error(tmp_path: Path, name: str) -> None:
    change, message = REFUSED[name]
    content = content_of(small())
    change(content)
    with pytest.raises(UnsafeFileError, match=message) as caught:
        read_here(content.write(tmp_path / "bad.sofa"))
    assert str(caught.value).startswith(f"HRTF {tmp_path / 'bad.sofa'}: ")


def test_a_horizontal_ring_is_not_a_sphere(tmp_path: Path) -> None:
    content = tiny()
    content.data["SourcePosition"] = np.stack([np.arange(6) * 60.0, np.zeros(6), np.ones(6)], -1)
    with pytest.raises(InputError, match="leaves no gap wider"):
        hrir(content.write(tmp_path / "ring.sofa"), 1)


def test_other_files_are_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(small().taps.tobytes())
    content_of(small()).write(tmp_path / "other.sofa")
    for kind in ("external data", "external link", "soft link", "virtual", "reference"):
        content = content_of(small())
        content.data["Data.IR"] = None
        path = content.write(tmp_path / "link.sofa")
        with h5py.File(path, "a") as file:
            if kind == "external data":
                file.create_dataset("Data.IR", (M, 2, 96), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
            elif kind == "external link":
                file["Data.IR"] = h5py.ExternalLink(str(tmp_path / "other.sofa"), "Data.IR")
            elif kind == "soft link":
                file["Data.IR"] = h5py.SoftLink("/SourcePosition")
            elif kind == "virtual":
                layout = h5py.VirtualLayout((M, 2, 96), "f8")
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.sofa"), "Data.IR", (M, 2, 96))
                file.create_virtual_dataset("Data.IR", layout)
            else:
                file.create_dataset("Data.IR", (M, 2, 96), h5py.ref_dtype)
        with pytest.raises(UnsafeFileError, match=r"Data\.IR: expected (a dataset|values|numbers)"):
            read_here(path)


BOMBS: dict[str, dict[str, object]] = {
    "a million million": {"shape": (10**6, 2, 500_000), "chunks": (10, 2, 1000), "compression": "gzip"},
    "nothing stored": {"shape": (5000, 2, 512), "chunks": (100, 2, 512), "compression": "gzip"},
    "a chunk larger than all": {"shape": (120, 2, 64), "maxshape": (None, 2, 64), "chunks": (10**6, 2, 64)},
    "szip": {"shape": (120, 2, 64), "chunks": (120, 2, 64), "compression": "szip"},
    "lzf": {"shape": (120, 2, 64), "chunks": (120, 2, 64), "compression": "lzf"},
    "scale and offset": {"shape": (120, 2, 64), "chunks": (120, 2, 64), "scaleoffset": 3},
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(tmp_path: Path, name: str) -> None:
    if name == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        pytest.skip("this HDF5 cannot write szip")
    content = content_of(small())
    content.data["Data.IR"] = None
    path = content.write(tmp_path / "bomb.sofa")
    with h5py.File(path, "a") as file:
        file.create_dataset("Data.IR", dtype="f8", **BOMBS[name])
    with pytest.raises(UnsafeFileError, match=r"Data\.IR: expected (1\.\.|at most|chunks|compression)"):
        read_sofa(path)


@pytest.mark.parametrize("size", [0, 7, 100, 2000, 30_000])
def test_a_cut_file_is_damaged(tmp_path: Path, size: int) -> None:
    path = content_of(small()).write(tmp_path / "cut.sofa")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UnsafeFileError, match=r"file: expected (readable HDF5|a SOFA file)"):
        read_sofa(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, got in ((tmp_path / "none.sofa", "No such file"), (tmp_path, "folder or device")):
        with pytest.raises(UnsafeFileError, match=got):
            read_sofa(path)


# --- the process that opens the file ----------------------------------------------------------------------------------


STORIES = {
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)": "crash of the HDF5 library .SIGSEGV",
    "import sys; sys.exit(3)": "got exit 3",
    "raise OSError('eof too early')": "got OSError: eof too early",
    "print('hello')": "nonsense from its reader",
    'print(\'{"texts": {}, "tables": [{"key": "x", "shape": [9], "type": "", "units": ""}]}\')': "nonsense",
    "print([1])": "nonsense",
    "import time; time.sleep(30)": "got no end",
}


@pytest.mark.parametrize("story", STORIES)
def test_whatever_becomes_of_it_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, story: str) -> None:
    script = tmp_path / "reader.py"
    script.write_text(story)
    monkeypatch.setattr(sofa_process, "SCRIPT", script)
    monkeypatch.setattr(sofa_process, "TIMEOUT_S", 3.0)
    with pytest.raises(UnsafeFileError, match=STORIES[story]):
        read_sofa(content_of(small()).write(tmp_path / "a.sofa"))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_it_cannot_take_all_memory(tmp_path: Path) -> None:
    code = (
        "from sonoworld.render import sofa_tables\n"
        "sofa_tables.limit_resources()\n"
        "try:\n    bytearray(4 * 2**30)\nexcept MemoryError:\n    print('held')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "held\n"


@pytest.mark.skipif(not KEMAR_SOFA.is_file(), reason="the KEMAR measurement (Debian package libmysofa1) is not here")
def test_a_real_sofa_file() -> None:
    loaded = load_sofa(KEMAR_SOFA)
    assert loaded.hrirs.taps.shape == (710, 2, 512)
    assert "KEMAR, normal pinna" in loaded.line
    assert "44.1 kHz, radius 1.4 m" in loaded.line
    assert resampled(loaded.hrirs, 48000).taps.shape == (710, 2, 558)
    filters = hrir(KEMAR_SOFA, 3).astype(float)
    left, right = np.einsum("c,ect->et", harmonics(np.array([0.0, 1.0, 0.0]), 3), filters)
    assert (left**2).sum() > 4 * (right**2).sum()
