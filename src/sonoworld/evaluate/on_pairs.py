"""Any folder of first-order clips against another one of the same names."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sonoworld.disk.wav import read_wav
from sonoworld.errors import InputError
from sonoworld.evaluate import spatial
from sonoworld.evaluate.baselines.files import Submission, first_order
from sonoworld.evaluate.datasets.foa_folder import RATE_HZ, foa_pairs, read_foa
from sonoworld.evaluate.results import Row


def run_pairs(references: Path, submissions: Sequence[Submission]) -> list[Row]:
    """Score whole files, uncut; folders of a name become scene and microphone.

    Raises:
        InputError: nothing to compare, a file without partner, another format or rate.
    """
    if not submissions:
        raise InputError("pairs: expected at least one --submission METHOD=DIR")
    rows: list[Row] = []
    for submission in submissions:
        for name, estimate, reference in foa_pairs(submission.folder, references):
            samples, rate_hz = read_wav(estimate)
            if rate_hz != RATE_HZ:
                raise InputError(f"{estimate}: expected {RATE_HZ} Hz, got {rate_hz} Hz")
            found = spatial.compare(
                first_order(samples, submission.format, str(estimate)), read_foa(reference), RATE_HZ
            )
            *above, clip = PurePosixPath(name).parts
            scene, mic = (above[0] if above else "all"), "/".join(above[1:]) or "all"
            rows.append(Row(submission.name, scene, mic, clip, found, {"files": submission.format}))
    return rows
