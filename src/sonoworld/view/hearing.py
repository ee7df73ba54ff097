"""What the page hears with: the compiled kernel, ears for more than one order, and the tables of the laws in use."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sonoworld.encode.air import WAYS_M, air_bank
from sonoworld.encode.decorrelate import decorrelator
from sonoworld.encode.nearfield import MOST_BOOST_DB, NEAREST_M, REFERENCE_M, near_field_roots
from sonoworld.encode.options import EncodeOptions
from sonoworld.encode.travel import PHASES, SPEED_OF_SOUND_M_S, interpolation_table
from sonoworld.errors import BackendMissingError, InputError
from sonoworld.render.hrtf import hrir
from sonoworld.render.speakers import LAYOUTS
from sonoworld.render.speakers_decode import speaker_decoder
from sonoworld.view.document import AirPart, CopiesPart, DelayPart, FiltersPart, HearingPart, NearPart

KERNEL = "kernel.wasm"
ORDERS = (5, 4, 3, 2, 1)
"""Fifth order for desktops; phones take the third, which is a third of the work. A visitor may choose."""
OTHER_ORDERS = (5, 3)
"""Of ears that are designed when they are asked for, which takes seconds."""
SPEAKER_ORDER = 3
EAR_NAMES = {"kemar": "KEMAR mannequin", "sphere": "Ideal sphere"}

RATE_HZ = 48000


def write_kernel(folder: Path) -> None:
    """Put the compiled kernel beside the page, and its licences into the page's list.

    Raises:
        BackendMissingError: it was not built at install.
    """
    built = files("sonoworld").joinpath("products", "native")
    if not built.joinpath(KERNEL).is_file():
        raise BackendMissingError(
            f"the viewer's audio kernel was not built (no {KERNEL}): "
            "`pip install --force-reinstall --no-deps sonoworld`, or `pip install -e .` in a checkout, builds it"
        )
    with as_file(built.joinpath(KERNEL)) as file:
        shutil.copyfile(file, folder / KERNEL)
    with (folder / "LICENSES.txt").open("a", encoding="utf-8", newline="\n") as licences:
        licences.write("\n\n" + built.joinpath("NOTICE.txt").read_text("utf-8"))


def write_hearing(folder: Path, laws: EncodeOptions, ears: str | Path = "kemar") -> HearingPart:
    """Write filters and tables into `folder`, and say what they are.

    Args:
        folder: Where the files go.
        laws: How sound fades and how areas sound.
        ears: Worn first: "kemar", "sphere", or the path of a SOFA file; the mannequin's are always on offer too.

    Raises:
        InputError: a law that the page does not know (paper mode).
        UnsafeFileError: the SOFA file cannot be used.
    """
    if laws.mode == "paper":
        raise InputError("the page plays mode = 'physical'; offline rendering knows mode = 'paper'")
    return HearingPart(
        epsilon_m=laws.near_m,
        alpha_per_m=laws.alpha if laws.air == "alpha" else 0.0,
        speed_m_s=SPEED_OF_SOUND_M_S,
        delay=_write_delay(folder / "delay.bin") if laws.delay else None,
        air=_write_air(folder / "air.bin") if laws.air == "iso9613" else None,
        near=_near() if laws.near_field else None,
        filters=(*_write_worn(folder, ears), *_write_mannequin(folder), _write_speakers(folder / "speakers.bin")),
    )


def write_copies(path: Path, part: CopiesPart, source_id: str, count: int) -> None:
    """Write the filters that make decorrelated copies of a source's clip: those of `encode.decorrelate`."""
    _write(path, np.stack([decorrelator(source_id, copy, part.rate_hz) for copy in range(count)]))


def _write_mannequin(folder: Path) -> list[FiltersPart]:
    return [_write_ears(folder / f"ears-{order}.bin", "kemar", order) for order in ORDERS]


def _write_worn(folder: Path, ears: str | Path) -> list[FiltersPart]:
    """Files of ears other than the mannequin's; not named after the user's file, which might name a person."""
    if ears == "kemar":
        return []
    return [_write_ears(folder / f"ears-worn-{order}.bin", ears, order) for order in OTHER_ORDERS]


def _write_ears(path: Path, ears: str | Path, order: int) -> FiltersPart:
    taps = hrir(ears, order, RATE_HZ)
    _write(path, taps)
    name = EAR_NAMES.get(str(ears), "Your own (SOFA)")
    return FiltersPart(file=path.name, name=name, order=order, taps=taps.shape[2], rate_hz=RATE_HZ)


def _write_speakers(path: Path) -> FiltersPart:
    # without max-rE weights, which would draw what is 30° to the side from 11 dB between both to 7 dB
    gains = speaker_decoder(LAYOUTS["stereo"], SPEAKER_ORDER, max_re=False)
    _write(path, gains[:, :, None])
    return FiltersPart(
        file=path.name, output="speakers", name="Two loudspeakers", order=SPEAKER_ORDER, taps=1, rate_hz=RATE_HZ
    )


def _write_delay(path: Path) -> DelayPart:
    _write(path, interpolation_table())
    return DelayPart(file=path.name, phases=PHASES)


def _write_air(path: Path) -> AirPart:
    bank = air_bank(RATE_HZ)
    _write(path, bank)
    return AirPart(file=path.name, ways_m=WAYS_M, taps=bank.shape[1], rate_hz=RATE_HZ)


def _near() -> NearPart:
    roots = tuple((float(real), float(imaginary)) for real, imaginary in near_field_roots(max(ORDERS)))
    return NearPart(reference_m=REFERENCE_M, nearest_m=NEAREST_M, most_boost_db=MOST_BOOST_DB, roots=roots)


def _write(path: Path, values: Float[np.ndarray, "*b"]) -> None:
    path.write_bytes(np.ascontiguousarray(values, "<f4").tobytes())
