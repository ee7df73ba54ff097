"""What may become of a file: a value, or one error that names the file, what was expected and what is there."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sofa_files import read_here
from sonoworld.disk.ambix import read_ambix
from sonoworld.disk.wav import MAX_SAMPLES, read_sound
from sonoworld.errors import SonoworldError
from sonoworld.render.sofa import Sofa
from sonoworld.types import SoundField

MAX_MESSAGE = 600
MAX_LONG_MESSAGE = 8000


def outcome(read: Callable[[Path], str], path: Path) -> str:
    """`read`'s verdict on a value, or "refused"; anything else is an assertion, and so is a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read(path)
        except SonoworldError as error:
            said = str(error)
            assert str(path) in said, f"does not name the file: {said}"
            assert "expected" in said, f"does not say what was expected: {said}"
            assert "got" in said, f"does not say what is there: {said}"
            assert len(said) < MAX_MESSAGE + len(str(path)), f"too long: {said}"
            return "refused"


def brief_outcome(read: Callable[[Path], str], path: Path) -> str:
    """As `outcome`, of readers whose errors are checked in words elsewhere: any `SonoworldError` that can be read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return read(path)
        except SonoworldError as error:
            assert 0 < len(str(error)) < MAX_LONG_MESSAGE, f"{len(str(error))} characters: {str(error)[:200]}"
            return "refused"


def sound_outcome(path: Path) -> str:
    sound = read_sound(path)
    assert sound.samples.dtype == np.float32
    assert 0 < sound.samples.size <= MAX_SAMPLES
    assert np.isfinite(sound.samples).all()
    return "read"


def ambix_outcome(path: Path) -> str:
    """All three conventions; one is enough to be read."""
    verdicts = [outcome(lambda p, c=c: _field(read_ambix(p, c)), path) for c in ("ambix", "n3d", "fuma")]
    return "read" if "read" in verdicts else "refused"


def _field(field: SoundField) -> str:
    assert field.signal.shape[0] == (field.order + 1) ** 2
    assert np.isfinite(field.signal).all()
    assert np.isfinite(field.full_scale_db)
    return "read"


def sofa_outcome(path: Path) -> str:
    return check_sofa(read_here(path))


def check_sofa(sofa: Sofa) -> str:
    hrirs = sofa.hrirs
    assert np.isfinite(hrirs.taps).all()
    np.testing.assert_allclose(np.linalg.norm(hrirs.directions, axis=1), 1, atol=1e-9)
    assert hrirs.taps.shape[:2] == (len(hrirs.directions), 2)
    assert 8000 <= hrirs.rate_hz <= 768000
    assert sofa.line.isprintable()
    return "read"
